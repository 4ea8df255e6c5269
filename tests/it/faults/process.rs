//! Figures of the kernel about a running mock, and limits for the mock and for the tests.

use crate::harness::{Mock, skip_without};
use rustix::process::{Resource, Rlimit, getrlimit, getuid, setrlimit};
use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Returns a number of `/proc/PID/status`, such as `Threads` or, in kB, `VmPeak`.
pub(crate) fn status(mock: &Mock, field: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{}/status", mock.pid())).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    line.unwrap().split_whitespace().next().unwrap().parse().unwrap()
}

pub(crate) fn threads(mock: &Mock) -> u64 {
    status(mock, "Threads")
}

/// Returns the number of open descriptors of the mock.
pub(crate) fn descriptors(mock: &Mock) -> usize {
    numbers(mock).len()
}

fn numbers(mock: &Mock) -> HashSet<u64> {
    let folder = fs::read_dir(format!("/proc/{}/fd", mock.pid())).unwrap();
    folder.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
}

/// Lowers the limit of descriptors so that `spare` more can be opened. Returns the number that is open then.
pub(crate) fn leave_descriptors(mock: &Mock, spare: usize) -> usize {
    let open = numbers(mock);
    // The kernel takes the lowest free number each time. Some above the limit may be open since the start of the process.
    let last = (0..).filter(|number| !open.contains(number)).nth(spare - 1).unwrap();
    lower(mock, &format!("--nofile={0}:{0}", last + 1));
    open.len() + spare
}

/// Returns the CPU time of the mock in hundredths of a second.
pub(crate) fn ticks(mock: &Mock) -> u64 {
    let text = fs::read_to_string(format!("/proc/{}/stat", mock.pid())).unwrap();
    let fields: Vec<&str> = text.rsplit(')').next().unwrap().split_whitespace().collect();
    // The third field is the first one after the name; utime and stime are the 14th and 15th.
    fields[11..13].iter().map(|field| field.parse::<u64>().unwrap()).sum()
}

/// Lowers a limit of a running mock, such as `--nproc=1`, as the mock's user, who needs no capability for that.
pub(crate) fn lower(mock: &Mock, limit: &str) {
    let owner = fs::metadata(format!("/proc/{}", mock.pid())).unwrap();
    let mut prlimit = Command::new("prlimit");
    prlimit.args(["--pid", &mock.pid().to_string(), limit]);
    if owner.uid() != getuid().as_raw() {
        prlimit.uid(owner.uid()).gid(owner.gid());
    }
    assert!(prlimit.status().unwrap().success(), "{limit}");
}

/// Returns `wanted` connections, or fewer if the system grants fewer descriptors. Raises the limit of the tests; mocks that
/// start later inherit it.
pub(crate) fn room_for(wanted: usize) -> usize {
    let granted = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: granted.maximum, ..granted }).unwrap();
    // Other tests run at the same time. Together they need 4,000 at most.
    let room = granted.maximum.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap());
    if room < wanted + 4000 {
        skip_without(&format!(
            "{} descriptors, only {room}: fewer than {wanted} connections are tried",
            wanted + 4000
        ));
    }
    wanted.min(room / 4)
}
