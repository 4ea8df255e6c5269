//! Completions for zsh.

use super::completion::{Completion, commands, flags};
use crate::cli::setting::Setting;
use crate::cli::subcommand::Subcommand;
use std::fmt::Write;

pub(super) fn script() -> String {
    let mut out = format!(
        r"#compdef h1mock
# Completions of h1mock for zsh. Keep them as the file `_h1mock` in a folder of $fpath. For this shell: source <(h1mock completions zsh)
_h1mock_commands() {{
  local -a commands=(
{}  )
  _describe command commands
}}
_h1mock() {{
  local command= i
  for ((i = 2; i < CURRENT; i++)); do
    case $words[i] in
      {}) command=$words[i]; break ;;
    esac
  done
  case $command in
",
        summaries(),
        commands("|")
    );
    for subcommand in Subcommand::ALL {
        let operands = action(&Completion::of_operands(subcommand));
        let word = subcommand.word();
        let (pattern, operands) = match subcommand {
            Subcommand::Serve => {
                ("serve|''", format!("'*: :{{ [[ -n $command ]] || _h1mock_commands; {operands} }}'"))
            }
            _ => (word, format!("'*: :{operands}'")),
        };
        let _ = writeln!(out, "    {pattern}) _arguments -s -S : \\");
        for setting in flags(subcommand) {
            option(&mut out, setting);
        }
        let _ = writeln!(out, "      '(-h --help)'{{-h,--help}}'[Print the help]' \\");
        let _ = writeln!(out, "      '(-V --version)'{{-V,--version}}'[Print the version]' \\");
        let _ = writeln!(out, "      {operands} ;;");
    }
    out.push_str(
        r#"    help) _h1mock_commands ;;
  esac
}
if [[ $funcstack[1] == _h1mock ]]; then
  _h1mock "$@"
else
  compdef _h1mock h1mock
fi
"#,
    );
    out
}

/// Returns an item for each command: `'check:Compile provisions'`.
fn summaries() -> String {
    Subcommand::ALL.map(|it| format!("    '{}:{}'\n", it.word(), escape(it.summary()))).concat()
}

/// Appends the specifications of a flag: `'--max-body=[Largest request body]:SIZE: ' \`.
fn option(out: &mut String, setting: &Setting) {
    let value = Completion::of_value(setting)
        .map(|value| format!(":{}:{}", setting.value.unwrap_or_default(), action(&value)))
        .unwrap_or_default();
    let (help, is_switch) = (escape(setting.help), value.is_empty());
    let long = format!("--{}{}", setting.flag, if is_switch { "" } else { "=" });
    let short = setting.short.map(|letter| format!("-{letter}{}", if is_switch { "" } else { "+" }));
    for name in short.into_iter().chain([long]) {
        let _ = writeln!(out, "      '{name}[{help}]{value}' \\");
    }
}

fn action(completion: &Completion) -> String {
    match completion {
        Completion::Words(words) => format!("({words})"),
        Completion::Files => "_files".to_owned(),
        Completion::Folders => "_files -/".to_owned(),
        Completion::Unknown => " ".to_owned(),
    }
}

/// Escapes the characters that end a description or its quotes.
fn escape(text: &str) -> String {
    text.replace('\'', r"'\''").replace('[', r"\[").replace(']', r"\]")
}
