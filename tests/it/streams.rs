//! Streams of the built program: their order and times, their ends, and what they cost.

mod bounds;
mod endings;

use crate::harness::{Client, Mock, eventually};
use std::io::{self, Read};
use std::time::{Duration, Instant};

const SOURCE: &str = r#"fn registerRules() {
    app.get("/fast", || "fast");
    app.get("/made", || `${store.get("made", 0)}`);
    app.get("/go", || { store["go"] = true; "gone" });
    app.get("/list", || stream(["a", "bb", "", "ccc"]));
    app.get("/empty", || stream([]));
    app.get("/count", || stream(|n| { store["made"] = n + 1; if n < 3 { `${n}` } }));
    app.get("/timed", || stream(|n| if n < 5 { `${n}` }, #{ every: 0.1 }));
    app.get("/slept", || stream(|n| { time.sleep(0.1); if n < 3 { `${n}` } }));
    app.get("/gated", || stream(|n| {
        if n == 0 { "first" } else if store.get("go") == () { "" } else if store.get("told") == () {
            store["told"] = true; "second"
        }
    }));
    app.get("/quiet", || stream(|n| `${n}`, #{ every: 3600 }));
    app.get("/ticks", || stream(|n| { store["made"] = n + 1; `${n} ` }, #{ every: 0.02 }));
    app.get("/held", || { time.sleep(3600); stream(["late"]) });
    app.get("/flood", || stream(|n| { store["made"] = n + 1; "x" * 100000 }));
    app.get("/all", || stream(|n| if n < 2000 { "y" }));
    app.get("/fails", || stream(|n| if n < 2 { "x" } else { throw "too bad" }));
    app.get("/none", || stream(|n| { throw "too bad" }));
    app.get("/loops", || stream(|n| { while n == 1 { } "x" }));
    app.get("/large", || stream(["z", "z" * 300000], #{ every: 3600 }));
    app.get("/grows", || { let kept = []; stream(|n| { kept.push("x" * 100000); "y" }) });
    app.get("/nothing", || stream(|n| { store["made"] = n + 1; "x" }, #{ status: 204 }));
}"#;

fn mock(arguments: &[&str]) -> Mock {
    Mock::start_with(arguments, |folder| folder.write("provision/initial", SOURCE))
}

/// A client that has sent a request.
fn asked(mock: &Mock, path: &str, version: &str) -> Client {
    let mut client = Client::new(&mock.traffic);
    client.write(format!("GET {path} HTTP/{version}\r\nHost: x\r\n\r\n").as_bytes());
    client
}

/// A client that has the head of a stream.
#[track_caller]
fn begun(mock: &Mock, path: &str) -> Client {
    let mut client = asked(mock, path, "1.1");
    let head = client.read(true);
    assert_eq!((head.status, head.header("transfer-encoding")), (200, "chunked"));
    client
}

/// Reads a line without the line end.
fn line(client: &mut Client) -> io::Result<String> {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        let mut byte = [0];
        client.reader().read_exact(&mut byte)?;
        line.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&line[..line.len() - 2]).into_owned())
}

/// Reads a chunk; an empty one is the end.
fn piece(client: &mut Client) -> io::Result<String> {
    let size = line(client)?;
    let size = u64::from_str_radix(&size, 16).map_err(|_| io::Error::other(size))?;
    let mut text = String::new();
    client.reader().take(size).read_to_string(&mut text)?;
    line(client)?;
    Ok(text)
}

/// Reads chunks up to the end or to an error. Returns them, and whether the end came.
fn rest(client: &mut Client) -> (Vec<String>, bool) {
    let mut pieces = Vec::new();
    loop {
        match piece(client) {
            Ok(piece) if piece.is_empty() => return (pieces, true),
            Ok(piece) => pieces.push(piece),
            Err(_) => return (pieces, false),
        }
    }
}

/// Returns the value of a metric without labels, or of the streams that ended as `ended`.
fn metric(mock: &Mock, name: &str, ended: Option<&str>) -> f64 {
    let labels: Vec<(&str, &str)> = ended.into_iter().map(|ended| ("ended", ended)).collect();
    crate::metrics::value(mock, name, &labels)
}

/// Waits until `open` streams are open and `count` have ended as `ended`.
#[track_caller]
fn until(mock: &Mock, open: f64, ended: &str, count: f64) {
    eventually(|| {
        let now =
            (metric(mock, "h1mock_streams_open", None), metric(mock, "h1mock_streams_total", Some(ended)));
        if now == (open, count) {
            Ok(())
        } else {
            Err(format!("open, {ended}: {now:?}, not {:?}", (open, count)))
        }
    });
}

#[test]
fn the_first_piece_leaves_at_once_and_the_connection_goes_on() {
    let mock = mock(&["--verbose"]);
    let mut client = begun(&mock, "/gated");
    assert_eq!(piece(&mut client).unwrap(), "first");
    assert_eq!(metric(&mock, "h1mock_streams_open", None), 1.0);
    assert_eq!(crate::metrics::held(&mock), 0.0);
    assert_eq!(mock.get("/go").text(), "gone");
    assert_eq!(rest(&mut client), (vec!["second".to_owned()], true));
    assert_eq!(client.send("GET", "/fast", &[], b"").text(), "fast");
    until(&mock, 0.0, "complete", 1.0);
    assert_eq!(metric(&mock, "h1mock_stream_pieces_total", None), 2.0);
    mock.wait_for_log(" us generation 1, stream of 2 pieces, 11 bytes: complete\n");
}

#[test]
fn pieces_leave_in_order_and_an_empty_one_sends_nothing() {
    let mock = mock(&[]);
    for (path, pieces) in [("/list", &["a", "bb", "ccc"][..]), ("/count", &["0", "1", "2"]), ("/empty", &[])]
    {
        let (received, ended) = rest(&mut begun(&mock, path));
        assert_eq!((received.as_slice(), ended), (pieces.map_owned().as_slice(), true), "{path}");
    }
}

trait Owned {
    fn map_owned(&self) -> Vec<String>;
}

impl Owned for [&str] {
    fn map_owned(&self) -> Vec<String> {
        self.iter().map(|text| (*text).to_owned()).collect()
    }
}

/// No piece leaves before its time. Times are counted from the request on, since the first piece may arrive late.
#[test]
fn pieces_keep_their_schedule() {
    let mock = mock(&[]);
    for (path, first, count) in [("/timed", 0, 5), ("/slept", 1, 3)] {
        let sent = Instant::now();
        let mut client = begun(&mock, path);
        for number in 0..count {
            assert_eq!(piece(&mut client).unwrap(), number.to_string());
            let due = Duration::from_millis(100 * (number + first));
            assert!(sent.elapsed() >= due, "{path}: piece {number} after {:?}", sent.elapsed());
        }
        // The function is asked for the end when the next piece would be due, and sleeps before it.
        assert_eq!(piece(&mut client).unwrap(), "");
        assert!(sent.elapsed() >= Duration::from_millis(100 * (count + first)), "{:?}", sent.elapsed());
    }
}

#[test]
fn a_request_behind_a_stream_is_answered_after_it() {
    let mock = mock(&[]);
    let mut client = Client::new(&mock.traffic);
    let request = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
    client.write(format!("{}{}{}", request("/timed"), request("/count"), request("/fast")).as_bytes());
    assert_eq!([(); 3].map(|()| client.read(false).text()), ["01234", "012", "fast"]);
}

#[test]
fn http_1_0_gets_the_pieces_until_the_connection_ends() {
    let mock = mock(&[]);
    let answer = String::from_utf8(asked(&mock, "/count", "1.0").rest().unwrap()).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, "012");
    assert!(head.ends_with("\r\nConnection: close") && head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(!head.contains("Transfer-Encoding") && !head.contains("Content-Length"), "{head}");
}

#[test]
fn head_and_answers_without_a_body_call_no_function() {
    let mock = mock(&["--verbose"]);
    let mut client = Client::new(&mock.traffic);
    let head = client.send("HEAD", "/count", &[], b"");
    assert_eq!((head.status, head.header("transfer-encoding")), (200, "chunked"));
    assert_eq!(head.all("content-length"), [""; 0]);
    client.write(b"HEAD /count HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    let old = client.read(true);
    assert_eq!((old.status, old.all("content-length"), old.all("transfer-encoding")), (200, vec![], vec![]));
    assert_eq!(mock.get("/made").text(), "0");
    assert_eq!(mock.get("/nothing").status, 204);
    mock.wait_for_log("HEAD /count 200 /count ");
    assert_eq!(metric(&mock, "h1mock_streams_open", None), 0.0);
    assert!(!mock.log().contains("stream of"), "{}", mock.log());
}
