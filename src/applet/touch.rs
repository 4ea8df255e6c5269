//! `touch [-c] FILE...`: sets the time of files to now, which activates a provision. Creates missing files.

use super::{Failure, Streams, switches};
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_NOW, utimensat};
use std::ffi::{OsStr, OsString};
use std::fs::OpenOptions;
use std::io::{self, ErrorKind};

pub(super) fn run(args: &[OsString], io: &mut Streams) -> Result<u8, Failure> {
    let (given, files) = switches(args, "c")?;
    if files.is_empty() {
        return Err(Failure::usage("missing argument: `touch [-c] FILE...`"));
    }
    let mut code = 0;
    for file in files {
        if let Err(error) = touch(&file, !given.contains('c')) {
            code = io.complain_of("touch", &file, &error);
        }
    }
    Ok(code)
}

/// Sets the time of an existing file without opening it: the server would take the closing for a second event.
fn touch(file: &OsStr, create: bool) -> io::Result<()> {
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    let times = Timestamps { last_access: now, last_modification: now };
    match utimensat(CWD, file, &times, AtFlags::empty()).map_err(io::Error::from) {
        Err(error) if error.kind() == ErrorKind::NotFound => match create {
            true => OpenOptions::new().write(true).create_new(true).open(file).map(drop),
            false => Ok(()),
        },
        touched => touched,
    }
}
