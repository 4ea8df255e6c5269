//! Help texts, made from the table of flags and the list of subcommands. They contain no given values, so no token can get
//! in.

use super::setting::Setting;
use super::settings_table::TABLE;
use super::subcommand::Subcommand;
use std::fmt::Write;

/// Widest line, in columns.
const WIDTH: usize = 96;
/// Column where the descriptions of options begin.
const OPTION_COLUMN: usize = 30;
/// Column where the summaries of subcommands begin.
const COMMAND_COLUMN: usize = 15;

/// The program, in one line.
pub(super) const TITLE: &str = "an HTTP/1 mock server, programmed by provisions";
/// The flags of all subcommands.
pub(super) const OTHER_OPTIONS: [(&str, &str); 2] = [
    ("-h, --help", "Print this text (`h1mock help COMMAND` does, too)"),
    ("-V, --version", "Print the version"),
];
/// The exit codes: three of each subcommand, one of those with `--fail-on`, two of the server.
pub(super) const EXIT_CODES: [(&str, &str); 6] = [
    ("0", "success"),
    ("1", "failure"),
    ("2", "wrong usage"),
    ("3", "by --fail-on"),
    ("130", "SIGINT"),
    ("143", "SIGTERM"),
];

/// First steps, with what they do.
const EXAMPLES: [(&str, &str); 4] = [
    ("h1mock new shop", "Write the provision shop.rhai to start from"),
    ("h1mock shop.rhai", "Serve it on port 8000, with the admin port 8074"),
    ("h1mock shop.rhai 9000 9074", "The same on other ports"),
    ("h1mock check shop.rhai", "Look for faults"),
];
/// Column where the descriptions of examples begin.
const EXAMPLE_COLUMN: usize = 32;

/// Returns the help of `subcommand`; without one, first steps and the list of subcommands. Ends with a newline.
pub(super) fn text(subcommand: Option<Subcommand>) -> String {
    let Some(subject) = subcommand else { return overview() };
    let mut out = format!("{}\n\nUsage: ", subject.summary());
    let (word, operands) = (subject.word(), subject.operands());
    let word = if subject == Subcommand::Serve { "[serve]" } else { word };
    let _ = writeln!(out, "{}\n", format!("h1mock {word} [OPTIONS] {operands}").trim_end());
    for paragraph in subject.details() {
        row(&mut out, "", 0, paragraph);
    }
    options(&mut out, subject);
    out.push_str("\nOther options:\n");
    for (flag, text) in OTHER_OPTIONS {
        row(&mut out, &format!("  {flag}"), OPTION_COLUMN, text);
    }
    let codes = match subject {
        Subcommand::Serve => 6,
        Subcommand::Report => 4,
        _ => 3,
    };
    let codes = EXIT_CODES[..codes].iter().map(|(code, meaning)| format!("{code} {meaning}"));
    let _ = writeln!(out, "\nExit codes: {}", codes.collect::<Vec<_>>().join(", "));
    out
}

fn options(out: &mut String, subcommand: Subcommand) {
    let mut group = "";
    for setting in TABLE.iter().filter(|setting| setting.commands.contains(&subcommand)) {
        if setting.group != group {
            group = setting.group;
            let _ = writeln!(out, "\n{group}:");
        }
        row(out, &flag(setting), OPTION_COLUMN, &description(setting));
    }
}

/// Returns the help of the program itself.
fn overview() -> String {
    let mut out = format!("h1mock: {TITLE}\n\nUsage:\n");
    let _ = writeln!(out, "  h1mock [serve] [OPTIONS] {}", Subcommand::Serve.operands());
    out.push_str("  h1mock COMMAND --help\n\nCommands:\n");
    for subcommand in Subcommand::ALL {
        row(&mut out, &format!("  {}", subcommand.word()), COMMAND_COLUMN, subcommand.summary());
    }
    out.push_str("\nFirst steps:\n");
    for (example, text) in EXAMPLES {
        row(&mut out, &format!("  {example}"), EXAMPLE_COLUMN, text);
    }
    out.push_str(
        "\n`h1mock serve --help` lists the options of the server, `h1mock man | man -l -` has all.\n",
    );
    out
}

/// `  -v, --verbose` or `      --max-body SIZE`.
pub(super) fn flag(setting: &Setting) -> String {
    let short = setting.short.map_or("    ".to_string(), |letter| format!("-{letter}, "));
    let value = setting.value.map_or(String::new(), |name| format!(" {name}"));
    format!("  {short}--{}{value}", setting.flag)
}

/// Returns help line, default and variable. Spaces that must not break are `\u{a0}` until the line is printed.
pub(super) fn description(setting: &Setting) -> String {
    let mut text = setting.help.to_string();
    if !setting.default.is_empty() {
        let _ = write!(text, " [default:\u{a0}{}]", setting.default);
    }
    if let Some(variable) = setting.variable() {
        let _ = write!(text, " [{variable}]");
    }
    text
}

/// Appends `head`, then `text` from `column` on, wrapped at [`WIDTH`]. A head that is too long gets a line of its own.
fn row(out: &mut String, head: &str, column: usize, text: &str) {
    let mut line = head.to_string();
    if line.len() >= column && column > 0 {
        let _ = writeln!(out, "{line}");
        line.clear();
    }
    let mut empty = true;
    for word in text.split(' ') {
        if !empty && line.len() + 1 + word.len() > WIDTH {
            let _ = writeln!(out, "{line}");
            line.clear();
            empty = true;
        }
        let gap = if empty { column.saturating_sub(line.len()) } else { 1 };
        line.extend(std::iter::repeat_n(' ', gap));
        line.push_str(&word.replace('\u{a0}', " "));
        empty = false;
    }
    let _ = writeln!(out, "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The texts are files of the repository, so a change of the table shows up in review. `BLESS=1 cargo test help` rewrites
    /// them.
    #[test]
    fn help_texts_are_the_ones_in_the_repository() {
        for subcommand in Subcommand::ALL.map(Some).into_iter().chain([None]) {
            let word = subcommand.map_or("h1mock", Subcommand::word);
            let path = format!("{}/src/cli/help/{word}.txt", env!("CARGO_MANIFEST_DIR"));
            let text = text(subcommand);
            if std::env::var_os("BLESS").is_some() {
                std::fs::write(&path, &text).unwrap();
            }
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "{path}");
        }
    }

    #[test]
    fn help_fits_the_terminal_and_names_everything() {
        for subcommand in Subcommand::ALL {
            let text = text(Some(subcommand));
            assert!(
                text.lines().all(|line| line.len() <= WIDTH && line.is_ascii() && line.trim_end() == line)
            );
            for setting in TABLE.iter().filter(|setting| setting.commands.contains(&subcommand)) {
                assert!(text.contains(&format!("--{}", setting.flag)), "{}", setting.flag);
                let variable = setting.variable().map(|variable| format!("[{variable}]"));
                assert!(variable.is_none_or(|variable| text.contains(&variable)), "{}", setting.flag);
            }
        }
        let overview = text(None);
        assert!(overview.lines().all(|line| line.len() <= WIDTH && line.is_ascii()), "{overview}");
        assert!(Subcommand::ALL.iter().all(|one| overview.contains(&format!("\n  {} ", one.word()))));
    }
}
