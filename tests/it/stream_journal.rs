//! Streams in the journal: their entries, filters, waits, events and errors.

use crate::harness::{Client, DEADLINE, Mock, Reply, eventually};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::thread;

const SOURCE: &str = r#"
fn registerRules() {
    app.get("/list", || stream(["one", "two", "three"]));
    app.get("/open", || stream(["a", "b"], #{ every: 3600 }));
    app.get("/gate", || stream(|n| if n < 2 { `p${n}` } else if store.get("go", false) { () } else { "" }, #{ every: 0.02 }));
    app.get("/fails", || stream(|n| if n < 2 { "x" } else { throw "out of tokens" }));
    app.get("/never", || stream(|n| { throw "no token at all" }));
    app.get("/plain", || "plain");
    app.post("/go", || { store.set("go", true); "" });
}
"#;

fn mock() -> Mock {
    Mock::serving(SOURCE)
}

/// A client that has the first piece of a stream.
fn begun(mock: &Mock, target: &str) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(&mock.traffic).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    write!(stream, "GET {target} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut reader = BufReader::new(stream);
    lines(&mut reader);
    // The length of the chunk, and the chunk.
    (0..2).for_each(|_| drop(line(&mut reader)));
    reader
}

fn line(reader: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

/// The lines up to an empty one.
fn lines(reader: &mut BufReader<TcpStream>) -> Vec<String> {
    std::iter::from_fn(|| Some(line(reader)).filter(|line| !line.is_empty())).collect()
}

fn ask(mock: &Mock, path: &str) -> Reply {
    mock.admin(&format!("GET /app/v1/{path}"), &[], b"")
}

fn entry(mock: &Mock, number: u64) -> Value {
    ask(mock, &format!("requests/{number}")).json()
}

/// Waits until a request fits the filter.
#[track_caller]
fn wait(mock: &Mock, filter: &str) -> Value {
    let reply = ask(mock, &format!("requests/wait?timeout=20&{filter}"));
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

fn numbers(list: &Value) -> Vec<u64> {
    list.as_array().unwrap().iter().map(|number| number.as_u64().unwrap()).collect()
}

#[test]
fn an_entry_is_there_while_its_stream_goes_on() {
    let mock = mock();
    let client = begun(&mock, "/open");
    let open = entry(&mock, 1);
    assert_eq!(open["stream"], json!({ "pieces": 1, "bytes": 1, "times_ms": [0], "ended": null }));
    assert_eq!((&open["answer_body"], &open["answer_body_length"]), (&json!("a"), &json!(1)));
    assert!(open["microseconds"].as_u64().is_some() && open["error"].is_null());
    let verdict = ask(&mock, "verify?stream=ended").json();
    assert_eq!(verdict["verdict"], "fail");
    let why = "nearest: number 1 `GET /open`: stream is `open after 1 piece`, not `ended`";
    assert!(verdict["result"].as_str().unwrap().ends_with(why), "{verdict}");
    drop(client);
    assert_eq!(wait(&mock, "stream=client")["numbers"], json!([1]));
    assert_eq!(entry(&mock, 1)["stream"]["ended"], "client");
    assert_eq!(mock.send("HEAD", "/open", &[], b"").status, 200);
    mock.get("/plain");
    for number in [2, 3] {
        assert!(entry(&mock, number).as_object().unwrap().get("stream").is_none(), "{number}");
    }
}

#[test]
fn times_and_bytes_are_those_of_the_pieces() {
    let mock = Mock::serving(
        r#"fn registerRules() { app.get("/", || stream(["one", "two", "three"], #{ every: 0.05 })); }"#,
    );
    assert_eq!(mock.get("/").text(), "onetwothree");
    wait(&mock, "stream=complete&pieces=3");
    let entry = entry(&mock, 1);
    let times = numbers(&entry["stream"]["times_ms"]);
    assert!(times[0] == 0 && times[1] >= 49 && times[2] >= 99 && times.len() == 3, "{times:?}");
    assert_eq!((&entry["stream"]["bytes"], &entry["answer_body_cut"]), (&json!(11), &json!(true)));
    let archive = ask(&mock, "requests.har").json();
    let archived = &archive["log"]["entries"][0];
    assert_eq!(archived["response"]["comment"], "a stream: complete after 3 pieces");
    assert_eq!(archived["response"]["content"]["size"], 11);
    let [time, wait, receive] =
        [&archived["time"], &archived["timings"]["wait"], &archived["timings"]["receive"]]
            .map(|time| time.as_f64().unwrap());
    assert!(receive >= 99.0 && (wait + receive - time).abs() < 0.001, "{archived}");
}

#[test]
fn a_wait_ends_when_three_streams_have_ended() {
    let mock = mock();
    let clients: Vec<_> = (0..3).map(|_| begun(&mock, "/gate")).collect();
    mock.get("/list");
    assert_eq!(wait(&mock, "path=/gate&pieces=2-&count=3")["count"], 3);
    let late = ask(&mock, "requests/wait?path=/gate&stream=ended&timeout=0.05");
    assert_eq!(late.status, 408);
    assert!(late.text().contains("stream is `open after 2 pieces`, not `ended`"), "{}", late.text());
    thread::scope(|scope| {
        let ended = scope.spawn(|| wait(&mock, "path=/gate&stream=ended&count=3"));
        mock.post("/go", "text/plain", b"");
        assert_eq!(ended.join().unwrap()["numbers"], json!([1, 2, 3]));
    });
    let sequence =
        json!({ "sequence": [{ "path": "/gate", "stream": "complete" }, { "path": "/list", "pieces": 3 }] });
    let verdict = mock.admin("POST /app/v1/verify", &[], sequence.to_string().as_bytes()).json();
    assert_eq!(verdict["verdict"], "pass", "{verdict}");
    drop(clients);
}

#[test]
fn the_error_of_a_stream_is_in_entry_report_and_log() {
    let mock = mock();
    let mut client = begun(&mock, "/fails");
    // The second piece, and the end without the last chunk.
    let mut rest = Vec::new();
    let _ = std::io::Read::read_to_end(&mut client, &mut rest);
    assert!(!rest.ends_with(b"0\r\n\r\n"));
    let failed = entry(&mock, 1);
    assert_eq!((&failed["stream"]["ended"], &failed["stream"]["pieces"]), (&json!("error"), &json!(2)));
    let error = failed["error"].as_str().unwrap();
    assert!(error.contains("out of tokens") && error.contains("line 6"), "{error}");
    let report = ask(&mock, "report").json();
    assert_eq!((&report["errors"]["count"], &report["failed"]), (&json!(1), &json!(["errors"])));
    assert!(report["errors"]["first"].as_str().unwrap().contains("out of tokens"), "{report}");
    let metrics = mock.admin("GET /metrics", &[], b"").text();
    assert!(metrics.contains("script_errors_total{rule=\"/fails\"} 1\n"), "{metrics}");
    mock.wait_for_log("out of tokens");
    // An error in the first piece is a plain 500, and no stream.
    assert_eq!(mock.get("/never").status, 500);
    assert_eq!(numbers(&wait(&mock, "stream=none")["numbers"]), [2]);
    assert_eq!(ask(&mock, "report").json()["errors"]["count"], 2);
}

#[test]
fn all_resources_take_the_filters() {
    let mock = mock();
    mock.get("/list");
    let open = begun(&mock, "/open");
    drop(begun(&mock, "/open"));
    drop(begun(&mock, "/fails"));
    mock.get("/plain");
    wait(&mock, "stream=client&path=/open");
    wait(&mock, "stream=ended&path=/fails");
    let table: [(&str, &[u64]); 9] = [
        ("stream=begun", &[1, 2, 3, 4]),
        ("stream=none", &[5]),
        ("stream=open", &[2]),
        ("stream=complete", &[1]),
        ("stream!=open", &[1, 3, 4, 5]),
        ("stream=ended&path=/open", &[3]),
        ("pieces=3", &[1]),
        ("pieces=1&path=/open", &[2, 3]),
        ("pieces!=0-&path=/plain", &[5]),
    ];
    for (filter, expected) in table {
        let count = expected.len();
        let list = ask(&mock, &format!("requests?{filter}")).json();
        let found =
            list["requests"].as_array().unwrap().iter().map(|entry| entry["number"].clone()).collect();
        assert_eq!(numbers(&Value::Array(found)), expected, "{filter}");
        let archive = ask(&mock, &format!("requests.har?{filter}")).json();
        assert_eq!(archive["log"]["entries"].as_array().unwrap().len(), count, "{filter}");
        let verdict = ask(&mock, &format!("verify?{filter}&count={count}")).json();
        assert_eq!(
            (&verdict["verdict"], &verdict["numbers"]),
            (&json!("pass"), &json!(expected)),
            "{filter}"
        );
        assert_eq!(wait(&mock, &format!("{filter}&count={count}"))["numbers"], json!(expected), "{filter}");
        let mut events = follow(&mock, &format!("since=0&{filter}"));
        let ids: Vec<String> = (0..=count).map(|_| lines(&mut events)[0].clone()).collect();
        let wanted: Vec<String> = [&[0], expected].concat().iter().map(|id| format!("id: {id}")).collect();
        assert_eq!(ids, wanted, "{filter}");
    }
    for (filter, why) in [
        (
            "stream=closed",
            "`closed` is no state of a stream: none, begun, open, ended, complete, error, client, chaos, reset or stop",
        ),
        ("pieces=few", "`few` is neither a number nor a range such as `3-` or `3-5`"),
        ("stream=none&stream=open", "contradicts another condition: stream is `none`"),
    ] {
        for path in ["requests", "requests.har", "requests/stream", "requests/wait", "verify"] {
            let reply = ask(&mock, &format!("{path}?{filter}"));
            assert!(reply.status == 400 && reply.text().contains(why), "{path}: {}", reply.text());
        }
    }
    drop(open);
}

fn follow(mock: &Mock, query: &str) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(&mock.admin).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    write!(stream, "GET /app/v1/requests/stream?{query} HTTP/1.0\r\nHost: x\r\n\r\n").unwrap();
    let mut reader = BufReader::new(stream);
    lines(&mut reader);
    reader
}

#[test]
fn who_follows_sees_a_stream_begin_and_end() {
    let mock = mock();
    let (mut all, mut ended) = (follow(&mock, ""), follow(&mock, "stream=ended"));
    assert_eq!((lines(&mut all), lines(&mut ended)), (vec!["id: 0".to_owned()], vec!["id: 0".to_owned()]));
    let client = begun(&mock, "/open");
    let begin = lines(&mut all);
    assert!(begin[0] == "id: 1" && begin[1].contains("\"ended\":null"), "{begin:?}");
    mock.get("/plain");
    assert_eq!(lines(&mut all)[0], "id: 2");
    drop(client);
    for events in [&mut all, &mut ended] {
        let event = lines(events);
        assert_eq!((event.len(), &*event[0]), (2, "event: ended"), "{event:?}");
        let data: Value = serde_json::from_str(event[1].strip_prefix("data: ").unwrap()).unwrap();
        assert_eq!((&data["number"], &data["stream"]["ended"]), (&json!(1), &json!("client")));
    }
}

#[test]
fn a_reset_clears_the_entries_of_streams_and_ends_them() {
    let mock = mock();
    let mut client = begun(&mock, "/open");
    assert_eq!(mock.admin("DELETE /app/v1/all", &[], b"").status, 200);
    let mut rest = Vec::new();
    let _ = std::io::Read::read_to_end(&mut client, &mut rest);
    assert!(rest.is_empty());
    let list = ask(&mock, "requests").json();
    assert_eq!((&list["requests"], &list["last"]), (&json!([]), &json!(1)));
    mock.get("/list");
    assert_eq!(wait(&mock, "stream=complete")["numbers"], json!([2]));
}

#[test]
fn a_stop_ends_streams_and_waits_for_them() {
    let mut mock = Mock::start_with(&["--grace", "1"], |folder| folder.write("provision/initial", SOURCE));
    let mut client = begun(&mock, "/open");
    thread::scope(|scope| {
        let waiting = scope.spawn(|| ask(&mock, "requests/wait?stream=ended&timeout=20").status);
        eventually(|| match ask(&mock, "requests/wait?stream=open&timeout=0").status {
            200 => Ok(()),
            status => Err(status.to_string()),
        });
        mock.signal("TERM");
        assert!(matches!(waiting.join().unwrap(), 408 | 503));
    });
    let mut rest = Vec::new();
    let _ = std::io::Read::read_to_end(&mut client, &mut rest);
    assert!(!rest.ends_with(b"0\r\n\r\n"));
    assert_eq!(mock.wait().code(), Some(143));
}

#[test]
fn what_was_evicted_while_it_went_on_is_unknown() {
    let mock =
        Mock::start_with(&["--journal-bytes", "64k"], |folder| folder.write("provision/initial", SOURCE));
    let open = begun(&mock, "/open");
    let mut client = Client::new(&mock.traffic);
    (0..1000).for_each(|_| drop(client.send("GET", "/plain", &[], b"")));
    let gone = entry(&mock, 1);
    assert_eq!(gone["stream"], json!(null));
    assert_eq!(gone["gone"], json!(["answer_body", "body", "headers", "stream"]));
    for (filter, verdict) in
        [("begun", "pass"), ("open", "unknown"), ("ended", "unknown"), ("error", "unknown")]
    {
        let found = ask(&mock, &format!("verify?stream={filter}&count=1")).json();
        assert_eq!(found["verdict"], verdict, "{found}");
    }
    assert_eq!(ask(&mock, "verify?stream=none&count=1000").json()["verdict"], "pass");
    drop(open);
    (0..100).for_each(|_| drop(client.send("GET", "/list", &[], b"")));
    assert_eq!(wait(&mock, "stream=complete&since=1001&count=100")["count"], 100);
}

#[test]
fn ten_thousand_streams_leave_memory_as_it_was() {
    let mock =
        Mock::start_with(&["--journal-bytes", "64k"], |folder| folder.write("provision/initial", SOURCE));
    let kilobytes = || {
        let status = fs::read_to_string(format!("/proc/{}/status", mock.pid())).unwrap();
        let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        rss.trim().trim_end_matches(" kB").parse::<u64>().unwrap()
    };
    let mut client = Client::new(&mock.traffic);
    let mut streams = |count| {
        for _ in 0..count {
            assert_eq!(client.send("GET", "/list", &[], b"").text(), "onetwothree");
        }
    };
    streams(2_000);
    let before = kilobytes();
    streams(8_000);
    let after = kilobytes();
    assert!(after < before + 2_048, "{before} kB before, {after} kB after");
    let metrics = mock.admin("GET /metrics", &[], b"").text();
    let used = metrics.lines().find_map(|line| line.strip_prefix("h1mock_journal_bytes ")).unwrap();
    assert!(used.parse::<u64>().unwrap() <= 64 << 10, "{used}");
    assert_eq!(wait(&mock, "stream=complete&since=9999")["numbers"], json!([10_000]));
}
