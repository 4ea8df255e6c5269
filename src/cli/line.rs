//! argv -> subcommand, operands and options, each option matched with its row of the table. Values are not parsed yet.

use super::setting::Setting;
use super::settings_table::{self, TABLE};
use super::subcommand::Subcommand;
use crate::system::spelling::nearest;
use lexopt::Arg::{Long, Short, Value};
use std::ffi::{OsStr, OsString};

#[derive(Default)]
pub(super) struct Line {
    /// The word that was given; `None` means `serve`.
    pub subcommand: Option<Subcommand>,
    /// `-h`, `--help` or `help`.
    pub help: bool,
    /// `-V` or `--version`.
    pub version: bool,
    /// The files of `serve`, which stand before its ports.
    pub files: Vec<OsString>,
    /// Arguments that are neither subcommand nor option nor a file of `serve`.
    pub operands: Vec<OsString>,
    /// In the order given; a switch without a value has `1`.
    pub options: Vec<(&'static Setting, OsString)>,
}

impl Line {
    /// Splits `args` (without the program's name). `exists` returns whether there is such a file.
    ///
    /// # Errors
    /// Unknown subcommands and options, options of another subcommand, missing values, values of `--help`.
    pub(super) fn read(
        args: impl IntoIterator<Item = OsString>,
        exists: &dyn Fn(&OsStr) -> bool,
    ) -> Result<Line, String> {
        let mut line = Line::default();
        let mut parser = lexopt::Parser::from_args(args);
        while let Some(arg) = parser.next().map_err(unexpected)? {
            match arg {
                Short('h') | Long("help") => line.help = true,
                Short('V') | Long("version") => line.version = true,
                Short(letter) => {
                    let flag = settings_table::by_letter(letter);
                    let flag = flag.ok_or_else(|| line.unknown_option(&format!("-{letter}")))?;
                    let given = match flag.value {
                        Some(_) => value_of(flag, &mut parser)?,
                        None => OsString::from("1"),
                    };
                    line.options.push((flag, given));
                }
                Long(name) => {
                    let flag = settings_table::by_flag(name)
                        .ok_or_else(|| line.unknown_option(&format!("--{name}")))?;
                    let given = value_of(flag, &mut parser)?;
                    line.options.push((flag, given));
                }
                Value(operand) => line.operand(operand, exists)?,
            }
        }
        line.refuse_foreign_options()?;
        Ok(line)
    }

    /// Returns the subcommand; `serve` without a word.
    pub(super) fn subcommand(&self) -> Subcommand {
        self.subcommand.unwrap_or(Subcommand::Serve)
    }

    /// Adds an operand. The first one is a subcommand, unless it looks like a port or a file, or is empty: `h1mock 8000`,
    /// `h1mock ./check`.
    fn operand(&mut self, operand: OsString, exists: &dyn Fn(&OsStr) -> bool) -> Result<(), String> {
        let is_first = self.subcommand.is_none() && self.operands.is_empty() && self.files.is_empty();
        let word = operand.to_string_lossy();
        match Subcommand::named(&word).filter(|_| is_first) {
            Some(subcommand) => self.subcommand = Some(subcommand),
            None if is_first && word == "help" => self.help = true,
            None if self.subcommand() != Subcommand::Serve => self.operands.push(operand),
            // The ports may stand before the files, but a name behind them may also be a switch of the original.
            None if !self.operands.is_empty() && looks_like_file(&operand, &|_| false) => {
                self.files.push(operand);
            }
            None if !self.operands.is_empty() => self.operands.push(operand),
            None if is_position(&word) => match looks_like_file(&operand, exists) && !is_port(&word) {
                true => self.files.push(operand),
                false => self.operands.push(operand),
            },
            None if is_first && !looks_like_file(&operand, exists) => {
                return Err(unknown_subcommand(&word));
            }
            None => self.files.push(operand),
        }
        Ok(())
    }

    fn refuse_foreign_options(&self) -> Result<(), String> {
        let subcommand = self.subcommand();
        match self.options.iter().find(|(option, _)| !option.commands.contains(&subcommand)) {
            None => Ok(()),
            Some((option, _)) => Err(format!(
                "failed to use `--{}`: it is no option of `h1mock {}`",
                option.flag,
                subcommand.word()
            )),
        }
    }

    fn unknown_option(&self, given: &str) -> String {
        let flags = TABLE.iter().filter(|option| option.commands.contains(&self.subcommand()));
        let known = flags.map(|option| option.flag).chain(["help", "version"]);
        let help = match self.subcommand {
            None => "h1mock serve --help".to_string(),
            Some(subcommand) => format!("h1mock {} --help", subcommand.word()),
        };
        // A missing dash gets no suggestion: `-workers` arrives as the letter `w`.
        let near = |name: &str| nearest(name, known);
        let habit = |name: &str| meant(name.trim_start_matches('-'), &HABITS_OF_FLAGS);
        let flag = habit(given).filter(|_| self.subcommand() == Subcommand::Serve);
        let hint = match flag.or_else(|| given.strip_prefix("--").and_then(near)) {
            Some(flag) => format!("did you mean `--{flag}`?"),
            None => format!("`{help}` lists them"),
        };
        format!("unknown option `{given}`: {hint}")
    }
}

/// Returns the value of `flag`: behind `=`, or the next argument. The next argument must not look like an option: where the
/// value was forgotten, the option would be taken for it. A switch takes a value only behind `=`.
fn value_of(flag: &Setting, parser: &mut lexopt::Parser) -> Result<OsString, String> {
    if let Some(value) = parser.optional_value() {
        return Ok(value);
    }
    let Some(name) = flag.value else { return Ok(OsString::from("1")) };
    let is_option = |arg: &OsString| arg.len() > 1 && arg.as_encoded_bytes().starts_with(b"-");
    let next = parser.value().ok().filter(|next| !is_option(next));
    next.ok_or_else(|| format!("missing value: `--{}` needs one, `--{0}={name}`", flag.flag))
}

/// Whether `word` stands for a setting of the original: a port, or nothing. `8000x` is a slip, unless there is such a file.
fn is_position(word: &str) -> bool {
    word.is_empty() || word.starts_with(|letter: char| letter.is_ascii_digit())
}

fn is_port(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_digit())
}

fn looks_like_file(operand: &OsStr, exists: &dyn Fn(&OsStr) -> bool) -> bool {
    let bytes = operand.as_encoded_bytes();
    bytes.contains(&b'/') || bytes.ends_with(b".rhai") || exists(operand)
}

/// Flags of other servers, and what they are called here.
const HABITS_OF_FLAGS: [(&str, &str); 6] = [
    ("port", "traffic-port"),
    ("p", "traffic-port"),
    ("host", "bind"),
    ("address", "bind"),
    ("config", "config-dir"),
    ("c", "config-dir"),
];

/// Commands of other programs, and what they are called here.
const HABITS_OF_COMMANDS: [(&str, &str); 7] = [
    ("run", "serve"),
    ("start", "serve"),
    ("server", "serve"),
    ("validate", "check"),
    ("lint", "check"),
    ("init", "new"),
    ("version", "--version"),
];

fn meant(word: &str, habits: &[(&str, &'static str)]) -> Option<&'static str> {
    habits.iter().find(|(habit, _)| *habit == word).map(|(_, meant)| *meant)
}

fn unknown_subcommand(word: &str) -> String {
    let known = Subcommand::ALL.map(Subcommand::word).into_iter().chain(["help"]);
    let hint = match meant(word, &HABITS_OF_COMMANDS).or_else(|| nearest(word, known)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`h1mock --help` lists them, and there is no file of that name".to_string(),
    };
    format!("unknown command `{word}`: {hint}")
}

/// Words the one error of lexopt's iterator: a value where none belongs, as in `--help=check`.
fn unexpected(error: lexopt::Error) -> String {
    match error {
        lexopt::Error::UnexpectedValue { option, .. } => {
            format!("unexpected value: `{option}` takes none")
        }
        other => format!("failed to read the command line: {other}"),
    }
}
