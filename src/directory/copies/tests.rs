//! Real swaps of a ConfigMap mount, and their effect on the copies.

use std::fs;
use std::os::unix::fs::symlink;

use super::*;
use crate::directory::fixture::{Folder, name, swap_config_map};
use crate::directory::source::SIZE_LIMIT;

fn text(directory: &ProvisionDir, file: &str) -> String {
    String::from_utf8(directory.read(&name(file)).unwrap().bytes).unwrap()
}

/// Refreshes, and returns the outcome as text: changed, removed, problems.
fn refreshed(directory: &ProvisionDir) -> (Vec<String>, Vec<String>, Vec<String>) {
    let change = directory.refresh_config().unwrap();
    let names = |names: &[Name]| names.iter().map(|name| name.as_str().to_owned()).collect();
    let problems = change.problems.iter().map(DirectoryError::to_string).collect();
    (names(&change.changed), names(&change.removed), problems)
}

fn done(changed: &[&str], removed: &[&str]) -> (Vec<String>, Vec<String>, Vec<String>) {
    let texts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    (texts(changed), texts(removed), Vec::new())
}

#[test]
fn a_mount_that_is_missing_or_not_given_changes_nothing() {
    let folder = Folder::new();
    assert_eq!(refreshed(&folder.directory()), done(&[], &[]));
    assert_eq!(refreshed(&ProvisionDir::open(&folder.root(), None).unwrap()), done(&[], &[]));
}

#[test]
fn a_config_map_is_copied_and_refreshed_after_each_swap() {
    let folder = Folder::new();
    let directory = folder.directory();
    fs::create_dir(folder.config()).unwrap();
    swap_config_map(&folder.config(), "1", &[("initial", "1"), ("data.json", "1"), ("old", "1")]);
    assert_eq!(refreshed(&directory), done(&["data.json", "initial", "old"], &[]));
    assert_eq!((text(&directory, "initial"), directory.list().unwrap().len()), ("1".to_owned(), 3));
    assert_eq!(refreshed(&directory), done(&[], &[]));
    swap_config_map(&folder.config(), "2", &[("initial", "2"), ("data.json", "1"), ("new", "2")]);
    assert_eq!(refreshed(&directory), done(&["initial", "new"], &["old"]));
    assert_eq!((text(&directory, "initial"), directory.exists(&name("old"))), ("2".to_owned(), false));
}

#[test]
fn overwritten_copies_stay_until_their_key_changes() {
    let folder = Folder::new();
    let directory = folder.directory();
    fs::create_dir(folder.config()).unwrap();
    swap_config_map(&folder.config(), "1", &[("a", "1"), ("b", "1"), ("c", "1")]);
    refreshed(&directory);
    directory.write(&name("foreign"), b"x").unwrap();
    for file in ["a", "b"] {
        directory.write(&name(file), b"mine").unwrap();
    }
    directory.remove(&name("c")).unwrap();
    swap_config_map(&folder.config(), "2", &[("a", "1"), ("c", "1"), ("d", "1")]);
    assert_eq!(refreshed(&directory), done(&["d"], &[]), "`b` was overwritten, `c` removed on purpose");
    assert_eq!((text(&directory, "a"), text(&directory, "b")), ("mine".to_owned(), "mine".to_owned()));
    swap_config_map(&folder.config(), "3", &[("a", "2"), ("c", "2")]);
    assert_eq!(refreshed(&directory), done(&["a", "c"], &["d"]));
    assert_eq!((text(&directory, "a"), text(&directory, "foreign")), ("2".to_owned(), "x".to_owned()));
}

#[test]
fn equal_files_count_as_copies() {
    let folder = Folder::new();
    fs::create_dir(folder.config()).unwrap();
    swap_config_map(&folder.config(), "1", &[("a", "1"), ("b", "1")]);
    refreshed(&folder.directory());
    // The container restarts on the same volume.
    let directory = folder.directory();
    assert_eq!(refreshed(&directory), done(&[], &[]));
    swap_config_map(&folder.config(), "2", &[("b", "1")]);
    assert_eq!(refreshed(&directory), done(&[], &["a"]));
}

#[test]
fn a_plain_folder_is_copied_with_sub_folders_and_links() {
    let folder = Folder::new();
    let directory = folder.directory();
    fs::create_dir_all(folder.config().join("sub")).unwrap();
    fs::create_dir_all(folder.config().join(".hidden")).unwrap();
    fs::write(folder.config().join(".hidden/x"), "h").unwrap();
    fs::write(folder.config().join("default"), "d").unwrap();
    fs::write(folder.config().join("sub/x.json"), "{}").unwrap();
    fs::write(folder.path("secret"), "s").unwrap();
    for (target, link) in [
        ("default", "initial"),
        ("sub", "alias"),
        (".", "circle"),
        ("..", "up"),
        ("../secret", "leak"),
        ("nowhere", "lost"),
    ] {
        symlink(target, folder.config().join(link)).unwrap();
    }
    assert_eq!(refreshed(&directory), done(&["alias/x.json", "default", "initial", "sub/x.json"], &[]));
    assert!(folder.root().join("initial").symlink_metadata().unwrap().is_file());
    assert_eq!(text(&directory, "initial"), "d");
}

#[test]
fn sub_folders_of_the_mount_are_copied_down_to_16_levels() {
    let folder = Folder::new();
    let directory = folder.directory();
    let deepest = "d/".repeat(16);
    fs::create_dir_all(folder.config().join(&deepest).join("d")).unwrap();
    for file in [format!("{deepest}x"), format!("{deepest}d/x")] {
        fs::write(folder.config().join(file), "x").unwrap();
    }
    assert_eq!(refreshed(&directory), done(&[&format!("{deepest}x")], &[]));
}

#[test]
fn a_key_that_can_not_be_copied_does_not_stop_the_others() {
    let folder = Folder::new();
    let directory = folder.directory();
    fs::create_dir(folder.config()).unwrap();
    fs::create_dir(folder.root().join("a")).unwrap();
    fs::write(folder.config().join("a"), "1").unwrap();
    fs::write(folder.config().join("b"), "1").unwrap();
    fs::File::create(folder.config().join("large")).unwrap().set_len(SIZE_LIMIT as u64 + 1).unwrap();
    let (changed, removed, problems) = refreshed(&directory);
    assert_eq!((changed, removed), (vec!["b".to_owned()], Vec::new()));
    assert_eq!(
        problems,
        ["failed to write `a`: is a directory", "failed to copy `large`: larger than 16777216 bytes"]
    );
}
