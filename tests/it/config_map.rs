//! A ConfigMap mount: keys behind `..data`, which Kubernetes swaps.

use crate::harness::{Folder, Mock, eventually};
use std::fs;
use std::os::unix::fs::symlink;

fn word(word: &str) -> String {
    format!("fn registerRules() {{ app.get(\"/word\", || \"{word}\"); }}\n")
}

/// Writes a new version of all keys and swaps `..data`, as the kubelet does.
pub(crate) fn mount(folder: &Folder, version: u32, keys: &[(&str, &str)]) {
    let config = folder.0.join("config");
    let data = format!("..2026_{version}");
    fs::create_dir_all(config.join(&data)).unwrap();
    for (key, text) in keys {
        fs::write(config.join(&data).join(key), text).unwrap();
        if !config.join(key).is_symlink() {
            symlink(format!("..data/{key}"), config.join(key)).unwrap();
        }
    }
    symlink(&data, config.join("..data_tmp")).unwrap();
    fs::rename(config.join("..data_tmp"), config.join("..data")).unwrap();
    for entry in fs::read_dir(&config).unwrap() {
        let path = entry.unwrap().path();
        let key = path.file_name().unwrap().to_str().unwrap().to_owned();
        if !key.starts_with("..") && !keys.iter().any(|(name, _)| *name == key) {
            fs::remove_file(path).unwrap();
        }
    }
}

#[test]
fn a_swap_refreshes_copies_and_reloads_the_active_provision() {
    let (first, other, data) = (word("one"), word("other"), "{\"a\": 1}");
    let mock = Mock::start_with(&[], |folder| {
        mount(folder, 1, &[("initial", &first), ("other", &other), ("data.json", data)]);
    });
    assert_eq!(mock.get("/word").text(), "one");
    assert!(!mock.directory().join("..data").exists());

    mount(&mock.folder, 2, &[("initial", &word("two")), ("other", &word("other two"))]);
    eventually(|| {
        let text = mock.get("/word").text();
        if text == "two" { Ok(()) } else { Err(format!("{text}: {}", mock.log())) }
    });
    assert_eq!(mock.active().0, "initial", "another key that changed is not activated");
    assert!(!mock.directory().join("data.json").exists(), "a key that went away is removed");
    assert_eq!(fs::read_to_string(mock.directory().join("other")).unwrap(), word("other two"));

    let before = mock.active().1;
    mount(&mock.folder, 3, &[("initial", &word("two")), ("other", &word("other three"))]);
    eventually(|| {
        let text = fs::read_to_string(mock.directory().join("other")).unwrap();
        if text == word("other three") { Ok(()) } else { Err(text) }
    });
    assert_eq!(mock.active().1, before, "nothing that the active provision reads has changed");
}

#[test]
fn a_broken_initial_is_reported_and_the_built_in_provision_serves() {
    let mock = Mock::start_with(&[], |folder| mount(folder, 1, &[("initial", "fn registerRules() { ( }")]));
    assert!(mock.get("/").text().contains("help here for mock provisions"));
    mock.wait_for_log("failed to load provision `initial`: line 1, column 24:");
    mock.wait_for_log("  = note: the built-in provision serves, and the server is not ready\n");
    mount(&mock.folder, 2, &[("initial", &word("mended"))]);
    eventually(|| {
        let text = mock.get("/word").text();
        if text == "mended" { Ok(()) } else { Err(format!("{text}: {}", mock.log())) }
    });
}
