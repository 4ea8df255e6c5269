//! `cat FILE...`: prints files one after the other; `-`, or no file at all, is standard input.

use super::{BUFFER, Failure, Streams, switches};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};

pub(super) fn run(args: &[OsString], io: &mut Streams) -> Result<u8, Failure> {
    let (_, mut files) = switches(args, "")?;
    if files.is_empty() {
        files.push("-".into());
    }
    let mut code = 0;
    for file in files {
        if let Err(error) = copy(&file, io)? {
            code = io.complain_of("read", &file, &error);
        }
    }
    Ok(code)
}

/// Copies one file. The inner error is one of reading, and the next file follows. The outer error is one of writing, and ends
/// the applet.
fn copy(file: &OsStr, io: &mut Streams) -> Result<io::Result<()>, Failure> {
    let mut opened;
    let source: &mut dyn Read = match file == "-" {
        true => io.input,
        false => match File::open(file) {
            Ok(file) => {
                opened = file;
                &mut opened
            }
            Err(error) => return Ok(Err(error)),
        },
    };
    let mut buffer = vec![0; BUFFER];
    loop {
        match source.read(&mut buffer) {
            Ok(0) => return Ok(Ok(())),
            // Flushed at once, since the rest may come much later: from a log that somebody still writes, or from a terminal.
            Ok(read) => {
                io.out.write_all(&buffer[..read]).and_then(|()| io.out.flush()).map_err(Failure::output)?
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Ok(Err(error)),
        }
    }
}
