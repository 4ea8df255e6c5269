//! Files as bodies of answers: each file is opened once, for any number of answers at the same time.

use super::error::{Cause, DirectoryError};
use super::name::Name;
use super::source::{self, SIZE_LIMIT, Stat};
use crate::system::descriptors;
use crate::system::lock::lock;
use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Mutex, Weak};

/// Limit of files that are read into memory for an answer, in bytes: head and body then leave in one write, and one read costs
/// less than a file that stays open.
const SMALL: usize = 64 << 10;

/// The body of an answer: bytes, or an open file.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    Bytes(Vec<u8>),
    /// The content of the file at the time at which it is sent.
    File(Box<Opened>),
    /// Several contents, one after the other: ranges of a file, and the lines between them.
    Parts(Vec<Content>),
}

/// An open file, and the range of it that is sent: at first the length that it had when it was opened.
#[derive(Debug, Clone)]
pub struct Opened {
    name: Name,
    file: Arc<File>,
    range: Range<u64>,
}

/// The files that answers are sending; further answers share them.
#[derive(Debug, Default)]
pub(super) struct Sent(Mutex<Vec<(Stat, Weak<File>)>>);

impl Sent {
    /// Returns the content and the state of the regular file at `path`, which must not be a link.
    pub(super) fn content(&self, name: &Name, path: &Path) -> Result<(Content, Stat), Cause> {
        let mut opened = None;
        let (bytes, stat) = source::settled(path, &mut |file, stat| {
            if stat.size > SMALL as u64 {
                if let Some(file) = self.share(file, *stat)? {
                    opened = Some(Box::new(Opened { name: name.clone(), file, range: 0..stat.size }));
                    return Ok(Some(Vec::new()));
                }
                if stat.size > SIZE_LIMIT as u64 {
                    return Err(Cause::TooManyOpen);
                }
            }
            source::read_once(file, stat)
        })?;
        Ok((opened.map_or(Content::Bytes(bytes), Content::File), stat))
    }

    /// Returns `file`, or the same file that is open already; `None` if too many others are open.
    fn share(&self, file: &File, stat: Stat) -> Result<Option<Arc<File>>, Cause> {
        let mut files = lock(&self.0);
        files.retain(|(_, file)| file.strong_count() > 0);
        if let Some(open) =
            files.iter().find(|(other, _)| *other == stat).and_then(|(_, file)| file.upgrade())
        {
            return Ok(Some(open));
        }
        if files.len() >= descriptors::for_sending() {
            return Ok(None);
        }
        let file = Arc::new(file.try_clone()?);
        files.push((stat, Arc::downgrade(&file)));
        Ok(Some(file))
    }
}

impl Opened {
    /// Returns the file, to be read at any place.
    pub fn file(&self) -> &Arc<File> {
        &self.file
    }

    /// Returns the range of the file that is sent.
    pub fn range(&self) -> Range<u64> {
        self.range.clone()
    }

    fn length(&self) -> u64 {
        self.range.end - self.range.start
    }

    /// Reads the first `most` bytes, or all if there are fewer.
    fn beginning(&self, most: usize) -> Result<Vec<u8>, Cause> {
        let mut bytes = vec![0; usize::try_from(self.length()).unwrap_or(most).min(most)];
        // The file is open, so the only likely failure is that it has become shorter.
        self.file.read_exact_at(&mut bytes, self.range.start).map_err(|_| Cause::Changing)?;
        Ok(bytes)
    }

    fn read(&self) -> Result<Vec<u8>, Cause> {
        if self.length() > SIZE_LIMIT as u64 {
            return Err(Cause::TooLarge(SIZE_LIMIT));
        }
        self.beginning(SIZE_LIMIT)
    }
}

impl PartialEq for Opened {
    fn eq(&self, other: &Opened) -> bool {
        Arc::ptr_eq(&self.file, &other.file) && self.range == other.range
    }
}

impl Content {
    /// Returns the length in bytes.
    pub fn len(&self) -> u64 {
        match self {
            Content::Bytes(bytes) => bytes.len() as u64,
            Content::File(opened) => opened.length(),
            Content::Parts(parts) => parts.iter().map(Content::len).sum(),
        }
    }

    /// Returns the bytes of memory that the content holds.
    pub fn space(&self) -> usize {
        match self {
            Content::Bytes(bytes) => bytes.capacity(),
            Content::File(_) => 0,
            Content::Parts(parts) => parts.iter().map(Content::space).sum(),
        }
    }

    /// Returns the bytes in `range`, which must lie within the content. A file is not read for it.
    pub fn part(&self, range: &Range<u64>) -> Content {
        match self {
            Content::Bytes(bytes) => bytes[range.start as usize..range.end as usize].to_vec().into(),
            Content::File(opened) => {
                let range = opened.range.start + range.start..opened.range.start + range.end;
                Content::File(Box::new(Opened { range, ..(**opened).clone() }))
            }
            Content::Parts(parts) => {
                let mut before = 0;
                let cut = |part: &Content| {
                    let within = |at: u64| at.saturating_sub(before).min(part.len());
                    let range = within(range.start)..within(range.end);
                    before += part.len();
                    (!range.is_empty()).then(|| part.part(&range))
                };
                Content::Parts(parts.iter().filter_map(cut).collect())
            }
        }
    }

    /// Reads the whole content.
    ///
    /// # Errors
    /// The file has more than [`SIZE_LIMIT`] bytes, or can't be read any more.
    pub fn read(&self) -> Result<Vec<u8>, DirectoryError> {
        match self {
            Content::Bytes(bytes) => Ok(bytes.clone()),
            Content::File(opened) => {
                opened.read().map_err(|cause| DirectoryError::new("read", opened.name.as_str(), cause))
            }
            Content::Parts(_) if self.len() > SIZE_LIMIT as u64 => {
                Err(DirectoryError::new("read", "the body", Cause::TooLarge(SIZE_LIMIT)))
            }
            Content::Parts(parts) => {
                Ok(parts.iter().map(Content::read).collect::<Result<Vec<_>, _>>()?.concat())
            }
        }
    }

    /// Writes the whole content to `out`, a piece at a time.
    ///
    /// # Errors
    /// A file can't be read any more, or `out` refuses.
    pub fn write_to(&self, out: &mut impl Write) -> io::Result<()> {
        let opened = match self {
            Content::Bytes(bytes) => return out.write_all(bytes),
            Content::Parts(parts) => return parts.iter().try_for_each(|part| part.write_to(out)),
            Content::File(opened) => opened,
        };
        let (mut at, mut piece) = (opened.range.start, [0; 8 << 10]);
        while at < opened.range.end {
            let left = usize::try_from(opened.range.end - at).unwrap_or(usize::MAX);
            let piece = &mut piece[..left.min(8 << 10)];
            opened.file.read_exact_at(piece, at)?;
            out.write_all(piece)?;
            at += piece.len() as u64;
        }
        Ok(())
    }

    /// Returns the first `most` bytes, or all of a content in memory; none of a file that can't be read.
    pub fn beginning(&self, most: usize) -> Cow<'_, [u8]> {
        match self {
            Content::Bytes(bytes) => bytes.into(),
            Content::File(opened) => opened.beginning(most).unwrap_or_default().into(),
            Content::Parts(parts) => {
                let mut bytes = Vec::new();
                for part in parts {
                    let left = most.saturating_sub(bytes.len());
                    let beginning = part.beginning(left);
                    bytes.extend_from_slice(&beginning[..left.min(beginning.len())]);
                }
                bytes.into()
            }
        }
    }

    /// Returns the bytes in memory; none for a file.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Content::Bytes(bytes) => bytes,
            Content::File(_) | Content::Parts(_) => &[],
        }
    }
}

impl Default for Content {
    fn default() -> Content {
        Content::Bytes(Vec::new())
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Content {
        Content::Bytes(bytes)
    }
}
