//! Reads an archive: entry after entry, each with its name.

use crate::system::io_error::describe_io;
use std::cell::Cell;
use std::ffi::OsString;
use std::io::{self, ErrorKind, Read};
use std::os::unix::ffi::OsStringExt;

/// Maximum of bytes of the headers of one entry, with long names and pax records: the reader keeps them in memory.
const MAX_HEADERS: u64 = 1 << 20;
/// The error of an archive that was cut off.
const EARLY: &str = "it ends early";
/// Size of a header. All lengths in an archive are multiples of it.
const BLOCK: u64 = 512;

/// An entry of an archive; implements `Read` for its content.
pub(super) struct Entry<'a, 'b> {
    inner: tar::Entry<'a, Metered<'b>>,
    name: OsString,
    /// Whether its pax records describe a sparse file.
    has_sparse_records: bool,
    left: u64,
}

/// Calls `work` for each entry of the archive `source`. The outer error is the first one of `work`, which ends the loop. The
/// inner error says why the archive can't be read to its end. Reads `source` up to the end of the archive, not further.
pub(super) fn each<E>(
    source: &mut dyn Read,
    mut work: impl FnMut(&mut Entry) -> Result<(), E>,
) -> Result<Result<(), String>, E> {
    let (budget, ended) = (Cell::new(MAX_HEADERS), Cell::new(false));
    let source = Metered { source, budget: &budget, ended: &ended, is_first: true };
    let mut archive = tar::Archive::new(source);
    // The crate has several texts for an early end.
    let why = |error| if ended.get() { EARLY.to_owned() } else { describe_io(&error) };
    let entries = match archive.entries() {
        Ok(entries) => entries,
        Err(error) => return Ok(Err(why(error))),
    };
    for entry in entries {
        let mut entry = match entry.and_then(Entry::new) {
            Ok(entry) => entry,
            Err(error) => return Ok(Err(why(error))),
        };
        budget.set(u64::MAX);
        if !entry.is_global() {
            work(&mut entry)?;
        }
        match entry.finish() {
            Ok(rest) => budget.set(rest.saturating_add(MAX_HEADERS)),
            Err(error) => return Ok(Err(why(error))),
        }
    }
    Ok(Ok(()))
}

impl<'a, 'b> Entry<'a, 'b> {
    fn new(inner: tar::Entry<'a, Metered<'b>>) -> io::Result<Entry<'a, 'b>> {
        let name = OsString::from_vec(inner.path_bytes().into_owned());
        let mut entry = Entry { left: inner.size(), inner, name, has_sparse_records: false };
        if !entry.is_global() {
            let mut keys = entry.inner.pax_extensions()?.into_iter().flatten().flatten();
            entry.has_sparse_records =
                keys.any(|record| record.key().is_ok_and(|key| key.starts_with("GNU.sparse.")));
        }
        Ok(entry)
    }

    /// Whether it describes all entries that follow, as in archives of `git archive`.
    fn is_global(&self) -> bool {
        self.header().entry_type().is_pax_global_extensions()
    }

    /// Returns the name, as it stands in the archive.
    pub(super) fn name(&self) -> &OsString {
        &self.name
    }

    /// Returns the header: type, mode, owner and time.
    pub(super) fn header(&self) -> &tar::Header {
        self.inner.header()
    }

    /// Returns the size of the content in bytes.
    pub(super) fn size(&self) -> u64 {
        self.inner.size()
    }

    /// Returns the target of a link.
    pub(super) fn target(&self) -> Option<OsString> {
        let kind = self.header().entry_type();
        let target = self.inner.link_name_bytes().filter(|_| kind.is_symlink() || kind.is_hard_link());
        target.map(|target| OsString::from_vec(target.into_owned()))
    }

    /// Whether it is a sparse file, in any of the known forms.
    pub(super) fn is_sparse(&self) -> bool {
        self.header().entry_type().is_gnu_sparse() || self.has_sparse_records
    }

    /// Skips the rest of the content. Returns the number of bytes that remain to be skipped: the holes of a sparse file would
    /// be read as zeros, for hours.
    fn finish(mut self) -> io::Result<u64> {
        if self.header().entry_type().is_gnu_sparse() {
            return self.header().entry_size().map(|size| size.next_multiple_of(BLOCK));
        }
        io::copy(&mut self, &mut io::sink()).map(|_| 0)
    }
}

impl Read for Entry<'_, '_> {
    /// Fails where the archive ends within the entry; the crate would take that for the end of the entry.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self.left.saturating_sub(read as u64);
        match read == 0 && !buffer.is_empty() && self.left > 0 {
            true => Err(io::Error::new(ErrorKind::UnexpectedEof, EARLY)),
            false => Ok(read),
        }
    }
}

/// Limits the bytes that are read to the budget, which the owner of the cell sets.
struct Metered<'a> {
    source: &'a mut dyn Read,
    budget: &'a Cell<u64>,
    ended: &'a Cell<bool>,
    is_first: bool,
}

impl Read for Metered<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(usize::try_from(self.budget.get()).unwrap_or(usize::MAX));
        if most == 0 && !buffer.is_empty() {
            return Err(io::Error::new(ErrorKind::InvalidData, "the headers of an entry are over 1 MiB"));
        }
        let read = loop {
            match self.source.read(&mut buffer[..most]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        if std::mem::take(&mut self.is_first) && buffer[..read].starts_with(b"\x1f\x8b") {
            let text = "it is compressed, there is no compression here";
            return Err(io::Error::new(ErrorKind::InvalidData, text));
        }
        self.budget.set(self.budget.get() - read as u64);
        self.ended.set(read == 0 && !buffer.is_empty());
        Ok(read)
    }
}
