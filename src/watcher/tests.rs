//! The watcher on real files, with events and by polling. Whether something is *not* reported is told by a file
//! that is written after it: its report must be the next one, and name nothing else.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};

use super::*;
use crate::store::fixture::{Folder, name, swap_config_map};

/// Far longer than anything here takes.
const DEADLINE: Duration = Duration::from_secs(20);
const STACK: usize = 1 << 20;

/// A watched store; what is reported arrives at `changes`.
struct Watched {
    folder: Folder,
    store: Arc<Store>,
    watcher: Watcher,
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

    /// `prepare` is run before the store is opened.
    fn prepared(poll: bool, prepare: impl Fn(&Folder)) -> Watched {
        let folder = Folder::new();
        fs::create_dir(folder.root()).unwrap();
        prepare(&folder);
        let store = Arc::new(folder.store());
        let (send, changes) = channel();
        let watcher = Watcher::start(store.clone(), options(poll), move |report| {
            let _ = send.send(report);
        });
        Watched { folder, store, watcher: watcher.unwrap(), changes }
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

    /// Nothing more is reported of what was done so far.
    #[track_caller]
    fn expect_nothing(&self) {
        self.put("last", "");
        self.expect(&["last"], &[]);
    }

    /// The reports until `wanted` is among the files written: all of these, oldest first.
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

#[test]
fn each_way_to_complete_a_file_is_one_report() {
    both(|poll| {
        let watched = Watched::prepared(poll, prepared_files);
        for (tool, arguments, written) in [
            ("cp", vec!["../outside", "copy"], "copy"),
            ("cp", vec!["-p", "../outside", "a"], "a"),
            ("cp", vec!["--remove-destination", "../outside", "b"], "b"),
            ("touch", vec!["b"], "b"),
            ("touch", vec!["-d", "2001-02-03", "b"], "b"),
            ("touch", vec!["new"], "new"),
            ("touch", vec!["-h", "link"], "link"),
            ("ln", vec!["-sfn", "b", "link"], "link"),
            ("ln", vec!["-s", "a", "link2"], "link2"),
            ("ln", vec!["a", "hard"], "hard"),
            ("mv", vec!["../outside", "moved"], "moved"),
            ("mv", vec![".hidden", "shown.rhai"], "shown.rhai"),
            ("install", vec!["-m", "600", "a", "installed"], "installed"),
            ("sed", vec!["-i", "s/a/x/", "sub-file.json"], "sub-file.json"),
            ("dd", vec!["if=a", "of=by dd", "bs=1", "status=none"], "by dd"),
            ("cp", vec!["a", "odd 'name' \"100%\" ∂\n"], "odd 'name' \"100%\" ∂\n"),
        ] {
            watched.run(tool, &arguments);
            assert_eq!(
                watched.next(),
                report(&[written], &[], false),
                "{tool} {arguments:?}, polling: {poll}"
            );
        }
        watched.expect_nothing();
    });
}

#[test]
fn a_change_of_mode_or_reading_is_no_report() {
    both(|poll| {
        let watched = Watched::prepared(poll, prepared_files);
        fs::set_permissions(watched.path("a"), fs::Permissions::from_mode(0o600)).unwrap();
        watched.run("chmod", &["+x", "b"]);
        assert_eq!(fs::read(watched.path("a")).unwrap(), b"a");
        watched.store.read(&name("b")).unwrap();
        watched.run("touch", &["-a", "a"]);
        drop(File::open(watched.path("a")).unwrap());
        if poll {
            watched.expect_nothing();
        } else {
            // `touch -a` opens the file for writing, which is as good as a write.
            watched.expect(&["a"], &[]);
            watched.expect_nothing();
        }
    });
}

#[test]
fn a_touch_by_path_alone_is_a_report_and_of_the_mode_is_not() {
    let watched = Watched::prepared(false, prepared_files);
    let time = rustix::fs::Timespec { tv_sec: 1_000_000_000, tv_nsec: 0 };
    let times = rustix::fs::Timestamps { last_access: time, last_modification: time };
    let touch = || {
        rustix::fs::utimensat(rustix::fs::CWD, watched.path("a"), &times, rustix::fs::AtFlags::empty())
            .unwrap();
    };
    touch();
    watched.expect(&["a"], &[]);
    watched.run("chmod", &["600", "a"]);
    watched.expect_nothing();
}

#[test]
fn leftovers_of_editors_are_not_reported_but_the_saved_file_is() {
    both(|poll| {
        let watched = Watched::prepared(poll, prepared_files);
        for leftover in ["a~", ".a.swp", "a.swp", "a.tmp", "4913~", ".git"] {
            watched.put(leftover, "x");
        }
        watched.expect_nothing();
        // As vim does: the old file becomes the backup, a new one is written.
        fs::rename(watched.path("a"), watched.path("a~")).unwrap();
        watched.put("a", "saved");
        watched.written_until("a");
        // As most others do: a temporary file becomes the file.
        watched.put(".a.new", "saved again");
        fs::rename(watched.path(".a.new"), watched.path("a")).unwrap();
        watched.expect(&["a"], &[]);
        watched.expect_nothing();
    });
}

#[test]
fn removal_and_renaming_away_are_reported() {
    both(|poll| {
        let watched = Watched::prepared(poll, prepared_files);
        fs::remove_file(watched.path("a")).unwrap();
        watched.expect(&[], &["a"]);
        fs::rename(watched.path("b"), watched.folder.path("elsewhere")).unwrap();
        watched.expect(&[], &["b"]);
        watched.store.write(&name("c"), b"").unwrap();
        watched.expect_nothing();
        watched.store.remove(&name("c")).unwrap();
        watched.expect(&[], &["c"]);
    });
}

#[test]
fn what_the_store_writes_is_not_reported_and_what_happens_to_it_later_is() {
    both(|poll| {
        let watched = Watched::prepared(poll, prepared_files);
        watched.store.write(&name("posted"), b"1").unwrap();
        watched.store.write(&name("a"), b"1").unwrap();
        watched.store.write(&name("new/folder/file.json"), b"1").unwrap();
        watched.expect_nothing();
        watched.run("touch", &["posted"]);
        watched.expect(&["posted"], &[]);
        watched.put("a", "by somebody else");
        watched.expect(&["a"], &[]);
        watched.put("new/folder/file.json", "22");
        watched.expect(&["new/folder/file.json"], &[]);
        watched.store.write(&name("a"), b"2").unwrap();
        watched.expect_nothing();
    });
}

#[test]
fn files_come_in_the_order_in_which_they_were_completed() {
    let watched = Watched::prepared(false, prepared_files);
    for file in ["z", "a", "m", "z2", "b", "z"] {
        watched.put(file, "1");
    }
    let mut all = Vec::new();
    while all.last() != Some(&name("z")) || !all.contains(&name("b")) {
        all.extend(watched.next().written);
    }
    let place = |file: &str| all.iter().rposition(|other| *other == name(file));
    let order = ["a", "m", "z2", "b", "z"].map(place);
    assert!(order.is_sorted() && !order.contains(&None), "{all:?}");
}

#[test]
fn polled_files_come_in_the_order_of_their_times() {
    let watched = Watched::prepared(true, |_| {});
    for (file, second) in [("z", 1), ("a", 2), ("k", 0)] {
        watched.put(&format!(".{file}"), file);
        let time = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000 + second);
        File::open(watched.path(&format!(".{file}"))).unwrap().set_modified(time).unwrap();
    }
    // The folder is moved in, so all of them are there at once.
    fs::create_dir(watched.folder.path("made")).unwrap();
    for file in ["z", "a", "k"] {
        fs::rename(watched.path(&format!(".{file}")), watched.folder.path(&format!("made/{file}"))).unwrap();
    }
    fs::rename(watched.folder.path("made"), watched.path("sub")).unwrap();
    watched.expect(&["sub/k", "sub/z", "sub/a"], &[]);
}

#[test]
fn of_quick_edits_the_last_one_is_always_seen() {
    both(|poll| {
        let watched = Watched::new(poll);
        for round in 0..if poll { 3 } else { 40 } {
            let wanted = format!("{round} second");
            watched.put("f", &format!("{round} first!"));
            watched.put("f", &wanted);
            let mut seen = Vec::new();
            while seen != wanted.as_bytes() {
                assert_eq!(watched.next().written, [name("f")]);
                seen = watched.store.read(&name("f")).unwrap().bytes;
            }
        }
    });
}

#[test]
fn an_edit_during_a_report_is_the_next_report() {
    let folder = Folder::new();
    let store = Arc::new(folder.store());
    let path = folder.root().join("f");
    let (send, reports) = channel();
    let mut edits = vec!["third", "second"];
    let written = path.clone();
    let watcher = Watcher::start(store.clone(), options(false), move |_| {
        let read = store.read(&name("f")).unwrap().bytes;
        // Same size and, by the clock of the file system, most likely the same time as what was read.
        if let Some(edit) = edits.pop() {
            fs::write(&written, edit).unwrap();
        }
        let _ = send.send(read);
    });
    fs::write(&path, "first").unwrap();
    for content in ["first", "second", "third"] {
        assert_eq!(reports.recv_timeout(DEADLINE).unwrap(), content.as_bytes());
    }
    watcher.unwrap().stop();
}

#[test]
fn a_file_that_is_held_open_is_not_reported_until_it_is_closed() {
    let watched = Watched::prepared(false, prepared_files);
    for file in ["new", "a"] {
        let mut open = File::create(watched.path(file)).unwrap();
        watched.expect_nothing();
        open.write_all(b"half").unwrap();
        watched.expect_nothing();
        open.set_permissions(fs::Permissions::from_mode(0o640)).unwrap();
        watched.expect_nothing();
        // Not even a look at everything takes it for complete.
        fs::create_dir(watched.path(&format!("folder {file}"))).unwrap();
        watched.put(&format!("folder {file}/x"), "x");
        assert!(!watched.written_until(&format!("folder {file}/x")).contains(&name(file)));
        watched.expect_nothing();
        open.write_all(b" and half").unwrap();
        drop(open);
        watched.expect(&[file], &[]);
    }
}

#[test]
fn a_file_counts_as_complete_when_two_looks_in_a_row_see_the_same() {
    let folder = Folder::new();
    let store = Arc::new(folder.store());
    let mut snapshot = Snapshot::new(store);
    let mut open = File::create(folder.root().join("f")).unwrap();
    for _ in 0..3 {
        open.write_all(b"more").unwrap();
        snapshot.scan();
        assert_eq!((snapshot.is_settling(), snapshot.has_news()), (true, false));
    }
    snapshot.scan();
    assert_eq!((snapshot.is_settling(), snapshot.has_news()), (false, true));
    assert_eq!(snapshot.take(), (vec![name("f")], vec![]));
    snapshot.scan();
    assert_eq!((snapshot.is_settling(), snapshot.has_news()), (false, false));
}

#[test]
fn a_file_that_goes_away_before_it_is_reported_was_never_there() {
    let folder = Folder::new();
    let mut snapshot = Snapshot::new(Arc::new(folder.store()));
    let path = folder.root().join("f");
    fs::write(&path, "").unwrap();
    snapshot.completed(&name("f"));
    fs::remove_file(&path).unwrap();
    snapshot.gone(&name("f"));
    assert!(!snapshot.has_news());
    // One that was reported, removed, and made again in between is gone all the same.
    fs::write(&path, "").unwrap();
    snapshot.completed(&name("f"));
    assert_eq!(snapshot.take(), (vec![name("f")], vec![]));
    fs::remove_file(&path).unwrap();
    snapshot.gone(&name("f"));
    fs::write(&path, "").unwrap();
    snapshot.completed(&name("f"));
    fs::remove_file(&path).unwrap();
    snapshot.gone(&name("f"));
    assert_eq!(snapshot.take(), (vec![], vec![name("f")]));
}

#[test]
fn files_of_new_and_moved_folders_are_reported() {
    both(|poll| {
        let watched = Watched::new(poll);
        for round in 0..5 {
            let file = format!("sub{round}/deep/er/x.json");
            fs::create_dir_all(watched.path(&file).parent().unwrap()).unwrap();
            watched.put(&file, "1");
            watched.written_until(&file);
            watched.put(&file, "22");
            watched.written_until(&file);
        }
        fs::create_dir_all(watched.folder.path("made/deep")).unwrap();
        fs::write(watched.folder.path("made/deep/y"), "1").unwrap();
        fs::rename(watched.folder.path("made"), watched.path("moved")).unwrap();
        watched.expect(&["moved/deep/y"], &[]);
        fs::rename(watched.path("moved"), watched.path("again")).unwrap();
        let mut changes = watched.next();
        while !changes.written.contains(&name("again/deep/y")) {
            let more = watched.next();
            changes = Changes { removed: [changes.removed, more.removed].concat(), ..more };
        }
        assert_eq!(changes.removed, [name("moved/deep/y")]);
        watched.put("again/deep/y", "22");
        watched.expect(&["again/deep/y"], &[]);
        fs::remove_dir_all(watched.path("again")).unwrap();
        watched.expect(&[], &["again/deep/y"]);
        watched.expect_nothing();
    });
}

#[test]
fn a_directory_that_is_removed_and_made_again_is_watched_again() {
    both(|poll| {
        let watched = Watched::prepared(poll, |folder| fs::write(folder.root().join("a"), "1").unwrap());
        for round in 0..3 {
            if round == 1 {
                fs::rename(watched.folder.root(), watched.folder.path("away")).unwrap();
            } else {
                fs::remove_dir_all(watched.folder.root()).unwrap();
            }
            watched.expect(&[], &["a"]);
            fs::create_dir(watched.folder.root()).unwrap();
            watched.put("a", "2");
            watched.expect(&["a"], &[]);
            watched.put("a", "333");
            watched.expect(&["a"], &[]);
            // What is done to the old one is nobody's business.
            let _ = fs::write(watched.folder.path("away/b"), "");
        }
        // Quicker than anybody can look.
        fs::remove_dir_all(watched.folder.root()).unwrap();
        fs::create_dir(watched.folder.root()).unwrap();
        watched.put("b", "1");
        watched.written_until("b");
        watched.put("c", "1");
        watched.written_until("c");
    });
}

#[test]
fn a_link_whose_target_is_missing_is_not_reported() {
    both(|poll| {
        let watched = Watched::new(poll);
        symlink("later", watched.path("link")).unwrap();
        watched.expect_nothing();
        watched.put("later", "1");
        watched.expect(&["later"], &[]);
        // Edits of the target are edits of the target.
        watched.put("later", "22");
        watched.expect(&["later"], &[]);
        symlink(watched.folder.path("nowhere"), watched.path("link2")).unwrap();
        symlink(".", watched.path("link to a folder")).unwrap();
        watched.expect_nothing();
    });
}

#[test]
fn a_file_without_a_name_that_gets_one_when_it_is_finished_is_reported() {
    let watched = Watched::new(false);
    watched.put(".hidden", "content");
    fs::hard_link(watched.path(".hidden"), watched.path("f")).unwrap();
    fs::remove_file(watched.path(".hidden")).unwrap();
    watched.expect(&["f"], &[]);
}

#[test]
fn what_changes_between_opening_and_starting_is_reported() {
    both(|poll| {
        let folder = Folder::new();
        let store = Arc::new(folder.store());
        store.write(&name("initial"), b"our own").unwrap();
        fs::write(folder.root().join("early"), "1").unwrap();
        let (send, changes) = channel();
        let watcher = Watcher::start(store, options(poll), move |report| {
            let _ = send.send(report);
        });
        assert_eq!(changes.recv_timeout(DEADLINE).unwrap(), report(&["early"], &[], false));
        watcher.unwrap().stop();
        assert!(changes.recv_timeout(DEADLINE).is_err(), "the thread is gone, and with it the sender");
    });
}

#[test]
fn events_that_were_lost_are_made_up_for() {
    let folder = Folder::new();
    let store = Arc::new(folder.store());
    let (send, changes) = channel();
    let (resume, wait) = channel::<()>();
    let mut first = true;
    let watcher = Watcher::start(store, options(false), move |report: Changes| {
        let _ = send.send(report);
        if std::mem::take(&mut first) {
            let _ = wait.recv_timeout(DEADLINE);
        }
    });
    let put = |file: &str, content: &str| fs::write(folder.root().join(file), content).unwrap();
    put("removed", "");
    changes.recv_timeout(DEADLINE).unwrap();
    // The watcher is busy; these are more events than its queue takes.
    let queue = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
    for _ in 0..queue.trim().parse::<u32>().unwrap() / 4 + 1 {
        put("a", "1");
        put("b", "1");
    }
    put("victim", "written when the queue was full");
    fs::remove_file(folder.root().join("removed")).unwrap();
    resume.send(()).unwrap();
    let (mut written, mut removed) = (Vec::new(), Vec::new());
    while !written.contains(&name("victim")) || removed.is_empty() {
        let report = changes.recv_timeout(DEADLINE).unwrap();
        written.extend(report.written);
        removed.extend(report.removed);
    }
    assert!(written.contains(&name("a")) && written.contains(&name("b")));
    assert_eq!(removed, [name("removed")]);
    watcher.unwrap().stop();
}

#[test]
fn each_swap_of_the_config_map_is_one_report() {
    both(|poll| {
        let watched = Watched::prepared(poll, |folder| {
            fs::create_dir(folder.config()).unwrap();
            swap_config_map(&folder.config(), "1", &[("initial", "1")]);
        });
        watched.store.refresh_config().unwrap();
        watched.expect_nothing();
        for version in ["2", "3"] {
            swap_config_map(&watched.folder.config(), version, &[("initial", version), ("b", version)]);
            assert_eq!(watched.next(), report(&[], &[], true));
            let change = watched.store.refresh_config().unwrap();
            assert_eq!(change.changed, [name("b"), name("initial")]);
            // The copies are the store's own writes.
            watched.expect_nothing();
        }
        swap_config_map(&watched.folder.config(), "4", &[("initial", "3")]);
        assert_eq!(watched.next(), report(&[], &[], true));
        assert_eq!(watched.store.refresh_config().unwrap().removed, [name("b")]);
    });
}

#[test]
fn a_plain_folder_as_config_map_is_reported_when_it_appears_and_when_it_changes() {
    both(|poll| {
        let watched = Watched::new(poll);
        fs::create_dir(watched.folder.path("made")).unwrap();
        fs::write(watched.folder.path("made/initial"), "1").unwrap();
        fs::rename(watched.folder.path("made"), watched.folder.config()).unwrap();
        assert_eq!(watched.next(), report(&[], &[], true));
        fs::write(watched.folder.config().join("initial"), "22").unwrap();
        assert_eq!(watched.next(), report(&[], &[], true));
        watched.expect_nothing();
    });
}

#[test]
fn a_link_into_the_config_map_is_reported_with_it() {
    both(|poll| {
        let watched = Watched::prepared(poll, |folder| {
            fs::create_dir(folder.config()).unwrap();
            swap_config_map(&folder.config(), "1", &[("initial", "1")]);
            symlink(folder.config().join("initial"), folder.root().join("mounted")).unwrap();
        });
        swap_config_map(&watched.folder.config(), "2", &[("initial", "22")]);
        let first = watched.next();
        assert!(first.config);
        if first.written.is_empty() {
            watched.expect(&["mounted"], &[]);
        }
    });
}

#[test]
fn a_config_map_mounted_as_the_directory_itself_reports_its_files() {
    both(|poll| {
        let watched = Watched::prepared(poll, |folder| {
            swap_config_map(&folder.root(), "1", &[("initial", "1"), ("b", "1")]);
        });
        swap_config_map(&watched.folder.root(), "2", &[("initial", "22"), ("b", "22")]);
        let mut written = watched.next().written;
        written.sort();
        assert_eq!(written, [name("b"), name("initial")]);
    });
}

#[test]
fn a_panic_behind_a_report_does_not_end_the_watching() {
    let folder = Folder::new();
    let (send, reports) = channel();
    let watcher = Watcher::start(Arc::new(folder.store()), options(false), move |report| {
        send.send(report.written.clone()).unwrap();
        assert_ne!(report.written, [name("bad")], "on purpose");
    });
    for file in ["bad", "good"] {
        fs::write(folder.root().join(file), "").unwrap();
        assert_eq!(reports.recv_timeout(DEADLINE).unwrap(), [name(file)]);
    }
    watcher.unwrap().stop();
}

#[test]
fn stopping_does_not_wait_for_the_next_look() {
    both(|poll| {
        for interval in [Duration::from_secs(3600), Duration::MAX] {
            let folder = Folder::new();
            let options = WatchOptions { interval, ..options(poll) };
            let watcher = Watcher::start(Arc::new(folder.store()), options, |_| {}).unwrap();
            let before = Instant::now();
            watcher.stop();
            assert!(before.elapsed() < DEADLINE);
        }
    });
}

#[test]
fn a_watcher_without_a_directory_waits_for_it() {
    both(|poll| {
        let folder = Folder::new();
        let store = Arc::new(folder.store());
        fs::remove_dir(folder.root()).unwrap();
        let (send, changes) = channel();
        let watcher = Watcher::start(store, options(poll), move |report| {
            let _ = send.send(report);
        });
        fs::create_dir(folder.root()).unwrap();
        fs::write(folder.root().join("a"), "1").unwrap();
        assert_eq!(changes.recv_timeout(DEADLINE).unwrap(), report(&["a"], &[], false));
        watcher.unwrap().stop();
    });
}
