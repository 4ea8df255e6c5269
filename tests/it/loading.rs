//! What takes longer to load than `--load-time` is refused wherever it comes from, and what serves goes on. Files that load keep no
//! request of the administrative port waiting, and the last load that was asked for is what serves in the end.

use crate::harness::{Client, Folder, Mock, binary, eventually};
use std::fs;
use std::path::{Path, PathBuf};

const GOOD: &str = "fn registerRules() { app.get(\"/ok\", || \"ok\"); }";
/// Debug builds load a good provision in a fifth of it.
const LIMIT: &str = "1s";

/// 140 KB of closures, each of which Rhai looks up among all before.
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

/// It has time enough as a script.
#[test]
fn an_endless_loop_is_told_to_end() {
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
        assert_reason(&text[begin..], "failed to load provision `slow`: line 4, ");
    }
}

/// A provision whose load goes on until there is a file `go.txt`; then it has a rule `/own`, or fails.
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
    for (copied, told) in [
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
        mock.wait_for_log(told);
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
fn a_file_is_loaded_again_where_what_it_has_read_was_stored_meanwhile() {
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

/// The id of the thread of this name, once it is another one than `before`.
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

/// A stack keeps its pages until its thread ends.
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
