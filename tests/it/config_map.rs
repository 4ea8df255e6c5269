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

#[test]
fn the_only_provision_of_a_mount_serves_first() {
    let mock = Mock::start_with(&[], |folder| {
        mount(
            folder,
            1,
            &[("users.rhai", &word("one")), ("lib.rhai", "fn one() { 1 }"), ("data.json", "{}")],
        );
    });
    assert_eq!((mock.get("/word").text().as_str(), mock.active().0.as_str()), ("one", "users.rhai"));
    assert!(!mock.directory().join("initial").exists());
    mount(&mock.folder, 2, &[("users.rhai", &word("two"))]);
    eventually(|| {
        let text = mock.get("/word").text();
        if text == "two" { Ok(()) } else { Err(format!("{text}: {}", mock.log())) }
    });
}

#[test]
fn several_provisions_of_a_mount_are_named_with_the_way_to_activate_one() {
    let mock = Mock::start_with(&[], |folder| {
        mount(folder, 1, &[("users.rhai", &word("one")), ("orders", &word("two")), ("data.json", "{}")]);
    });
    mock.wait_for_log(
        "WARN  no provision is called `initial`, so each path answers 404; there are `orders`, `users.rhai`. To activate one: touch its file, \
         or `GET /app/v1/provision/orders` on the admin port; the one that is called `initial` serves from the start\n",
    );
    let reply = mock.get("/word");
    let names = "There are <code>orders</code>, <code>users.rhai</code>.</p>";
    assert!(reply.status == 404 && reply.text().contains(names), "{}", reply.text());
    assert!(reply.text().contains("help here for mock provisions</a>\n<p>No provision"), "{}", reply.text());
    let metrics = mock.admin("GET /metrics", &[], b"").text();
    assert!(metrics.contains("\nh1mock_configured_differs_from_serving 0\n"), "{metrics}");
    assert_eq!(mock.admin("GET /app/v1/provision/orders", &[], b"").status, 200);
    assert_eq!(mock.get("/word").text(), "two");
}
