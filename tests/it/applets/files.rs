//! test, touch, ls, cat.

use super::{Image, feed};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Stdio;
use std::time::{Duration, SystemTime};

fn touched(image: &Image, name: &str) -> SystemTime {
    image.path(name).metadata().unwrap().modified().unwrap()
}

fn age(image: &Image, name: &str) {
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_769_860_800);
    fs::File::options().write(true).open(image.path(name)).unwrap().set_modified(old).unwrap();
}

#[test]
fn test_checks_files() {
    let image = Image::new();
    image.write("file", "x");
    image.write("empty", "");
    fs::create_dir(image.path("folder")).unwrap();
    symlink("file", image.path("link")).unwrap();
    symlink("nowhere", image.path("dead")).unwrap();
    fs::set_permissions(image.path("file"), fs::Permissions::from_mode(0o755)).unwrap();
    for (expression, code) in [
        ("-d folder", 0),
        ("-d file", 1),
        ("-d nowhere", 1),
        ("-e file", 0),
        ("-e dead", 1),
        ("-f file", 0),
        ("-f link", 0),
        ("-f folder", 1),
        ("-h link", 0),
        ("-L dead", 0),
        ("-L file", 1),
        ("-s file", 0),
        ("-s empty", 1),
        ("-s nowhere", 1),
        ("-r file", 0),
        ("-w file", 0),
        ("-x file", 0),
        ("-x empty", 1),
        ("-r nowhere", 1),
        ("-n a", 0),
        ("-z a", 1),
        ("a", 0),
        ("-d", 0),
        ("a = a", 0),
        ("a = b", 1),
        ("a != b", 0),
        ("! -d folder", 1),
        ("! -d file", 0),
        ("! a = b", 0),
        ("! = !", 0),
        ("", 1),
    ] {
        let words: Vec<&str> = expression.split_whitespace().collect();
        assert_eq!(image.run(&[&["test"], &words[..]].concat()).all(), (code, "", ""), "{expression}");
        assert_eq!(
            image.run(&[&["["], &words[..], &["]"]].concat()).all(),
            (code, "", ""),
            "[ {expression} ]"
        );
    }
    assert_eq!(image.run(&["test", "-n", ""]).code, 1);
    assert_eq!(image.run(&["test", "-z", ""]).code, 0);
}

#[test]
fn test_refuses_other_expressions() {
    let image = Image::new();
    let taken = "`test` takes -d, -e, -f, -h, -L, -n, -r, -s, -w, -x, -z with one word, `=` and `!=` between two, and \
                 `!` in front\n";
    for (argv, message) in [
        (&["test", "-q", "x"][..], format!("test: failed to understand `-q x`: {taken}")),
        (&["test", "1", "-eq", "1"], format!("test: failed to understand `1 -eq 1`: {taken}")),
        (&["test", "a", "-a", "b", "-o", "c"], format!("test: failed to understand `a -a b -o c`: {taken}")),
        (&["[", "-d", "x"], "[: missing `]`\n".to_owned()),
    ] {
        assert_eq!(image.run(argv).all(), (2, "", message.as_str()), "{argv:?}");
    }
}

#[test]
fn touch_sets_the_time_or_creates_a_file() {
    let image = Image::new();
    image.write("old", "x");
    age(&image, "old");
    let before = SystemTime::now() - Duration::from_secs(60);
    assert_eq!(image.run(&["touch", "old", "new"]).all(), (0, "", ""));
    assert!(touched(&image, "old") > before && image.read("old") == "x" && image.read("new").is_empty());
    assert_eq!(image.run(&["touch", "-c", "nowhere"]).all(), (0, "", ""));
    assert!(!image.path("nowhere").exists());
    let expected = "touch: failed to touch `no/x`: no such file or directory\n\
                    touch: failed to touch `old/x`: not a directory\n";
    age(&image, "new");
    assert_eq!(image.run(&["touch", "no/x", "old/x", "new"]).all(), (1, "", expected));
    assert!(touched(&image, "new") > before);
    assert_eq!(image.run(&["touch"]).all(), (2, "", "touch: missing argument: `touch [-c] FILE...`\n"));
    let expected = "touch: unknown option `-d`: this applet takes `-c`\n";
    assert_eq!(image.run(&["touch", "-d", "now", "x"]).all(), (2, "", expected));
}

#[test]
fn ls_sorts_names() {
    let image = Image::new();
    for name in ["b", "a", ".hidden", "sub/c", "sub/d"] {
        image.write(name, "");
    }
    for (args, out) in [
        (&[][..], "a\nb\nsub\n"),
        (&["-1"], "a\nb\nsub\n"),
        (&["-A"], ".hidden\na\nb\nsub\n"),
        (&["-a"], ".\n..\n.hidden\na\nb\nsub\n"),
        (&["sub"], "c\nd\n"),
        (&["b", "sub", "a"], "a\nb\n\nsub:\nc\nd\n"),
        (&["sub", "../app/sub"], "../app/sub:\nc\nd\n\nsub:\nc\nd\n"),
    ] {
        assert_eq!(image.run(&[&["ls"], args].concat()).all(), (0, out, ""), "{args:?}");
    }
    let expected = "ls: failed to list `no`: no such file or directory\n";
    assert_eq!(image.run(&["ls", "no", "a"]).all(), (1, "a\n", expected));
    let expected = "ls: unknown option `-R`: this applet takes `-1`, `-A`, `-a`, `-l`\n";
    assert_eq!(image.run(&["ls", "-lR"]).all(), (2, "", expected));
}

#[test]
fn ls_l_shows_what_files_are() {
    let image = Image::new();
    image.write("long-name", &"x".repeat(1234));
    image.write("b", "x");
    for name in ["long-name", "b"] {
        age(&image, name);
        fs::set_permissions(image.path(name), fs::Permissions::from_mode(0o640)).unwrap();
    }
    symlink("nowhere", image.path("link")).unwrap();
    let left = image.run(&["ls", "-la"]);
    let lines: Vec<&str> = left.text().lines().collect();
    let metadata = image.path("b").metadata().unwrap();
    let (uid, gid) = {
        use std::os::unix::fs::MetadataExt;
        (metadata.uid(), metadata.gid())
    };
    // A column is as wide as its widest cell: that of a folder, or of the file.
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>().join(" ");
    assert_eq!(lines.len(), 5, "{lines:?}");
    assert_eq!(words(lines[2]), format!("-rw-r----- 1 {uid} {gid} 1 2026-01-31 12:00 b"));
    assert!(lines[3].starts_with("lrwxrwxrwx 1 ") && lines[3].ends_with(" link -> nowhere"), "{}", lines[3]);
    assert_eq!(words(lines[4]), format!("-rw-r----- 1 {uid} {gid} 1234 2026-01-31 12:00 long-name"));
    assert!(lines[0].starts_with("drwx") && lines[0].ends_with(" ."), "{}", lines[0]);
    assert_eq!(lines[2].find(" 2026"), lines[4].find(" 2026"));
}

#[test]
fn cat_copies_files_and_standard_input() {
    let image = Image::new();
    image.write("a", "1\n");
    image.write("b", "2");
    assert_eq!(image.run(&["cat", "a", "b"]).all(), (0, "1\n2", ""));
    assert_eq!(image.feed(&["cat"], b"in").all(), (0, "in", ""));
    assert_eq!(image.feed(&["cat", "a", "-", "b"], b"in\n").all(), (0, "1\nin\n2", ""));
    let expected = "cat: failed to read `no`: no such file or directory\n\
                    cat: failed to read `.`: is a directory\n";
    assert_eq!(image.run(&["cat", "no", ".", "b"]).all(), (1, "2", expected));
    let expected = "cat: unknown option `-n`: this applet takes none\n";
    assert_eq!(image.run(&["cat", "-n", "a"]).all(), (2, "", expected));
}

#[test]
fn output_that_cannot_be_written_is_a_failure() {
    let image = Image::new();
    image.write("a", "1\n");
    for argv in [&["cat", "a"][..], &["ls"], &["tar", "cf", "-", "a"]] {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let mut command = image.command(argv);
        let output = command.stdin(Stdio::null()).stdout(full).output().unwrap();
        let expected = format!("{}: failed to write to standard output: no space left on device\n", argv[0]);
        assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap()), (Some(1), expected));
    }
}

#[test]
fn a_closed_output_ends_an_applet_quietly() {
    let image = Image::new();
    image.write("big", &"x".repeat(4 << 20));
    for argv in [&["cat", "big"][..], &["tar", "cf", "-", "big"], &["ls"]] {
        let mut command = image.command(argv);
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let left = (output.status.code(), String::from_utf8(output.stderr).unwrap());
        // `ls` may have written everything before.
        assert!(
            left == (Some(141), String::new()) || argv[0] == "ls" && left.0 == Some(0),
            "{argv:?} {left:?}"
        );
    }
    assert_eq!(feed(image.command(&["cat", "big"]), b"").out.len(), 4 << 20);
}
