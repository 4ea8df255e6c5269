//! The memory that the process may use: the limit of its cgroup (version 1, 2 or both), or the memory of the machine.

use std::fs;
use std::path::{Component, Path};

/// A limit of version 1 from this size on means no limit: the kernel writes the largest whole number of pages.
const ENDLESS: u64 = 1 << 62;

/// Returns the bytes that the process may use; `None` without `/proc`.
pub(crate) fn granted() -> Option<u64> {
    granted_under(Path::new("/"))
}

/// Returns the minimum of the machine's memory and the limits of the cgroup and its parents. The limit of a cgroup may be more than the
/// machine has.
fn granted_under(root: &Path) -> Option<u64> {
    let groups = read(&root.join("proc/self/cgroup"));
    let mounts = read(&root.join("proc/self/mountinfo"));
    let limits = mounts.lines().filter_map(Hierarchy::parse).filter_map(|mount| mount.limit(root, &groups));
    limits.chain(total(&read(&root.join("proc/meminfo")))).min()
}

/// A mounted hierarchy of cgroups that may limit memory. If both versions are mounted (hybrid), only one of them has the files.
#[derive(Debug, PartialEq)]
struct Hierarchy<'a> {
    version: Version,
    /// The group that is mounted at `point`. In a container it is often not the root of all groups.
    group: &'a str,
    point: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Version {
    One,
    Two,
}

impl Hierarchy<'_> {
    /// Parses a line of mountinfo: `36 35 0:31 /group /point rw shared:1 - cgroup2 cgroup2 rw`.
    fn parse(line: &str) -> Option<Hierarchy<'_>> {
        let (mount, system) = line.split_once(" - ")?;
        let mut mount = mount.split(' ').skip(3);
        let (group, point) = (mount.next()?, mount.next()?);
        let mut system = system.split(' ');
        let (kind, options) = (system.next()?, system.nth(1)?);
        let version = match kind {
            "cgroup2" => Version::Two,
            "cgroup" if options.split(',').any(|option| option == "memory") => Version::One,
            _ => return None,
        };
        Some(Hierarchy { version, group, point })
    }

    /// Returns the smallest limit of the process's group and its mounted parents. `groups` is the text of `/proc/self/cgroup`.
    fn limit(&self, root: &Path, groups: &str) -> Option<u64> {
        let point = root.join(self.point.trim_start_matches('/'));
        let file = match self.version {
            Version::One => "memory.limit_in_bytes",
            Version::Two => "memory.max",
        };
        let own = own_group(groups, self.version).unwrap_or("/");
        let folders = below(self.group, own).ancestors().map(|group| point.join(group));
        folders.filter_map(|folder| bytes(&read(&folder.join(file)))).min()
    }
}

/// Finds the group of the process in lines such as `4:cpu,memory:/group` (version 1) or `0::/group` (version 2).
fn own_group(groups: &str, version: Version) -> Option<&str> {
    groups.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, group) = (fields.next()?, fields.next()?);
        let wanted = match version {
            Version::One => controllers.split(',').any(|controller| controller == "memory"),
            Version::Two => controllers.is_empty(),
        };
        wanted.then_some(group)
    })
}

/// Returns the path from the mounted group to the process's `own` one. The path is empty if `own` is not below the mounted group: a
/// container may see its own group as the root, but with the name that the host gave it.
fn below<'a>(mounted: &str, own: &'a str) -> &'a Path {
    let way = Path::new(own).strip_prefix(mounted).unwrap_or(Path::new(""));
    // `/../other`: the group of the process is outside of its namespace.
    let inside = way.components().all(|component| matches!(component, Component::Normal(_)));
    if inside { way } else { Path::new("") }
}

/// Parses a limit as the kernel writes it; `None` for `max` and for [`ENDLESS`].
fn bytes(text: &str) -> Option<u64> {
    text.trim().parse().ok().filter(|bytes| *bytes < ENDLESS)
}

/// Reads the line `MemTotal:   16384 kB` of meminfo, in bytes.
fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// Reads a file of the kernel; a missing file is empty.
fn read(path: &Path) -> String {
    fs::read(path).map_or_else(|_| String::new(), |bytes| String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests;
