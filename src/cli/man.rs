//! `h1mock man`: the man page in roff, made from the tables of commands and flags, as the help is.

use super::help::{self, TITLE};
use super::settings_table::TABLE;
use super::subcommand::Subcommand;
use std::fmt::Write;

/// Returns the page, of section 1.
pub(super) fn page() -> String {
    let mut out = format!(
        ".TH H1MOCK 1 \"\" \"h1mock {}\" \"User Commands\"\n.SH NAME\nh1mock \\- {}\n.SH SYNOPSIS\n",
        env!("CARGO_PKG_VERSION"),
        escape(TITLE)
    );
    for subcommand in Subcommand::ALL {
        let word = if subcommand == Subcommand::Serve { "[serve]" } else { subcommand.word() };
        let operands = subcommand.operands();
        let line_break = if subcommand == Subcommand::Serve { "" } else { ".br\n" };
        let _ = writeln!(
            out,
            "{line_break}.B h1mock {word}\n{}",
            escape(format!("[OPTIONS] {operands}").trim_end())
        );
    }
    out.push_str(".SH COMMANDS\n");
    for subcommand in Subcommand::ALL {
        let _ = writeln!(out, ".SS {}\n{}.", subcommand.word(), escape(subcommand.summary()));
        for paragraph in subcommand.details() {
            let _ = writeln!(out, ".PP\n{}", escape(paragraph));
        }
    }
    out.push_str(".SH OPTIONS\nFlags belong to \\fBserve\\fR, unless other commands stand in parentheses.\n");
    options(&mut out);
    out.push_str(".SH EXIT STATUS\n");
    for (code, meaning) in help::EXIT_CODES {
        item(&mut out, code, meaning);
    }
    out
}

fn options(out: &mut String) {
    let mut group = "";
    for setting in TABLE {
        if setting.group != group {
            group = setting.group;
            let _ = writeln!(out, ".SS {group}");
        }
        let words: Vec<&str> = setting.commands.iter().map(|command| command.word()).collect();
        let description = help::description(setting);
        let text = match setting.commands {
            [Subcommand::Serve] => description,
            _ => format!("{description} (for {})", words.join(", ")),
        };
        item(out, help::flag(setting).trim_start(), &text);
    }
    out.push_str(".SS Other options\n");
    help::OTHER_OPTIONS.iter().for_each(|(flag, text)| item(out, flag, text));
}

/// Appends an item of a list.
fn item(out: &mut String, head: &str, text: &str) {
    let _ = writeln!(out, ".TP\n.B {}\n{}", escape(head), escape(text));
}

/// Escapes the characters that roff changes: `-` would be a hyphen, quotes would be curled, a full stop at the beginning of a line would be a request.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 16);
    if text.starts_with(['.', '\'']) {
        escaped.push_str("\\&");
    }
    for letter in text.chars() {
        match letter {
            '\\' => escaped.push_str("\\e"),
            '-' => escaped.push_str("\\-"),
            '`' => escaped.push_str("\\(ga"),
            '\'' => escaped.push_str("\\(aq"),
            '^' => escaped.push_str("\\(ha"),
            '~' => escaped.push_str("\\(ti"),
            '\u{a0}' => escaped.push_str("\\ "),
            _ => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_roff_would_change_are_escaped() {
        for (text, escaped) in [
            ("--max-body", r"\-\-max\-body"),
            (".x 'a' `b`", r"\&.x \(aqa\(aq \(gab\(ga"),
            (r"a\b~^", r"a\eb\(ti\(ha"),
            ("[default:\u{a0}8M]", r"[default:\ 8M]"),
        ] {
            assert_eq!(escape(text), escaped);
        }
    }

    #[test]
    fn the_page_has_every_command_and_flag() {
        let page = page();
        for setting in TABLE {
            assert!(page.contains(&escape(help::flag(setting).trim_start())), "--{}", setting.flag);
            assert!(page.contains(&escape(setting.help)), "--{}", setting.flag);
        }
        for subcommand in Subcommand::ALL {
            assert!(page.contains(&format!("\n.SS {}\n", subcommand.word())), "{subcommand:?}");
        }
    }
}
