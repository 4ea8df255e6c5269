//! The provision directory on real files.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::fixture::{Folder, name};
use super::source::SIZE_LIMIT;
use super::*;

fn text(directory: &ProvisionDir, file: &str) -> String {
    String::from_utf8(directory.read(&name(file)).unwrap().bytes).unwrap()
}

fn read_error(directory: &ProvisionDir, file: &str) -> String {
    directory.read(&name(file)).unwrap_err().to_string()
}

#[test]
fn a_written_file_can_be_read_and_removed() {
    let folder = Folder::new();
    let directory = folder.directory();
    let long = "ü".repeat(127);
    for file in
        ["a", "my file", "it's \"quoted\" 100%", "%2e%2e", "日本.rhai", "sub/deeper/a.json", "a\\b", &long]
    {
        assert!(!directory.exists(&name(file)));
        let stamp = directory.write(&name(file), file.as_bytes()).unwrap();
        assert!(directory.exists(&name(file)));
        assert_eq!(directory.read(&name(file)).unwrap(), Source { bytes: file.as_bytes().to_vec(), stamp });
        directory.remove(&name(file)).unwrap();
        assert!(!directory.exists(&name(file)));
    }
    let left = directory.list().unwrap();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_stamp_has_the_metadata_and_the_checksum() {
    let folder = Folder::new();
    let stamp = folder.directory().write(&name("a"), b"abc").unwrap();
    let metadata = fs::metadata(folder.root().join("a")).unwrap();
    assert_eq!((stamp.stat.inode, stamp.stat.size), (metadata.ino(), 3));
    assert_eq!(stamp.stat.modified(), metadata.modified().unwrap());
    assert_eq!(stamp.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

#[test]
fn opening_creates_the_directory_or_says_why_not() {
    let folder = Folder::new();
    let directory = ProvisionDir::open(&folder.path("new/deep"), None).unwrap();
    assert!(directory.root().is_dir() && directory.config_dir().is_none());
    let file = folder.path("file");
    fs::write(&file, "").unwrap();
    let error = ProvisionDir::open(&file, None).unwrap_err().to_string();
    assert!(
        error.starts_with(&format!("failed to open the provision directory `{}`: ", file.display())),
        "{error}"
    );
}

#[test]
fn each_failed_read_names_its_cause() {
    let folder = Folder::new();
    let directory = folder.directory();
    fs::create_dir(folder.root().join("folder")).unwrap();
    fs::write(folder.root().join("file"), "").unwrap();
    for (file, length) in [("large", SIZE_LIMIT), ("too large", SIZE_LIMIT + 1)] {
        fs::File::create(folder.root().join(file)).unwrap().set_len(length as u64).unwrap();
    }
    fs::write(folder.path("secret"), "s").unwrap();
    symlink(folder.path("secret"), folder.root().join("leak")).unwrap();
    symlink("../secret", folder.root().join("leak2")).unwrap();
    symlink("nowhere", folder.root().join("broken")).unwrap();
    symlink("loop", folder.root().join("loop")).unwrap();
    symlink(folder.path(""), folder.root().join("up")).unwrap();
    let outside = "a symbolic link leads outside the provision directory";
    for (file, cause) in [
        ("absent", "not found"),
        ("file/below", "not found"),
        ("broken", "not found"),
        ("folder", "is a directory"),
        ("leak", outside),
        ("leak2", outside),
        ("up/secret", outside),
        ("too large", "larger than 16777216 bytes"),
    ] {
        assert_eq!(read_error(&directory, file), format!("failed to read `{file}`: {cause}"));
    }
    assert!(read_error(&directory, "loop").starts_with("failed to read `loop`: "));
    assert_eq!(directory.bytes(&name("large")).unwrap().len(), SIZE_LIMIT);
}

#[test]
fn a_fifo_is_refused_without_waiting_for_its_writer() {
    let folder = Folder::new();
    let directory = folder.directory();
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    let path = folder.root().join("fifo");
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    assert_eq!(read_error(&directory, "fifo"), "failed to read `fifo`: not a regular file");
    assert_eq!(directory.list().unwrap()[0].skipped, Some("not a regular file"));
}

#[test]
fn links_are_followed_within_the_directory_and_the_mount() {
    let folder = Folder::new();
    let directory = folder.directory();
    fs::create_dir(folder.config()).unwrap();
    fs::write(folder.config().join("key"), "of the mount").unwrap();
    directory.write(&name("sub/default"), b"default").unwrap();
    symlink("sub/default", folder.root().join("initial")).unwrap();
    symlink("sub", folder.root().join("alias")).unwrap();
    symlink(folder.config().join("key"), folder.root().join("key")).unwrap();
    assert_eq!(text(&directory, "initial"), "default");
    assert_eq!(text(&directory, "alias/default"), "default");
    assert_eq!(text(&directory, "key"), "of the mount");
}

#[test]
fn a_write_replaces_a_link_and_does_not_follow_it_out() {
    let folder = Folder::new();
    let directory = folder.directory();
    fs::create_dir(folder.path("outside")).unwrap();
    fs::write(folder.path("outside/file"), "kept").unwrap();
    symlink(folder.path("outside/file"), folder.root().join("link")).unwrap();
    symlink(folder.path("outside"), folder.root().join("way")).unwrap();
    directory.write(&name("link"), b"new").unwrap();
    assert_eq!(text(&directory, "link"), "new");
    let error = directory.write(&name("way/file"), b"new").unwrap_err().to_string();
    assert_eq!(error, "failed to write `way/file`: a symbolic link leads outside the provision directory");
    let error = directory.remove(&name("way/file")).unwrap_err().to_string();
    assert_eq!(error, "failed to remove `way/file`: a symbolic link leads outside the provision directory");
    assert_eq!(fs::read(folder.path("outside/file")).unwrap(), b"kept");
    assert_eq!(fs::read_dir(folder.path("outside")).unwrap().count(), 1);
}

#[test]
fn a_folder_or_a_name_below_a_file_can_not_be_written_or_removed() {
    let folder = Folder::new();
    let directory = folder.directory();
    directory.write(&name("sub/a"), b"").unwrap();
    for (error, message) in [
        (directory.write(&name("sub"), b"").unwrap_err(), "failed to write `sub`: is a directory"),
        (directory.remove(&name("sub")).unwrap_err(), "failed to remove `sub`: is a directory"),
        (directory.remove(&name("b")).unwrap_err(), "failed to remove `b`: not found"),
        (directory.remove(&name("no/b")).unwrap_err(), "failed to remove `no/b`: not found"),
        (
            directory.write(&name("sub/a/b"), b"").unwrap_err(),
            "failed to write `sub/a/b`: a part of the path is not a directory",
        ),
    ] {
        assert_eq!(error.to_string(), message);
    }
    // A failure leaves no temporary file behind.
    assert_eq!(fs::read_dir(folder.root()).unwrap().count(), 1);
}

#[test]
fn a_link_is_removed_without_its_target() {
    let folder = Folder::new();
    let directory = folder.directory();
    directory.write(&name("default"), b"d").unwrap();
    symlink("default", folder.root().join("initial")).unwrap();
    directory.remove(&name("initial")).unwrap();
    assert_eq!((directory.exists(&name("initial")), text(&directory, "default")), (false, "d".to_owned()));
}

#[test]
fn a_write_creates_a_directory_that_was_removed() {
    let folder = Folder::new();
    let directory = folder.directory();
    fs::remove_dir(folder.root()).unwrap();
    assert_eq!(read_error(&directory, "a"), "failed to read `a`: not found");
    directory.write(&name("a"), b"1").unwrap();
    assert_eq!(text(&directory, "a"), "1");
}

#[test]
fn readers_see_one_whole_version_while_a_file_is_replaced() {
    let folder = Folder::new();
    let directory = folder.directory();
    let versions = ["a".repeat(100_000), "b".repeat(200_000)];
    directory.write(&name("f"), versions[0].as_bytes()).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for version in versions.iter().cycle().take(200) {
                directory.write(&name("f"), version.as_bytes()).unwrap();
            }
            done.store(true, Ordering::Release);
        });
        while !done.load(Ordering::Acquire) {
            let content = text(&directory, "f");
            assert!(versions.contains(&content), "{} bytes", content.len());
        }
    });
}

#[test]
fn a_read_during_a_write_in_place_is_never_a_mixture() {
    let folder = Folder::new();
    let directory = folder.directory();
    let path = folder.root().join("f");
    fs::write(&path, "a".repeat(300_000)).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for count in 0..300 {
                fs::write(&path, if count % 2 == 0 { "b" } else { "a" }.repeat(300_000)).unwrap();
            }
            done.store(true, Ordering::Release);
        });
        while !done.load(Ordering::Acquire) {
            match directory.read(&name("f")) {
                Ok(source) => assert!(source.bytes.windows(2).all(|pair| pair[0] == pair[1])),
                Err(error) => assert_eq!(error.to_string(), "failed to read `f`: changes while it is read"),
            }
        }
    });
}

#[test]
fn the_list_is_sorted_and_says_which_files_are_ignored_and_why() {
    let folder = Folder::new();
    let directory = folder.directory();
    fs::create_dir_all(folder.root().join(".git/objects")).unwrap();
    fs::create_dir(folder.root().join("empty")).unwrap();
    for file in ["b", "sub/x.json", "a~", "c.swp", "d.tmp"] {
        directory.write(&name(file), b"12").unwrap();
    }
    fs::write(folder.root().join(".h1mock-1-2-3"), "").unwrap();
    // The name of a folder is ignored only if the folder is hidden.
    directory.write(&name("old~/x"), b"12").unwrap();
    fs::write(folder.path("secret"), "").unwrap();
    for (target, link) in [("sub/x.json", "link"), ("nowhere", "lost"), ("../secret", "leak"), ("sub", "way")]
    {
        symlink(target, folder.root().join(link)).unwrap();
    }
    let listed = directory.list().unwrap();
    let shown: Vec<_> =
        listed.iter().map(|entry| (entry.name.as_str(), entry.resolved.as_deref(), entry.skipped)).collect();
    assert_eq!(
        shown,
        [
            (".git", None, Some("hidden")),
            ("a~", None, Some("backup copy")),
            ("b", None, None),
            ("c.swp", None, Some("swap file of an editor")),
            ("d.tmp", None, Some("temporary file")),
            ("leak", Some("../secret"), Some("link that leads outside")),
            ("link", Some("sub/x.json"), None),
            ("lost", Some("nowhere"), Some("link without a target")),
            ("old~/x", None, None),
            ("sub/x.json", None, None),
            ("way", Some("sub"), Some("link to a folder")),
        ]
    );
    let link = listed.iter().find(|entry| entry.name.as_str() == "link").unwrap();
    let modified = fs::metadata(folder.root().join("sub/x.json")).unwrap().modified().unwrap();
    assert_eq!((link.size, link.modified), (2, Some(modified)));
}

#[test]
fn a_file_is_sent_from_memory_up_to_64_kib() {
    let folder = Folder::new();
    let directory = folder.directory();
    for (length, in_memory) in [(0, true), (64 << 10, true), ((64 << 10) + 1, false)] {
        directory.write(&name("f"), &vec![b'a'; length]).unwrap();
        let content = directory.content(&name("f")).unwrap().0;
        assert_eq!(content.len(), length as u64);
        assert_eq!(matches!(content, Content::Bytes(_)), in_memory, "{length}");
    }
}

#[test]
fn a_part_of_a_file_is_not_read_before_it_is_needed() {
    let folder = Folder::new();
    let directory = folder.directory();
    for length in [100, 100_000] {
        let bytes: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
        directory.write(&name("f"), &bytes).unwrap();
        let whole = directory.content(&name("f")).unwrap().0;
        let part = whole.part(&(10..90));
        assert_eq!(part.read().unwrap(), bytes[10..90]);
        assert_eq!(part.part(&(5..7)).read().unwrap(), bytes[15..17]);
        let parts = Content::Parts(vec![b"ab".to_vec().into(), part, b"c".to_vec().into()]);
        let all = [b"ab", &bytes[10..90], b"c"].concat();
        assert_eq!((parts.len(), parts.read().unwrap()), (83, all.clone()));
        assert_eq!((&*parts.beginning(50), parts.bytes()), (&all[..50], &[][..]));
        assert_eq!(parts.part(&(1..83)).read().unwrap(), all[1..]);
        assert_eq!(parts.space() < 80, length > 64 << 10, "{length}");
    }
}

#[test]
fn a_name_that_is_not_utf_8_is_listed_as_skipped() {
    use std::os::unix::ffi::OsStrExt;
    let folder = Folder::new();
    let directory = folder.directory();
    fs::write(folder.root().join(std::ffi::OsStr::from_bytes(b"a\xff")), "").unwrap();
    let listed = directory.list().unwrap();
    assert_eq!((listed[0].name.as_str(), listed[0].skipped), ("a\u{fffd}", Some("name is not UTF-8")));
}

#[test]
fn links_in_a_circle_and_deep_folders_end_the_walk() {
    let folder = Folder::new();
    let directory = folder.directory();
    fs::create_dir_all(folder.root().join("d/".repeat(40))).unwrap();
    symlink(".", folder.root().join("circle")).unwrap();
    let listed = directory.list().unwrap();
    let skipped: Vec<_> = listed.iter().filter_map(|entry| entry.skipped).collect();
    assert_eq!(skipped, ["link to a folder", "nested too deep"]);
}

#[test]
fn concurrent_writes_of_one_file_leave_the_stamp_of_the_last() {
    let folder = Folder::new();
    let directory = folder.directory();
    thread::scope(|scope| {
        for writer in 0..4 {
            let directory = &directory;
            scope.spawn(move || {
                for count in 0..50 {
                    directory.write(&name("f"), format!("{writer} {count}").as_bytes()).unwrap();
                }
            });
        }
    });
    assert!(directory.wrote(&name("f")));
    fs::write(folder.root().join("f"), "by somebody else").unwrap();
    assert!(!directory.wrote(&name("f")));
}

#[test]
fn a_folder_that_goes_during_the_walk_is_passed_over() {
    let folder = Folder::new();
    let directory = folder.directory();
    for file in ["a/1", "b/2", "c/3"] {
        directory.write(&name(file), b"").unwrap();
    }
    let mut files = Vec::new();
    let walked = walk(&folder.root(), |found| match found {
        Found::Folder(name) if name == "b" => fs::remove_dir_all(folder.root().join(name)).unwrap(),
        Found::File(name) => files.push(name.as_str().to_owned()),
        _ => {}
    });
    files.sort();
    assert_eq!((walked.is_ok(), files), (true, vec!["a/1".to_owned(), "c/3".to_owned()]));
}

#[test]
fn folders_are_read_down_to_the_sixteenth() {
    let folder = Folder::new();
    let nested: Vec<String> = (1..=DEPTH_LIMIT + 1).map(|level| level.to_string()).collect();
    fs::create_dir_all(folder.root().join(nested.join("/"))).unwrap();
    let (mut read, mut skipped) = (0, Vec::new());
    walk(&folder.root(), |found| match found {
        Found::Folder(_) => read += 1,
        Found::Skipped(name, why) => skipped.push(format!("{name}: {why}")),
        Found::File(_) => {}
    })
    .unwrap();
    assert_eq!((read, skipped), (1 + DEPTH_LIMIT, vec![format!("{}: nested too deep", nested.join("/"))]));
}
