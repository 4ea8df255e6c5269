//! The command line of `tar`: what is to be done. Options that kubectl, docker, podman and people by habit send are
//! known; the rest is refused by name.

use crate::applet::Failure;
use lexopt::Arg::{Long, Short, Value};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

const TAKEN: &str = "this tar takes one of -x, -c, -t with `-f -`, -C DIR, -m, -o, -p, -v";

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub job: Job,
    /// Print names.
    pub verbose: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Job {
    /// Write an archive of these.
    Create(Vec<Member>),
    /// Take files out of an archive.
    Extract(Options),
    /// Print what is in an archive.
    List,
}

/// A file or folder to be archived.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Member {
    /// `-C`; empty where there is none.
    pub folder: PathBuf,
    /// As given.
    pub path: PathBuf,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    /// `-C`; empty where there is none.
    pub folder: PathBuf,
    /// `-m`: files are as new as their extraction.
    pub touch: bool,
    /// `-p`: modes as in the archive, whatever the umask.
    pub exact_modes: bool,
}

#[derive(Default)]
struct Given {
    mode: Option<char>,
    options: Options,
    verbose: bool,
    members: Vec<Member>,
}

impl Line {
    /// Reads the arguments. The first one may lack its dash: `xf - -C DIR`.
    ///
    /// # Errors
    /// Options and values that are not known here, members that are to be extracted or listed, nothing to archive.
    pub(super) fn read(args: &[OsString]) -> Result<Line, Failure> {
        let mut given = Given::default();
        let mut parser = lexopt::Parser::from_args(dashed(args)?);
        while let Some(arg) = parser.next().map_err(wrong)? {
            match arg {
                Short(mode @ ('c' | 'x' | 't')) => given.set_mode(mode)?,
                Long("create") => given.set_mode('c')?,
                Long("extract" | "get") => given.set_mode('x')?,
                Long("list") => given.set_mode('t')?,
                Short('f') | Long("file") => is_a_stream(&parser.value().map_err(wrong)?)?,
                // Each is relative to the one before.
                Short('C') | Long("directory") => given.options.folder.push(parser.value().map_err(wrong)?),
                Short('m') | Long("touch") => given.options.touch = true,
                Short('p') | Long("preserve-permissions" | "same-permissions") => {
                    given.options.exact_modes = true
                }
                Long("no-same-permissions") => given.options.exact_modes = false,
                // Files belong to whoever extracts them anyway.
                Short('o') | Long("no-same-owner") => {}
                Short('v') | Long("verbose") => given.verbose = true,
                Short(letter) => return Err(unknown(&format!("-{letter}"))),
                Long(name) => return Err(unknown(&format!("--{name}"))),
                Value(path) => {
                    given.members.push(Member { folder: given.options.folder.clone(), path: path.into() });
                }
            }
        }
        given.line()
    }
}

impl Given {
    fn set_mode(&mut self, mode: char) -> Result<(), Failure> {
        match self.mode.replace(mode) {
            Some(other) if other != mode => {
                Err(Failure::usage(format!("failed to do both `-{other}` and `-{mode}`: {TAKEN}")))
            }
            _ => Ok(()),
        }
    }

    fn line(self) -> Result<Line, Failure> {
        let job = match (self.mode, self.members.first()) {
            (None, _) => return Err(Failure::usage(format!("missing option: {TAKEN}"))),
            (Some('c'), None) => return Err(Failure::usage("missing argument: `tar cf - PATH...`")),
            (Some('c'), Some(_)) => Job::Create(self.members),
            (_, Some(member)) => {
                let member = super::display(&member.path);
                return Err(Failure::usage(format!(
                    "failed to pick `{member}`: an archive is extracted and listed as a whole"
                )));
            }
            (Some('x'), None) => Job::Extract(self.options),
            _ => Job::List,
        };
        Ok(Line { job, verbose: self.verbose })
    }
}

/// Turns the old form, `xfC - DIR`, into the new one: its letters take their values from what follows, in order.
fn dashed(args: &[OsString]) -> Result<Vec<OsString>, Failure> {
    let Some((letters, rest)) = args.split_first().filter(|(first, _)| !first.as_bytes().starts_with(b"-"))
    else {
        return Ok(args.to_vec());
    };
    let (mut dashed, mut rest) = (Vec::new(), rest.iter());
    for letter in letters.to_string_lossy().chars() {
        dashed.push(format!("-{letter}").into());
        if "fC".contains(letter) {
            let value = rest.next();
            dashed.push(
                value.ok_or_else(|| Failure::usage(format!("missing value: `{letter}` needs one")))?.clone(),
            );
        }
    }
    dashed.extend(rest.cloned());
    Ok(dashed)
}

fn is_a_stream(file: &OsStr) -> Result<(), Failure> {
    match file == "-" {
        true => Ok(()),
        false => Err(Failure::usage(format!(
            "failed to use archive `{}`: archives are standard input and output here, `-f -`",
            super::display(file)
        ))),
    }
}

fn unknown(option: &str) -> Failure {
    match option {
        "-z" | "-j" | "-J" | "-Z" | "-a" | "--gzip" | "--gunzip" | "--bzip2" | "--xz" | "--zstd"
        | "--auto-compress" => Failure::usage(format!(
            "failed to use option `{option}`: there is no compression here, pack and unpack on the other side"
        )),
        _ => Failure::usage(format!("unknown option `{option}`: {TAKEN}")),
    }
}

fn wrong(error: lexopt::Error) -> Failure {
    Failure::usage(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Line, String> {
        let args: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        Line::read(&args).map_err(|failure| match failure {
            Failure::Usage(message) => message,
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn what_tools_send_is_understood() {
        let options = |touch, exact_modes| Options { folder: "/d".into(), touch, exact_modes };
        for (line, expected) in [
            ("-xmf - -C /d", options(true, false)),
            ("--no-same-permissions --no-same-owner -xmf - -C /d", options(true, false)),
            ("xf - -C /d", options(false, false)),
            ("xfC - /d", options(false, false)),
            ("xCf /d -", options(false, false)),
            ("-xpf - -C/d", options(false, true)),
            ("-x -o -p -f- -C / -C d", options(false, true)),
            ("xmf - -C /d --no-same-owner", options(true, false)),
            ("--extract --file=- --directory=/d --touch", options(true, false)),
            ("--get --file - --directory /d --preserve-permissions", options(false, true)),
            ("-C /d -x", options(false, false)),
        ] {
            assert_eq!(read(line), Ok(Line { job: Job::Extract(expected), verbose: false }), "{line}");
        }
        assert_eq!(read("-xvf -").unwrap(), Line { job: Job::Extract(Options::default()), verbose: true });
        assert_eq!(read("tf -").unwrap(), Line { job: Job::List, verbose: false });
        assert_eq!(read("--list --verbose").unwrap(), Line { job: Job::List, verbose: true });
    }

    #[test]
    fn members_know_their_folder() {
        for (line, expected) in [
            ("cf - /app", &[("", "/app")][..]),
            ("-cf - -C /d a b", &[("/d", "a"), ("/d", "b")]),
            ("cf - x -C /d y -C e -- -z", &[("", "x"), ("/d", "y"), ("/d/e", "-z")]),
            ("--create --file=- .", &[("", ".")]),
        ] {
            let member = |(folder, path): &(&str, &str)| Member { folder: folder.into(), path: path.into() };
            let job = Job::Create(expected.iter().map(member).collect());
            assert_eq!(read(line), Ok(Line { job, verbose: false }), "{line}");
        }
    }

    #[test]
    fn the_rest_is_refused_by_name() {
        let taken = "this tar takes one of -x, -c, -t with `-f -`, -C DIR, -m, -o, -p, -v";
        let packed = "there is no compression here, pack and unpack on the other side";
        for (line, expected) in [
            ("", format!("missing option: {taken}")),
            ("-f -", format!("missing option: {taken}")),
            ("cf -", "missing argument: `tar cf - PATH...`".to_owned()),
            ("-xcf -", format!("failed to do both `-x` and `-c`: {taken}")),
            ("-xzf -", format!("failed to use option `-z`: {packed}")),
            ("xzf -", format!("failed to use option `-z`: {packed}")),
            ("--gzip -xf -", format!("failed to use option `--gzip`: {packed}")),
            ("-xkf -", format!("unknown option `-k`: {taken}")),
            ("xf - --strip-components=1", format!("unknown option `--strip-components`: {taken}")),
            ("hello", format!("unknown option `-h`: {taken}")),
            (
                "xf a.tar",
                "failed to use archive `a.tar`: archives are standard input and output here, `-f -`"
                    .to_owned(),
            ),
            ("xf", "missing value: `f` needs one".to_owned()),
            ("-xf", "missing argument for option '-f'".to_owned()),
            ("xf - a", "failed to pick `a`: an archive is extracted and listed as a whole".to_owned()),
            ("tf - a", "failed to pick `a`: an archive is extracted and listed as a whole".to_owned()),
        ] {
            assert_eq!(read(line), Err(expected), "{line}");
        }
    }
}
