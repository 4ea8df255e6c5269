//! The consistent content of one file, and the stamp that identifies this state of the file. The provision directory decides
//! which paths may be read.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{Read, Seek};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::OFlags;
use sha2::{Digest, Sha256};

use super::error::Cause;

/// Limit of files that are read or copied, in bytes.
pub(crate) const SIZE_LIMIT: usize = 16 << 20;

/// Limit of attempts to read a file that changes meanwhile. Its writer will cause another event anyway.
const TRIES: usize = 5;
/// Age of a file up to which two writes may have the same modification time.
const FRESH: Duration = Duration::from_millis(20);

/// Metadata of a file. Equal values mean the same file, which was neither written nor touched since. The change time is left
/// out, so that `chmod` changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stat {
    pub device: u64,
    pub inode: u64,
    /// Modification time, in nanoseconds since 1970.
    pub modified_ns: i128,
    /// Size in bytes.
    pub size: u64,
}

/// The state of a file and the checksum of its content at that time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The metadata.
    pub stat: Stat,
    /// SHA-256 of the content, 64 hexadecimal digits.
    pub sha256: String,
}

/// The content of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    pub bytes: Vec<u8>,
    /// The state of the file with that content.
    pub stamp: Stamp,
}

impl Stat {
    /// Takes the values from `metadata`.
    pub fn from_metadata(metadata: &Metadata) -> Stat {
        let modified_ns = i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec());
        Stat { device: metadata.dev(), inode: metadata.ino(), modified_ns, size: metadata.len() }
    }

    pub fn modified(&self) -> SystemTime {
        let offset = Duration::from_nanos(u64::try_from(self.modified_ns.unsigned_abs()).unwrap_or(u64::MAX));
        let time = if self.modified_ns < 0 {
            UNIX_EPOCH.checked_sub(offset)
        } else {
            UNIX_EPOCH.checked_add(offset)
        };
        time.unwrap_or(UNIX_EPOCH)
    }
}

/// Returns the SHA-256 of `bytes`, 64 hexadecimal digits.
pub(super) fn sha256(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

/// Reads the regular file at `path`, which must not be a link. Never blocks on a FIFO.
///
/// # Errors
/// An error of the system, [`Cause::NotRegular`], [`Cause::TooLarge`] or [`Cause::Changing`].
pub(super) fn read_settled(path: &Path) -> Result<(Vec<u8>, Stat), Cause> {
    settled(path, &mut |file, stat| {
        if stat.size > SIZE_LIMIT as u64 {
            return Err(Cause::TooLarge(SIZE_LIMIT));
        }
        read_once(file, stat)
    })
}

/// A function that reads an open file in this state; `None` if the file changed meanwhile.
type Reading<'r> = dyn FnMut(&File, &Stat) -> Result<Option<Vec<u8>>, Cause> + 'r;

/// Opens the regular file at `path` and calls `read`, again if `read` returns `None`.
pub(super) fn settled(path: &Path, read: &mut Reading<'_>) -> Result<(Vec<u8>, Stat), Cause> {
    for _ in 0..TRIES {
        // To open a device can have effects, so the type is checked first.
        regular(&path.symlink_metadata()?)?;
        let flags = OFlags::NONBLOCK | OFlags::NOFOLLOW;
        let file = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
        let metadata = file.metadata()?;
        regular(&metadata)?;
        let stat = Stat::from_metadata(&metadata);
        if let Some(bytes) = read(&file, &stat)? {
            return Ok((bytes, stat));
        }
    }
    Err(Cause::Changing)
}

/// Whether the file could be written again without a change of its modification time, which advances in ticks of up to 10 ms.
/// Then equal times prove nothing, and only two equal reads do.
fn is_fresh(stat: &Stat) -> bool {
    SystemTime::now().duration_since(stat.modified()).is_ok_and(|age| age < FRESH)
}

/// Reads a file; `None` if it changed meanwhile.
pub(super) fn read_once(file: &File, stat: &Stat) -> Result<Option<Vec<u8>>, Cause> {
    let bytes = read_bounded(file)?;
    if is_fresh(stat) && read_bounded(file)? != bytes {
        return Ok(None);
    }
    let same = *stat == Stat::from_metadata(&file.metadata()?) && stat.size == bytes.len() as u64;
    Ok(same.then_some(bytes))
}

/// Reads up to one byte more than [`SIZE_LIMIT`]. A file that has grown then differs in its size from `stat`.
fn read_bounded(mut file: &File) -> Result<Vec<u8>, Cause> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.take(SIZE_LIMIT as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn regular(metadata: &Metadata) -> Result<(), Cause> {
    match metadata.file_type() {
        kind if kind.is_file() => Ok(()),
        kind if kind.is_dir() => Err(Cause::IsDirectory),
        _ => Err(Cause::NotRegular),
    }
}
