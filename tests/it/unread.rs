//! A log that nobody reads delays no request, and a notice counts the missing lines.

use crate::harness::{Client, DEADLINE, Mock, binary, eventually};
use crate::metrics::{dropped_lines, until_held};
use std::fs;
use std::io::{ErrorKind, PipeReader, PipeWriter, Write, pipe};
use std::net::TcpStream;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Each request logs a line of 1,000 letters.
const CHATTY: &str = r#"
const TEXT = "x" * 1000;
fn registerRules() {
    app.get("/chatty", || { logging.info(TEXT); "said" });
    app.get("/hour", || { time.sleep(3600); "" });
}
"#;

/// More lines than fit into the buffers of 1 MiB and a pipe.
const REQUESTS: usize = 2500;

fn flood(mock: &Mock) {
    thread::scope(|scope| {
        for _ in 0..5 {
            scope.spawn(|| {
                let mut client = Client::new(&mock.traffic);
                for _ in 0..REQUESTS / 5 {
                    assert_eq!(client.send("GET", "/chatty", &[], b"").text(), "said");
                }
            });
        }
    });
}

#[test]
fn requests_are_answered_and_the_next_reader_sees_how_many_lines_are_missing() {
    for format in ["text", "json"] {
        let arguments = ["--verbose", "--log-format", format];
        let prepare = |folder: &crate::harness::Folder| folder.write("provision/initial", CHATTY);
        let (mut mock, log) = Mock::start_unread(binary(), &arguments, prepare);
        flood(&mock);
        assert!(dropped_lines(&mock) > 100.0);
        mock.read_log(log);
        mock.wait_for_log("log lines were dropped: nobody read the log");
        mock.activate("later", CHATTY);
        mock.wait_for_log("`later` is active");

        let (log, missing) = (mock.log(), dropped_lines(&mock));
        let told = log.lines().find(|line| line.contains("log lines were dropped")).unwrap();
        let told = match serde_json::from_str::<serde_json::Value>(told) {
            Ok(line) => {
                assert_eq!((&line["level"], &line["target"]), (&"warn".into(), &"h1mock".into()));
                line["message"].as_str().unwrap().to_owned()
            }
            Err(_) => told.split_once("Z WARN  ").unwrap().1.to_owned(),
        };
        assert_eq!(told, format!("{missing} log lines were dropped: nobody read the log"));
        let texts = log.lines().filter(|line| line.contains("xxxxx")).count();
        let accesses = log.lines().filter(|line| line.contains("/chatty")).count();
        // Lines of other requests may be among the missing ones.
        let least = (2 * REQUESTS) as f64 - missing;
        assert!((least..least + 20.0).contains(&((texts + accesses) as f64)), "{texts} {accesses} {missing}");
        if format == "json" {
            assert!(log.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
        }
    }
}

#[test]
fn a_signal_stops_the_mock_within_the_grace_and_a_second_signal_at_once() {
    let prepare = |folder: &crate::harness::Folder| folder.write("provision/initial", CHATTY);
    for (grace, signals) in [("200ms", 1), ("300s", 2)] {
        let (mut mock, _log) = Mock::start_unread(binary(), &["--verbose", "--grace", grace], prepare);
        flood(&mock);
        let mut client = Client::new(&mock.traffic);
        client.write(b"GET /hour HTTP/1.1\r\nHost: x\r\n\r\n");
        until_held(&mock, 1.0);
        let began = Instant::now();
        for _ in 0..signals {
            mock.signal("TERM");
            // The first signal has been taken when the port is closed.
            eventually(|| match TcpStream::connect(&mock.traffic) {
                Ok(_) => Err("it listens"),
                Err(_) => Ok(()),
            });
        }
        assert_eq!(mock.wait().code(), Some(143));
        // A second for the log, and much time for a busy machine.
        assert!(began.elapsed() < DEADLINE, "{:?}", began.elapsed());
    }
}

/// Returns a pipe that has no room left.
fn full() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = pipe().unwrap();
    rustix::io::ioctl_fionbio(&writer, true).unwrap();
    while writer.write(&[b'x'; 4096]).is_ok() {}
    assert_eq!(writer.write(b"x").unwrap_err().kind(), ErrorKind::WouldBlock);
    rustix::io::ioctl_fionbio(&writer, false).unwrap();
    (reader, writer)
}

fn end_of(child: &mut Child) -> ExitStatus {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if began.elapsed() > DEADLINE {
            let _ = child.kill();
            panic!("it still runs after {:?}", began.elapsed());
        }
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_full_pipe_holds_up_neither_start_nor_stop_nor_a_start_that_fails() {
    let folder = crate::harness::Folder::new();
    let busy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let busy = busy.local_addr().unwrap().port().to_string();
    for (port, code) in [("0", 143), (busy.as_str(), 1)] {
        let (_reader, writer) = full();
        let mut command = binary();
        command
            .args(["--bind", "127.0.0.1", "--traffic-port", port, "--admin-port", "0"])
            .current_dir(&folder.0)
            .stdin(Stdio::null())
            .stdout(writer.try_clone().unwrap())
            .stderr(writer);
        let mut child = command.spawn().unwrap();
        if code == 143 {
            // Wait until the process has a handler for the signal.
            eventually(|| {
                let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
                let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
                let caught = u64::from_str_radix(caught.trim(), 16).unwrap();
                if caught >> 14 & 1 == 1 { Ok(()) } else { Err(status) }
            });
            let sent = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
            assert!(sent.success());
        }
        assert_eq!(end_of(&mut child).code(), Some(code));
    }
}

/// The log is a pipe whose reader is gone.
#[test]
fn a_log_that_can_not_be_written_fails_no_request() {
    let prepare = |folder: &crate::harness::Folder| folder.write("provision/initial", CHATTY);
    let (mut mock, log) = Mock::start_unread(binary(), &["--verbose"], prepare);
    drop(log);
    flood(&mock);
    eventually(|| if dropped_lines(&mock) > 2000.0 { Ok(()) } else { Err(dropped_lines(&mock)) });
    mock.signal("TERM");
    assert_eq!(mock.wait().code(), Some(143));
}
