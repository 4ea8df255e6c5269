//! Reports which files of the provision directory were written, touched or removed, and updates of the ConfigMap mount.
//!
//! The watcher reads no files and knows nothing of provisions: `activation/changes.rs` decides what a change means.

mod config_mount;
mod notify;
mod saves;
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
use crate::system::io_error::{describe_io, failed_to};
use crate::system::lock::lock;
use crate::system::renewed_thread::{self, Next};
use config_mount::{ConfigMount, Verdict};
use notify::{Event, Notify};
use snapshot::Snapshot;

/// Longest time that a batch of events collects before it is reported, even if events keep coming.
const BATCH_LIMIT: Duration = Duration::from_millis(50);
/// Shortest time between two looks at the files, whatever the options say.
const SHORTEST_LOOK: Duration = Duration::from_millis(10);
/// Longest time between two looks at the files: a much longer one would overflow the clock.
const LONGEST_LOOK: Duration = Duration::from_secs(86_400);

/// One report: the changes since the report before. Each name is in it once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// Files that were written, moved in, linked or touched, sorted by the time of completion: the last one is the newest.
    /// Writes of [`ProvisionDir`] itself are left out.
    pub written: Vec<Name>,
    /// Removed files, sorted by name. Removals by [`ProvisionDir`] itself are included.
    pub removed: Vec<Name>,
    /// Whether the ConfigMap mount was updated: see [`ProvisionDir::refresh_config`].
    pub config: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct WatchOptions {
    /// Whether to poll the files every `interval`. A file system without events is always polled.
    pub poll: bool,
    /// The time between two looks at polled files, and between two looks at the ConfigMap mount.
    pub interval: Duration,
    /// The pause after the last event of a batch before its report, so that one copy causes one report.
    pub quiet: Duration,
    /// The stack of the thread in bytes. `on_changes` runs on this thread.
    pub stack: usize,
}

/// A handle to the thread `watcher`. Dropping the handle ends the thread after the report in progress.
///
/// Nothing waits for that end: on a busy machine the kernel takes up to 20 s to close an inotify instance.
#[derive(Debug)]
pub(crate) struct Watcher {
    /// The thread ends when this side of the pair is closed.
    _stop: UnixStream,
}

impl Watcher {
    /// Starts to watch the provision directory, by polling if the system grants no events.
    ///
    /// The first report includes changes since the directory was opened, and for the ConfigMap mount since the last `refresh_config`.
    /// The thread calls `on_changes` with one report at a time; changes during the call are in the next report.
    ///
    /// # Errors
    /// The system refuses a thread or a socket.
    pub(crate) fn start(
        directory: Arc<ProvisionDir>,
        options: WatchOptions,
        on_changes: impl FnMut(Changes) + Send + 'static,
    ) -> Result<Watcher, String> {
        let failed = failed_to("start the watcher");
        let (stop, stopped) = UnixStream::pair().map_err(&failed)?;
        let watch = Mutex::new((Watch::new(directory, options, stopped), on_changes));
        let work = move || {
            let (watch, on_changes) = &mut *lock(&watch);
            watch.run(on_changes)
        };
        renewed_thread::start("watcher".to_owned(), options.stack, Arc::new(work)).map_err(failed)?;
        Ok(Watcher { _stop: stop })
    }
}

/// The state of the thread.
struct Watch {
    directory: Arc<ProvisionDir>,
    options: WatchOptions,
    stopped: UnixStream,
    /// `None` if the files are polled.
    notify: Option<Notify>,
    /// The error with which the system refused events, until it is logged.
    refused: Option<io::Error>,
    snapshot: Snapshot,
    config: Option<ConfigMount>,
    config_changed: bool,
    /// Device and inode of the watched directory; `None` while it does not exist.
    root: Option<(u64, u64)>,
    /// Whether to set watches again and look at every file, since folders came or went, or events were lost.
    look_again: bool,
    next_look: Instant,
    /// The times of the first and the last event of the present batch.
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
        // On the caller's thread, so that no change after `start` is missed.
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

    /// Sleeps until an event comes or the next look is due. Returns false when the watcher must stop.
    fn wait(&self) -> bool {
        let wake = self.batch_end().map_or(self.next_look, |end| end.min(self.next_look));
        let left =
            if self.look_again { Duration::ZERO } else { wake.saturating_duration_since(Instant::now()) };
        // A time that is too long for the kernel's clock becomes an endless wait.
        let timeout = Timespec::try_from(left).ok();
        let mut fds = vec![PollFd::new(&self.stopped, PollFlags::IN)];
        fds.extend(
            self.notify.as_ref().map(|notify| PollFd::from_borrowed_fd(notify.as_fd(), PollFlags::IN)),
        );
        // The only error is a signal that was handled. The next round waits again.
        let _ = poll(&mut fds, timeout.as_ref());
        fds.first().is_none_or(|stopped| stopped.revents().is_empty())
    }

    /// Returns the time to report the batch; `None` if there is none.
    fn batch_end(&self) -> Option<Instant> {
        let (first, last) = self.batch?;
        Some((last + self.options.quiet).min(first + BATCH_LIMIT))
    }

    /// Begins or extends the batch if there are changes to report.
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
                // A look at the mount alone; the files have their own time.
                Event::Config => self.next_look = Instant::now(),
            }
        }
        if self.snapshot.is_settling() {
            self.next_look = self.next_look.min(Instant::now() + self.settle());
        }
        self.extend_batch();
    }

    /// Finds the changes for which there are no events, and sets the time of the next look.
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
        // Links from the directory into the mount change together with the mount.
        if again || config == Verdict::Changed || self.notify.is_none() || self.snapshot.is_settling() {
            self.snapshot.scan();
        }
        let soon = self.root.is_none() || config == Verdict::Settling || self.snapshot.is_settling();
        self.next_look = Instant::now() + if soon { self.settle() } else { self.options.interval };
        self.extend_batch();
    }

    /// Returns the time for which a file without events must not change to count as complete.
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
        // One log line says whether the directory is watched or polled from now on.
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
        // A panic of the callback must not end the thread.
        if catch_unwind(AssertUnwindSafe(|| on_changes(changes))).is_err() {
            log::error!("a report of changed files ended by a panic");
        }
    }
}

/// Returns device and inode of the provision directory.
fn identity(directory: &ProvisionDir) -> Option<(u64, u64)> {
    let metadata = directory.root().metadata().ok().filter(|metadata| metadata.is_dir())?;
    let stat = Stat::from_metadata(&metadata);
    Some((stat.device, stat.inode))
}
