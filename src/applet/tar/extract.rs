//! `tar x`: extracts files, folders and links.
//!
//! A file is written under a hidden name in its folder, and then renamed. So a server that watches the folder sees it once,
//! complete. The previous file stays until then, also where space runs out. And a link of that name is replaced, not written
//! through, as in GNU tar.

use super::input::{self, Entry};
use super::line::Options;
use super::root::{Fault, Place, Root};
use super::{Failure, Streams, display, ended};
use crate::system::io_error::describe_io;
use rustix::fs::{Mode, Timespec, Timestamps, UTIME_NOW, fchmod, futimens};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

/// Extracts the archive on standard input. Names each entry that can't be extracted, and extracts the others.
pub(super) fn run(options: &Options, io: &mut Streams) -> Result<u8, Failure> {
    let root = Root::open(&options.folder).map_err(|error| {
        let folder = display(&options.folder);
        Failure::Fatal(1, format!("failed to open folder `{folder}`: {}", describe_io(&error)))
    })?;
    let mut code = 0;
    let name = io.name;
    let Streams { input, out, err, .. } = io;
    let read = input::each(*input, |entry| {
        if options.verbose {
            // Extracting continues where nobody reads the names.
            let _ = writeln!(out, "{}", display(entry.name()));
        }
        let Err(fault) = extract(&root, options, entry) else { return Ok(()) };
        let message = format!("failed to extract `{}`: {fault}", display(entry.name()));
        if is_final(&fault) {
            return Err(Failure::Fatal(1, message));
        }
        let _ = writeln!(err, "{name}: {message}");
        code = 1;
        Ok(())
    })?;
    Ok(ended(read, io).max(code))
}

/// Whether the next entry would fail for the same reason.
fn is_final(fault: &Fault) -> bool {
    let kinds = [ErrorKind::ReadOnlyFilesystem, ErrorKind::StorageFull, ErrorKind::QuotaExceeded];
    matches!(fault, Fault::System(error) if kinds.contains(&error.kind()))
}

fn extract(root: &Root, options: &Options, entry: &mut Entry) -> Result<(), Fault> {
    let refused = |reason: &str| Err(Fault::Refused(reason.to_owned()));
    let kind = entry.header().entry_type();
    if entry.is_sparse() {
        return refused("it is a sparse file, pack it without `-S`");
    }
    // A slash at the end marks a folder in archives before POSIX.
    if kind.is_dir() || kind.is_file() && entry.name().as_bytes().ends_with(b"/") {
        return root.make_folder(entry.name(), mode(entry));
    }
    match kind.as_byte() {
        b'3' | b'4' => return refused("it is a device"),
        b'6' => return refused("it is a FIFO"),
        b'\0' | b'0' | b'1' | b'2' | b'7' => {}
        other => {
            return refused(&format!(
                "its type `{}` is not supported",
                display(char::from(other).to_string())
            ));
        }
    }
    let Some(place) = root.place(entry.name())? else { return refused("it has no name") };
    match (kind.is_symlink(), kind.is_hard_link()) {
        (true, _) => symbolic_link(&place, &entry.target().unwrap_or_default()),
        (_, true) => hard_link(root, &place, &entry.target().unwrap_or_default()),
        _ => file(&place, options, entry),
    }
}

fn mode(entry: &Entry) -> u32 {
    entry.header().mode().unwrap_or(0o644)
}

fn file(place: &Place, options: &Options, entry: &mut Entry) -> Result<(), Fault> {
    let (beside, file) = place.create_beside(mode(entry) & 0o777)?;
    match fill(&file, options, entry) {
        Ok(()) => Ok(beside.replace(place)?),
        Err(error) => {
            beside.remove();
            Err(error.into())
        }
    }
}

/// Writes content, mode and time, all before the file has its name: the server takes each for a change.
fn fill(mut file: &File, options: &Options, entry: &mut Entry) -> io::Result<()> {
    io::copy(entry, &mut file)?;
    if options.exact_modes {
        fchmod(file, Mode::from_raw_mode(mode(entry) & 0o7777))?;
    }
    if !options.touch {
        let seconds = entry.header().mtime().ok().and_then(|seconds| i64::try_from(seconds).ok());
        let modified = Timespec { tv_sec: seconds.unwrap_or(0), tv_nsec: 0 };
        let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
        futimens(file, &Timestamps { last_access: now, last_modification: modified })?;
    }
    Ok(())
}

/// Makes a link whose target is inside the root. `..` is allowed only at its start, since a folder may become a link later.
fn symbolic_link(place: &Place, target: &OsStr) -> Result<(), Fault> {
    let refused = |reason: &str| Err(Fault::Refused(format!("its target `{}` {reason}", display(target))));
    let (mut up, mut down) = (0, 0);
    for component in Path::new(target).components() {
        match component {
            Component::RootDir | Component::Prefix(_) => {
                return refused("is absolute and may lead out of the folder");
            }
            Component::ParentDir if down > 0 => return refused("has `..` behind a name"),
            Component::ParentDir => up += 1,
            Component::Normal(_) => down += 1,
            Component::CurDir => {}
        }
    }
    if up > place.depth {
        return refused("leads out of the folder");
    }
    Ok(place.link_beside(target)?.replace(place)?)
}

/// Makes another name for a file inside the root. The target may not be a link, which would lead elsewhere from another
/// place.
fn hard_link(root: &Root, place: &Place, target: &OsStr) -> Result<(), Fault> {
    let refused = |reason: &str| Fault::Refused(format!("its target `{}`: {reason}", display(target)));
    let other = match root.place(target) {
        Ok(other) => other.ok_or_else(|| refused("it is not a file"))?,
        Err(fault) => return Err(refused(&fault.to_string())),
    };
    let (device, inode, is_file) = other.identity().map_err(|error| refused(&describe_io(&error)))?;
    if !is_file {
        return Err(refused("it is not a file"));
    }
    // The name leads to the same file already.
    if place.identity().is_ok_and(|(own_device, own_inode, _)| (own_device, own_inode) == (device, inode)) {
        return Ok(());
    }
    Ok(place.name_beside(&other)?.replace(place)?)
}
