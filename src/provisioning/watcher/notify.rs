//! Inotify: sets watches on folders, and translates the kernel's events. `snapshot.rs` keeps the state of the files.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use inotify::{EventMask, EventOwned, Inotify, WatchDescriptor, WatchMask};

use crate::directory::{DEPTH_LIMIT, Found, Name, joined, walk};

/// Most bytes of events in one read. The largest event has less than 300.
const BUFFER: usize = 64 << 10;

/// File systems that other machines can change without an event here, by their magic numbers in statfs(2): 9P, NFS, FUSE and
/// virtiofs, SMB, CIFS, SMB2, Ceph, AFS, shared folders of VirtualBox, GPFS, Lustre.
const WITHOUT_EVENTS: [u32; 11] = [
    0x0102_1997,
    0x6969,
    0x6573_5546,
    0x517b,
    0xff53_4d42,
    0xfe53_4d42,
    0x00c3_6400,
    0x5346_414f,
    0x786f_4256,
    0x4750_4653,
    0x0bd0_0bd0,
];

/// An event of a file, or of the whole directory.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// The file was moved in.
    Completed(Name),
    /// A program closed the file, which it had opened for writing.
    Closed(Name),
    /// The directory has a new entry.
    Created(Name),
    /// Attributes of the file changed: its time, mode or owner.
    Touched(Name),
    /// The file was written to and is still open.
    Modified(Name),
    /// The file was removed or moved away.
    Gone(Name),
    /// Folders came or went, perhaps the directory itself.
    Folders,
    /// The queue was full: events are missing.
    Lost,
    /// The ConfigMap mount has an event.
    Config,
}

/// An inotify instance with a watch on each folder.
pub(super) struct Notify {
    inotify: Inotify,
    /// The watched folders, relative to the directory; `""` is the directory itself.
    folders: HashMap<WatchDescriptor, String>,
    config: Option<WatchDescriptor>,
    buffer: Vec<u8>,
}

impl Notify {
    /// Starts an inotify instance. `None` if the files of `root` must be polled: with `poll`, and on a file system without events.
    ///
    /// # Errors
    /// The system refuses another instance.
    pub(super) fn start(root: &Path, poll: bool) -> io::Result<Option<Notify>> {
        if poll || has_no_events(root) {
            return Ok(None);
        }
        let inotify = Inotify::init()?;
        Ok(Some(Notify { inotify, folders: HashMap::new(), config: None, buffer: vec![0; BUFFER] }))
    }

    /// Watches `root` and its sub-folders, and removes the watches of other folders, except that of the ConfigMap mount.
    ///
    /// Each watch is set before its folder is read, so that no new sub-folder is missed.
    ///
    /// # Errors
    /// `root` can't be watched, or the user has too many watches.
    pub(super) fn watch_folders(&mut self, root: &Path) -> io::Result<()> {
        let mut folders = HashMap::new();
        let mut failure = None;
        let mut watches = self.inotify.watches();
        let walked = walk(root, |found| {
            let Found::Folder(folder) = found else { return };
            match watches.add(root.join(&folder), mask()) {
                Ok(descriptor) => drop(folders.insert(descriptor, folder)),
                // A sub-folder that is gone again or can't be read has no events.
                Err(error) if !folder.is_empty() && error.kind() != io::ErrorKind::StorageFull => {}
                Err(error) => drop(failure.get_or_insert(error)),
            }
        });
        for descriptor in self.folders.keys() {
            if !folders.contains_key(descriptor) && self.config.as_ref() != Some(descriptor) {
                // An error means that the folder is gone, and its watch with it.
                let _ = watches.remove(descriptor.clone());
            }
        }
        self.folders = folders;
        failure.map_or(walked, Err)
    }

    /// Watches the ConfigMap mount if it exists. A failure does no harm, since the mount is polled too.
    pub(super) fn watch_config(&mut self, dir: &Path) {
        self.config = self.inotify.watches().add(dir, mask()).ok();
    }

    /// Reads the waiting events, at most one buffer of them.
    ///
    /// # Errors
    /// read(2) fails.
    pub(super) fn events(&mut self) -> io::Result<Vec<Event>> {
        let read: Vec<EventOwned> = match self.inotify.read_events(&mut self.buffer) {
            Ok(events) => events.map(|event| event.to_owned()).collect(),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
                return Ok(Vec::new());
            }
            Err(error) => return Err(error),
        };
        let mut events = Vec::new();
        for event in &read {
            if event.mask.contains(EventMask::Q_OVERFLOW) {
                events.push(Event::Lost);
            }
            if self.config.as_ref() == Some(&event.wd) {
                events.push(Event::Config);
            }
            events.extend(self.folder_event(event));
        }
        Ok(events)
    }

    fn folder_event(&mut self, event: &EventOwned) -> Option<Event> {
        let folder = self.folders.get(&event.wd)?;
        let Some(file_name) = &event.name else {
            return self.self_event(event);
        };
        let is_folder = event.mask.contains(EventMask::ISDIR);
        entry_event(folder, file_name, event.mask, is_folder)
    }

    /// Translates an event of a watched folder itself. For a sub-folder, the event of its parent counts.
    fn self_event(&mut self, event: &EventOwned) -> Option<Event> {
        let ends = EventMask::DELETE_SELF | EventMask::MOVE_SELF | EventMask::UNMOUNT | EventMask::IGNORED;
        if !event.mask.intersects(ends) {
            return None;
        }
        let is_root = self.folders.get(&event.wd).is_some_and(String::is_empty);
        if event.mask.contains(EventMask::IGNORED) {
            self.folders.remove(&event.wd);
        }
        is_root.then_some(Event::Folders)
    }
}

impl AsFd for Notify {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }
}

/// Returns the events to watch for.
///
/// MODIFY causes no report; it delays the report of a file until it is closed, and shows that a close ends a write. EXCL_UNLINK leaves
/// out files that were removed while open, because another file may have their name now.
fn mask() -> WatchMask {
    WatchMask::CLOSE_WRITE
        | WatchMask::MOVED_TO
        | WatchMask::ATTRIB
        | WatchMask::CREATE
        | WatchMask::MODIFY
        | WatchMask::DELETE
        | WatchMask::MOVED_FROM
        | WatchMask::DELETE_SELF
        | WatchMask::MOVE_SELF
        | WatchMask::ONLYDIR
        | WatchMask::EXCL_UNLINK
}

/// Translates an event of `file_name` in `folder`.
fn entry_event(folder: &str, file_name: &OsStr, mask: EventMask, is_folder: bool) -> Option<Event> {
    let file_name = file_name.to_str()?;
    let comes = mask.intersects(EventMask::CREATE | EventMask::MOVED_TO);
    let goes = mask.intersects(EventMask::DELETE | EventMask::MOVED_FROM);
    if is_folder {
        let is_looked_at = !file_name.starts_with('.') && folder.split('/').count() <= DEPTH_LIMIT;
        return ((comes || goes) && is_looked_at).then_some(Event::Folders);
    }
    // If the directory itself is a ConfigMap mount, all of its files change with this link.
    if file_name == "..data" && comes {
        return Some(Event::Folders);
    }
    let name = Name::parse(&joined(folder, file_name)).ok().filter(|_| !Name::is_ignored(file_name))?;
    Some(match mask {
        _ if goes => Event::Gone(name),
        _ if mask.contains(EventMask::CLOSE_WRITE) => Event::Closed(name),
        _ if mask.contains(EventMask::MOVED_TO) => Event::Completed(name),
        _ if comes => Event::Created(name),
        _ if mask.contains(EventMask::MODIFY) => Event::Modified(name),
        _ if mask.contains(EventMask::ATTRIB) => Event::Touched(name),
        _ => return None,
    })
}

/// Whether the file system of `root` has changes without events. False if `root` can't be examined: watching it fails then.
fn has_no_events(root: &Path) -> bool {
    let exists = fs::exists(root).unwrap_or(false);
    exists && rustix::fs::statfs(root).is_ok_and(|statfs| is_without_events(statfs.f_type as u64))
}

/// Compares 32 bits only, since the type of the number depends on the platform, and some sign-extend it.
fn is_without_events(magic: u64) -> bool {
    WITHOUT_EVENTS.contains(&((magic & 0xffff_ffff) as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_systems_without_events_are_polled() {
        for (magic, polled) in [
            (0x6969, true),
            (0x0102_1997, true),
            (0x6573_5546, true),
            (0xffff_ffff_fe53_4d42, true),
            (0xef53, false),
            (0x794c_7630, false),
            (0x0102_1994, false),
        ] {
            assert_eq!(is_without_events(magic), polled, "{magic:x}");
        }
    }

    #[test]
    fn each_event_is_translated_or_ignored() {
        let name = |text: &str| Name::parse(text).unwrap();
        for (file_name, mask, is_folder, meaning) in [
            ("a", EventMask::CLOSE_WRITE, false, Some(Event::Closed(name("sub/a")))),
            ("a", EventMask::MOVED_TO, false, Some(Event::Completed(name("sub/a")))),
            ("a", EventMask::CREATE, false, Some(Event::Created(name("sub/a")))),
            ("a", EventMask::ATTRIB, false, Some(Event::Touched(name("sub/a")))),
            ("a", EventMask::MODIFY, false, Some(Event::Modified(name("sub/a")))),
            ("a", EventMask::MOVED_FROM, false, Some(Event::Gone(name("sub/a")))),
            ("a", EventMask::DELETE, false, Some(Event::Gone(name("sub/a")))),
            ("a", EventMask::CREATE, true, Some(Event::Folders)),
            ("a", EventMask::MOVED_FROM, true, Some(Event::Folders)),
            ("a", EventMask::ATTRIB, true, None),
            (".git", EventMask::CREATE, true, None),
            ("..data", EventMask::MOVED_TO, false, Some(Event::Folders)),
            (".a", EventMask::CLOSE_WRITE, false, None),
            ("a~", EventMask::CLOSE_WRITE, false, None),
            ("a.swp", EventMask::CLOSE_WRITE, false, None),
            ("a.tmp", EventMask::MOVED_TO, false, None),
        ] {
            assert_eq!(
                entry_event("sub", OsStr::new(file_name), mask, is_folder),
                meaning,
                "{file_name} {mask:?}"
            );
        }
    }
}
