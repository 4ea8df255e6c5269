//! The command line of `tar`. Supports the options that kubectl, docker, podman and users send; refuses others by name.

use crate::applet::Failure;
use lexopt::Arg::{Long, Short, Value};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

const TAKEN: &str = "this tar takes one of -x, -c, -t with `-f -`, -C DIR, -m, -o, -p, -v";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Job {
    /// Write an archive of the members.
    Create,
    /// Take files out of an archive.
    Extract,
    /// Print what is in an archive.
    List,
}

/// A file or folder to archive.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Member {
    /// `-C`; empty where there is none.
    pub folder: PathBuf,
    /// The path on the command line.
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
    /// `-v`: print names.
    pub verbose: bool,
    pub members: Vec<Member>,
}

/// Parses the arguments. The first one may lack its dash: `xf - -C DIR`.
///
/// # Errors
/// Unknown options and values, members for extracting or listing, nothing to archive.
pub(super) fn read(args: &[OsString]) -> Result<(Job, Options), Failure> {
    let (mut job, mut options) = (None, Options::default());
    let mut parser = lexopt::Parser::from_args(dashed(args)?);
    while let Some(arg) = parser.next()? {
        match arg {
            Short('c') | Long("create") => set(&mut job, Job::Create)?,
            Short('x') | Long("extract" | "get") => set(&mut job, Job::Extract)?,
            Short('t') | Long("list") => set(&mut job, Job::List)?,
            Short('f') | Long("file") => is_a_stream(&parser.value()?)?,
            // Each `-C` is relative to the one before.
            Short('C') | Long("directory") => options.folder.push(parser.value()?),
            Short('m') | Long("touch") => options.touch = true,
            Short('p') | Long("preserve-permissions" | "same-permissions") => options.exact_modes = true,
            Long("no-same-permissions") => options.exact_modes = false,
            // Files belong to the user who extracts them anyway.
            Short('o') | Long("no-same-owner") => {}
            Short('v') | Long("verbose") => options.verbose = true,
            Short(letter) => return Err(unknown(&format!("-{letter}"))),
            Long(name) => return Err(unknown(&format!("--{name}"))),
            Value(path) => {
                options.members.push(Member { folder: options.folder.clone(), path: path.into() });
            }
        }
    }
    match (job, options.members.first()) {
        (None, _) => Err(Failure::usage(format!("missing option: {TAKEN}"))),
        (Some(Job::Create), None) => Err(Failure::usage("missing argument: `tar cf - PATH...`")),
        (Some(Job::Extract | Job::List), Some(member)) => {
            let member = super::display(&member.path);
            let why = "an archive is extracted and listed as a whole";
            Err(Failure::usage(format!("failed to pick `{member}`: {why}")))
        }
        (Some(job), _) => Ok((job, options)),
    }
}

fn set(job: &mut Option<Job>, given: Job) -> Result<(), Failure> {
    let letter = |job| match job {
        Job::Create => 'c',
        Job::Extract => 'x',
        Job::List => 't',
    };
    match job.replace(given) {
        Some(other) if other != given => {
            let (other, given) = (letter(other), letter(given));
            Err(Failure::usage(format!("failed to do both `-{other}` and `-{given}`: {TAKEN}")))
        }
        _ => Ok(()),
    }
}

/// Turns the old form, `xfC - DIR`, into the new one. The letters take their values from the next arguments, in order.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<(Job, Options), String> {
        let args: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        super::read(&args).map_err(|failure| match failure {
            Failure::Usage(message) => message,
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn options_of_kubectl_docker_and_podman_are_parsed() {
        let options =
            |touch, exact_modes| Options { folder: "/d".into(), touch, exact_modes, ..Options::default() };
        let verbose = || Options { verbose: true, ..Options::default() };
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
            assert_eq!(read(line), Ok((Job::Extract, expected)), "{line}");
        }
        assert_eq!(read("-xvf -"), Ok((Job::Extract, verbose())));
        assert_eq!(read("tf -"), Ok((Job::List, Options::default())));
        assert_eq!(read("--list --verbose"), Ok((Job::List, verbose())));
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
            let members: Vec<Member> = expected.iter().map(member).collect();
            let (job, options) = read(line).unwrap();
            assert_eq!((job, options.members), (Job::Create, members), "{line}");
        }
    }

    #[test]
    fn other_options_are_refused_by_name() {
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
