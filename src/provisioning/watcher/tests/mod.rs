//! The watcher on real files, with events and by polling. To show that a change is *not* reported, a test writes another file after it:
//! the next report must name that file only.

mod config;
mod files;
mod folders;
mod thread;
mod writers;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};

use super::*;
use crate::directory::fixture::{Folder, name};

/// Far longer than anything here takes.
const DEADLINE: Duration = Duration::from_secs(20);
const STACK: usize = 1 << 20;

/// A watched provision directory, with its reports in `changes`.
struct Watched {
    folder: Folder,
    directory: Arc<ProvisionDir>,
    _watcher: Watcher,
    changes: Receiver<Changes>,
}

fn options(poll: bool) -> WatchOptions {
    let interval = Duration::from_millis(if poll { 50 } else { 160 });
    WatchOptions { poll, interval, quiet: Duration::from_millis(20), stack: STACK }
}

impl Watched {
    fn new(poll: bool) -> Watched {
        Self::prepared(poll, |_| {})
    }

    /// Calls `prepare` before the provision directory is opened.
    fn prepared(poll: bool, prepare: impl Fn(&Folder)) -> Watched {
        Self::with_options(options(poll), prepare)
    }

    fn with_options(options: WatchOptions, prepare: impl Fn(&Folder)) -> Watched {
        let folder = Folder::new();
        fs::create_dir(folder.root()).unwrap();
        prepare(&folder);
        let directory = Arc::new(folder.directory());
        let (send, changes) = channel();
        let watcher = Watcher::start(directory.clone(), options, move |report| {
            let _ = send.send(report);
        });
        Watched { folder, directory, _watcher: watcher.unwrap(), changes }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.root().join(file)
    }

    fn put(&self, file: &str, content: &str) {
        fs::write(self.path(file), content).unwrap();
    }

    /// Runs a tool in the provision directory.
    fn run(&self, tool: &str, arguments: &[&str]) {
        let status = Command::new(tool).args(arguments).current_dir(self.folder.root()).status().unwrap();
        assert!(status.success(), "{tool} {arguments:?}");
    }

    fn next(&self) -> Changes {
        self.changes.recv_timeout(DEADLINE).expect("a report")
    }

    #[track_caller]
    fn expect(&self, written: &[&str], removed: &[&str]) {
        assert_eq!(self.next(), report(written, removed, false));
    }

    /// Checks that the changes until now have no further report.
    #[track_caller]
    fn expect_nothing(&self) {
        self.put("last", "");
        self.expect(&["last"], &[]);
    }

    /// Reads reports until one has `wanted`, and returns all written files, oldest first.
    fn written_until(&self, wanted: &str) -> Vec<Name> {
        let mut all = Vec::new();
        while !all.contains(&name(wanted)) {
            all.extend(self.next().written);
        }
        all
    }
}

fn report(written: &[&str], removed: &[&str], config: bool) -> Changes {
    let names = |texts: &[&str]| texts.iter().map(|text| name(text)).collect();
    Changes { written: names(written), removed: names(removed), config }
}

/// Runs `test` with events and by polling.
fn both(test: impl Fn(bool)) {
    test(false);
    test(true);
}

fn prepared_files(folder: &Folder) {
    for file in ["a", "b", "sub-file.json", ".hidden"] {
        fs::write(folder.root().join(file), file).unwrap();
    }
    fs::write(folder.path("outside"), "from outside").unwrap();
    symlink("a", folder.root().join("link")).unwrap();
}
