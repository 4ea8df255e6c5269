//! `tar x` and `tar t`, with archives as kubectl, docker and podman send them.

use super::{Image, feed, gnu_tar, isolated, tree};
use crate::harness::{Mock, eventually, skip_without};
use rustix::process::getuid;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Creates files, long names, empty folders and links below `src` of `image`.
fn sample(image: &Image) -> Vec<String> {
    let long = format!("src/{}/{}/{}", "d".repeat(90), "e".repeat(90), "f".repeat(200));
    for (name, text) in [("src/a", "1"), ("src/sub/b.json", "{}"), ("src/ü ö", "umlaut"), (&long, "long")] {
        image.write(name, text);
    }
    fs::create_dir_all(image.path("src/sub/empty")).unwrap();
    symlink("a", image.path("src/link")).unwrap();
    symlink("../a", image.path("src/sub/up")).unwrap();
    symlink(format!("sub/{}", "t".repeat(150)), image.path("src/dead")).unwrap();
    fs::hard_link(image.path("src/a"), image.path("src/z-hard")).unwrap();
    fs::create_dir(image.path("dst")).unwrap();
    tree(&image.path("src"))
}

#[test]
fn archives_of_all_formats_are_extracted() {
    for format in ["gnu", "oldgnu", "pax", "posix"] {
        let image = Image::new();
        let expected = sample(&image);
        let archive = gnu_tar(&image.path("src"), &[&format!("--format={format}"), "-cf", "-", "."]);
        assert_eq!(image.feed(&["tar", "-xmf", "-", "-C", "dst"], &archive).all(), (0, "", ""), "{format}");
        assert_eq!(tree(&image.path("dst")), expected, "{format}");
        let (a, hard) =
            (image.path("dst/a").metadata().unwrap(), image.path("dst/z-hard").metadata().unwrap());
        assert_eq!((a.ino(), a.nlink()), (hard.ino(), 2), "{format}");
    }
    for format in ["ustar", "v7"] {
        let image = Image::new();
        image.write("src/sub/a", "1");
        fs::create_dir_all(image.path("src/empty")).unwrap();
        fs::create_dir(image.path("dst")).unwrap();
        let archive = gnu_tar(&image.path("src"), &[&format!("--format={format}"), "-cf", "-", "."]);
        assert_eq!(image.feed(&["tar", "xf", "-", "-C", "dst"], &archive).all(), (0, "", ""), "{format}");
        assert_eq!(tree(&image.path("dst")), ["empty/", "sub/", "sub/a: 1"], "{format}");
    }
}

#[test]
fn all_spellings_do_the_same() {
    for argv in [
        &["tar", "-xmf", "-", "-C", "dst"][..],
        &["tar", "--no-same-permissions", "--no-same-owner", "-xmf", "-", "-C", "dst"],
        &["tar", "xf", "-", "-C", "dst"],
        &["tar", "-C", "dst", "-xpf", "-"],
        &["tar", "--extract", "--file=-", "--directory=dst"],
    ] {
        let image = Image::new();
        let expected = sample(&image);
        let archive = gnu_tar(&image.path("src"), &["cf", "-", "."]);
        assert_eq!(image.feed(argv, &archive).all(), (0, "", ""), "{argv:?}");
        assert_eq!(tree(&image.path("dst")), expected, "{argv:?}");
    }
}

#[test]
fn verbose_and_list_print_names() {
    let image = Image::new();
    image.write("a", "123");
    symlink("a", image.path("b")).unwrap();
    fs::create_dir(image.path("dst")).unwrap();
    let archive = gnu_tar(
        &image.path(""),
        &["--mtime=@1769860800", "--owner=7", "--group=8", "--mode=640", "-cf", "-", "a", "b"],
    );
    assert_eq!(image.feed(&["tar", "-xvf", "-", "-C", "dst"], &archive).all(), (0, "a\nb\n", ""));
    assert_eq!(image.feed(&["tar", "tf", "-"], &archive).all(), (0, "a\nb\n", ""));
    let expected = "-rw-r----- 7/8 3 2026-01-31 12:00 a\nlrw-r----- 7/8 0 2026-01-31 12:00 b -> a\n";
    assert_eq!(image.feed(&["tar", "tvf", "-"], &archive).all(), (0, expected, ""));
}

#[test]
fn parents_that_are_missing_in_the_archive_are_created() {
    let image = Image::new();
    image.write("x/y/z/file", "1");
    fs::create_dir(image.path("dst")).unwrap();
    let archive = gnu_tar(&image.path(""), &["cf", "-", "x/y/z/file"]);
    assert_eq!(image.feed(&["tar", "-xmf", "-", "-C", "dst"], &archive).all(), (0, "", ""));
    assert_eq!(tree(&image.path("dst")), ["x/", "x/y/", "x/y/z/", "x/y/z/file: 1"]);
}

#[test]
fn folders_that_exist_keep_mode_and_time() {
    let image = Image::new();
    sample(&image);
    image.write("dst/sub/old", "kept");
    for folder in ["dst", "dst/sub"] {
        fs::set_permissions(image.path(folder), fs::Permissions::from_mode(0o771)).unwrap();
    }
    let archive = gnu_tar(&image.path("src"), &["--mode=700", "--no-recursion", "-cf", "-", ".", "sub"]);
    let before = ["dst", "dst/sub"].map(|folder| image.path(folder).metadata().unwrap().modified().unwrap());
    assert_eq!(image.feed(&["tar", "xpf", "-", "-C", "dst"], &archive).all(), (0, "", ""));
    for (folder, before) in ["dst", "dst/sub"].into_iter().zip(before) {
        let after = image.path(folder).metadata().unwrap();
        assert_eq!((after.mode() & 0o7777, after.modified().unwrap()), (0o771, before), "{folder}");
    }
}

#[test]
fn modes_and_times_are_those_of_the_archive() {
    let image = Image::new();
    image.write("src/file", "1");
    fs::create_dir(image.path("src/folder")).unwrap();
    for (umask, args, mode) in
        [("022", "-xf", 0o755), ("022", "-xpf", 0o4777), ("077", "-xf", 0o700), ("0", "-xmf", 0o777)]
    {
        let archive = gnu_tar(
            &image.path("src"),
            &["--mode=4777", "--mtime=@1000000000", "-cf", "-", "file", "folder"],
        );
        let target = image.path(&format!("dst{umask}{args}"));
        fs::create_dir(&target).unwrap();
        let mut command = Command::new("sh");
        let tar = image.folder.0.join("bin/tar");
        command
            .args(["-c", &format!("umask {umask}; exec {} {args} - -C {}", tar.display(), target.display())]);
        assert_eq!(feed(command, &archive).all(), (0, "", ""));
        let file = target.join("file").metadata().unwrap();
        assert_eq!(file.mode() & 0o7777, mode, "{umask} {args}");
        assert_eq!(file.mtime() == 1_000_000_000, args != "-xmf", "{umask} {args}");
        assert_eq!(target.join("folder").metadata().unwrap().mode() & 0o700, 0o700);
    }
}

#[test]
fn files_are_replaced_not_written_through() {
    let image = Image::new();
    image.write("src/a", "new");
    image.write("dst/a", "old");
    image.write("outside", "outside");
    fs::hard_link(image.path("dst/a"), image.path("dst/other-name")).unwrap();
    let archive = gnu_tar(&image.path("src"), &["cf", "-", "a"]);
    assert_eq!(image.feed(&["tar", "xf", "-", "-C", "dst"], &archive).all(), (0, "", ""));
    assert_eq!(tree(&image.path("dst")), ["a: new", "other-name: old"]);
    fs::remove_file(image.path("dst/a")).unwrap();
    symlink(image.path("outside"), image.path("dst/a")).unwrap();
    assert_eq!(image.feed(&["tar", "xf", "-", "-C", "dst"], &archive).all(), (0, "", ""));
    assert_eq!(tree(&image.path("dst")), ["a: new", "other-name: old"]);
    assert_eq!(image.read("outside"), "outside");
}

#[test]
fn a_folder_of_root_that_is_writable_by_mode_is_extracted_into() {
    if !getuid().is_root() {
        return skip_without("root");
    }
    let image = Image::new();
    sample(&image);
    fs::set_permissions(image.path("dst"), fs::Permissions::from_mode(0o777)).unwrap();
    let archive = gnu_tar(&image.path("src"), &["cf", "-", "."]);
    let mut command = image.command(&["tar", "xf", "-", "-C", "dst"]);
    command.uid(65532).gid(65532);
    assert_eq!(feed(command, &archive).all(), (0, "", ""));
    let (dst, file) =
        (image.path("dst").metadata().unwrap(), image.path("dst/sub/b.json").metadata().unwrap());
    assert_eq!((dst.uid(), dst.mode() & 0o777, file.uid()), (0, 0o777, 65532));
}

/// Returns an archive of two files with 5 MB, far more than pipes hold.
fn large(image: &Image) -> Vec<u8> {
    image.write("src/a", &"a".repeat(2 << 20));
    image.write("src/b", &"b".repeat(3 << 20));
    gnu_tar(&image.path("src"), &["cf", "-", "a", "b"])
}

#[test]
fn standard_input_is_read_to_its_end_whatever_happens() {
    let image = Image::new();
    let archive = large(&image);
    image.write("file", "");
    fs::create_dir_all(image.path("dst/a")).unwrap();
    for (argv, code, message) in [
        (&["tar", "-xmf", "-", "-C", "no"][..], 1, "failed to open folder `no`: no such file or directory"),
        (&["tar", "-xmf", "-", "-C", "file"], 1, "failed to open folder `file`: not a directory"),
        (&["tar", "-xmf", "-", "-C", "dst"], 1, "failed to extract `a`: is a directory"),
        (
            &["tar", "-xzf", "-"],
            2,
            "failed to use option `-z`: there is no compression here, pack and unpack on the other side",
        ),
    ] {
        let left = image.feed(argv, &archive);
        assert_eq!(left.all(), (code, "", format!("tar: {message}\n").as_str()));
        assert!(left.drained, "{argv:?}");
    }
    // The rest of the archive was extracted.
    assert_eq!(image.read("dst/b").len(), 3 << 20);
    let left = image.feed(&["tar", "tf", "-"], &[&archive[..], &vec![0; 1 << 20]].concat());
    assert_eq!((left.all(), left.drained), ((0, "a\nb\n", ""), true));
}

#[test]
fn full_and_read_only_folders_are_named_once() {
    let image = Image::new();
    let archive = large(&image);
    for (options, message) in [
        ("size=1m", "failed to extract `a`: no space left on device"),
        ("ro", "failed to extract `a`: read-only file system"),
    ] {
        let Some(mut command) = isolated(&["--mount"]) else { return };
        let script = format!(
            "mount -t tmpfs -o {options} none dst && \"$1\"/tar -xmf - -C dst; code=$?; ls -A dst; exit $code"
        );
        fs::create_dir_all(image.path("dst")).unwrap();
        command.args([&script, "sh"]).arg(image.folder.0.join("bin")).current_dir(image.path(""));
        let left = feed(command, &archive);
        assert_eq!(
            (left.all(), left.drained),
            ((1, "", format!("tar: {message}\n").as_str()), true),
            "{options}"
        );
    }
}

#[test]
fn a_copy_activates_once() {
    let mock = Mock::start();
    let image = Image::new();
    let source = |answer: &str| {
        format!("fn registerRules() {{ app.get(\"/v\", || \"{answer}\"); }} // {}", "x".repeat(200_000))
    };
    let generation = mock.active().1;
    let directory = mock.directory().display().to_string();
    for (turn, answer) in [(1, "one"), (2, "two"), (3, "three")] {
        image.write("src/version", &source(answer));
        let archive = gnu_tar(&image.path("src"), &["cf", "-", "version"]);
        assert_eq!(image.feed(&["tar", "-xmf", "-", "-C", &directory], &archive).all(), (0, "", ""));
        eventually(|| match mock.get("/v").text() {
            text if text == answer => Ok(()),
            text => Err(text),
        });
        assert_eq!(mock.active(), ("version".to_owned(), generation + turn));
    }
    // A later generation would come from a second event for the same copy.
    let waited = mock.admin(&format!("GET /app/v1/wait?generation={}&timeout=1", generation + 4), &[], b"");
    assert_eq!(waited.status, 408);
    assert!(!mock.log().contains("failed"), "{}", mock.log());
    assert_eq!(fs::read_dir(mock.directory()).unwrap().count(), 2);
}
