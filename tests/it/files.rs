//! The watched provision directory: copies, renames, touches, links, edits, and removal of the folder itself. Each test runs with
//! inotify and with polling.

use crate::harness::{Mock, eventually};
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Command;

fn word(word: &str) -> String {
    format!("fn registerRules() {{ app.get(\"/word\", || \"{word}\"); }}\n")
}

fn mocks() -> [Mock; 2] {
    [&[][..], &["--poll", "--poll-interval", "100ms"]].map(|arguments| Mock::start_with(arguments, |_| ()))
}

#[track_caller]
fn serves(mock: &Mock, word: &str) {
    eventually(|| {
        let text = mock.get("/word").text();
        if text == word { Ok(()) } else { Err(format!("`{text}` in place of `{word}`: {}", mock.log())) }
    });
}

#[track_caller]
fn run(program: &str, arguments: &[&Path]) {
    assert!(Command::new(program).args(arguments).status().unwrap().success());
}

#[test]
fn copies_renames_touches_and_links_activate() {
    for mock in mocks() {
        let (provisions, outside) = (mock.directory(), mock.folder.0.clone());
        fs::write(outside.join("one"), word("one")).unwrap();
        run("cp", &[&outside.join("one"), &provisions.join("one")]);
        serves(&mock, "one");
        fs::write(outside.join("two"), word("two")).unwrap();
        run("mv", &[&outside.join("two"), &provisions.join("two")]);
        serves(&mock, "two");
        run("touch", &[&provisions.join("one")]);
        serves(&mock, "one");
        run("ln", &[Path::new("-s"), Path::new("two"), &provisions.join("link")]);
        serves(&mock, "two");
        fs::write(provisions.join("two"), word("edited")).unwrap();
        serves(&mock, "edited");
        assert_eq!(mock.active().0, "two");
    }
}

#[test]
fn a_touch_right_after_the_start_is_handled_before_a_later_copy() {
    let mock = Mock::start();
    run("touch", &[&mock.directory().join("initial")]);
    eventually(|| match mock.active() {
        (name, 2) if name == "initial" => Ok(()),
        other => Err(format!("{other:?}: {}", mock.log())),
    });
    mock.folder.write("provision/later", &word("later"));
    serves(&mock, "later");
    assert_eq!(mock.active(), ("later".to_owned(), 3));
}

#[test]
fn the_initial_provision_may_have_the_extension() {
    let mock = Mock::start_with(&[], |folder| folder.write("provision/initial.rhai", &word("extension")));
    assert_eq!(mock.get("/word").text(), "extension");
    assert!(!mock.directory().join("initial").exists());
}

#[test]
fn one_copy_is_one_generation() {
    let mock = Mock::start();
    for round in 2..12 {
        // The steps of `kubectl cp`, which uses tar: create, write in pieces, close, set times and mode.
        let path = mock.directory().join("copied");
        let mut file = File::create(&path).unwrap();
        for piece in word(&format!("w{round}")).as_bytes().chunks(5) {
            file.write_all(piece).unwrap();
        }
        drop(file);
        run("touch", &[Path::new("-d"), Path::new("2020-01-01"), &path]);
        run("chmod", &[Path::new("640"), &path]);
        serves(&mock, &format!("w{round}"));
    }
    // An event that is still pending would be handled before this one.
    let last = mock.activate("last", &word("last"));
    assert!(last <= 2 + 10 * 2, "generation {last}: a copy must not be activated for each of its events");
}

#[test]
fn half_written_files_are_never_loaded() {
    for mock in mocks() {
        let path = mock.directory().join("slow");
        let text = word("whole");
        let mut file = File::create(&path).unwrap();
        for piece in text.as_bytes().chunks(20) {
            file.write_all(piece).unwrap();
            file.flush().unwrap();
            // The writer is slow: the watcher has the time to see each piece.
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        drop(file);
        serves(&mock, "whole");
        assert!(!mock.log().contains("failed to load"), "{}", mock.log());
    }
}

#[test]
fn the_second_of_two_quick_edits_wins() {
    let mock = Mock::start();
    for round in 0..30 {
        let path = mock.directory().join("edited");
        fs::write(&path, word(&format!("first {round:02}"))).unwrap();
        fs::write(&path, word(&format!("secnd {round:02}"))).unwrap();
        serves(&mock, &format!("secnd {round:02}"));
    }
}

#[test]
fn a_folder_that_is_removed_and_created_again_is_watched_again() {
    for mock in mocks() {
        mock.activate("before", &word("before"));
        fs::remove_dir_all(mock.directory()).unwrap();
        serves(&mock, "before");
        fs::create_dir(mock.directory()).unwrap();
        fs::write(mock.directory().join("after"), word("after")).unwrap();
        serves(&mock, "after");
        fs::write(mock.directory().join("later"), word("later")).unwrap();
        serves(&mock, "later");
    }
}

#[test]
fn files_that_are_not_provisions_are_not_activated() {
    let mock = Mock::start();
    for name in [".hidden", "backup~", "x.tmp", "x.swp", "data.json", "sub/inside", "library.rhai"] {
        let source = if name == "library.rhai" { "fn double(x) { x * 2 }".to_owned() } else { word(name) };
        mock.folder.write(&format!("provision/{name}"), &source);
    }
    mock.folder.write("provision/real", &word("real"));
    serves(&mock, "real");
    assert_eq!(mock.active(), ("real".to_owned(), 2));
    assert_eq!(mock.admin("GET /app/v1/provision/sub/inside", &[], b"").status, 200);
    assert_eq!(mock.get("/word").text(), "sub/inside");
    let ledger = mock.admin("GET /app/v1/provision", &[], b"").json();
    let kind = |name: &str| {
        let files = ledger["files"].as_array().unwrap();
        files.iter().find(|file| file["name"] == name).map(|file| file["kind"].as_str().unwrap().to_owned())
    };
    assert_eq!(kind("library.rhai").as_deref(), Some("library"));
    assert_eq!(kind("data.json").as_deref(), Some("auxiliary"));
    assert_eq!(kind("real").as_deref(), Some("provision"));
}

#[test]
fn a_change_of_an_import_reloads_the_active_provision() {
    let mock = Mock::start();
    mock.folder.write("provision/common.rhai", "fn text() { \"one\" }");
    mock.activate(
        "main",
        "import \"common\" as common;\nfn registerRules() { app.get(\"/word\", || common::text()); }",
    );
    assert_eq!(mock.get("/word").text(), "one");
    mock.folder.write("provision/common.rhai", "fn text() { \"two\" }");
    serves(&mock, "two");
    mock.folder.write("provision/common.rhai", "fn text() { broken");
    mock.wait_for_log("imported `common.rhai`: line 1, column 19:");
    assert_eq!(mock.get("/word").text(), "two");
}

#[test]
fn after_a_broken_file_the_last_good_provision_or_initial_serves() {
    for (arguments, after) in [(&[][..], "good"), (&["--on-error", "initial"][..], "first")] {
        let mock = Mock::start_with(arguments, |folder| folder.write("provision/initial", &word("first")));
        mock.activate("good", &word("good"));
        mock.folder.write("provision/broken", "fn registerRules() { oh no }");
        mock.wait_for_log("failed to load provision `broken`: line 1, column 25:");
        serves(&mock, after);
    }
}

#[test]
fn a_directory_that_has_files_gets_none_of_ours() {
    let mock = Mock::start_with(&["--provision-dir", "mine"], |folder| {
        folder.write("mine/users.rhai", &word("one"))
    });
    mock.wait_for_log(
        "WARN  no provision is called `initial`, so each path answers 404; there are `users.rhai`. ",
    );
    let names: Vec<_> =
        fs::read_dir(mock.folder.0.join("mine")).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(names, ["users.rhai"]);
    assert_eq!(mock.get("/word").status, 404);
    run("touch", &[&mock.folder.0.join("mine/users.rhai")]);
    eventually(|| {
        let text = mock.get("/word").text();
        if text == "one" { Ok(()) } else { Err(text) }
    });
    let mock = Mock::start_with(&["--provision-dir", "new"], |_| ());
    assert!(mock.folder.0.join("new/initial").exists(), "an empty directory has one to touch");
}

#[test]
fn a_second_server_in_one_directory_says_so() {
    let first = Mock::start_with(&[], |_| ());
    let directory = first.directory().canonicalize().unwrap();
    let second = Mock::start_with(&["--provision-dir", directory.to_str().unwrap()], |_| ());
    let warning = format!("WARN  another h1mock uses the provision directory `{}`: ", directory.display());
    second.wait_for_log(&warning);
    assert_eq!((second.get("/").status, first.log().contains("another h1mock")), (404, false));
}
