//! The thread: its start and end, lost events, panics.

use std::fs;

use super::*;

#[test]
fn what_changes_between_opening_and_starting_is_reported() {
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
fn events_that_were_lost_are_made_up_for() {
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
    drop(watcher);
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
