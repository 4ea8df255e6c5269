//! The ways to complete a file, and changes that complete none.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

/// A tool that pauses for longer than `quiet` causes two reports: `sed -i`, for example, between writing and renaming its temporary file.
/// On a busy machine any tool may pause. So only runs count that took less time than `quiet`.
#[test]
fn each_way_to_complete_a_file_is_one_report() {
    both(|poll| {
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
            ("cp", vec!["a", "odd 'name' \"100%\" ∂"], "odd 'name' \"100%\" ∂"),
        ] {
            let watched = quick_run(poll, tool, &arguments);
            assert_eq!(
                watched.next(),
                report(&[written], &[], false),
                "{tool} {arguments:?}, polling: {poll}"
            );
            watched.expect_nothing();
        }
    });
}

/// Runs a tool on new prepared files until a run takes less than `quiet`, and less than the time between two looks.
#[track_caller]
fn quick_run(poll: bool, tool: &str, arguments: &[&str]) -> Watched {
    let options = WatchOptions { quiet: BATCH_LIMIT, ..options(poll) };
    let end = Instant::now() + DEADLINE;
    loop {
        let watched = Watched::with_options(options, prepared_files);
        let began = Instant::now();
        watched.run(tool, arguments);
        let took = began.elapsed();
        if took < options.quiet.min(options.interval) {
            return watched;
        }
        assert!(Instant::now() < end, "no run of `{tool}` is quick enough: {took:?}");
    }
}

#[test]
fn a_change_of_mode_and_a_read_cause_no_report() {
    both(|poll| {
        let watched = Watched::prepared(poll, prepared_files);
        fs::set_permissions(watched.path("a"), fs::Permissions::from_mode(0o600)).unwrap();
        watched.run("chmod", &["+x", "b"]);
        assert_eq!(fs::read(watched.path("a")).unwrap(), b"a");
        watched.directory.read(&name("b")).unwrap();
        watched.run("touch", &["-a", "a"]);
        drop(File::open(watched.path("a")).unwrap());
        drop(fs::OpenOptions::new().append(true).open(watched.path("b")).unwrap());
        watched.expect_nothing();
    });
}

#[test]
fn a_touch_by_path_causes_a_report_and_a_new_mode_does_not() {
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
        // Like vim: the old file becomes the backup, and a new file is written.
        fs::rename(watched.path("a"), watched.path("a~")).unwrap();
        watched.put("a", "saved");
        watched.written_until("a");
        // Like most other editors: a temporary file is renamed.
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
        watched.directory.write(&name("c"), b"").unwrap();
        watched.expect_nothing();
        watched.directory.remove(&name("c")).unwrap();
        watched.expect(&[], &["c"]);
    });
}

#[test]
fn writes_of_the_provision_directory_are_not_reported_but_later_changes_are() {
    both(|poll| {
        let watched = Watched::prepared(poll, prepared_files);
        watched.directory.write(&name("posted"), b"1").unwrap();
        watched.directory.write(&name("a"), b"1").unwrap();
        watched.directory.write(&name("new/folder/file.json"), b"1").unwrap();
        watched.expect_nothing();
        watched.run("touch", &["posted"]);
        watched.expect(&["posted"], &[]);
        watched.put("a", "by somebody else");
        watched.expect(&["a"], &[]);
        watched.put("new/folder/file.json", "22");
        watched.expect(&["new/folder/file.json"], &[]);
        watched.directory.write(&name("a"), b"2").unwrap();
        watched.expect_nothing();
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
        // An edit of the target is reported under the name of the target.
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
