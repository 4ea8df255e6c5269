//! The limit of open files: raises it, and divides it among the listeners and everything else.

use crate::system::io_error::describe_io;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Most connections of the mock. Some container runtimes grant a billion open files, but the kernel's memory for sockets would be used
/// up long before.
const MOST: usize = 1_000_000;

/// Most connections of the admin listener: hundreds of tests may wait at a time.
const MOST_ADMIN: usize = 1024;

/// Descriptors that are always needed: 14 are open before the first client comes, and each listener refuses up to 8 clients at a time
/// beyond its limit.
const USUAL: usize = 14 + 2 * 8;

/// Fewest descriptors that are kept for the rest of the program: [`USUAL`], and files that are read, written and sent.
const KEPT: usize = USUAL + 10;

/// Fewest connections of the admin listener.
const LEAST_ADMIN: usize = 8;

/// The smallest limit with which h1mock starts: each part has its minimum, and the mock has one connection.
pub(crate) const LEAST: usize = KEPT + LEAST_ADMIN + 1;

/// The descriptors of each part of the program. No part can use up those of another: a load of a provision always has some.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Descriptors {
    /// For files, inotify, libraries, and the listeners themselves.
    pub kept: usize,
    /// For connections of the admin listener.
    pub admin: usize,
    /// For connections of the mock.
    pub mock: usize,
}

impl Descriptors {
    /// Divides a limit of at least [`LEAST`] open files.
    pub(crate) fn divide(limit: u64) -> Descriptors {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let (kept, admin) = ((limit / 8).clamp(KEPT, 128), (limit / 8).clamp(LEAST_ADMIN, MOST_ADMIN));
        Descriptors { kept, admin, mock: limit.saturating_sub(kept + admin).clamp(1, MOST) }
    }
}

/// Raises the limit of open files to the hard limit, and returns the limit that holds then. A refusal is logged.
///
/// The soft limit is low (1024) only for programs that use `select`.
pub(crate) fn raise() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return number(limit.current);
    }
    match setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
        Ok(()) => number(limit.maximum),
        Err(error) => {
            let (from, to) = (number(limit.current), number(limit.maximum));
            log::warn!(
                "failed to raise the limit of open files from {from} to {to}: {}",
                describe_io(&error.into())
            );
            from
        }
    }
}

/// Returns the number of files that may be open at a time to be sent: half of the kept descriptors beyond [`USUAL`].
pub(crate) fn for_sending() -> usize {
    (Descriptors::divide(number(getrlimit(Resource::Nofile).current)).kept - USUAL) / 2
}

fn number(limit: Option<u64>) -> u64 {
    limit.unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_has_its_share_of_the_limit() {
        for (limit, kept, admin, mock) in [
            (LEAST as u64, 40, 8, 1),
            (64, 40, 8, 16),
            (192, 40, 24, 128),
            (256, 40, 32, 184),
            (1024, 128, 128, 768),
            (4096, 128, 512, 3_456),
            (20_000, 128, 1024, 18_848),
            (1_001_152, 128, 1024, 1_000_000),
            (1_048_576, 128, 1024, 1_000_000),
            (1 << 30, 128, 1024, 1_000_000),
            (u64::MAX, 128, 1024, 1_000_000),
        ] {
            assert_eq!(Descriptors::divide(limit), Descriptors { kept, admin, mock }, "{limit}");
        }
    }

    #[test]
    fn the_soft_limit_becomes_the_hard_one() {
        let before = getrlimit(Resource::Nofile);
        let lower = before.maximum.unwrap_or(1 << 20) - 1;
        setrlimit(Resource::Nofile, Rlimit { current: Some(lower), ..before }).unwrap();
        assert_eq!(raise(), number(before.maximum));
        let after = getrlimit(Resource::Nofile);
        assert_eq!((after.current, after.maximum), (before.maximum, before.maximum));
        assert_eq!(raise(), number(before.maximum));
    }
}
