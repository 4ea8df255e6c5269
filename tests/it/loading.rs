//! What takes longer to load than `--load-time` is refused wherever it comes from, and what serves goes on.

use crate::harness::{Folder, Mock, binary};

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
