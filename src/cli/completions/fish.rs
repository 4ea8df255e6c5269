//! Completions for fish.

use super::completion::{Completion, commands};
use crate::cli::settings_table::TABLE;
use crate::cli::subcommand::Subcommand;
use std::fmt::Write;

/// Condition: the command line has no command yet.
const NO_COMMAND: &str = "not __fish_seen_subcommand_from $__h1mock_commands";

pub(super) fn script() -> String {
    let mut out = format!(
        "# Completions of h1mock for fish. For this shell: h1mock completions fish | source\n\
         set -g __h1mock_commands {}\n\
         complete -c h1mock -f\n\
         complete -c h1mock -s h -l help -d 'Print the help'\n\
         complete -c h1mock -s V -l version -d 'Print the version'\n\
         complete -c h1mock -n '__fish_seen_subcommand_from help' -a \"$__h1mock_commands\"\n",
        commands(" ")
    );
    for subcommand in Subcommand::ALL {
        let (word, summary) = (subcommand.word(), escape(subcommand.summary()));
        let _ = writeln!(out, "complete -c h1mock -n '{NO_COMMAND}' -a {word} -d '{summary}'");
        let condition = condition(&[subcommand]);
        if let Some(arguments) = arguments(&Completion::of_operands(subcommand), "") {
            let _ = writeln!(out, "complete -c h1mock -n '{condition}' {}", arguments.trim_end());
        }
    }
    for setting in TABLE {
        let short = setting.short.map_or(String::new(), |letter| format!("-s {letter} "));
        let value = match Completion::of_value(setting) {
            None => String::new(),
            Some(value) => arguments(&value, "-r ").unwrap_or_else(|| "-x ".to_owned()),
        };
        let _ = writeln!(
            out,
            "complete -c h1mock -n '{}' {short}-l {} {value}-d '{}'",
            condition(setting.commands),
            setting.flag,
            escape(setting.help)
        );
    }
    out
}

/// Returns the condition for one of `commands`. `serve` stands also for a command line without a command.
fn condition(commands: &[Subcommand]) -> String {
    let words = |is_wanted: bool| {
        let wanted = Subcommand::ALL.into_iter().filter(|command| commands.contains(command) == is_wanted);
        wanted.map(Subcommand::word).collect::<Vec<_>>().join(" ")
    };
    match commands.contains(&Subcommand::Serve) {
        true => format!("not __fish_seen_subcommand_from {} help", words(false)),
        false => format!("__fish_seen_subcommand_from {}", words(true)),
    }
}

/// Returns the options of `complete` for a place; `None` if the shell can't know what stands there. `required` is `-r ` for the value
/// of a flag.
fn arguments(completion: &Completion, required: &str) -> Option<String> {
    match completion {
        Completion::Words(words) => Some(format!("{required}-a '{words}' ")),
        Completion::Files => Some(format!("{required}-F ")),
        Completion::Folders => Some(format!("{required}-a '(__fish_complete_directories)' ")),
        Completion::Unknown => None,
    }
}

fn escape(text: &str) -> String {
    text.replace('\\', r"\\").replace('\'', r"\'")
}
