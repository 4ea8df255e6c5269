//! `tar c`: writes an archive of files, folders and links. The same files give the same bytes, since names are sorted.

use super::line::Options;
use super::{Failure, Streams, display};
use crate::system::io_error::describe_io;
use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use tar::{Builder, EntryType, Header};

/// Bytes of a name, or of a link's target, that fit into a header.
const SHORT: usize = 100;

/// Writes an archive of the members. Names each file that can't be read, and archives the others.
pub(super) fn run(options: &Options, io: &mut Streams) -> Result<u8, Failure> {
    let Streams { name, out, err, .. } = io;
    let mut archive =
        Archive { builder: Builder::new(*out), err: *err, applet: name, verbose: options.verbose, code: 0 };
    for member in &options.members {
        archive.add(&member.folder.join(&member.path), &stored(&member.path)).map_err(Failure::output)?;
    }
    archive.builder.finish().map_err(Failure::output)?;
    Ok(archive.code)
}

/// Returns the name in the archive, as kubectl expects it: without `.`, and without `/` and `..`, which lead out.
fn stored(path: &Path) -> PathBuf {
    let mut stored = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => stored.push(name),
            Component::ParentDir => drop(stored.pop()),
            _ => {}
        }
    }
    stored
}

struct Archive<'a> {
    builder: Builder<&'a mut dyn Write>,
    err: &'a mut dyn Write,
    applet: &'static str,
    verbose: bool,
    code: u8,
}

/// The errors of these functions are those of standard output.
impl Archive<'_> {
    /// Adds `path` under `name`. If it can't be read, prints why; the next file follows.
    fn add(&mut self, path: &Path, name: &Path) -> io::Result<()> {
        self.try_add(path, name).unwrap_or_else(|cause| {
            self.code = 1;
            let _ = writeln!(self.err, "{}: failed to archive `{}`: {cause}", self.applet, display(path));
            Ok(())
        })
    }

    /// Adds `path`. The outer error says why it can't be read; the inner error is one of standard output.
    fn try_add(&mut self, path: &Path, name: &Path) -> Result<io::Result<()>, String> {
        let unreadable = |error: io::Error| describe_io(&error);
        let metadata = fs::symlink_metadata(path).map_err(unreadable)?;
        let (kind, stored) = (metadata.file_type(), name.as_os_str().as_bytes());
        if kind.is_dir() {
            let own = [if stored.is_empty() { b"." } else { stored }, b"/"].concat();
            let written = self.append(EntryType::Directory, &metadata, 0, &own, b"", &mut io::empty());
            let names = fs::read_dir(path).and_then(|all| all.map(|entry| Ok(entry?.file_name())).collect());
            let mut names: Vec<OsString> = names.map_err(unreadable)?;
            names.sort();
            Ok(written.and_then(|()| {
                names.iter().try_for_each(|entry| self.add(&path.join(entry), &name.join(entry)))
            }))
        } else if kind.is_symlink() {
            let target = fs::read_link(path).map_err(unreadable)?;
            let target = target.as_os_str().as_bytes();
            Ok(self.append(EntryType::Symlink, &metadata, 0, stored, target, &mut io::empty()))
        } else if kind.is_file() {
            // Hard links are stored as files: kubectl makes empty files of them.
            let mut content =
                Exact { file: File::open(path).map_err(unreadable)?, left: metadata.len(), fault: None };
            let written =
                self.append(EntryType::Regular, &metadata, metadata.len(), stored, b"", &mut content);
            match content.fault {
                Some(fault) if written.is_ok() => Err(format!("{fault}: the rest is zeros")),
                _ => Ok(written),
            }
        } else {
            Err("it is neither a file nor a folder nor a link".to_owned())
        }
    }

    fn append(
        &mut self,
        kind: EntryType,
        metadata: &Metadata,
        size: u64,
        name: &[u8],
        target: &[u8],
        content: &mut dyn Read,
    ) -> io::Result<()> {
        if self.verbose {
            let _ = writeln!(self.err, "{}", display(std::ffi::OsStr::from_bytes(name)));
        }
        let mut header = Header::new_gnu();
        header.set_mode(metadata.mode() & 0o7777);
        header.set_uid(metadata.uid().into());
        header.set_gid(metadata.gid().into());
        header.set_mtime(u64::try_from(metadata.mtime()).unwrap_or(0));
        header.set_size(size);
        header.set_entry_type(kind);
        for (kind, text) in [(EntryType::GNULongName, name), (EntryType::GNULongLink, target)] {
            if text.len() > SHORT {
                self.append_long(kind, text)?;
            }
        }
        put(&mut header.as_old_mut().name, name);
        put(&mut header.as_old_mut().linkname, target);
        header.set_cksum();
        self.builder.append(&header, content)
    }

    /// Appends a text that does not fit into a header: as an entry of its own before it, with a zero at its end.
    fn append_long(&mut self, kind: EntryType, text: &[u8]) -> io::Result<()> {
        let mut header = Header::new_gnu();
        put(&mut header.as_old_mut().name, b"././@LongLink");
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(text.len() as u64 + 1);
        header.set_entry_type(kind);
        header.set_cksum();
        self.builder.append(&header, text.chain(&[0][..]))
    }
}

fn put(field: &mut [u8; SHORT], text: &[u8]) {
    let length = text.len().min(SHORT);
    field[..length].copy_from_slice(&text[..length]);
}

/// Reads as many bytes as the header announced, whatever happens to the file meanwhile.
struct Exact {
    file: File,
    left: u64,
    fault: Option<String>,
}

impl Read for Exact {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let buffer = &mut buffer[..most];
        if self.fault.is_none() {
            match self.file.read(buffer) {
                Ok(0) if most > 0 => self.fault = Some("it became shorter".to_owned()),
                Ok(read) => {
                    self.left -= read as u64;
                    return Ok(read);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
                Err(error) => self.fault = Some(describe_io(&error)),
            }
        }
        buffer.fill(0);
        self.left -= most as u64;
        Ok(most)
    }
}
