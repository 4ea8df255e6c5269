//! Usage of this process, from the kernel: processor time, memory, open files.

use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_gettime};
use std::fs;

/// Usage at one moment. A value is `None` where `/proc` does not have it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Usage {
    /// Processor time of all threads, user and system.
    pub cpu_nanoseconds: u64,
    /// Resident memory in bytes.
    pub resident: Option<u64>,
    /// Virtual memory in bytes.
    pub size: Option<u64>,
    pub open_files: Option<u64>,
    /// Most files that may be open; `None` without a limit.
    pub most_files: Option<u64>,
    pub threads: Option<u64>,
}

impl Usage {
    pub(super) fn now() -> Usage {
        let cpu = clock_gettime(ClockId::ProcessCPUTime);
        let status = fs::read("/proc/self/status").unwrap_or_default();
        let status = String::from_utf8_lossy(&status);
        // Reading the folder opens one file more.
        let open_files =
            fs::read_dir("/proc/self/fd").ok().map(|open| (open.count() as u64).saturating_sub(1));
        Usage {
            cpu_nanoseconds: cpu.tv_sec.unsigned_abs() * 1_000_000_000 + cpu.tv_nsec.unsigned_abs(),
            resident: field(&status, "VmRSS:").map(|kib| kib << 10),
            size: field(&status, "VmSize:").map(|kib| kib << 10),
            open_files,
            most_files: getrlimit(Resource::Nofile).current,
            threads: field(&status, "Threads:"),
        }
    }
}

/// Returns the number behind `name`, such as 1234 of `VmRSS:      1234 kB`.
fn field(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_by_their_names() {
        let status = "Name:\th1mock\nVmSize:\t   12 kB\nVmRSS:\t    3 kB\nThreads:\t9\n";
        assert_eq!(field(status, "VmRSS:"), Some(3));
        assert_eq!(field(status, "Threads:"), Some(9));
        assert_eq!(field(status, "VmSwap:"), None);
        assert_eq!(field("VmRSS:\tmuch\n", "VmRSS:"), None);
    }

    #[test]
    fn the_usage_of_this_process_is_not_zero() {
        let usage = Usage::now();
        assert!(usage.cpu_nanoseconds > 0 && usage.resident > Some(1 << 16), "{usage:?}");
        assert!(usage.open_files > Some(2) && usage.threads > Some(0), "{usage:?}");
    }
}
