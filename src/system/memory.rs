//! The memory that the process may use: what its cgroup (version 1, 2 or both) grants, or what the machine has. Reads
//! files of the kernel; what to do with the number is decided elsewhere.

use std::fs;
use std::path::{Component, Path};

/// From here on a limit of version 1 is none: it writes "no limit" as the largest whole number of pages.
const ENDLESS: u64 = 1 << 62;

/// The bytes that the process may use; `None` where `/proc` doesn't tell.
pub(crate) fn granted() -> Option<u64> {
    granted_under(Path::new("/"))
}

/// The least of the machine's memory and the limits of the cgroup and of those around it. A cgroup may be allowed more
/// than the machine has.
fn granted_under(root: &Path) -> Option<u64> {
    let groups = read(&root.join("proc/self/cgroup"));
    let mounts = read(&root.join("proc/self/mountinfo"));
    let limits = mounts.lines().filter_map(Hierarchy::parse).filter_map(|mount| mount.limit(root, &groups));
    limits.chain(total(&read(&root.join("proc/meminfo")))).min()
}

/// A mounted hierarchy of cgroups that may limit memory. Where both versions are mounted (hybrid), only one of them
/// has the files.
#[derive(Debug, PartialEq)]
struct Hierarchy<'a> {
    version: Version,
    /// The group that is seen at `point`; in a container often not the root of all groups.
    group: &'a str,
    point: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Version {
    One,
    Two,
}

impl Hierarchy<'_> {
    /// A line of mountinfo: `36 35 0:31 /group /point rw shared:1 - cgroup2 cgroup2 rw`.
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

    /// The tightest limit from the process's own group up to the outermost one that is mounted. `groups` is the
    /// process's `/proc/self/cgroup`.
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

/// The group of the process, from lines such as `4:cpu,memory:/group` (version 1) or `0::/group` (version 2).
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

/// The way from the mounted group to the `own` one. None is needed where `own` is not below it, as in a container that
/// sees its own group as the root, yet the host's name of it.
fn below<'a>(mounted: &str, own: &'a str) -> &'a Path {
    let way = Path::new(own).strip_prefix(mounted).unwrap_or(Path::new(""));
    // `/../other`: the process is outside of what its namespace can name.
    let inside = way.components().all(|component| matches!(component, Component::Normal(_)));
    if inside { way } else { Path::new("") }
}

/// A limit as the kernel writes it; `max`, and what is as good as none, is `None`.
fn bytes(text: &str) -> Option<u64> {
    text.trim().parse().ok().filter(|bytes| *bytes < ENDLESS)
}

/// `MemTotal:   16384 kB` of meminfo, in bytes.
fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The text of a file of the kernel; empty where there is none.
fn read(path: &Path) -> String {
    fs::read(path).map_or_else(|_| String::new(), |bytes| String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests;
