//! Watches single files in the folder of the user: those of `h1mock serve FILE`, and those that they read.
//!
//! The files are looked at several times a second. So nothing else in that folder costs anything, however large it is, and each way in
//! which an editor saves is seen on each file system: writing in place, and renaming over the old file.

use std::collections::{BTreeSet, HashMap};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::Watcher;
use crate::directory::{Look, Name, ProvisionDir};
use crate::script::runtime::budget;
use crate::system::io_error::failed_to;
use crate::system::lock::lock;
use crate::system::renewed_thread::{self, Next};

/// Time between two looks.
const INTERVAL: Duration = Duration::from_millis(100);
/// Time for which a changed file must stay as it is to count as saved.
const SETTLE: Duration = Duration::from_millis(40);
/// Most of a processor that looks take: one part in so many.
const SHARE: u32 = 100;
/// Greatest difference between the clock and the time of a file that is written now: the kernel's clock of files has ticks.
const TICK: Duration = Duration::from_millis(10);

/// The files at the last look.
struct Saves {
    directory: Arc<ProvisionDir>,
    stopped: UnixStream,
    seen: HashMap<String, Option<Look>>,
    /// Changed files, in the state of the last look. A file is saved if the next look finds the same state.
    candidates: HashMap<String, Option<Look>>,
    /// The time when the last load began. A file that is watched since then may have changed after it was read.
    loaded: SystemTime,
}

impl Watcher {
    /// Starts to watch the files that `names` returns at each look. Calls `on_saved` with those that changed. The files were loaded no
    /// earlier than `loaded`.
    ///
    /// # Errors
    /// The system refuses a thread or a socket.
    pub(crate) fn of_saves(
        directory: Arc<ProvisionDir>,
        stack: usize,
        loaded: SystemTime,
        names: impl Fn() -> BTreeSet<String> + Send + 'static,
        on_saved: impl Fn(&BTreeSet<String>) + Send + 'static,
    ) -> Result<Watcher, String> {
        let failed = failed_to("start the watcher");
        let (stop, stopped) = UnixStream::pair().map_err(&failed)?;
        let seen = directory.served().map(|served| served.looks().clone()).unwrap_or_default();
        let saves = Saves { directory, stopped, seen, candidates: HashMap::new(), loaded };
        let watch = Mutex::new((saves, names, on_saved));
        let work = move || {
            let (saves, names, on_saved) = &mut *lock(&watch);
            saves.run(names, on_saved)
        };
        renewed_thread::start("watcher".to_owned(), stack, Arc::new(work)).map_err(failed)?;
        Ok(Watcher { _stop: stop })
    }
}

impl Saves {
    fn run(&mut self, names: &impl Fn() -> BTreeSet<String>, on_saved: &impl Fn(&BTreeSet<String>)) -> Next {
        loop {
            let begin = Instant::now();
            let saved = self.look(names());
            if !saved.is_empty() {
                self.loaded = SystemTime::now();
                on_saved(&saved);
                if budget::stack_has_grown() {
                    return Next::Renew;
                }
            }
            let pause = if self.candidates.is_empty() { INTERVAL } else { SETTLE };
            if self.is_stopped_within(pause.max(begin.elapsed() * SHARE)) {
                return Next::End;
            }
        }
    }

    /// Looks at the files `names`, and returns those that were saved.
    fn look(&mut self, names: BTreeSet<String>) -> BTreeSet<String> {
        self.seen.retain(|name, _| names.contains(name));
        let before = std::mem::take(&mut self.candidates);
        let mut saved = BTreeSet::new();
        for name in names {
            let look = Name::parse(&name).ok().and_then(|name| self.directory.look_at_saved(&name));
            match self.seen.get(&name) {
                Some(seen) if *seen == look => {}
                None if !self.is_newer(look.as_ref()) => _ = self.seen.insert(name, look),
                _ if before.get(&name) == Some(&look) => {
                    self.seen.insert(name.clone(), look);
                    saved.insert(name);
                }
                _ => _ = self.candidates.insert(name, look),
            }
        }
        saved
    }

    /// Whether a file, which was not watched before, may have changed since the last load began.
    fn is_newer(&self, look: Option<&Look>) -> bool {
        look.is_some_and(|look| look.stat.modified() + TICK >= self.loaded)
    }

    fn is_stopped_within(&self, pause: Duration) -> bool {
        let mut sockets = [PollFd::new(&self.stopped, PollFlags::IN)];
        let pause = Timespec::try_from(pause).ok();
        // An interruption only makes the next look come earlier.
        poll(&mut sockets, pause.as_ref()).is_ok_and(|ready| ready > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::Served;
    use crate::directory::fixture::Folder;
    use std::fs;

    /// The files `a` and, once it is named, `b`; a look is reported when the next one is equal.
    #[test]
    fn a_file_is_saved_when_two_looks_in_a_row_find_the_same_change() {
        let folder = Folder::new();
        let write = |name: &str, text: &str| fs::write(folder.path(name), text).unwrap();
        write("a", "1");
        write("b", "1");
        let served = Served::new(&[folder.path("a")]).unwrap();
        let seen = served.looks().clone();
        let directory = ProvisionDir::over(served, &folder.root(), None).unwrap().into();
        let (_stop, stopped) = UnixStream::pair().unwrap();
        let loaded = SystemTime::now() + Duration::from_secs(1);
        let mut saves = Saves { directory, stopped, seen, candidates: HashMap::new(), loaded };
        let mut look = |names: &[&str]| {
            let saved = saves.look(names.iter().map(|name| (*name).to_owned()).collect());
            saved.into_iter().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(look(&["a"]), "");
        write("a", "22");
        write("b", "22");
        assert_eq!((look(&["a"]), look(&["a"]), look(&["a"])), ("".into(), "a".into(), "".into()));
        write("a", "333");
        assert_eq!(look(&["a", "b"]), "");
        write("a", "4444");
        assert_eq!(look(&["a", "b"]), "", "it is still being written");
        assert_eq!(look(&["a", "b"]), "a", "b is older than the load that has read it");
        fs::remove_file(folder.path("b")).unwrap();
        assert_eq!((look(&["a", "b"]), look(&["a", "b"])), ("".into(), "b".into()));
    }
}
