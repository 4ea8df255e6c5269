//! `h1mock completions`: the shells themselves complete command lines by the scripts. `h1mock man`: groff renders the page.

use crate::harness::{Folder, binary, skip_without};
use std::process::{Command, Stdio};

/// Runs a shell with `arguments`, in a folder that has the completions in the file `script`, a file and a folder. `None`, after
/// [`skip_without`], if there is no such shell.
fn shell(name: &str, arguments: &[&str]) -> Option<String> {
    let folder = Folder::new();
    let completions = binary().args(["completions", name]).output().unwrap();
    assert_eq!(completions.status.code(), Some(0));
    folder.write("script", &String::from_utf8(completions.stdout).unwrap());
    folder.write("shop.rhai", "");
    folder.write("mocks/shop.rhai", "");
    let output = Command::new(name).args(arguments).current_dir(&folder.0).env("HOME", &folder.0).output();
    let Ok(output) = output else {
        skip_without(name);
        return None;
    };
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{name}");
    Some(String::from_utf8(output.stdout).unwrap())
}

/// Sets the variables of a completion as bash does, and prints its words. `compopt` works only while bash completes.
const BASH: &str = r#"
source ./script
compopt() { printf 'compopt %s\n' "$*"; }
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_h1mock
printf '%s\n' "${COMPREPLY[@]}"
complete -p h1mock
"#;

#[test]
fn bash_completes_commands_flags_values_and_files() {
    for (line, expected) in [
        ("h1mock che", "check"),
        ("h1mock comp", "completions"),
        ("h1mock help rou", "routes"),
        ("h1mock check --s", "--script-timeout --script-memory --strict"),
        ("h1mock --on-e", "--on-error"),
        ("h1mock serve --log-f", "--log-format"),
        ("h1mock --on-error ", "keep initial"),
        ("h1mock serve --on-error = in", "initial"),
        ("h1mock --log-format =", "text json"),
        ("h1mock report --fail-on un", "unmatched unused"),
        ("h1mock new shop --kind o", "oauth2"),
        ("h1mock check --format g", "github"),
        ("h1mock completions ", "bash zsh fish"),
        ("h1mock check sh", "compopt -o default"),
        ("h1mock routes --overlay sh", "compopt -o default"),
        ("h1mock serve --config-dir m", "compopt -o dirnames"),
        ("h1mock --max-body ", ""),
        ("h1mock try -H ", ""),
        ("h1mock wait ", ""),
        ("h1mock man --", "--help --version"),
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        let Some(out) = shell("bash", &[&["-c", BASH, "bash"], words.as_slice()].concat()) else { return };
        let completed = out.strip_suffix("complete -F _h1mock h1mock\n").unwrap();
        let completed = completed.trim().replace('\n', " ");
        // Beside words, files may be completed as well: those that `serve` takes.
        let completed = completed.strip_prefix("compopt -o default ").unwrap_or(&completed);
        assert_eq!(completed, expected, "{line}");
    }
}

/// Types each argument into an interactive zsh and presses the tabulator. A key then writes the line to a file.
const ZSH: &str = r#"
zmodload zsh/zpty zsh/zselect
zpty shell zsh -f -i
expect() {
  repeat 1000; do [[ -s $1 ]] && { cat $1; rm $1; return }; zselect -t 2; done
  print "no answer to: $2"
}
zpty -w shell 'PS1= ; autoload -Uz compinit; compinit -u; source ./script; report() { print -r -- "$BUFFER" >.line; mv .line line; zle kill-whole-line }; zle -N report; bindkey "^G" report; print ready >line'
expect line start
for typed in "$@"; do
  zpty -w -n shell "$typed"$'\t\C-g'
  expect line $typed
done
zpty -d shell
"#;

#[test]
fn zsh_completes_commands_flags_values_and_files() {
    let cases = [
        ("h1mock chec", "h1mock check "),
        ("h1mock check --stri", "h1mock check --strict "),
        ("h1mock --on-e", "h1mock --on-error="),
        ("h1mock serve --on-error=in", "h1mock serve --on-error=initial "),
        ("h1mock --on-error in", "h1mock --on-error initial "),
        ("h1mock new a --kind oa", "h1mock new a --kind oauth2 "),
        ("h1mock completions fi", "h1mock completions fish "),
        ("h1mock check sho", "h1mock check shop.rhai "),
        ("h1mock serve --config-dir mo", "h1mock serve --config-dir mocks/"),
        ("h1mock help rou", "h1mock help routes "),
        ("h1mock try --head", "h1mock try --header="),
    ];
    let typed = cases.map(|(typed, _)| typed);
    let Some(out) = shell("zsh", &[&["-f", "-c", ZSH, "zsh"], &typed[..]].concat()) else { return };
    let lines: Vec<&str> = out.lines().collect();
    let completed = cases.map(|(_, completed)| completed);
    assert_eq!(lines, [&["ready"], &completed[..]].concat());
}

#[test]
fn fish_completes_commands_flags_values_and_files() {
    for (line, expected) in [
        ("h1mock chec", "check"),
        ("h1mock check --stri", "--strict"),
        ("h1mock --on-error in", "initial"),
        ("h1mock serve --on-error=in", "--on-error=initial"),
        ("h1mock new a --kind oa", "oauth2"),
        ("h1mock completions fi", "fish"),
        ("h1mock check sho", "shop.rhai"),
        ("h1mock serve --config-dir mo", "mocks/"),
        ("h1mock help rou", "routes"),
        ("h1mock check --on-e", ""),
        ("h1mock wait sho", ""),
    ] {
        let Some(out) = shell("fish", &["-c", "source ./script; complete -C $argv[1]", line]) else { return };
        // A description follows the word.
        assert_eq!(out.trim_end().split('\t').next().unwrap_or_default(), expected, "{line}: {out}");
    }
}

#[test]
fn groff_renders_the_man_page_with_all_flags() {
    let groff = Command::new("groff")
        .args(["-man", "-ww", "-Tascii", "-P-cbou", "-rLL=100n"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut groff) = groff else { return skip_without("groff") };
    let page = binary().arg("man").output().unwrap();
    assert_eq!(page.status.code(), Some(0));
    std::io::Write::write_all(&mut groff.stdin.take().unwrap(), &page.stdout).unwrap();
    let output = groff.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let text = String::from_utf8(output.stdout).unwrap();
    let words: Vec<&str> = text.split_whitespace().collect();
    let main = binary().arg("--help").output().unwrap();
    let main = String::from_utf8(main.stdout).unwrap();
    let commands = main.split("\nCommands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let commands: Vec<&str> = commands.lines().map(|line| line.split_whitespace().next().unwrap()).collect();
    assert!(commands.len() > 10, "{commands:?}");
    for command in commands {
        let help = binary().args(["help", command]).output().unwrap();
        let help = String::from_utf8(help.stdout).unwrap();
        for line in help.lines().filter(|line| line.starts_with("  ")) {
            for flag in line.split_whitespace().take(2).filter(|word| word.starts_with('-')) {
                assert!(words.contains(&flag), "{command}: {flag} is not in\n{text}");
            }
        }
        assert!(text.contains(&format!("h1mock {command}")) || command == "serve", "{command}:\n{text}");
    }
}
