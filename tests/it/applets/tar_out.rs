//! `tar c`, as kubectl receives it.

use super::{Image, tree};
use crate::harness::skip_without;
use std::fs;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::{Command, Stdio};

/// Extracts `archive` with the machine's own tar into `name`.
fn unpack(image: &Image, archive: &[u8], name: &str) {
    fs::create_dir(image.path(name)).unwrap();
    let mut command = Command::new("tar");
    command.args(["-xpf", "-", "-C", name]).current_dir(image.path(""));
    assert_eq!(super::feed(command, archive).all(), (0, "", ""));
}

#[test]
fn archives_hold_all_files_folders_and_links() {
    let image = Image::new();
    let long = format!("src/{}/{}", "d".repeat(120), "f".repeat(200));
    for (name, text) in [("src/b", "1"), ("src/a/c", "2"), (&long, "3"), ("src/exact", &"x".repeat(512))] {
        image.write(name, text);
    }
    fs::create_dir(image.path("src/empty")).unwrap();
    symlink("t".repeat(150), image.path("src/link")).unwrap();
    symlink("a", image.path("src/folder-link")).unwrap();
    fs::set_permissions(image.path("src/b"), fs::Permissions::from_mode(0o4751)).unwrap();
    let left = image.run(&["tar", "cf", "-", "src"]);
    assert_eq!((left.code, left.err.as_str()), (0, ""));
    unpack(&image, &left.out, "dst");
    assert_eq!(tree(&image.path("dst/src")), tree(&image.path("src")));
    let (before, after) = ["src/b", "dst/src/b"].map(|name| image.path(name).metadata().unwrap()).into();
    assert_eq!(before.permissions(), after.permissions());
    let seconds = |metadata: fs::Metadata| std::os::unix::fs::MetadataExt::mtime(&metadata);
    assert_eq!(seconds(before), seconds(after));
    // Our own tar extracts the archive as well.
    fs::create_dir(image.path("own")).unwrap();
    assert_eq!(image.feed(&["tar", "xf", "-", "-C", "own"], &left.out).all(), (0, "", ""));
    assert_eq!(tree(&image.path("own/src")), tree(&image.path("src")));
}

#[test]
fn names_are_sorted_and_stay_inside() {
    let image = Image::new();
    for name in ["app/b", "app/a/z", "app/a.x", "app/B", "c"] {
        image.write(name, "");
    }
    let here = image.path("").canonicalize().unwrap().display().to_string();
    let absolute = format!("{here}/app");
    let stored = absolute.trim_start_matches('/').to_owned();
    let below = |root: &str| format!("{root}/\n{root}/B\n{root}/a/\n{root}/a/z\n{root}/a.x\n{root}/b\n");
    for (argv, expected) in [
        (&["tar", "cf", "-", "app"][..], below("app")),
        (&["tar", "cf", "-", "./app/"], below("app")),
        (&["tar", "cf", "-", "app/../app"], below("app")),
        (&["tar", "cf", "-", &absolute], below(&stored)),
        (&["tar", "-cf", "-", "-C", "app", "a", "b"], "a/\na/z\nb\n".to_owned()),
        (&["tar", "-cf", "-", "-C", "app", "."], "./\nB\na/\na/z\na.x\nb\n".to_owned()),
        (&["tar", "cf", "-", "c", "-C", "app", "b"], "c\nb\n".to_owned()),
        (&["tar", "cf", "-", "../app/c"], "app/c\n".to_owned()),
    ] {
        let left = image.run(argv);
        assert_eq!((left.code, left.err.as_str()), (0, ""), "{argv:?}");
        assert_eq!(image.feed(&["tar", "tf", "-"], &left.out).text(), expected, "{argv:?}");
        assert_eq!(image.run(argv).out, left.out, "{argv:?}");
    }
    assert_eq!(image.run(&["tar", "cvf", "-", "app/a"]).err, "app/a/\napp/a/z\n");
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let image = Image::new();
    image.write("a", "1");
    let fifo = Command::new("mkfifo").arg(image.path("fifo")).status().unwrap();
    assert!(fifo.success());
    let left = image.run(&["tar", "cf", "-", "no", "fifo", "a"]);
    let expected = "tar: failed to archive `no`: no such file or directory\n\
                    tar: failed to archive `fifo`: it is neither a file nor a folder nor a link\n";
    assert_eq!((left.code, left.err.as_str()), (1, expected));
    assert_eq!(image.feed(&["tar", "tf", "-"], &left.out).all(), (0, "a\n", ""));
}

#[test]
fn sizes_over_8_gib_fit_into_the_header() {
    let image = Image::new();
    let size = (8 << 30) + 5_u64;
    fs::File::create(image.path("huge")).unwrap().set_len(size).unwrap();
    let mut command = image.command(&["tar", "cf", "-", "huge"]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut archive = vec![0; 4096];
    child.stdout.take().unwrap().read_exact(&mut archive).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(141));
    let listed = image.feed(&["tar", "tvf", "-"], &archive);
    assert!(listed.text().contains(&format!(" {size} ")), "{listed:?}");
    // The machine's own tar reads the same files.
    let mut command = Command::new("tar");
    command.args(["tvf", "-"]);
    assert!(super::feed(command, &archive).text().contains(&format!(" {size} ")));
}

#[test]
fn a_file_that_becomes_shorter_is_filled_with_zeros() {
    let image = Image::new();
    // Its announced size is that of a page, and its content is shorter.
    let sysfs = "/sys/kernel/mm/transparent_hugepage/enabled";
    if !fs::metadata(sysfs).is_ok_and(|metadata| metadata.len() == 4096) {
        return skip_without(sysfs);
    }
    let left = image.run(&["tar", "cf", "-", sysfs]);
    let expected = format!("tar: failed to archive `{sysfs}`: it became shorter: the rest is zeros\n");
    assert_eq!((left.code, left.err), (1, expected));
    assert_eq!(
        image.feed(&["tar", "tf", "-"], &left.out).all(),
        (0, format!("{}\n", &sysfs[1..]).as_str(), "")
    );
}
