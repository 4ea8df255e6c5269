//! Loads that take long: `--load-time` limits them, they delay no request of the administrative port, and the load that was
//! requested last serves in the end. Loads that fail are logged once.

use crate::config_map::mount;
use crate::harness::{Client, Folder, Mock, binary, eventually};
use std::fs;
use std::path::{Path, PathBuf};

const GOOD: &str = "fn registerRules() { app.get(\"/ok\", || \"ok\"); }";
/// Debug builds load a good provision in a fifth of this time.
const LIMIT: &str = "1s";

/// A provision of 140 KB of closures. Rhai looks up each closure among all before it.
fn slow() -> String {
    format!("fn registerRules() {{}}\nfn slow() {{\nlet f = 1;\n{}\n}}\n", "f=|| f;".repeat(20_000))
}

const TOOK: &str = ": compiling up to here took longer than 1000 ms of processor time";

fn assert_reason(text: &str, begin: &str) {
    let line = text.lines().next().unwrap_or_default();
    assert!(line.starts_with(begin) && line.ends_with(TOOK), "{line}");
}

#[test]
fn a_provision_that_takes_too_long_to_load_is_refused_and_the_last_one_serves() {
    let mock = Mock::start_with(&["--load-time", LIMIT], |folder| folder.write("provision/initial", GOOD));
    let reply = mock.provision("slow", &slow());
    assert_eq!(reply.status, 422);
    let reply = reply.json();
    let result = reply["result"].as_str().unwrap();
    assert_reason(result, "failed: failed to load provision `slow`: line 4, ");
    let hint =
        "put data into a file for `read_json`, functions into files for `import`, or raise --load-time";
    assert_eq!(reply["error"]["hint"], hint);

    mock.folder.write("provision/copied", &slow());
    mock.wait_for_log("failed to load provision `copied`: line 4, ");
    mock.folder.write("provision/lib.rhai", &slow());
    let importing = format!("import \"lib\" as l;\n{GOOD}");
    let reply = mock.provision("importing", &importing).json();
    let begin = "failed: failed to load provision `importing`: imported `lib.rhai`: line 4, ";
    assert_reason(reply["result"].as_str().unwrap(), begin);
    assert_eq!((mock.active(), mock.get("/ok").text()), (("initial".to_owned(), 1), "ok".to_owned()));
}

/// `--script-timeout` would let the loop go on for a minute.
#[test]
fn the_load_time_ends_an_endless_loop() {
    let mock = Mock::start_with(&["--load-time", LIMIT, "--script-timeout", "60s"], |_| ());
    let reply = mock.provision("endless", "fn registerRules() {\n    loop { }\n}").json();
    let result = reply["result"].as_str().unwrap();
    assert!(result.ends_with("loading took longer than 1000 ms of processor time"), "{result}");
    assert_eq!(reply["error"]["hint"], "end the loop, or raise --load-time");
}

#[test]
fn check_and_routes_have_the_same_limit() {
    let folder = Folder::new();
    folder.write("slow", &slow());
    for command in ["check", "routes"] {
        let output =
            binary().args([command, "--load-time", LIMIT]).arg(folder.0.join("slow")).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{command}: {text}");
        let begin = text.find("failed to load").unwrap();
        let slow = folder.0.join("slow").display().to_string();
        assert_reason(&text[begin..], &format!("failed to load provision `{slow}`: line 4, "));
    }
}

/// A provision whose load goes on until there is a file `go.txt`. Its rule `/own` answers `own`.
fn waiting(own: &str) -> String {
    format!(
        "fn registerRules() {{ print(\"{own} loads\"); while !os.listdir().contains(\"go.txt\") {{ }} app.get(\"/own\", || \"{own}\"); }}"
    )
}

fn mock_that_may_wait() -> Mock {
    Mock::start_with(&["--script-timeout", "60s", "--load-time", "60s"], |folder| {
        folder.write("provision/initial", GOOD);
    })
}

#[test]
fn a_post_does_not_wait_for_files_that_load_and_serves_in_the_end() {
    for (copied, logged) in [
        (waiting("1"), "provision `copied` loaded; `posted`, asked for later, serves"),
        (waiting("1").replace("app.get(", "app.gte("), "failed to load provision `copied`: line 1, "),
    ] {
        let mock = mock_that_may_wait();
        mock.folder.write("provision/copied", &copied);
        mock.wait_for_log("1 loads");
        assert_eq!(mock.activate("posted", GOOD), 2);
        let put = mock.admin("PUT /app/v1/file/list.json", &[], b"[]");
        assert_eq!((put.status, put.json()["generation"].as_u64()), (201, Some(2)));
        assert_eq!(mock.admin("DELETE /app/v1/provision/list.json", &[], b"").status, 200);
        assert_eq!(mock.admin("GET /app/v1/provision/posted", &[], b"").status, 200);
        assert!(!mock.log().contains("copied"), "{}", mock.log());
        mock.folder.write("provision/go.txt", "");
        mock.wait_for_log(logged);
        assert_eq!((mock.active(), mock.get("/ok").text()), (("posted".to_owned(), 3), "ok".to_owned()));
        let failing = mock.admin("GET /metrics", &[], b"").text();
        assert!(failing.contains("h1mock_configured_differs_from_serving 0"), "{failing}");
        // The watcher goes on.
        mock.folder.write("provision/next", GOOD);
        mock.wait_for_log("provision `next` is active, generation 4");
    }
}

#[test]
fn a_file_serves_after_a_post_that_was_asked_for_before() {
    let mock = mock_that_may_wait();
    let mut client = Client::new(&mock.admin);
    let source = waiting("1");
    let head = format!(
        "POST /app/v1/provision/posted HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n",
        source.len()
    );
    client.write(head.as_bytes());
    client.write(source.as_bytes());
    mock.wait_for_log("1 loads");
    for probe in ["GET /healthz", "GET /readyz", "GET /metrics", "DELETE /app/v1/all", "GET /app/v1/store"] {
        assert_eq!(mock.admin(probe, &[], b"").status, 200, "{probe}");
    }
    mock.folder.write("provision/copied", &waiting("2"));
    mock.folder.write("provision/go.txt", "");
    assert_eq!(client.read(false).json()["generation"], 2);
    mock.wait_for_log("provision `copied` is active, generation 3");
    assert_eq!(mock.get("/own").text(), "2");
}

#[test]
fn a_file_is_loaded_again_if_a_library_that_it_has_read_is_stored_meanwhile() {
    let mock = mock_that_may_wait();
    mock.folder.write("provision/lib.rhai", "fn own() { \"before\" }");
    mock.folder.write(
        "provision/copied",
        &format!("import \"lib\" as l;\n{}", waiting("1").replace("|| \"1\"", "|| l::own()")),
    );
    mock.wait_for_log("1 loads");
    assert_eq!(mock.admin("PUT /app/v1/file/lib.rhai", &[], b"fn own() { \"after\" }").status, 200);
    mock.folder.write("provision/go.txt", "");
    mock.wait_for_log("provision `copied` is active, generation 2");
    assert_eq!(mock.get("/own").text(), "after");
}

/// How often the log has a record of the failure to load `name`, after the watcher has handled another file.
fn failures(mock: &Mock, name: &str, round: usize) -> usize {
    mock.folder.write(&format!("provision/next-{round}"), GOOD);
    mock.wait_for_log(&format!("provision `next-{round}` is active"));
    mock.log().matches(&format!("failed to load provision `{name}`")).count()
}

#[test]
fn a_failure_is_logged_once() {
    let broken = "fn registerRules() { ( }";
    // The event of the file and the reload of the active provision find the same error.
    let mock = Mock::serving(GOOD);
    mock.folder.write("provision/initial", broken);
    mock.wait_for_log("failed to load provision `initial`");
    assert_eq!(failures(&mock, "initial", 1), 1, "{}", mock.log());
    // `initial` is broken, and so is the way back to it.
    let mock = Mock::start_with(&["--on-error", "initial"], |folder| folder.write("provision/initial", GOOD));
    mock.activate("own", GOOD);
    mock.folder.write("provision/initial", broken);
    mock.wait_for_log("failed to load provision `initial`");
    assert_eq!(failures(&mock, "initial", 2), 1, "{}", mock.log());
    // Two different errors are both logged.
    assert_eq!(mock.provision("other", broken).status, 422);
    assert_eq!((failures(&mock, "other", 3), failures(&mock, "initial", 4)), (1, 2), "{}", mock.log());
}

/// An editor creates an empty file and writes it later.
#[test]
fn an_empty_file_has_no_warning_in_the_log() {
    let mock = Mock::serving(GOOD);
    mock.folder.write("provision/empty", "");
    mock.folder.write("provision/useless", "fn registerRule() {}");
    mock.wait_for_log("function `registerRule` registers nothing");
    mock.folder.write("provision/next", GOOD);
    mock.wait_for_log("provision `next` is active");
    assert!(!mock.log().contains("the file is empty"), "{}", mock.log());
}

/// The watcher reports the removal of `initial` twice: with the ConfigMap mount, and as a removed copy.
#[test]
fn the_removal_of_the_active_file_is_logged_once() {
    let mock = Mock::start_with(&[], |folder| mount(folder, 1, &[("initial", GOOD), ("other", GOOD)]));
    mount(&mock.folder, 2, &[("other", GOOD)]);
    let gone = "file `initial` of the active provision is gone: it goes on serving";
    mock.wait_for_log(gone);
    assert_eq!(mock.get("/ok").text(), "ok");
    // A third report: a file that the provision has read is stored again.
    let import = format!("import \"lib\" as l;\n{GOOD}");
    mock.folder.write("provision/lib", "fn one() { 1 }");
    assert_eq!(mock.provision("reads", &import).status, 201);
    fs::remove_file(mock.folder.0.join("provision/reads")).unwrap();
    let gone = [gone.to_owned(), gone.replace("initial", "reads")];
    mock.wait_for_log(&gone[1]);
    assert_eq!(mock.admin("PUT /app/v1/file/lib", &[], b"fn one() { 2 }").status, 200);
    let counts = gone.map(|gone| mock.log().matches(&gone).count());
    assert_eq!(counts, [1, 1], "{}", mock.log());
}

/// Waits until the one thread called `name` has another id than `before`, and returns the id.
fn thread(mock: &Mock, name: &str, before: &str) -> String {
    let is_named = |task: &Path| fs::read_to_string(task.join("comm")).is_ok_and(|comm| comm.trim() == name);
    eventually(|| {
        let tasks = fs::read_dir(format!("/proc/{}/task", mock.pid())).unwrap().flatten();
        let named: Vec<PathBuf> = tasks.map(|task| task.path()).filter(|task| is_named(task)).collect();
        match named.as_slice() {
            [task] if !task.ends_with(before) => Ok(task.file_name().unwrap().to_string_lossy().into_owned()),
            other => Err(format!("{name}: {before}, {other:?}")),
        }
    })
}

/// The stack of a thread keeps its pages until the thread ends.
#[test]
fn a_thread_whose_script_made_a_deep_value_is_replaced() {
    let deep = "let f = || 1; loop { let g = f; f = || g; }";
    let mock = Mock::start_with(&["--workers", "1", "--script-memory", "4M"], |folder| {
        folder.write(
            "provision/initial",
            &format!(
                "fn registerRules() {{ app.get(\"/deep\", || {{ {deep} }}); app.get(\"/ok\", || \"ok\"); }}"
            ),
        );
    });
    let broken = format!("fn registerRules() {{ {deep} }}");
    let run = |name: &str, round: usize| match name {
        "mock-0" => assert_eq!(mock.get("/deep").status, 500),
        "loads" => assert_eq!(mock.provision("broken", &broken).status, 422),
        _ => {
            mock.folder.write(&format!("provision/broken-{round}"), &broken);
            mock.wait_for_log(&format!("failed to load provision `broken-{round}`"));
        }
    };
    for name in ["mock-0", "loads", "watcher"] {
        for round in 0..3 {
            let before = thread(&mock, name, "-");
            run(name, round);
            thread(&mock, name, &before);
        }
    }
    assert_eq!(mock.get("/ok").text(), "ok");
    mock.activate("new", GOOD);
    let mut mock = mock;
    mock.signal("TERM");
    assert_eq!(mock.wait().code(), Some(143));
}
