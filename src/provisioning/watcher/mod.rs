//! Reports which files of the provision directory were written, touched or removed, and that the ConfigMap mount
//! was updated. It does not read files and knows nothing of provisions: what a change means is decided by the one
//! it is reported to.

mod config_mount;
mod notify;
mod snapshot;

#[cfg(test)]
mod tests;

use std::io;
use std::mem;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::directory::{Name, ProvisionDir, Stat};
use crate::script::runtime::budget;
use crate::system::io_error::describe_io;
use crate::system::lock::lock;
use crate::system::renewed_thread::{self, Next};
use config_mount::{ConfigMount, Verdict};
use notify::{Event, Notify};
use snapshot::Snapshot;

/// A stream of events is cut after this time, however dense it is.
const BATCH_LIMIT: Duration = Duration::from_millis(50);
/// Shortest time between two looks, whatever the options say.
const SHORTEST_LOOK: Duration = Duration::from_millis(10);
/// Longest time between two looks; far more would be beyond the clock.
const LONGEST_LOOK: Duration = Duration::from_secs(86_400);

/// What happened since the last report. No name is in it twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// Files that were written, moved in, linked or touched, in the order in which they were completed: the last
    /// one is the newest. Files that the provision directory wrote itself are not among them.
    pub written: Vec<Name>,
    /// Files that are gone, sorted; those that the provision directory removed are among them.
    pub removed: Vec<Name>,
    /// The ConfigMap mount was updated: see [`ProvisionDir::refresh_config`].
    pub config: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct WatchOptions {
    /// Look at the files every `interval`, as is done anyway where the file system has no events.
    pub poll: bool,
    /// Time between two looks at the files (without events) and at the ConfigMap mount (always).
    pub interval: Duration,
    /// How long it must be quiet before a report, so that all events of one copy are one report.
    pub quiet: Duration,
    /// Stack of the thread in bytes; `on_changes` runs on it.
    pub stack: usize,
}

/// The watching thread. It ends soon after this value; a report that is under way is finished first. Nobody waits for that: on a
/// busy machine the kernel takes up to 20 s to close an inotify instance.
#[derive(Debug)]
pub(crate) struct Watcher {
    /// Closing it is what the thread is stopped by.
    _stop: UnixStream,
}

impl Watcher {
    /// Starts to watch the provision directory. Reported is what changes from now on, and also what changed since
    /// it was opened, or since its last `refresh_config` for the mount. `on_changes` is called on the
    /// thread, one report at a time; what happens meanwhile is the next report. Where the system grants no events
    /// the files are polled. Errors: the system refuses a thread or a socket.
    pub(crate) fn start(
        directory: Arc<ProvisionDir>,
        options: WatchOptions,
        on_changes: impl FnMut(Changes) + Send + 'static,
    ) -> Result<Watcher, String> {
        let failed = |error: io::Error| format!("failed to start the watcher: {}", describe_io(&error));
        let (stop, stopped) = UnixStream::pair().map_err(failed)?;
        let watch = Mutex::new((Watch::new(directory, options, stopped), on_changes));
        let work = move || {
            let (watch, on_changes) = &mut *lock(&watch);
            watch.run(on_changes)
        };
        renewed_thread::start("watcher".to_owned(), options.stack, Arc::new(work)).map_err(failed)?;
        Ok(Watcher { _stop: stop })
    }
}

/// What the thread works on.
struct Watch {
    directory: Arc<ProvisionDir>,
    options: WatchOptions,
    stopped: UnixStream,
    /// `None`: there are no events, the files are polled.
    notify: Option<Notify>,
    /// Why there are none, where the system refused them; until it is logged.
    refused: Option<io::Error>,
    snapshot: Snapshot,
    config: Option<ConfigMount>,
    config_changed: bool,
    /// Device and inode of the directory that is watched; `None` while there is none.
    root: Option<(u64, u64)>,
    /// Folders came or went, or events were lost: set watches and look at every file.
    look_again: bool,
    next_look: Instant,
    /// First and last event of the batch that is being collected.
    batch: Option<(Instant, Instant)>,
}

impl Watch {
    fn new(directory: Arc<ProvisionDir>, mut options: WatchOptions, stopped: UnixStream) -> Watch {
        options.interval = options.interval.clamp(SHORTEST_LOOK, LONGEST_LOOK);
        options.quiet = options.quiet.min(BATCH_LIMIT);
        let (notify, refused) = match Notify::start(directory.root(), options.poll) {
            Ok(notify) => (notify, None),
            Err(error) => (None, Some(error)),
        };
        let mut watch = Watch {
            notify,
            refused,
            snapshot: Snapshot::new(directory.clone()),
            config: ConfigMount::new(&directory),
            config_changed: false,
            root: None,
            look_again: true,
            next_look: Instant::now(),
            batch: None,
            directory,
            options,
            stopped,
        };
        // Before the caller goes on: what he does next must not be missed.
        watch.look();
        watch
    }

    fn run(&mut self, on_changes: &mut impl FnMut(Changes)) -> Next {
        while self.wait() {
            self.take_events();
            if self.look_again || Instant::now() >= self.next_look {
                self.look();
            }
            if self.batch_end().is_some_and(|end| Instant::now() >= end) {
                self.report(on_changes);
                if budget::stack_has_grown() {
                    return Next::Renew;
                }
            }
        }
        Next::End
    }

    /// Sleeps until there is something to do; `false` once the watcher is to stop.
    fn wait(&self) -> bool {
        let wake = self.batch_end().map_or(self.next_look, |end| end.min(self.next_look));
        let left =
            if self.look_again { Duration::ZERO } else { wake.saturating_duration_since(Instant::now()) };
        // One that is too long for the kernel's clock is as good as none.
        let timeout = Timespec::try_from(left).ok();
        let mut fds = vec![PollFd::new(&self.stopped, PollFlags::IN)];
        fds.extend(
            self.notify.as_ref().map(|notify| PollFd::from_borrowed_fd(notify.as_fd(), PollFlags::IN)),
        );
        // An error here is a signal that was handled; the next turn waits again.
        let _ = poll(&mut fds, timeout.as_ref());
        fds.first().is_none_or(|stopped| stopped.revents().is_empty())
    }

    /// The time at which the batch is reported; none if there is nothing to report.
    fn batch_end(&self) -> Option<Instant> {
        let (first, last) = self.batch?;
        Some((last + self.options.quiet).min(first + BATCH_LIMIT))
    }

    /// Extends the batch, or begins one, if there is something to report.
    fn extend_batch(&mut self) {
        if self.config_changed || self.snapshot.has_news() {
            let now = Instant::now();
            self.batch = Some((self.batch.map_or(now, |(first, _)| first), now));
        }
    }

    fn take_events(&mut self) {
        let Some(notify) = &mut self.notify else { return };
        let events = match notify.events() {
            Ok(events) => events,
            Err(error) => return self.poll_from_now_on(&error),
        };
        if events.is_empty() {
            return;
        }
        for event in events {
            match event {
                Event::Completed(name) => self.snapshot.completed(&name),
                Event::Closed(name) => self.snapshot.closed(&name),
                Event::Created(name) => self.snapshot.created(&name),
                Event::Touched(name) => self.snapshot.touched(&name),
                Event::Modified(name) => self.snapshot.modified(name),
                Event::Gone(name) => self.snapshot.gone(&name),
                Event::Folders => self.look_again = true,
                Event::Lost => {
                    self.snapshot.lost_events();
                    self.look_again = true;
                }
                // The mount is looked at without the files, unless these are due as well.
                Event::Config => self.next_look = Instant::now(),
            }
        }
        if self.snapshot.is_settling() {
            self.next_look = self.next_look.min(Instant::now() + self.settle());
        }
        self.extend_batch();
    }

    /// Looks at whatever events don't tell, and plans the next look.
    fn look(&mut self) {
        let again = mem::take(&mut self.look_again) || self.root != identity(&self.directory);
        if again {
            self.watch_folders();
        }
        if let (Some(notify), Some(dir)) = (&mut self.notify, self.directory.config_dir()) {
            notify.watch_config(dir);
        }
        let config = self.config.as_mut().map_or(Verdict::Same, ConfigMount::look);
        self.config_changed |= config == Verdict::Changed;
        // Links from the directory into the mount change with it.
        if again || config == Verdict::Changed || self.notify.is_none() || self.snapshot.is_settling() {
            self.snapshot.scan();
        }
        let soon = self.root.is_none() || config == Verdict::Settling || self.snapshot.is_settling();
        self.next_look = Instant::now() + if soon { self.settle() } else { self.options.interval };
        self.extend_batch();
    }

    /// How long a file that no event tells of must stay as it is to count as complete.
    fn settle(&self) -> Duration {
        match self.notify {
            Some(_) => (self.options.interval / 8).max(SHORTEST_LOOK),
            None => self.options.interval,
        }
    }

    fn watch_folders(&mut self) {
        let before = mem::replace(&mut self.root, identity(&self.directory));
        let root = self.directory.root().display();
        if before.is_some() && self.root.is_none() {
            log::warn!("`{root}` is gone: waiting for it");
        }
        let appears = before.is_none() && self.root.is_some();
        let refused = self.refused.take();
        // One line says how it is followed from now on.
        match self.notify.as_mut().map(|notify| notify.watch_folders(self.directory.root())) {
            Some(Ok(())) if appears => log::info!("watching `{root}`"),
            Some(Ok(())) => {}
            Some(Err(error)) if error.kind() == io::ErrorKind::NotFound => self.root = None,
            Some(Err(error)) => self.poll_from_now_on(&error),
            None => match refused {
                Some(error) => self.poll_from_now_on(&error),
                None if appears => log::info!("polling `{root}`"),
                None => {}
            },
        }
    }

    fn poll_from_now_on(&mut self, error: &io::Error) {
        let root = self.directory.root().display();
        log::warn!("failed to watch `{root}`, polling it from now on: {}", describe_io(error));
        self.notify = None;
        self.snapshot.lost_events();
        self.look_again = true;
    }

    fn report(&mut self, on_changes: &mut impl FnMut(Changes)) {
        self.batch = None;
        let (written, removed) = self.snapshot.take();
        let changes = Changes { written, removed, config: mem::take(&mut self.config_changed) };
        if changes == Changes::default() {
            return;
        }
        // A bug behind this call must not end the watching.
        if catch_unwind(AssertUnwindSafe(|| on_changes(changes))).is_err() {
            log::error!("a report of changed files ended by a panic");
        }
    }
}

/// Device and inode of the provision directory.
fn identity(directory: &ProvisionDir) -> Option<(u64, u64)> {
    let metadata = directory.root().metadata().ok().filter(|metadata| metadata.is_dir())?;
    let stat = Stat::from_metadata(&metadata);
    Some((stat.device, stat.inode))
}
