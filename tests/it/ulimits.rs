//! Limits of the system: exceeding one is an error of a single request, or of the start.

use crate::harness::{Folder, Mock, binary_under};
use std::fs;

#[test]
fn a_file_that_is_too_large_for_ulimit_f_is_an_error_of_its_request() {
    // 16 blocks of 512 or of 1024 bytes, depending on the shell.
    let mut mock = Mock::start_command(binary_under("ulimit -f 16"), &[], |folder| {
        folder.write("provision/initial", "fn registerRules() { app.get(\"/x\", || \"x\"); }\n");
    });
    let put = mock.admin("PUT /app/v1/file/large.json", &[], &vec![b'1'; 100_000]);
    let expected = format!(
        "failed: failed to write `large.json` to the provision directory `{}`: file too large",
        fs::canonicalize(mock.directory()).unwrap().display()
    );
    assert_eq!((put.status, put.json()["result"].as_str().unwrap()), (500, expected.as_str()));
    assert!(!mock.directory().join("large.json").exists());
    assert_eq!(mock.admin("PUT /app/v1/file/small.json", &[], b"1").status, 201);
    assert_eq!(mock.get("/x").text(), "x");
    mock.signal("TERM");
    assert_eq!(mock.wait().code(), Some(143));
}

#[test]
fn a_log_file_that_is_too_large_for_ulimit_f_ends_nothing() {
    let mut mock = Mock::start_command(binary_under("ulimit -f 1; exec 2>log"), &["--verbose"], |_| ());
    for _ in 0..100 {
        assert_eq!(mock.get("/any").status, 404);
    }
    mock.signal("TERM");
    assert_eq!(mock.wait().code(), Some(143));
    assert!((1..=1024).contains(&fs::metadata(mock.folder.0.join("log")).unwrap().len()));
}

#[test]
fn a_limit_of_too_few_open_files_prevents_the_start() {
    let folder = Folder::new();
    for (limit, starts) in [("16", false), ("48", false), ("49", true)] {
        let mut command = binary_under(&format!("ulimit -n {limit}"));
        if starts {
            let mut mock = Mock::start_command(command, &[], |_| ());
            assert_eq!(mock.get("/").status, 404);
            mock.wait_for_log(
                "the limit of 49 open files (`ulimit -n`) leaves the mock 1 connections, the admin port 8",
            );
            mock.wait_for_log("watching");
            mock.signal("TERM");
            assert_eq!(mock.wait().code(), Some(143));
            continue;
        }
        command.args(["--bind", "127.0.0.1", "--traffic-port", "0", "--admin-port", "0"]);
        let output = command.current_dir(&folder.0).output().unwrap();
        let expected = format!(
            "h1mock: the limit of {limit} open files is too low: h1mock needs 49 (`ulimit -n 49`, or in a container \
             `--ulimit nofile=49`)\n"
        );
        assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap()), (Some(1), expected));
    }
}
