//! Completions for bash.

use super::completion::{Completion, commands, flags};
use crate::cli::settings_table::TABLE;
use crate::cli::subcommand::Subcommand;
use std::fmt::Write;

pub(super) fn script() -> String {
    let mut out = format!(
        r#"# Completions of h1mock for bash. For this shell: source <(h1mock completions bash)
_h1mock() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD - 1]}} command='' words='' place='' word
  # Bash splits `--flag=value` at the sign.
  if [[ $cur == '=' ]]; then
    cur=''
  elif [[ $prev == '=' ]]; then
    prev=${{COMP_WORDS[COMP_CWORD - 2]}}
  fi
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case $word in
      {}) command=$word && break ;;
    esac
  done
  case $prev in
"#,
        commands("|")
    );
    values(&mut out);
    out.push_str("    *) case $command,$cur in\n");
    for subcommand in Subcommand::ALL {
        let word = subcommand.word();
        let name = if subcommand == Subcommand::Serve { "serve,-*|,-*" } else { &format!("{word},-*") };
        let flags: String = flags(subcommand).map(|setting| format!("--{} ", setting.flag)).collect();
        let _ = writeln!(out, "      {name}) words='{flags}--help --version' ;;");
        case(&mut out, "      ", &format!("{word},*"), Completion::of_operands(subcommand));
    }
    let _ = write!(
        out,
        r#"      help,*) words='{0}' ;;
      ,*) words='{0}' place={1} ;;
    esac ;;
  esac
  COMPREPLY=()
  [[ -z $words ]] || mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
  # The readline library completes files where no word fits.
  [[ -z $place ]] || compopt -o "$place"
}}
complete -F _h1mock h1mock
"#,
        commands(" "),
        place(&Completion::of_operands(Subcommand::Serve)),
    );
    out
}

/// Appends a case for each kind of value that a flag takes.
fn values(out: &mut String) {
    let mut unknown = Vec::new();
    for setting in TABLE {
        let short = setting.short.map(|letter| format!("-{letter}"));
        let names: Vec<String> = [format!("--{}", setting.flag)].into_iter().chain(short).collect();
        match Completion::of_value(setting) {
            None => {}
            Some(Completion::Unknown) => unknown.extend(names),
            Some(known) => case(out, "    ", &names.join("|"), known),
        }
    }
    let _ = writeln!(out, "    {}) ;;", unknown.join("|"));
}

fn case(out: &mut String, indent: &str, pattern: &str, completion: Completion) {
    let _ = match completion {
        Completion::Unknown => Ok(()),
        Completion::Words(words) => writeln!(out, "{indent}{pattern}) words='{words}' ;;"),
        other => writeln!(out, "{indent}{pattern}) place={} ;;", place(&other)),
    };
}

/// Returns the option of `compopt` that completes files or folders; empty for other places.
fn place(completion: &Completion) -> &'static str {
    match completion {
        Completion::Files => "default",
        Completion::Folders => "dirnames",
        _ => "''",
    }
}
