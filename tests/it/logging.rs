//! The log has one record for each event, in text form and in JSON.

use crate::config_map::mount;
use crate::harness::{Folder, Mock, eventually, skip_without};
use std::fs;

const BROKEN: &str = "fn registerRules() { app.get(\"/x\", shwo); }\n";
const GOOD: &str = "fn registerRules() { app.get(\"/x\", || \"x\"); }\n";
const EXCERPT: &str =
    "1 | fn registerRules() { app.get(\"/x\", shwo); }\n  |                                    ^\n";

/// Splits a log in text form into records. Each has its level and all its lines, but not its time.
fn records(log: &str) -> Vec<String> {
    let mut records: Vec<String> = Vec::new();
    for line in log.lines() {
        match line.split_once("Z ") {
            Some((time, rest)) if time.starts_with("20") => records.push(rest.to_owned()),
            _ => records.last_mut().unwrap().extend(["\n", line]),
        }
    }
    records
}

/// Waits until record `number` is `expected`. Numbers begin with 1.
#[track_caller]
fn nth(mock: &Mock, number: usize, expected: &str) {
    eventually(|| {
        let records = records(&mock.log());
        let found = records.get(number - 1).is_some_and(|record| record == expected);
        if found { Ok(()) } else { Err(format!("`{expected}` is not record {number}: {records:#?}")) }
    });
}

/// The record of a failed load of provision `name`.
fn failed(name: &str, note: &str) -> String {
    format!(
        "ERROR failed to load provision `{name}`: line 1, column 36: no variable `shwo`\n --> {name}:1:36\n  |\n{EXCERPT}  = note: {note}"
    )
    .replace("\n -->", "\n  -->")
}

/// A sequence of events, each followed by its record.
#[test]
fn each_event_has_one_record() {
    let mut mock = Mock::start_with(&[], |folder| mount(folder, 1, &[("initial", BROKEN), ("a.json", "1")]));
    nth(&mock, 1, &failed("initial", "the built-in provision serves, and the server is not ready"));
    nth(&mock, 2, &format!("INFO  watching `{}`", mock.directory().display()));
    let path = |name: &str| mock.directory().join(name);

    fs::write(path("good"), GOOD).unwrap();
    nth(&mock, 3, "INFO  provision `good` is active, generation 2: ready");
    fs::write(path("bad"), BROKEN).unwrap();
    nth(&mock, 4, &failed("bad", "provision `good` keeps serving"));
    assert_eq!(mock.admin("GET /app/v1/provision/bad", &[], b"").status, 422);
    nth(&mock, 5, &failed("bad", "provision `good` keeps serving"));
    assert_eq!(mock.provision("posted", BROKEN).status, 422);
    nth(&mock, 6, &failed("posted", "provision `good` keeps serving"));
    assert_eq!(mock.provision("posted", "fn a() {}").status, 422);
    nth(
        &mock,
        7,
        "ERROR failed to load provision `posted`: function registerRules() is missing\n  \
         = help: define `fn registerRules() { app.get(\"/foo\", foo); }`\n  = note: provision `good` keeps serving",
    );
    mock.activate("posted", GOOD);
    nth(&mock, 8, "INFO  provision `posted` is active, generation 3");
    fs::write(path("posted"), BROKEN).unwrap();
    nth(&mock, 9, &failed("posted", "provision `posted` keeps serving"));
    fs::remove_file(path("posted")).unwrap();
    nth(&mock, 10, "WARN  file `posted` of the active provision is gone: it goes on serving");

    mock.activate("initial", GOOD);
    nth(&mock, 11, "INFO  provision `initial` is active, generation 4");
    mount(&mock.folder, 2, &[("initial", "fn registerRules() { }\n"), ("a.json", "2")]);
    nth(&mock, 12, "INFO  provision `initial` is active, generation 5");
    mount(&mock.folder, 3, &[("initial", BROKEN)]);
    nth(&mock, 13, &failed("initial", "provision `initial` keeps serving"));
    mount(&mock.folder, 4, &[("b.json", "1")]);
    nth(&mock, 14, "WARN  file `initial` of the active provision is gone: it goes on serving");
    // When the watcher sees this file, it has seen the removal of the key before.
    fs::write(path("last"), GOOD).unwrap();
    nth(&mock, 15, "INFO  provision `last` is active, generation 6");
    mock.signal("TERM");
    mock.wait();
    nth(&mock, 16, "INFO  stopping");
    nth(&mock, 17, "INFO  stopped");
    assert_eq!(records(&mock.log()).len(), 17, "{}", mock.log());
}

#[test]
fn a_broken_provision_that_reactivates_initial_is_logged_once() {
    let mock = Mock::start_with(&["--on-error", "initial"], |folder| folder.write("provision/initial", GOOD));
    mock.activate("other", GOOD);
    assert_eq!(mock.provision("bad", BROKEN).status, 422);
    nth(&mock, 3, &failed("bad", "going back to provision `initial`"));
    nth(&mock, 4, "INFO  provision `initial` is active, generation 3");
    mock.activate("other", GOOD);
    nth(&mock, 5, "INFO  provision `other` is active, generation 4");
    fs::write(mock.directory().join("initial"), BROKEN).unwrap();
    nth(&mock, 6, &failed("initial", "provision `other` keeps serving"));
    // Two broken files are two events.
    assert_eq!(mock.provision("bad", BROKEN).status, 422);
    nth(&mock, 7, &failed("bad", "going back to provision `initial`"));
    nth(&mock, 8, &failed("initial", "provision `other` keeps serving"));
    assert_eq!(records(&mock.log()).len(), 8, "{}", mock.log());
}

#[test]
fn the_log_says_once_how_the_directory_is_followed() {
    for (arguments, word) in [(&[][..], "watching"), (&["--poll"], "polling")] {
        let mock = Mock::start_with(arguments, |_| ());
        nth(&mock, 1, &format!("INFO  {word} `{}`", mock.directory().display()));
        mock.activate("a", GOOD);
        nth(&mock, 2, "INFO  provision `a` is active, generation 2");
        assert_eq!(records(&mock.log()).len(), 2, "{}", mock.log());
    }
}

#[test]
fn a_record_in_json_is_a_single_line() {
    let mock = Mock::start_with(&["--log-format", "json", "--verbose"], |folder| {
        folder.write("provision/initial", BROKEN);
    });
    mock.wait_for_log("watching");
    let log = mock.log();
    let first: serde_json::Value = serde_json::from_str(log.lines().next().unwrap()).unwrap();
    let expected =
        failed("initial", "the built-in provision serves, and the server is not ready").replace("ERROR ", "");
    assert_eq!((&first["level"], &first["message"]), (&"error".into(), &expected.into()));
    assert_eq!(log.lines().count(), 2, "{log}");
}

/// Line ends and control characters in texts of scripts and requests are escaped in the log.
#[test]
fn scripts_and_requests_cannot_forge_records() {
    let forged = "\n2026-11-30T00:00:00.000Z ERROR forged\r\u{1b}[2J\u{85}\u{2028}\u{202e}";
    let source = r#"
const FORGED = "\n2026-11-30T00:00:00.000Z ERROR forged\r\x1b[2J\u0085\u2028\u202e";
fn registerRules() {
    app.get("/thrown", || { throw "oh" + FORGED });
    app.get("/logged", || { logging.info("a" + FORGED); print(FORGED); "" });
    app.get("/value", || { logging.info("%s", request.args.get("x")); "" });
    app.get("/rule" + FORGED, || "");
    if os.listdir().contains("broken.txt") { throw "no" + FORGED; }
}
"#;
    let shown = "\\n2026-11-30T00:00:00.000Z ERROR forged\\r\\u{1b}[2J\\u{85}\\u{2028}\\u{202e}";
    for json in [false, true] {
        let format = if json { "json" } else { "text" };
        let mock = Mock::start_with(&["--verbose", "--log-format", format], |folder| {
            folder.write("provision/initial", source);
        });
        assert_eq!(mock.get("/thrown").status, 500);
        for target in [
            "/logged",
            "/value?x=%0A2026-11-30T00:00:00.000Z%20ERROR%20forged",
            "/rule%0A2026-11-30T00:00:00.000Z%20ERROR%20forged%0D%1B%5B2J%C2%85%E2%80%A8%E2%80%AE",
        ] {
            assert_eq!(mock.get(target).status, 200, "{target}");
        }
        mock.folder.write("provision/broken.txt", "");
        assert_eq!(mock.provision("broken", source).status, 422);
        mock.folder.write("provision/last", "fn registerRules() { }\n");
        mock.wait_for_log("`last` is active");
        let log = mock.log();
        assert!(!log.contains(|letter: char| letter != '\n' && letter.is_control()), "{log:?}");
        assert!(!log.contains(['\u{2028}', '\u{202e}']), "{log:?}");
        if json {
            let lines: Vec<serde_json::Value> =
                log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            let message = format!("initial:5: a{forged}");
            assert!(lines.iter().any(|line| line["message"] == message.as_str()), "{log}");
            continue;
        }
        // Each text is in a line that names its source. The provision that did not load is there twice: by POST and by file event.
        for (beginning, end) in [
            ("ERROR GET /thrown: script error in provision `initial`: line 4, column 29: oh", ""),
            ("INFO  provision: initial:5: a", ""),
            ("INFO  provision: ", ""),
            ("ERROR failed to load provision `broken`: line 8, column 46: no", "\n  --> broken:8:46"),
        ] {
            assert!(log.contains(&format!("{beginning}{shown}{end}")), "{beginning}: {log}");
        }
        assert!(!log.lines().any(|line| line.starts_with("2026-11-30T00:00:00.000Z")), "{log}");
    }
}

/// Needs sysfs, which refuses files even from root. A machine without sysfs skips the test.
#[test]
fn a_provision_directory_that_refuses_files_is_logged_once() {
    let sys = "/sys/kernel/cgroup";
    let refusal = fs::write(format!("{sys}/h1mock"), "").err();
    let cause = match refusal.and_then(|error| error.raw_os_error()) {
        Some(13) => "permission denied",
        Some(30) => "read-only file system",
        _ => return skip_without("folder of sysfs that refuses files"),
    };
    let refused = |name: &str| {
        format!(
            "failed to write `{name}` to the provision directory `{sys}`: {cause}; mount a writable volume there or \
             choose another folder by `--provision-dir`"
        )
    };
    let keys = |folder: &Folder| mount(folder, 1, &[("a.json", "1"), ("initial", GOOD), ("other", GOOD)]);
    let mock = Mock::start_with(&["--provision-dir", sys], keys);
    nth(&mock, 1, &format!("ERROR {}", refused("a.json")));
    nth(&mock, 2, &format!("INFO  watching `{sys}`"));
    let posted = mock.provision("sent", GOOD);
    assert_eq!(
        (posted.status, &posted.json()["result"]),
        (500, &format!("failed: {}", refused("sent")).into())
    );
    let put = mock.admin("PUT /app/v1/file/x.json", &[], b"1");
    assert_eq!((put.status, &put.json()["result"]), (500, &format!("failed: {}", refused("x.json")).into()));
    assert_eq!(records(&mock.log()).len(), 2, "{}", mock.log());

    drop(mock);
    // The folder has files, so h1mock does not even try to store `initial` there.
    let mock = Mock::start_with(&["--provision-dir", sys], |_| ());
    nth(&mock, 1, &format!("INFO  watching `{sys}`"));
    assert_eq!(mock.get("/any").status, 404);
}
