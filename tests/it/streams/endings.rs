//! How streams end: by their client, a reset, a stop or an error. Activations end none.

use super::*;
use rustix::net::sockopt::set_socket_linger;

#[test]
fn a_client_that_leaves_ends_its_stream_at_once() {
    let mock = mock(&["--verbose"]);
    for (count, resets) in [(1.0, true), (2.0, false)] {
        let mut client = begun(&mock, "/quiet");
        assert_eq!(piece(&mut client).unwrap(), "0");
        assert_eq!(metric(&mock, "h1mock_streams_open", None), 1.0);
        if resets {
            set_socket_linger(client.stream(), Some(Duration::ZERO)).unwrap();
        }
        drop(client);
        let left = Instant::now();
        until(&mock, 0.0, "client", count);
        // Ten times the promise.
        assert!(left.elapsed() < Duration::from_secs(1), "{:?}", left.elapsed());
    }
    mock.wait_for_log(", stream of 1 pieces, 1 bytes: client, the client had left\n");
}

#[test]
fn the_access_log_says_as_json_how_a_stream_ended() {
    let mock = mock(&["--verbose", "--log-format", "json"]);
    assert_eq!(mock.get("/count").text(), "012");
    mock.wait_for_log("\"complete\"");
    let log = mock.log();
    let line = log.lines().find(|line| line.contains("\"complete\"")).unwrap();
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["stream"], serde_json::json!({ "pieces": 3, "bytes": 3, "ended": "complete" }));
    assert_eq!((&line["status"], &line["gone"]), (&200.into(), &false.into()));
}

/// Also a stream that is delayed before it begins. Without chunks, only a reset shows that the answer is broken.
#[test]
fn a_reset_of_the_mock_ends_all_streams() {
    let mock = mock(&["--verbose"]);
    let (mut client, mut held, mut old) =
        (begun(&mock, "/quiet"), asked(&mock, "/held", "1.1"), asked(&mock, "/quiet", "1.0"));
    assert_eq!(piece(&mut client).unwrap(), "0");
    until(&mock, 3.0, "reset", 0.0);
    assert_eq!(mock.admin("DELETE /app/v1/all", &[], b"").status, 200);
    assert_eq!(rest(&mut client), (vec![], false));
    assert_eq!(held.read(true).status, 200);
    assert_eq!(rest(&mut held), (vec!["late".to_owned()], false));
    assert_eq!(old.rest().unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    until(&mock, 0.0, "reset", 3.0);
    mock.wait_for_log(", stream of 1 pieces, 1 bytes: reset\n");
    assert_eq!(mock.get("/count").text(), "012");
}

#[test]
fn no_activation_and_no_end_of_an_overlay_ends_a_stream() {
    let mock = mock(&[]);
    let plain: &[(&str, &str)] = &[("Content-Type", "text/plain")];
    let overlay = SOURCE.replace("\"/ticks\"", "\"/over\"");
    let posted = mock.admin("POST /app/v1/provision/over?overlay", plain, overlay.as_bytes());
    assert_eq!(posted.status, 201, "{}", posted.text());
    let mut clients = ["/ticks", "/over"].map(|path| begun(&mock, path));
    // Each stream sends one more piece after each change.
    let mut expected = 0;
    let mut go_on = |what: &str| {
        for client in &mut clients {
            for number in expected..expected + 100 {
                assert_eq!(piece(client).unwrap(), format!("{number} "), "{what}");
            }
        }
        expected += 100;
    };
    go_on("the beginning");
    assert_eq!(mock.admin("DELETE /app/v1/provision/over?overlay", &[], b"").status, 200);
    assert_eq!(mock.get("/over").status, 404);
    go_on("the end of the overlay");
    let generation = mock.activate("other", "fn registerRules() { app.get(\"/other\", || \"other\"); }");
    go_on("a POST");
    mock.folder.write("provision/other", "fn registerRules() { app.get(\"/file\", || \"file\"); }");
    eventually(|| if mock.active().1 > generation { Ok(()) } else { Err("the file does not serve") });
    assert_eq!((mock.get("/file").status, mock.get("/ticks").status), (200, 404));
    go_on("a file");
    assert_eq!(metric(&mock, "h1mock_streams_open", None), 2.0);
}

#[test]
fn a_stop_waits_for_streams_and_a_new_one_closes_its_connection() {
    let mut mock = mock(&["--drain", "1s"]);
    let mut client = begun(&mock, "/gated");
    mock.signal("TERM");
    mock.wait_for_log("stopping");
    let late = mock.get("/count");
    assert_eq!((late.text().as_str(), late.header("connection")), ("012", "close"));
    assert_eq!(piece(&mut client).unwrap(), "first");
    assert_eq!(mock.get("/go").text(), "gone");
    assert_eq!(rest(&mut client), (vec!["second".to_owned()], true));
    assert_eq!(mock.wait().code(), Some(143));
    assert!(!mock.log().contains("stopped with"), "{}", mock.log());
}

#[test]
fn grace_and_a_second_signal_end_streams() {
    for (grace, signals, text) in [
        ("200ms", 1, "stopped with 1 request unanswered and 3 streams unfinished after 200 ms\n"),
        ("300s", 2, "stopped with 1 request unanswered and 3 streams unfinished after 300000 ms\n"),
    ] {
        let mut mock = mock(&["--grace", grace, "--verbose"]);
        mock.activate("hour", &SOURCE.replace("\"fast\")", "{ time.sleep(3600); \"\" })"));
        let (mut client, mut old) = (begun(&mock, "/quiet"), asked(&mock, "/quiet", "1.0"));
        let (_slow, _held) = (asked(&mock, "/fast", "1.1"), asked(&mock, "/held", "1.1"));
        assert_eq!(piece(&mut client).unwrap(), "0");
        until(&mock, 3.0, "stop", 0.0);
        crate::metrics::until_held(&mock, 1.0);
        for _ in 0..signals {
            mock.signal("TERM");
            mock.wait_for_log("stopping");
        }
        assert_eq!(rest(&mut client), (vec![], false));
        assert_eq!(old.rest().unwrap_err().kind(), io::ErrorKind::ConnectionReset);
        assert_eq!(mock.wait().code(), Some(143));
        mock.wait_for_log(text);
        mock.wait_for_log(", stream of 1 pieces, 1 bytes: stop\n");
    }
}

#[test]
fn an_error_after_the_first_piece_breaks_the_connection() {
    let mock = mock(&["--script-timeout", "300ms", "--verbose"]);
    for (count, path, pieces, text) in [
        (
            1.0,
            "/fails",
            2,
            "script error in provision `initial`: line 20, column 61: too bad (piece 2 of a stream)\n",
        ),
        (
            2.0,
            "/loops",
            1,
            "the script ran longer than 300 ms (piece 1 of a stream) (help: end the loop, or raise --script-timeout)\n",
        ),
    ] {
        let mut client = begun(&mock, path);
        assert_eq!(rest(&mut client), (vec!["x".to_owned(); pieces], false), "{path}");
        mock.wait_for_log(text);
        until(&mock, 0.0, "error", count);
    }
    let broken = asked(&mock, "/fails", "1.0").rest().unwrap_err();
    assert_eq!(broken.kind(), io::ErrorKind::ConnectionReset);
    mock.wait_for_log(", stream of 2 pieces, 2 bytes: error\n");
}

#[test]
fn an_error_in_the_first_piece_is_a_500() {
    let mock = mock(&[]);
    let mut client = Client::new(&mock.traffic);
    let reply = client.send("GET", "/none", &[], b"");
    assert_eq!(reply.status, 500);
    assert!(reply.text().contains("line 21, column 38: too bad"), "{}", reply.text());
    assert_eq!(client.send("GET", "/fast", &[], b"").text(), "fast");
    assert_eq!(metric(&mock, "h1mock_streams_open", None), 0.0);
    assert_eq!(metric(&mock, "h1mock_streams_total", Some("error")), 0.0);
}
