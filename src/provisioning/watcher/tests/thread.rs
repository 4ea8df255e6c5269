//! The thread: its start and end, lost events, panics.

use std::fs;
use std::io::Write;

use super::*;

#[test]
fn changes_between_opening_and_starting_are_reported() {
    both(|poll| {
        let folder = Folder::new();
        let directory = Arc::new(folder.directory());
        directory.write(&name("initial"), b"our own").unwrap();
        fs::write(folder.root().join("early"), "1").unwrap();
        let (send, changes) = channel();
        let watcher = Watcher::start(directory, options(poll), move |report| {
            let _ = send.send(report);
        });
        assert_eq!(changes.recv_timeout(DEADLINE).unwrap(), report(&["early"], &[], false));
        drop(watcher);
        // The thread is gone, and with it the sender.
        assert_eq!(changes.recv_timeout(DEADLINE), Err(RecvTimeoutError::Disconnected));
    });
}

#[test]
fn a_scan_replaces_lost_events() {
    let folder = Folder::new();
    let directory = Arc::new(folder.directory());
    let (send, changes) = channel();
    let (resume, wait) = channel::<()>();
    let mut first = true;
    let watcher = Watcher::start(directory, options(false), move |report: Changes| {
        let _ = send.send(report);
        if std::mem::take(&mut first) {
            let _ = wait.recv_timeout(DEADLINE);
        }
    });
    let put = |file: &str, content: &str| fs::write(folder.root().join(file), content).unwrap();
    let mut open = fs::File::create(folder.root().join("open")).unwrap();
    open.write_all(b"begun before events were lost").unwrap();
    put("removed", "");
    assert_eq!(changes.recv_timeout(DEADLINE).unwrap(), report(&["removed"], &[], false));
    // The watcher is busy; these are more events than its queue takes.
    let queue = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
    for _ in 0..queue.trim().parse::<u32>().unwrap() / 4 + 1 {
        put("a", "1");
        put("b", "1");
    }
    put("victim", "written when the queue was full");
    drop(open);
    fs::remove_file(folder.root().join("removed")).unwrap();
    resume.send(()).unwrap();
    let (mut written, mut removed) = (Vec::new(), Vec::new());
    while !written.contains(&name("victim")) || !written.contains(&name("open")) || removed.is_empty() {
        let report = changes.recv_timeout(DEADLINE).unwrap();
        written.extend(report.written);
        removed.extend(report.removed);
    }
    assert!(written.contains(&name("a")) && written.contains(&name("b")));
    assert_eq!(removed, [name("removed")]);
    drop(watcher);
}

/// A watcher on this thread, which a test drives step by step.
fn stepped(folder: &Folder) -> (Watch, UnixStream) {
    let (stop, stopped) = UnixStream::pair().unwrap();
    (Watch::new(Arc::new(folder.directory()), options(false), stopped), stop)
}

#[test]
fn a_file_that_was_open_when_polling_began_is_reported() {
    let folder = Folder::new();
    let (mut watch, _stop) = stepped(&folder);
    let mut open = fs::File::create(folder.root().join("open")).unwrap();
    open.write_all(b"all of it").unwrap();
    watch.snapshot.modified(name("open"));
    watch.poll_from_now_on(&io::Error::other("too many watches"));
    drop(open);
    watch.look();
    watch.look();
    assert_eq!(watch.snapshot.take(), (vec![name("open")], vec![]));
}

#[test]
fn a_stream_of_events_is_cut_after_the_batch_limit() {
    let folder = Folder::new();
    let (mut watch, _stop) = stepped(&folder);
    let now = Instant::now();
    let quiet = watch.options.quiet;
    for (first, end) in [(now, now + quiet), (now - BATCH_LIMIT, now), (now - quiet, now + quiet)] {
        watch.batch = Some((first, now));
        assert_eq!(watch.batch_end(), Some(end));
    }
}

#[test]
fn a_panic_behind_a_report_does_not_end_the_watching() {
    let folder = Folder::new();
    let (send, reports) = channel();
    let watcher = Watcher::start(Arc::new(folder.directory()), options(false), move |report| {
        send.send(report.written.clone()).unwrap();
        assert_ne!(report.written, [name("bad")], "on purpose");
    });
    for file in ["bad", "good"] {
        fs::write(folder.root().join(file), "").unwrap();
        assert_eq!(reports.recv_timeout(DEADLINE).unwrap(), [name(file)]);
    }
    drop(watcher);
}

#[test]
fn stopping_does_not_wait_for_the_next_look() {
    both(|poll| {
        for interval in [Duration::from_secs(3600), Duration::MAX] {
            let folder = Folder::new();
            let options = WatchOptions { interval, ..options(poll) };
            let (send, changes) = channel();
            let watcher =
                Watcher::start(Arc::new(folder.directory()), options, move |report| drop(send.send(report)));
            drop(watcher);
            assert_eq!(changes.recv_timeout(DEADLINE), Err(RecvTimeoutError::Disconnected));
        }
    });
}
