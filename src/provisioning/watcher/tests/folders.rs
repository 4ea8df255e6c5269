//! Folders that come and go, the directory itself among them.

use std::fs;

use super::*;

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
            // Changes in the old directory are not reported.
            let _ = fs::write(watched.folder.path("away/b"), "");
        }
        // Faster than two looks.
        fs::remove_dir_all(watched.folder.root()).unwrap();
        fs::create_dir(watched.folder.root()).unwrap();
        watched.put("b", "1");
        watched.written_until("b");
        watched.put("c", "1");
        watched.written_until("c");
    });
}

#[test]
fn a_watcher_without_a_directory_waits_for_it() {
    both(|poll| {
        let folder = Folder::new();
        let directory = Arc::new(folder.directory());
        fs::remove_dir(folder.root()).unwrap();
        let (send, changes) = channel();
        let watcher = Watcher::start(directory, options(poll), move |report| {
            let _ = send.send(report);
        });
        fs::create_dir(folder.root()).unwrap();
        fs::write(folder.root().join("a"), "1").unwrap();
        assert_eq!(changes.recv_timeout(DEADLINE).unwrap(), report(&["a"], &[], false));
        drop(watcher);
    });
}
