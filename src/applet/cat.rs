//! `cat FILE...`: prints files one after the other; `-`, or no file at all, is standard input.

use super::{BUFFER, Failure, Streams, display, switches};
use crate::system::io_error::describe_io;
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
            io.complain(&format!("failed to read `{}`: {}", display(&file), describe_io(&error)));
            code = 1;
        }
    }
    Ok(code)
}

/// Copies one file. The inner error is one of reading, after which the next file follows; the outer error, of writing, ends
/// everything.
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
            // At once, for a file that somebody still writes, such as a log, or a terminal.
            Ok(read) => {
                io.out.write_all(&buffer[..read]).and_then(|()| io.out.flush()).map_err(Failure::output)?
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Ok(Err(error)),
        }
    }
}
