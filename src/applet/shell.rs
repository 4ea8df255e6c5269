//! `sh -c STRING`, `bash -c STRING`: parses one command, an applet or `h1mock`, and splits it into words like a shell. There
//! is no shell behind it: it refuses operators, variables, redirections and other commands. The one exception is the pipe
//! that `kubectl cp --retries` sends. Runs nothing itself.

use super::{Program, named};
use crate::system::truncate::truncate;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

/// Maximum of characters of a command that a message repeats.
const EXCERPT: usize = 200;

/// The meaning of a command string.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    Run(Vec<OsString>),
    /// `tar cf - PATH | tail -c+N`: run `tar` with `args`, and drop the first bytes of its output.
    TarFrom {
        /// Arguments of `tar`.
        args: Vec<OsString>,
        /// N - 1.
        skipped: u64,
    },
}

/// Parses the arguments of `sh`.
///
/// # Errors
/// A message that names the commands that can be run.
pub(super) fn command(args: &[OsString]) -> Result<Command, String> {
    let [option, string, ..] = args else { return Err(no_shell("failed to start a shell")) };
    // `-lc` and `-ec` mean the same where only one command runs.
    let letters = option.as_bytes().strip_prefix(b"-").unwrap_or_default();
    if !letters.contains(&b'c') || !letters.iter().all(|letter| b"cel".contains(letter)) {
        return Err(no_shell("failed to start a shell"));
    }
    let shortened = truncate(&string.to_string_lossy(), EXCERPT, "...");
    let refused = || no_shell(&format!("failed to run `{}`", super::display(&shortened)));
    let mut tokens = split(string.as_bytes()).ok_or_else(refused)?;
    if tokens.first().is_some_and(|token| token.is_word("exec")) {
        tokens.remove(0);
    }
    pipe(&tokens).or_else(|| single(tokens)).ok_or_else(refused)
}

fn no_shell(what: &str) -> String {
    format!(
        "{what}: there is no shell in this image; run one of h1mock, tar, test, touch, ls, cat, curl directly, e.g. \
         `kubectl exec POD -- ls /app/provision`"
    )
}

/// A word, or the only operator that a command may have.
#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word {
        text: Vec<u8>,
        /// Whether it has a `*`, `?` or `[`, which a shell may replace by the names of files.
        is_pattern: bool,
    },
    Pipe,
}

impl Token {
    fn is_word(&self, expected: &str) -> bool {
        matches!(self, Token::Word { text, .. } if text == expected.as_bytes())
    }

    fn text(&self) -> Option<OsString> {
        match self {
            Token::Word { text, is_pattern: false } => Some(OsString::from_vec(text.clone())),
            _ => None,
        }
    }
}

/// Splits a command into tokens. `None`: the command needs a shell, or a quote has no end.
fn split(string: &[u8]) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut word: Option<(Vec<u8>, bool)> = None;
    let mut bytes = string.trim_ascii().iter().copied();
    while let Some(byte) = bytes.next() {
        let is_first = word.is_none();
        if b" \t|".contains(&byte) {
            tokens.extend(word.take().map(|(text, is_pattern)| Token::Word { text, is_pattern }));
            tokens.extend((byte == b'|').then_some(Token::Pipe));
            continue;
        }
        let (text, is_pattern) = word.get_or_insert_default();
        match byte {
            b'\'' => loop {
                match bytes.next()? {
                    b'\'' => break,
                    byte => text.push(byte),
                }
            },
            b'"' => quoted(&mut bytes, text)?,
            b'\\' => text.push(bytes.next().filter(|byte| *byte != b'\n')?),
            b';' | b'&' | b'<' | b'>' | b'(' | b')' | b'$' | b'`' | b'\n' => return None,
            b'#' | b'~' if is_first => return None,
            byte => {
                *is_pattern |= b"*?[".contains(&byte);
                text.push(byte);
            }
        }
    }
    tokens.extend(word.map(|(text, is_pattern)| Token::Word { text, is_pattern }));
    Some(tokens)
}

/// Reads the rest of a text in double quotes. There a backslash escapes only `"`, `\`, `$` and a backquote.
fn quoted(bytes: &mut impl Iterator<Item = u8>, text: &mut Vec<u8>) -> Option<()> {
    loop {
        match bytes.next()? {
            b'"' => return Some(()),
            b'$' | b'`' => return None,
            b'\\' => match bytes.next()? {
                byte if b"\"\\$`".contains(&byte) => text.push(byte),
                byte => text.extend([b'\\', byte]),
            },
            byte => text.push(byte),
        }
    }
}

/// Returns the one command of `tokens`, an applet or h1mock. Patterns are allowed in URLs only, which are no names of files.
fn single(tokens: Vec<Token>) -> Option<Command> {
    let program = tokens.first()?.text().or_else(|| tokens[0].is_word("[").then(|| "[".into()))?;
    let takes_urls = program.as_bytes().ends_with(b"curl") || program.as_bytes().ends_with(b"h1mock");
    let is_h1mock = Path::new(&program).file_name().is_some_and(|name| name == "h1mock");
    if matches!(named(&program), Program::H1mock) && !is_h1mock {
        return None;
    }
    let mut argv = vec![program];
    for token in &tokens[1..] {
        match token {
            Token::Word { text, is_pattern } if takes_urls || !is_pattern => {
                argv.push(OsString::from_vec(text.clone()));
            }
            _ => return None,
        }
    }
    Some(Command::Run(argv))
}

/// Returns the pipe `tar cf - PATH | tail -c+N` of `kubectl cp --retries`. It works since archives of the same files have the
/// same bytes. N counts from 1; kubectl begins with 0, which means the same.
fn pipe(tokens: &[Token]) -> Option<Command> {
    let at = tokens.iter().position(|token| *token == Token::Pipe)?;
    let (tar, tail) = (&tokens[..at], &tokens[at + 1..]);
    let [tail, count] = tail else { return None };
    if !tail.is_word("tail") || !tar.first()?.is_word("tar") || !tar.get(1)?.is_word("cf") {
        return None;
    }
    let count = count.text()?.into_string().ok()?;
    let from: u64 = count.strip_prefix("-c+")?.parse().ok()?;
    let args = tar[1..].iter().map(Token::text).collect::<Option<Vec<OsString>>>()?;
    Some(Command::TarFrom { args, skipped: from.saturating_sub(1) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(string: &str) -> Result<Command, String> {
        command(&["-c".into(), string.into()])
    }

    #[test]
    fn one_command_is_split_as_a_shell_splits_it() {
        for (string, expected) in [
            ("touch provision/initial", &["touch", "provision/initial"][..]),
            ("  ls   -l\t/app \n", &["ls", "-l", "/app"]),
            ("exec ls", &["ls"]),
            ("/bin/ls", &["/bin/ls"]),
            ("h1mock get /foo?x=1", &["h1mock", "get", "/foo?x=1"]),
            ("cat 'a b' \"c d\" e\\ f", &["cat", "a b", "c d", "e f"]),
            ("cat a'b'\"c\"d ''", &["cat", "abcd", ""]),
            (r#"cat "a\"b\\c\d\$" 'x\y'"#, &["cat", "a\"b\\c\\d$", "x\\y"]),
            ("cat '$a;|&<>()`*~#'", &["cat", "$a;|&<>()`*~#"]),
            ("cat a#b c~ \\* '*'", &["cat", "a#b", "c~", "*", "*"]),
            (
                "curl -XGET -v http://0.0.0.0:8000/any/path/",
                &["curl", "-XGET", "-v", "http://0.0.0.0:8000/any/path/"],
            ),
            ("curl http://x/?a=[1]*", &["curl", "http://x/?a=[1]*"]),
            ("[ -d /app ]", &["[", "-d", "/app", "]"]),
            ("sh -c 'ls -l'", &["sh", "-c", "ls -l"]),
        ] {
            let expected = expected.iter().map(OsString::from).collect();
            assert_eq!(run(string), Ok(Command::Run(expected)), "{string}");
        }
        for options in ["-c", "-lc", "-ec"] {
            let args = [options, "ls", "name"].map(OsString::from);
            assert_eq!(command(&args), Ok(Command::Run(vec!["ls".into()])), "{options}");
        }
    }

    #[test]
    fn retries_of_kubectl_begin_where_the_last_one_ended() {
        for (string, skipped) in [
            ("tar cf - /app/provision | tail -c+0", 0),
            ("tar cf - /app/provision | tail -c+1", 0),
            ("tar cf - /app/provision | tail -c+513", 512),
            ("tar cf - /app/provision|tail -c+513", 512),
        ] {
            let args = ["cf", "-", "/app/provision"].map(OsString::from).into();
            assert_eq!(run(string), Ok(Command::TarFrom { args, skipped }), "{string}");
        }
    }

    #[test]
    fn anything_else_says_that_there_is_no_shell() {
        for string in [
            "ls | cat",
            "ls; ls",
            "ls && ls",
            "ls &",
            "ls > x",
            "cat < x",
            "cat $HOME",
            "cat \"$HOME\"",
            "cat `ls`",
            "(ls)",
            "ls\nls",
            "ls *",
            "ls a?",
            "ls ~",
            "ls # all",
            "cat 'a",
            "cat \"a",
            "cat a\\",
            "cd /app",
            "echo hello",
            "A=b ls",
            "tar cf - x | tail -c 3",
            "tar cf - x | tail -c+x",
            "tar cf - x | gzip",
            "tar cf - * | tail -c+0",
            "tar xf - x | tail -c+0",
            "| ls",
            "exec",
            "",
        ] {
            let expected = format!(
                "failed to run `{}`: there is no shell in this image; run one of h1mock, tar, test, touch, ls, cat, \
                 curl directly, e.g. `kubectl exec POD -- ls /app/provision`",
                crate::applet::display(string)
            );
            assert_eq!(run(string), Err(expected), "{string}");
        }
    }

    #[test]
    fn a_shell_to_type_into_does_not_start() {
        for args in [&[][..], &["-i"], &["-c"], &["script"], &["-x", "ls"], &["script", "x"], &["-", "x"]] {
            let args: Vec<OsString> = args.iter().map(OsString::from).collect();
            let expected = "failed to start a shell: there is no shell in this image; run one of h1mock, tar, test, \
                            touch, ls, cat, curl directly, e.g. `kubectl exec POD -- ls /app/provision`";
            assert_eq!(command(&args), Err(expected.to_owned()), "{args:?}");
        }
    }

    #[test]
    fn a_long_command_is_not_repeated_in_full() {
        let error = run(&format!("echo {}", "x".repeat(10_000))).unwrap_err();
        assert!(error.contains("xxx...`: there is no shell") && error.len() < 500, "{error}");
    }
}
