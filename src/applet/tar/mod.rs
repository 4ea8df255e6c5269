//! `tar`: reads and writes archives over standard input and output, as kubectl, docker and podman send and expect them.

mod create;
mod extract;
mod input;
mod line;
mod root;

use super::{Failure, Streams, display, listing};
use input::Entry;
use line::Job;
use std::ffi::OsString;

pub(super) fn run(args: &[OsString], io: &mut Streams) -> Result<u8, Failure> {
    let (job, options) = line::read(args)?;
    let result = match job {
        Job::Create => return create::run(&options, io),
        Job::Extract => extract::run(&options, io),
        Job::List => list(options.verbose, io),
    };
    // The error is printed at once. Then the rest of the input is read: a sender would wait for ever if nobody read it.
    let result = match result {
        Err(Failure::Fatal(code, message)) => {
            io.complain(&message);
            Ok(code)
        }
        other => other,
    };
    io.drain();
    result
}

fn list(verbose: bool, io: &mut Streams) -> Result<u8, Failure> {
    let Streams { input, out, .. } = io;
    let listed = input::each(*input, |entry| {
        let row = if verbose { long(entry) } else { display(entry.name()) };
        out.write_all(format!("{row}\n").as_bytes()).map_err(Failure::output)
    })?;
    Ok(ended(listed, io))
}

/// Returns the exit code of `read`; prints why the archive could not be read to its end.
fn ended(read: Result<(), String>, io: &mut Streams) -> u8 {
    match read {
        Ok(()) => 0,
        Err(cause) => {
            io.complain(&format!("failed to read the archive: {cause}"));
            1
        }
    }
}

/// Returns a line such as `-rw-r--r-- 0/0 12 2026-01-31 12:00 name -> target`.
fn long(entry: &Entry) -> String {
    let header = entry.header();
    let kind = header.entry_type();
    let letter = match kind.as_byte() {
        b'1' => 'h',
        b'2' => 'l',
        b'3' => 'c',
        b'4' => 'b',
        b'5' => 'd',
        b'6' => 'p',
        _ => '-',
    };
    let arrow = if kind.is_hard_link() { "link to" } else { "->" };
    let target = entry.target().map_or(String::new(), |target| format!(" {arrow} {}", display(target)));
    format!(
        "{} {}/{} {} {} {}{target}",
        listing::mode(letter, header.mode().unwrap_or(0)),
        header.uid().unwrap_or(0),
        header.gid().unwrap_or(0),
        entry.size(),
        listing::time(header.mtime().map_or(0, |seconds| i64::try_from(seconds).unwrap_or(0))),
        display(entry.name())
    )
}
