//! The folder of an extraction: modes, links that lead out, and leftovers of what fails.

use super::*;
use crate::directory::fixture::Folder;
use std::fs as disk;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

/// A root in a new folder.
fn root() -> (Folder, Root) {
    let folder = Folder::new();
    disk::create_dir(folder.root()).unwrap();
    let root = Root::open(&folder.root()).unwrap();
    (folder, root)
}

fn make(root: &Root, name: &str, mode: u32) -> Result<(), String> {
    root.make_folder(OsStr::new(name), mode).map_err(|fault| fault.to_string())
}

fn place(root: &Root, name: &str) -> Result<Place, String> {
    root.place(OsStr::new(name)).map(Option::unwrap).map_err(|fault| fault.to_string())
}

fn mode(folder: &Folder, name: &str) -> u32 {
    disk::symlink_metadata(folder.root().join(name)).unwrap().mode() & 0o7777
}

/// Bits that the umask of this process takes from new files. To ask the kernel for it would set it for all threads.
fn umask() -> u32 {
    let status = disk::read_to_string("/proc/self/status").unwrap();
    let umask = status.lines().find_map(|line| line.strip_prefix("Umask:")).unwrap();
    u32::from_str_radix(umask.trim(), 8).unwrap()
}

fn names_in(folder: &Folder, name: &str) -> Vec<OsString> {
    let mut names: Vec<OsString> =
        disk::read_dir(folder.root().join(name)).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    names
}

#[test]
fn a_new_folder_has_the_mode_of_its_entry_and_stays_writable_for_its_owner() {
    let (folder, root) = root();
    for (name, given, expected) in [
        ("private", 0o700, 0o700),
        ("shared", 0o755, 0o755),
        ("open", 0o777, 0o777),
        ("read-only", 0o555, 0o755),
        ("none", 0, 0o700),
        ("group", 0o070, 0o770),
        ("special", 0o7755, 0o755),
    ] {
        make(&root, name, given).unwrap();
        assert_eq!(mode(&folder, name), expected & !umask(), "{name}");
    }
}

#[test]
fn folders_on_the_way_have_the_mode_that_the_umask_leaves() {
    let (folder, root) = root();
    make(&root, "a/b/c", 0o500).unwrap();
    let modes = ["a", "a/b", "a/b/c"].map(|name| mode(&folder, name));
    assert_eq!(modes, [0o777 & !umask(), 0o777 & !umask(), 0o700]);
    place(&root, "d/e/file").unwrap();
    assert_eq!(["d", "d/e"].map(|name| mode(&folder, name)), [0o777 & !umask(); 2]);
}

#[test]
fn a_folder_that_exists_keeps_its_mode() {
    let (folder, root) = root();
    disk::create_dir(folder.root().join("a")).unwrap();
    disk::set_permissions(folder.root().join("a"), disk::Permissions::from_mode(0o751)).unwrap();
    make(&root, "a", 0o700).unwrap();
    make(&root, "a/b", 0o700).unwrap();
    assert_eq!([mode(&folder, "a"), mode(&folder, "a/b")], [0o751, 0o700]);
}

#[test]
fn a_new_file_has_the_mode_that_it_was_made_with() {
    let (folder, root) = root();
    for (name, given) in [("secret", 0o600), ("script", 0o755), ("open", 0o666)] {
        let target = place(&root, name).unwrap();
        let (beside, _) = target.create_beside(given).unwrap();
        beside.replace(&target).unwrap();
        assert_eq!(mode(&folder, name), given & !umask(), "{name}");
    }
}

#[test]
fn a_rename_that_fails_leaves_no_temporary_file() {
    let (folder, root) = root();
    make(&root, "taken/inside", 0o700).unwrap();
    let taken = place(&root, "taken").unwrap();
    let makers: [&dyn Fn() -> io::Result<Place>; 2] =
        [&|| Ok(taken.create_beside(0o600)?.0), &|| taken.link_beside(OsStr::new("other"))];
    for make in makers {
        let beside = make().unwrap();
        assert_eq!(names_in(&folder, "").len(), 2);
        let error = beside.replace(&taken).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::IsADirectory);
        assert_eq!(names_in(&folder, ""), ["taken"]);
    }
}

#[test]
fn a_temporary_file_has_a_hidden_name_that_was_free() {
    let (folder, root) = root();
    let target = place(&root, "a/file").unwrap();
    let first = target.create_beside(0o600).unwrap().0;
    let second = target.create_beside(0o600).unwrap().0;
    let names = names_in(&folder, "a");
    assert_eq!(names, [first.name.clone(), second.name.clone()]);
    assert!(names.iter().all(|name| name.to_str().unwrap().starts_with(".h1mock-tar-")));
    first.remove();
    assert_eq!(names_in(&folder, "a"), [second.name]);
}

#[test]
fn links_are_followed_inside_and_refused_where_they_lead_out() {
    let (folder, root) = root();
    make(&root, "a/b", 0o755).unwrap();
    let links = [
        ("up", "a/../a/b"),
        ("a/back", "../a/b"),
        ("out", "a/../.."),
        ("absolute", "/tmp"),
        ("loop", "loop"),
    ];
    for (name, target) in links {
        symlink(target, folder.root().join(name)).unwrap();
    }
    for (name, depth) in [("up/x", 2), ("a/back/x", 2), ("a/b/../b", 0)] {
        let placed = place(&root, name);
        match depth {
            0 => assert_eq!(placed.err(), Some("its name has `..`".to_owned())),
            depth => assert_eq!(placed.unwrap().depth, depth, "{name}"),
        }
    }
    for (name, reason) in [
        ("out/x", "a link on the way leads out of the folder"),
        ("absolute/x", "`absolute` is a link that leads out of the folder"),
        ("/tmp/x", "its name is absolute"),
        ("loop/x", "too many levels of symbolic links"),
    ] {
        assert!(place(&root, name).err().unwrap().contains(reason), "{name}");
    }
    assert!(root.place(OsStr::new("./")).is_ok_and(|place| place.is_none()));
}

#[test]
fn forty_links_are_followed_one_after_the_other_and_no_more() {
    let (folder, root) = root();
    make(&root, "a", 0o755).unwrap();
    for link in 0..=MAX_LINKS {
        let target = if link == MAX_LINKS { "a".to_owned() } else { (link + 1).to_string() };
        symlink(target, folder.root().join(link.to_string())).unwrap();
    }
    assert_eq!(place(&root, "1/x").unwrap().depth, 1);
    assert!(place(&root, "0/x").is_err());
}
