//! The content of one file, read so that it is of one piece, and the stamp by which it is known again.
//! It works on paths: which of them may be read is decided by the provision directory.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{Read, Seek};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::OFlags;
use sha2::{Digest, Sha256};

use super::error::Cause;

/// Bytes that a file may have to be read or copied.
pub(crate) const SIZE_LIMIT: usize = 16 << 20;

/// Reads of a file that changes meanwhile, before giving up: its writer will cause another event anyway.
const TRIES: usize = 5;
/// Age of a file up to which its time is not trusted to tell two writes apart.
const FRESH: Duration = Duration::from_millis(20);

/// What the file system says of a file: equal values mean the same file, not written or touched since.
/// The change time is left out, so that `chmod` changes nothing.
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
    /// What the file system says.
    pub stat: Stat,
    /// SHA-256 of the content, 64 hexadecimal digits.
    pub sha256: String,
}

/// The content of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    pub bytes: Vec<u8>,
    /// The state in which the file was when it had that content.
    pub stamp: Stamp,
}

impl Stat {
    /// Takes the relevant values out of `metadata`.
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

/// SHA-256 of `bytes`, 64 hexadecimal digits.
pub(super) fn sha256(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

/// Reads the regular file at `path`, which must not be a link. Never blocks on a FIFO. Errors: what the system
/// says, [`Cause::NotRegular`], [`Cause::TooLarge`], [`Cause::Changing`].
pub(super) fn read_settled(path: &Path, limit: usize) -> Result<(Vec<u8>, Stat), Cause> {
    settled(path, &mut |file, stat| {
        if stat.size > limit as u64 {
            return Err(Cause::TooLarge(limit));
        }
        read_once(file, stat, limit)
    })
}

/// Reads what was opened in the state that is given; nothing if it changed meanwhile.
type Reading<'r> = dyn FnMut(&File, &Stat) -> Result<Option<Vec<u8>>, Cause> + 'r;

/// What `read` gives of the regular file at `path`, which is opened again where that is nothing.
pub(super) fn settled(path: &Path, read: &mut Reading<'_>) -> Result<(Vec<u8>, Stat), Cause> {
    for _ in 0..TRIES {
        // Opening a device can have effects of its own, so the type is looked at first.
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

/// Whether the file could be written again without a change of its time, which advances in ticks of up to 10 ms.
/// Equal times prove nothing then: only two equal reads do.
fn is_fresh(stat: &Stat) -> bool {
    SystemTime::now().duration_since(stat.modified()).is_ok_and(|age| age < FRESH)
}

/// `None`: the file changed while it was read.
pub(super) fn read_once(file: &File, stat: &Stat, limit: usize) -> Result<Option<Vec<u8>>, Cause> {
    let bytes = read_bounded(file, limit)?;
    if is_fresh(stat) && read_bounded(file, limit)? != bytes {
        return Ok(None);
    }
    let same = *stat == Stat::from_metadata(&file.metadata()?) && stat.size == bytes.len() as u64;
    Ok(same.then_some(bytes))
}

/// A file that grows is cut one byte behind the limit; the size then differs from what was announced.
fn read_bounded(mut file: &File, limit: usize) -> Result<Vec<u8>, Cause> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn regular(metadata: &Metadata) -> Result<(), Cause> {
    match metadata.file_type() {
        kind if kind.is_file() => Ok(()),
        kind if kind.is_dir() => Err(Cause::IsDirectory),
        _ => Err(Cause::NotRegular),
    }
}
