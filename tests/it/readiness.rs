//! Readiness: the provision that is required, why it is not active, and the probes that ask.

use crate::config_map::mount;
use crate::harness::{Folder, Mock, binary, eventually};
use std::fs;

const BROKEN: &str = "fn registerRules() { app.get(\"/x\", shwo); }\n";
const GOOD: &str = "fn registerRules() { app.get(\"/x\", || \"x\"); }\n";
const LOAD_ERROR: &str = "failed to load provision `initial`: line 1, column 36: no variable `shwo`";

/// The reason in the 503 of `/readyz`; empty where it is 200.
fn unready(mock: &Mock) -> String {
    let reply = mock.admin("GET /readyz", &[], b"");
    if reply.status == 200 { String::new() } else { reply.json()["result"].as_str().unwrap().to_owned() }
}

#[track_caller]
fn wait_until(mock: &Mock, expected: &str) {
    eventually(|| {
        let reason = unready(mock);
        if reason == expected { Ok(()) } else { Err(format!("{reason}: {}", mock.log())) }
    });
}

/// The reason in the answer of `/readyz` why `required` is not active while `active` serves.
fn reason(required: &str, active: &str, cause: &str) -> String {
    format!(
        "failed: provision `{required}` is required (`--require-provision`), but `{active}` is active{cause}"
    )
}

/// Exit code and standard error of `h1mock probe ADDRESS`.
fn probe(address: &str) -> (Option<i32>, String) {
    let output = binary().args(["probe", address]).output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_broken_initial_of_a_config_map_is_not_ready_and_a_good_one_mends_it() {
    let mock = Mock::start_with(&["--require-provision", "initial"], |folder| {
        mount(folder, 1, &[("initial", BROKEN)]);
    });
    let broken = reason("initial", "built-in", &format!(": {LOAD_ERROR}"));
    assert_eq!(unready(&mock), broken);
    assert_eq!(mock.admin("GET /healthz", &[], b"").status, 200);
    let expected = broken.replace("failed: ", "503 Service Unavailable: ");
    let expected = format!("h1mock: failed to probe `{}`: {expected}\n", mock.admin);
    assert_eq!(probe(&mock.admin), (Some(1), expected));
    mock.wait_for_log("INFO  not ready until provision `initial` is active\n");

    mount(&mock.folder, 2, &[("initial", GOOD)]);
    wait_until(&mock, "");
    assert_eq!(mock.get("/x").text(), "x");
    assert_eq!(probe(&mock.admin), (Some(0), String::new()));
    mock.wait_for_log("INFO  provision `initial` is active, generation 2: ready\n");

    // The last good provision keeps serving, so the server stays ready.
    mount(&mock.folder, 3, &[("initial", BROKEN)]);
    mock.wait_for_log("  = note: provision `initial` keeps serving\n");
    assert_eq!(unready(&mock), "");
}

#[test]
fn a_broken_initial_is_not_ready_until_any_provision_loads() {
    let broken = |folder: &Folder| mount(folder, 1, &[("initial", BROKEN)]);
    let reason = format!("failed: `built-in` is active in place of `initial`: {LOAD_ERROR}");
    for on_error in ["keep", "initial"] {
        let mock = Mock::start_with(&["--on-error", on_error], broken);
        assert_eq!(unready(&mock), reason);
        mock.wait_for_log("  = note: the built-in provision serves, and the server is not ready\n");
        mock.activate("other", GOOD);
        assert_eq!(unready(&mock), "");
        mock.wait_for_log("INFO  provision `other` is active, generation 2: ready\n");
        assert_eq!(mock.provision("other", BROKEN).status, 422);
        // `initial` is still broken, so the last good provision keeps serving in both cases.
        assert_eq!((unready(&mock), mock.active().0), (String::new(), "other".to_owned()));
    }
    let mock = Mock::start_with(&[], broken);
    mount(&mock.folder, 2, &[("initial", GOOD)]);
    wait_until(&mock, "");
    assert_eq!(mock.get("/x").text(), "x");
}

#[test]
fn without_an_initial_the_built_in_provision_is_ready() {
    let mock = Mock::start_with(&[], |_| ());
    assert_eq!((unready(&mock).as_str(), mock.active().0.as_str()), ("", "initial"));
    let mock = Mock::start_with(&[], |folder| folder.write("provision/initial", BROKEN));
    assert_ne!(unready(&mock), "");
    fs::remove_file(mock.directory().join("initial")).unwrap();
    assert_eq!(unready(&mock), "");
}

#[test]
fn a_config_map_that_comes_later_makes_it_ready() {
    for key in ["initial", "initial.rhai"] {
        let mock = Mock::start_with(&["--require-provision", "initial"], |_| ());
        let missing = ": there is no file `initial` in the provision directory";
        assert_eq!(unready(&mock), reason("initial", "built-in", missing));
        mount(&mock.folder, 1, &[(key, GOOD), ("data.json", "{}")]);
        wait_until(&mock, "");
        assert_eq!((mock.active().0.as_str(), mock.get("/x").text().as_str()), (key, "x"));
    }
}

#[test]
fn the_built_in_provision_is_no_initial_at_the_next_start_either() {
    let mock = Mock::start_with(&["--require-provision", "initial"], |_| ());
    assert_eq!(mock.get("/any").status, 404);
    assert_eq!(
        fs::read_dir(mock.directory()).unwrap().count(),
        0,
        "nothing that a next start would take for it"
    );
    mock.activate("initial", GOOD);
    assert_eq!(unready(&mock), "");
    mock.wait_for_log("INFO  provision `initial` is active, generation 2: ready\n");
}

#[test]
fn initial_may_have_its_extension_or_not() {
    for (required, file) in [
        ("initial", "initial"),
        ("initial", "initial.rhai"),
        ("initial.rhai", "initial"),
        ("initial.rhai", "initial.rhai"),
    ] {
        let mock = Mock::start_with(&["--require-provision", required], |folder| {
            folder.write(&format!("provision/{file}"), GOOD);
        });
        assert_eq!(unready(&mock), "", "{required} {file}");
        assert!(!mock.log().contains("ready"), "{}", mock.log());
    }
}

#[test]
fn the_reason_follows_what_happens_to_the_file() {
    let mock = Mock::start_with(&["--require-provision", "mine"], |_| ());
    let of = |active: &str, cause: &str| reason("mine", active, cause);
    assert_eq!(unready(&mock), of("initial", ": there is no file `mine` in the provision directory"));
    assert_eq!(mock.admin("PUT /app/v1/file/mine", &[], GOOD.as_bytes()).status, 201);
    assert_eq!(unready(&mock), of("initial", ": `mine` is there, but nothing has activated it"));
    fs::write(mock.directory().join("mine"), BROKEN).unwrap();
    wait_until(&mock, &of("initial", &format!(": {}", LOAD_ERROR.replace("initial", "mine"))));
    // The stored text is new and was not loaded yet.
    assert_eq!(mock.admin("PUT /app/v1/file/mine", &[], GOOD.as_bytes()).status, 200);
    assert_eq!(unready(&mock), of("initial", ": `mine` is there, but nothing has activated it"));
    mock.activate("mine", GOOD);
    assert_eq!(unready(&mock), "");
    mock.activate("other", GOOD);
    assert_eq!(unready(&mock), of("other", ""));
    let ends =
        "WARN  provision `other` is active, generation 3: not ready until provision `mine` is active\n";
    mock.wait_for_log(ends);
    assert_eq!(mock.admin("GET /app/v1/provision/mine", &[], b"").status, 200);
    assert_eq!(unready(&mock), "");
}

#[test]
fn a_file_with_the_name_of_the_built_in_provision_is_a_file() {
    let mock = Mock::start_with(&["--require-provision", "built-in"], |folder| {
        folder.write("provision/initial", BROKEN);
    });
    assert_eq!(mock.active().0, "built-in");
    let missing = ": there is no file `built-in` in the provision directory";
    assert_eq!(unready(&mock), reason("built-in", "built-in", missing));
    mock.activate("built-in", GOOD);
    assert_eq!(unready(&mock), "");
}

#[test]
fn a_probe_of_the_port_leaves_no_trace() {
    let mock = Mock::start_with(&["--verbose"], |folder: &Folder| folder.write("provision/initial", GOOD));
    let counted = || {
        let page = mock.admin("GET /metrics", &[], b"").text();
        let requests = page.lines().filter(|line| {
            ["h1mock_requests", "h1mock_unmatched", "h1mock_refused", "h1mock_journal"]
                .iter()
                .any(|name| line.starts_with(name))
        });
        let requests: Vec<String> = requests.map(str::to_owned).collect();
        assert!(!requests.is_empty(), "{page}");
        let journal = mock.admin("GET /app/v1/requests", &[], b"").json()["requests"].clone();
        let report = mock.admin("GET /app/v1/report?fail-on=unmatched,errors,loads", &[], b"").json();
        (requests, journal, report)
    };
    let before = counted();
    for _ in 0..3 {
        assert_eq!(probe(&format!("tcp://{}", mock.traffic)), (Some(0), String::new()));
    }
    // A request that comes after them has gone through the same listener.
    assert_eq!(mock.admin("GET /healthz", &[], b"").status, 200);
    assert_eq!(counted(), before);
    assert!(!mock.log().contains("access: mock"), "{}", mock.log());
    assert_eq!(before.2["verdict"], "pass", "{}", before.2);

    let address = mock.traffic.clone();
    drop(mock);
    let expected = format!("h1mock: failed to connect to `{address}`: connection refused\n");
    assert_eq!(probe(&format!("tcp://{address}")), (Some(1), expected));
}
