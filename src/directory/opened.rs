//! Files that are sent from where they are: each is opened once, for any number of answers at a time.

use super::error::{Cause, DirectoryError};
use super::name::Name;
use super::source::{self, SIZE_LIMIT, Stat};
use crate::system::descriptors;
use crate::system::lock::lock;
use std::borrow::Cow;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Mutex, Weak};

/// Bytes of the largest file that is read to be sent: up to this, head and body leave in one write, and one read costs less
/// than a file that stays open.
const SMALL: usize = 64 << 10;

/// What an answer has for a body: bytes, or a file that is open.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    Bytes(Vec<u8>),
    /// What the file has, as it is sent.
    File(Box<Opened>),
}

/// An open file, as long as it was when it was opened.
#[derive(Debug, Clone)]
pub struct Opened {
    name: Name,
    file: Arc<File>,
    length: u64,
}

/// The files that are being sent, for others to send them too.
#[derive(Debug, Default)]
pub(super) struct Sent(Mutex<Vec<(Stat, Weak<File>)>>);

impl Sent {
    /// The content of the regular file at `path`, which must not be a link.
    pub(super) fn content(&self, name: &Name, path: &Path) -> Result<Content, Cause> {
        let mut opened = None;
        let (bytes, _) = source::settled(path, &mut |file, stat| {
            if stat.size > SMALL as u64 {
                if let Some(file) = self.share(file, *stat)? {
                    opened = Some(Box::new(Opened { name: name.clone(), file, length: stat.size }));
                    return Ok(Some(Vec::new()));
                }
                if stat.size > SIZE_LIMIT as u64 {
                    return Err(Cause::TooManyOpen);
                }
            }
            source::read_once(file, stat, SIZE_LIMIT)
        })?;
        Ok(opened.map_or(Content::Bytes(bytes), Content::File))
    }

    /// `file`, or the same one that is open already. None if too many others are open.
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
    /// The file, to be read at any place.
    pub fn file(&self) -> &Arc<File> {
        &self.file
    }

    /// Bytes that it had when it was opened.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// At most `most` bytes of its beginning.
    fn beginning(&self, most: usize) -> Result<Vec<u8>, Cause> {
        let mut bytes = vec![0; usize::try_from(self.length).unwrap_or(most).min(most)];
        // It is there, and open; what can go wrong is that it has become shorter.
        self.file.read_exact_at(&mut bytes, 0).map_err(|_| Cause::Changing)?;
        Ok(bytes)
    }

    fn read(&self) -> Result<Vec<u8>, Cause> {
        if self.length > SIZE_LIMIT as u64 {
            return Err(Cause::TooLarge(SIZE_LIMIT));
        }
        self.beginning(SIZE_LIMIT)
    }
}

impl PartialEq for Opened {
    fn eq(&self, other: &Opened) -> bool {
        Arc::ptr_eq(&self.file, &other.file)
    }
}

impl Content {
    /// How many bytes there are.
    pub fn len(&self) -> u64 {
        match self {
            Content::Bytes(bytes) => bytes.len() as u64,
            Content::File(opened) => opened.length,
        }
    }

    /// Bytes of memory that it holds.
    pub fn space(&self) -> usize {
        match self {
            Content::Bytes(bytes) => bytes.capacity(),
            Content::File(_) => 0,
        }
    }

    /// All of it. Errors: a file of more than [`SIZE_LIMIT`] bytes, or one that can't be read any more.
    pub fn read(&self) -> Result<Vec<u8>, DirectoryError> {
        match self {
            Content::Bytes(bytes) => Ok(bytes.clone()),
            Content::File(opened) => {
                opened.read().map_err(|cause| DirectoryError::new("read", opened.name.as_str(), cause))
            }
        }
    }

    /// The first `most` bytes, or more where they are in memory anyway. Of a file that can't be read there are none.
    pub fn beginning(&self, most: usize) -> Cow<'_, [u8]> {
        match self {
            Content::Bytes(bytes) => bytes.into(),
            Content::File(opened) => opened.beginning(most).unwrap_or_default().into(),
        }
    }

    /// The bytes that are in memory: none of a file.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Content::Bytes(bytes) => bytes,
            Content::File(_) => &[],
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
