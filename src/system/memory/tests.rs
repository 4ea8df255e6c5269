//! Simulated systems in temporary folders: their files under `/proc` and `/sys`, and the memory that they grant.

use super::*;
use crate::directory::fixture::Folder;

const MEMINFO: (&str, &str) = ("proc/meminfo", "MemTotal:       16000000 kB\nMemFree:         9999 kB\n");
const MACHINE: u64 = 16_000_000 * 1024;
const TWO: &str = "31 23 0:28 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
const ONE: &str = "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n\
                   33 31 0:32 / /sys/fs/cgroup/memory rw shared:9 master:2 - cgroup cgroup rw,memory\n";
const HYBRID: &str = "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
/// The "no limit" of version 1, with pages of 4 KiB and of 64 KiB.
const NO_LIMIT: &str = "9223372036854771712\n";
const NO_LIMIT_64K: &str = "9223372036854710272\n";

/// The memory that a system grants, given `mountinfo` and `cgroup` of the process and further `files`.
fn grants(mountinfo: &str, cgroup: &str, files: &[(&str, &str)]) -> Option<u64> {
    let folder = Folder::new();
    let process = [("proc/self/mountinfo", mountinfo), ("proc/self/cgroup", cgroup)];
    for (name, content) in process.iter().chain(files) {
        let path = folder.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    granted_under(&folder.path(""))
}

#[test]
fn version_2_grants_the_smallest_limit_of_all_parents() {
    let root = "sys/fs/cgroup/memory.max";
    let outer = "sys/fs/cgroup/pod/memory.max";
    let own = "sys/fs/cgroup/pod/box/memory.max";
    for (cgroup, files, expected) in [
        // A container with a namespace of its own.
        ("0::/\n", &[(root, "67108864\n")][..], 67_108_864),
        ("0::/\n", &[(root, "max\n")], MACHINE),
        ("0::/\n", &[], MACHINE),
        ("0::/pod/box\n", &[(outer, "3000000\n"), (own, "max\n")], 3_000_000),
        ("0::/pod/box\n", &[(outer, "3000000\n"), (own, "2000000\n")], 2_000_000),
        ("0::/pod/box\n", &[(outer, "1000000\n"), (own, "2000000\n")], 1_000_000),
        ("0::/pod/box\n", &[(root, "1\n"), (outer, "3\n"), (own, "2\n")], 1),
        // Groups below don't count.
        ("0::/pod\n", &[(outer, "3000000\n"), (own, "2000000\n")], 3_000_000),
        // The group's folder is gone or outside of the namespace: its remaining parents count.
        ("0::/pod/gone (deleted)\n", &[(outer, "3000000\n"), (own, "2000000\n")], 3_000_000),
        ("0::/../pod/box\n", &[(root, "4000000\n"), (outer, "3000000\n")], 4_000_000),
        // More than the machine has.
        ("0::/\n", &[(root, "1099511627776\n")], MACHINE),
        ("0::/\n", &[(root, "0\n")], 0),
        ("0::/\n", &[(root, "what?\n")], MACHINE),
    ] {
        let files = [&[MEMINFO][..], files].concat();
        assert_eq!(grants(TWO, cgroup, &files), Some(expected), "{cgroup} {files:?}");
    }
}

#[test]
fn version_1_is_found_by_its_controller() {
    let root = "sys/fs/cgroup/memory/memory.limit_in_bytes";
    let own = "sys/fs/cgroup/memory/docker/1234/memory.limit_in_bytes";
    let cgroup = "9:name=systemd:/\n4:hugetlb,memory:/docker/1234\n1:cpu:/other\n0::/\n";
    for (files, expected) in [
        (&[(root, NO_LIMIT), (own, "67108864\n")][..], 67_108_864),
        (&[(root, NO_LIMIT), (own, NO_LIMIT)], MACHINE),
        (&[(root, NO_LIMIT_64K)], MACHINE),
        // A container without a namespace: its group is the root of the mount, by the name that the host gave it.
        (&[(root, "67108864\n")], 67_108_864),
        (&[("sys/fs/cgroup/cpu/docker/1234/memory.limit_in_bytes", "5\n")], MACHINE),
    ] {
        let files = [&[MEMINFO][..], files].concat();
        assert_eq!(grants(ONE, cgroup, &files), Some(expected), "{files:?}");
    }
}

#[test]
fn where_both_versions_are_mounted_the_one_with_a_limit_counts() {
    let mounts = [ONE, HYBRID].concat();
    let cgroup = "4:memory:/group\n0::/unit\n";
    let one = "sys/fs/cgroup/memory/group/memory.limit_in_bytes";
    let two = "sys/fs/cgroup/unified/unit/memory.max";
    for (files, expected) in [
        (&[(one, "3000000\n")][..], 3_000_000),
        (&[(two, "2000000\n")], 2_000_000),
        (&[(one, NO_LIMIT), (two, "2000000\n")], 2_000_000),
        (&[(one, NO_LIMIT), (two, "max\n")], MACHINE),
        (&[], MACHINE),
    ] {
        let files = [&[MEMINFO][..], files].concat();
        assert_eq!(grants(&mounts, cgroup, &files), Some(expected), "{files:?}");
    }
}

/// A container whose mount begins at its group, and a process in a group below it.
#[test]
fn groups_are_found_below_the_mounted_group() {
    let mounts = "33 31 0:32 /docker/1234 /groups rw - cgroup cgroup ro,memory\n";
    let files =
        [MEMINFO, ("groups/memory.limit_in_bytes", "3\n"), ("groups/inner/memory.limit_in_bytes", "2\n")];
    for (cgroup, expected) in [
        ("4:memory:/docker/1234\n", 3),
        ("4:memory:/docker/1234/inner\n", 2),
        ("4:memory:/docker/12345/inner\n", 3),
        ("4:memory:/\n", 3),
        ("", 3),
    ] {
        assert_eq!(grants(mounts, cgroup, &files), Some(expected), "{cgroup}");
    }
}

#[test]
fn without_cgroups_the_machine_counts_and_without_proc_nothing_does() {
    assert_eq!(grants("", "", &[MEMINFO]), Some(MACHINE));
    assert_eq!(grants("", "", &[]), None);
    assert_eq!(grants("no mount\n\n - cgroup2\n", "0\n::\n", &[("proc/meminfo", "MemTotal: kB\n")]), None);
    assert_eq!(granted_under(Path::new("/nowhere/at/all")), None);
}

#[test]
fn this_machine_grants_memory() {
    let granted = granted().unwrap();
    assert!(granted > 1 << 20, "{granted}");
}
