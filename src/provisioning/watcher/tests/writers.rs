//! Files that are being written: order, quick edits, half of a content.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;

use super::*;

#[test]
fn files_are_reported_in_the_order_of_their_completion() {
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
fn polled_files_are_reported_in_the_order_of_their_times() {
    let watched = Watched::prepared(true, |_| {});
    for (file, second) in [("z", 1), ("a", 2), ("k", 0)] {
        watched.put(&format!(".{file}"), file);
        let time = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000 + second);
        File::open(watched.path(&format!(".{file}"))).unwrap().set_modified(time).unwrap();
    }
    // The folder is moved in, so that all files appear at once.
    fs::create_dir(watched.folder.path("made")).unwrap();
    for file in ["z", "a", "k"] {
        fs::rename(watched.path(&format!(".{file}")), watched.folder.path(&format!("made/{file}"))).unwrap();
    }
    fs::rename(watched.folder.path("made"), watched.path("sub")).unwrap();
    watched.expect(&["sub/k", "sub/z", "sub/a"], &[]);
}

#[test]
fn the_last_of_quick_edits_is_always_reported() {
    both(|poll| {
        let watched = Watched::new(poll);
        for round in 0..if poll { 3 } else { 40 } {
            let wanted = format!("{round} second");
            watched.put("f", &format!("{round} first!"));
            watched.put("f", &wanted);
            let mut seen = Vec::new();
            while seen != wanted.as_bytes() {
                assert_eq!(watched.next().written, [name("f")]);
                seen = watched.directory.read(&name("f")).unwrap().bytes;
            }
        }
    });
}

#[test]
fn an_edit_during_a_report_is_the_next_report() {
    let folder = Folder::new();
    let directory = Arc::new(folder.directory());
    let path = folder.root().join("f");
    let (send, reports) = channel();
    let mut edits = vec!["third", "second"];
    let written = path.clone();
    let watcher = Watcher::start(directory.clone(), options(false), move |_| {
        let read = directory.read(&name("f")).unwrap().bytes;
        // The new content has the same size and, by the clock of the file system, most likely the same time.
        if let Some(edit) = edits.pop() {
            fs::write(&written, edit).unwrap();
        }
        let _ = send.send(read);
    });
    fs::write(&path, "first").unwrap();
    for content in ["first", "second", "third"] {
        assert_eq!(reports.recv_timeout(DEADLINE).unwrap(), content.as_bytes());
    }
    drop(watcher);
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
        // A look at all files does not take it for complete either.
        fs::create_dir(watched.path(&format!("folder {file}"))).unwrap();
        watched.put(&format!("folder {file}/x"), "x");
        assert!(!watched.written_until(&format!("folder {file}/x")).contains(&name(file)));
        watched.expect_nothing();
        open.write_all(b" and half").unwrap();
        drop(open);
        watched.expect(&[file], &[]);
    }
}

/// The time of the file changes while it is written, and a change of its mode has the same event as a touch.
#[test]
fn a_change_of_mode_during_a_write_is_no_touch() {
    let folder = Folder::new();
    let path = folder.root().join("f");
    let directory = Arc::new(folder.directory());
    fs::write(&path, "half").unwrap();
    let mut snapshot = Snapshot::new(directory);
    snapshot.completed(&name("f"));
    snapshot.take();
    let later = std::time::SystemTime::now() + Duration::from_secs(5);
    File::options().write(true).open(&path).unwrap().set_modified(later).unwrap();
    snapshot.modified(name("f"));
    snapshot.touched(&name("f"));
    assert!(!snapshot.has_news());
    snapshot.closed(&name("f"));
    assert_eq!(snapshot.take(), (vec![name("f")], vec![]));
}

#[test]
fn a_file_counts_as_complete_when_two_looks_in_a_row_see_the_same() {
    let folder = Folder::new();
    let directory = Arc::new(folder.directory());
    let mut snapshot = Snapshot::new(directory);
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
fn a_file_that_is_removed_before_its_report_has_none() {
    let folder = Folder::new();
    let mut snapshot = Snapshot::new(Arc::new(folder.directory()));
    let path = folder.root().join("f");
    fs::write(&path, "").unwrap();
    snapshot.completed(&name("f"));
    fs::remove_file(&path).unwrap();
    snapshot.gone(&name("f"));
    assert!(!snapshot.has_news());
    // A file that was reported, removed and made again is reported as removed.
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
