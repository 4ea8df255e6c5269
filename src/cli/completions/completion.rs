//! The completions of a value or an operand, in the terms of no shell.

use crate::cli::setting::Setting;
use crate::cli::settings_table::TABLE;
use crate::cli::subcommand::Subcommand;

/// The words that may stand in one place of a command line.
#[derive(Debug, PartialEq)]
pub(super) enum Completion {
    /// One of these, with spaces between them.
    Words(String),
    Files,
    Folders,
    /// A text that a shell can't know.
    Unknown,
}

impl Completion {
    /// Returns the completion of the value of `setting`; `None` for a switch.
    pub(super) fn of_value(setting: &Setting) -> Option<Completion> {
        Some(match setting.value? {
            _ if !setting.words.is_empty() => Completion::Words(setting.words.join(" ")),
            "FILE" => Completion::Files,
            "DIR" => Completion::Folders,
            _ => Completion::Unknown,
        })
    }

    /// Returns the completion of the operands of `subcommand`, by their names in its help: `FILE...`, `bash|zsh|fish`.
    pub(super) fn of_operands(subcommand: Subcommand) -> Completion {
        match subcommand.operands() {
            operands if operands.contains("FILE") => Completion::Files,
            operands if operands.contains('|') => Completion::Words(operands.replace('|', " ")),
            _ => Completion::Unknown,
        }
    }
}

/// Returns the flags of `subcommand`.
pub(super) fn flags(subcommand: Subcommand) -> impl Iterator<Item = &'static Setting> {
    TABLE.iter().filter(move |setting| setting.commands.contains(&subcommand))
}

/// Returns the words of all commands, `help` last, with `separator` between them.
pub(super) fn commands(separator: &str) -> String {
    let words = Subcommand::ALL.map(Subcommand::word).into_iter().chain(["help"]);
    words.collect::<Vec<_>>().join(separator)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::settings_table::by_flag;

    #[test]
    fn values_and_operands_are_completed_by_their_names() {
        let words = |words: &str| Completion::Words(words.to_owned());
        for (flag, expected) in [
            ("verbose", None),
            ("on-error", Some(words("keep initial"))),
            ("overlay", Some(Completion::Files)),
            ("config-dir", Some(Completion::Folders)),
            ("max-body", Some(Completion::Unknown)),
        ] {
            assert_eq!(Completion::of_value(by_flag(flag).unwrap()), expected, "{flag}");
        }
        for (subcommand, expected) in [
            (Subcommand::Check, Completion::Files),
            (Subcommand::Try, Completion::Files),
            (Subcommand::Completions, words("bash zsh fish")),
            (Subcommand::New, Completion::Unknown),
            (Subcommand::Wait, Completion::Unknown),
        ] {
            assert_eq!(Completion::of_operands(subcommand), expected, "{subcommand:?}");
        }
    }
}
