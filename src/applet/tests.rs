//! The parts that all applets share.

use super::*;

#[test]
fn the_file_name_alone_says_what_runs() {
    for (argv0, expected) in [
        ("tar", "tar"),
        ("/bin/tar", "tar"),
        ("./test", "test"),
        ("[", "["),
        ("/usr/bin/bash", "bash"),
        ("sh", "sh"),
        ("h1mock", "h1mock"),
        ("/h1mock", "h1mock"),
        ("tar.old", "h1mock"),
        ("mytar", "h1mock"),
        ("tar/", "tar"),
        ("", "h1mock"),
    ] {
        let name = match named(OsStr::new(argv0)) {
            Program::Applet(name, _) | Program::Shell(name) => name,
            Program::H1mock => "h1mock",
        };
        assert_eq!(name, expected, "{argv0}");
    }
}

#[test]
fn a_tail_begins_at_its_byte() {
    for (skipped, expected) in [(0, "abcdef"), (1, "bcdef"), (4, "ef"), (6, ""), (9, "")] {
        let mut tail = Tail { inner: Vec::new(), skipped };
        for piece in ["ab", "", "cde", "f"] {
            tail.write_all(piece.as_bytes()).unwrap();
        }
        assert_eq!(String::from_utf8(tail.inner).unwrap(), expected, "{skipped}");
    }
}

#[test]
fn names_are_shown_in_one_line() {
    assert_eq!(display("a b\u{fc}"), "a b\u{fc}");
    assert_eq!(display("a\nb\u{1b}[0m\\"), "a\\nb\\u{1b}[0m\\");
}

#[test]
fn switches_may_be_joined_and_are_checked() {
    let given = |args: &[&str]| {
        let args: Vec<OsString> = args.iter().map(OsString::from).collect();
        switches(&args, "al").map_err(|failure| format!("{failure:?}"))
    };
    assert_eq!(
        given(&["-la", "x", "-", "--", "-y"]).unwrap(),
        ("la".into(), vec!["x".into(), "-".into(), "-y".into()])
    );
    let error = "Usage(\"unknown option `-R`: this applet takes `-a`, `-l`\")";
    assert_eq!(given(&["-aR"]).unwrap_err(), error);
    let error = "Usage(\"unknown option `--all`: this applet takes `-a`, `-l`\")";
    assert_eq!(given(&["--all"]).unwrap_err(), error);
}
