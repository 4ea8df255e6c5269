//! `--store-bytes`: the maximum size of the values of `store`, how their size is counted, and how many values can be read at once.

use crate::harness::{Client, Folder, Mock, eventually};
use std::fs;

const PROVISION: &str = r#"
fn registerRules() {
    store["loaded"] = "x";
    app.post("/set/<key>/<int:size>", set);
    app.post("/append/<key>/<int:size>", |key, size| store.append(key, "x" * size).to_string());
    app.post("/update/<key>", |key| store.update(key, [], |l| l + ["x" * 1000]).len().to_string());
    app.post("/scope/<name>/<int:size>", scoped);
    app.post("/caught/<int:size>", caught);
    app.post("/deep/<int:levels>", deep);
    app.delete("/<key>", |key| { store.remove(key); "gone" });
}
fn set(key, size) { store[key] = "x" * size; "set" }
fn scoped(name, size) { store.scope(name).set("k", "x" * size); "set" }
fn caught(size) { let text = "set"; try { store["caught"] = "x" * size; } catch (error) { text = `${error}`; } text }
fn deep(levels) { let l = []; for i in 1..levels { l = [l]; } store["deep"] = l; "set" }
"#;

const SMALL: &[&str] = &["--store-bytes", "64k"];

fn serving(arguments: &[&str]) -> Mock {
    Mock::start_with(arguments, |folder: &Folder| folder.write("provision/initial", PROVISION))
}

fn gauge(mock: &Mock, name: &str) -> u64 {
    let page = mock.admin("GET /metrics", &[], b"").text();
    let line = page.lines().find_map(|line| line.strip_prefix(&format!("{name} "))).unwrap();
    line.parse().unwrap()
}

#[test]
fn a_write_without_room_fails_and_changes_nothing() {
    let mock = serving(SMALL);
    assert_eq!(gauge(&mock, "h1mock_store_budget_bytes"), 65_536);
    assert_eq!(mock.post("/set/a/60000", "", b"").text(), "set");
    let held = gauge(&mock, "h1mock_store_bytes");
    let values = mock.admin("GET /app/v1/store", &[], b"").text();
    let refused = |key: &str, bytes: u64| {
        let left = 65_536 - held;
        format!(
            "store: no room for `{key}`: it takes {bytes} bytes, and {left} of 65536 are left (--store-bytes)"
        )
    };
    for (path, error) in [
        ("/set/b/9000", refused("b", 9_169)),
        ("/append/b/9000", refused("b", 9_297)),
        ("/scope/one/9000", refused("scope:one/k", 9_179)),
    ] {
        let reply = mock.post(path, "", b"");
        assert_eq!((reply.status, reply.text().contains(&error)), (500, true), "{path}: {}", reply.text());
    }
    let text = mock.post("/caught/9000", "", b"").text();
    assert!(text.contains("no room for `caught`"), "{text}");
    let body = format!("\"{}\"", "x".repeat(9_000));
    let reply = mock.admin("PUT /app/v1/store/b", &[], body.as_bytes());
    let expected = format!("{{\"result\":\"failed: {}\"}}", refused("b", 9_169));
    assert_eq!((reply.status, reply.text()), (507, expected));
    assert_eq!(mock.admin("GET /app/v1/store", &[], b"").text(), values);
    assert_eq!(gauge(&mock, "h1mock_store_bytes"), held);
    // A value that replaces a larger one fits, and removed values make room.
    assert_eq!(mock.post("/set/a/50000", "", b"").text(), "set");
    assert_eq!(mock.post("/set/b/9000", "", b"").text(), "set");
}

#[test]
fn the_gauge_is_0_once_the_store_is_empty_and_what_was_loaded_after_a_reset() {
    let mock = serving(SMALL);
    let loaded = gauge(&mock, "h1mock_store_bytes");
    for path in ["/set/a/100", "/append/l/10", "/append/l/10", "/update/m", "/update/m", "/scope/one/9"] {
        assert_eq!(mock.post(path, "", b"").status, 200, "{path}");
    }
    assert!(gauge(&mock, "h1mock_store_bytes") > loaded + 2_000);
    assert_eq!(mock.admin("DELETE /app/v1/all", &[], b"").status, 200);
    assert_eq!(gauge(&mock, "h1mock_store_bytes"), loaded);
    mock.post("/append/l/10", "", b"");
    assert_eq!(mock.admin("DELETE /app/v1/store", &[], b"").status, 200);
    assert_eq!(gauge(&mock, "h1mock_store_bytes"), 0);
    // A list that has no room for more items stays complete, and removing it frees its size.
    let mut length = 0;
    while mock.post("/update/m", "", b"").status == 200 {
        length += 1;
    }
    assert_eq!(mock.post("/update/m", "", b"").status, 500);
    let list = mock.admin("GET /app/v1/store/m", &[], b"").json();
    assert_eq!((list.as_array().unwrap().len(), length), (length, 61));
    assert_eq!(mock.send("DELETE", "/m", &[], b"").status, 200);
    assert_eq!(gauge(&mock, "h1mock_store_bytes"), 0);
}

#[test]
fn a_load_without_room_leaves_the_active_provision_unchanged() {
    let too_much = r#"fn registerRules() { store["a"] = "x" * 60000; store["b"] = "x" * 9000; }"#;
    for arguments in [SMALL, &["--store-bytes", "64k", "--keep-store"]] {
        let provision = PROVISION.replace("store[\"loaded\"] = \"x\";", "");
        let mock =
            Mock::start_with(arguments, |folder: &Folder| folder.write("provision/initial", &provision));
        assert_eq!(mock.post("/set/k/1000", "", b"").text(), "set");
        let held = gauge(&mock, "h1mock_store_bytes");
        let reply = mock.provision("large", too_much);
        let expected = if arguments.len() == 2 { "store: no room for `b`" } else { "with --keep-store" };
        assert_eq!(reply.status, 422);
        assert!(reply.text().contains(expected), "{}", reply.text());
        assert_eq!(gauge(&mock, "h1mock_store_bytes"), held);
        assert_eq!(mock.admin("GET /app/v1/store/k", &[], b"").status, 200);
    }
}

#[test]
fn lists_in_the_store_have_a_maximum_depth() {
    let mock = serving(&[]);
    assert_eq!(mock.post("/deep/128", "", b"").text(), "set");
    let reply = mock.post("/deep/129", "", b"").text();
    let error = "store: `deep` can hold lists and maps that are nested 128 deep, not deeper";
    assert!(reply.contains(error), "{reply}");
    let shown = mock.admin("GET /app/v1/store/deep", &[], b"").text();
    assert_eq!(shown, "[".repeat(128) + &"]".repeat(128));
}

fn most_memory(mock: &Mock) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", mock.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix("kB").unwrap().trim().parse().unwrap()
}

/// A client reads 24 MB of values slowly. It delays no other request, gets the values from the moment of its request, and the
/// answer is never in memory as a whole.
#[test]
fn many_values_are_written_while_the_client_takes_them() {
    let mock = serving(&[]);
    let value = format!("\"{}\"", "\u{e9}".repeat(500_000));
    for number in 0..24 {
        let reply = mock.admin(&format!("PUT /app/v1/store/k{number:02}"), &[], value.as_bytes());
        assert_eq!(reply.status, 201);
    }
    fs::write(format!("/proc/{}/clear_refs", mock.pid()), "5").unwrap();
    let before = most_memory(&mock);
    let mut slow = Client::new(&mock.admin);
    slow.write(b"GET /app/v1/store HTTP/1.1\r\nHost: x\r\n\r\n");
    // From its first byte on, the answer has the values of that moment.
    assert_eq!(slow.stream().peek(&mut [0]).unwrap(), 1);
    assert!(mock.post("/set/k23/1", "", b"").text() == "set");
    assert_eq!(mock.admin("GET /app/v1/store/k23", &[], b"").text(), "\"x\"");
    let reply = slow.read(false);
    assert_eq!(
        (reply.header("transfer-encoding"), reply.header("content-type")),
        ("chunked", "application/json")
    );
    assert!(reply.body.ends_with(b"}\n"));
    let json = reply.json();
    assert_eq!(json.as_object().unwrap().len(), 25);
    assert_eq!(json["k23"].as_str().unwrap().len(), 1_000_000);
    let after = most_memory(&mock);
    assert!(after < before + 8_000, "{before} kB became {after} kB");
    let mut client = slow;
    assert_eq!(client.send("HEAD", "/app/v1/store", &[], b"").header("content-type"), "application/json");
    assert_eq!(client.send("GET", "/app/v1/store/loaded", &[], b"").text(), "\"x\"\n");
    // After a client has left, its values are freed.
    drop(Client::new(&mock.admin).try_write(b"GET /app/v1/store HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_eq!(mock.admin("DELETE /app/v1/store", &[], b"").status, 200);
    eventually(|| match gauge(&mock, "h1mock_store_bytes") {
        0 => Ok(()),
        bytes => Err(bytes.to_string()),
    });
}

/// Each large answer keeps its values in memory, even if they are replaced meanwhile, so only a few run at a time.
#[test]
fn few_clients_take_large_answers_at_a_time() {
    let mock = serving(&[]);
    let value = format!("\"{}\"", "x".repeat(1_000_000));
    for number in 0..16 {
        assert_eq!(mock.admin(&format!("PUT /app/v1/store/k{number}"), &[], value.as_bytes()).status, 201);
    }
    let slow = || {
        let mut client = Client::new(&mock.admin);
        client.write(b"GET /app/v1/store HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_eq!(client.stream().peek(&mut [0]).unwrap(), 1);
        client
    };
    let mut taking: Vec<Client> = (0..4).map(|_| slow()).collect();
    let refused = mock.admin("GET /app/v1/store", &[], b"");
    assert_eq!((refused.status, refused.header("retry-after")), (503, "1"));
    let why = "4 clients take more than 1048576 bytes of the store already: try again";
    assert_eq!(refused.text(), format!("{{\"result\":\"failed: {why}\"}}"));
    assert_eq!(mock.admin("GET /app/v1/store/k1", &[], b"").status, 200);
    // A client that has received its whole answer makes room, and so does one that leaves.
    for all in [true, false] {
        let mut client = taking.remove(0);
        if all {
            assert_eq!(client.read(false).json().as_object().unwrap().len(), 17);
        }
        drop(client);
        eventually(|| match mock.admin("GET /app/v1/store", &[], b"").status {
            200 => Ok(()),
            status => Err(status.to_string()),
        });
        taking.push(slow());
    }
}

#[test]
fn the_flag_has_a_minimum() {
    let output = crate::harness::binary().args(["--store-bytes", "1k"]).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        error.contains("h1mock: failed to parse `--store-bytes`: `1k` is too small (at least 64k)"),
        "{error}"
    );
}
