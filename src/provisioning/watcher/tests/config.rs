//! The ConfigMap mount.

use std::fs;
use std::os::unix::fs::symlink;

use super::*;
use crate::directory::fixture::swap_config_map;

#[test]
fn each_swap_of_the_config_map_is_one_report() {
    both(|poll| {
        let watched = Watched::prepared(poll, |folder| {
            fs::create_dir(folder.config()).unwrap();
            swap_config_map(&folder.config(), "1", &[("initial", "1")]);
        });
        watched.directory.refresh_config().unwrap();
        watched.expect_nothing();
        for version in ["2", "3"] {
            swap_config_map(&watched.folder.config(), version, &[("initial", version), ("b", version)]);
            assert_eq!(watched.next(), report(&[], &[], true));
            let change = watched.directory.refresh_config().unwrap();
            assert_eq!(change.changed, [name("b"), name("initial")]);
            // The copies are the provision directory's own writes.
            watched.expect_nothing();
        }
        swap_config_map(&watched.folder.config(), "4", &[("initial", "3")]);
        assert_eq!(watched.next(), report(&[], &[], true));
        assert_eq!(watched.directory.refresh_config().unwrap().removed, [name("b")]);
    });
}

#[test]
fn a_plain_folder_as_config_map_is_reported_when_it_appears_and_when_it_changes() {
    both(|poll| {
        let watched = Watched::new(poll);
        fs::create_dir(watched.folder.path("made")).unwrap();
        fs::write(watched.folder.path("made/initial"), "1").unwrap();
        fs::rename(watched.folder.path("made"), watched.folder.config()).unwrap();
        assert_eq!(watched.next(), report(&[], &[], true));
        fs::write(watched.folder.config().join("initial"), "22").unwrap();
        assert_eq!(watched.next(), report(&[], &[], true));
        watched.expect_nothing();
    });
}

#[test]
fn a_link_into_the_config_map_is_reported_with_it() {
    both(|poll| {
        let watched = Watched::prepared(poll, |folder| {
            fs::create_dir(folder.config()).unwrap();
            swap_config_map(&folder.config(), "1", &[("initial", "1")]);
            symlink(folder.config().join("initial"), folder.root().join("mounted")).unwrap();
        });
        swap_config_map(&watched.folder.config(), "2", &[("initial", "22")]);
        let first = watched.next();
        assert!(first.config);
        if first.written.is_empty() {
            watched.expect(&["mounted"], &[]);
        }
    });
}

#[test]
fn a_config_map_mounted_as_the_directory_itself_reports_its_files() {
    both(|poll| {
        let watched = Watched::prepared(poll, |folder| {
            swap_config_map(&folder.root(), "1", &[("initial", "1"), ("b", "1")]);
        });
        swap_config_map(&watched.folder.root(), "2", &[("initial", "22"), ("b", "22")]);
        let mut written = watched.next().written;
        written.sort();
        assert_eq!(written, [name("b"), name("initial")]);
    });
}
