//! Long polls: views that return `wait_for("key", seconds, |value| ...)`, and no worker that waits.

use crate::harness::{Client, Folder, Mock, Reply, binary, eventually};
use crate::metrics::waits;
use std::net::Shutdown;
use std::time::{Duration, Instant};

const PROVISION: &str = r#"
fn registerRules() {
    app.after_request(|response| response.headers["X-After"] = "ran");
    app.register_error_handler(409, |error| [`handled ${error.code}`, 409]);
    app.get("/job/<id>", |id| wait_for(`job-${id}`, 600.0, |value| {
        if value == () { [`no ${id} yet`, 202] } else { #{ id: id, result: value, agent: request.headers.get("User-Agent") } }
    }));
    app.put("/job/<id>", |id| { store[`job-${id}`] = request.text; ["", 204] });
    app.get("/plain/<key>", |key| wait_for(key, 600));
    app.get("/short/<key>", |key| wait_for(key, 0.05, |value| if value == () { "nothing" } else { `${value}` }));
    app.get("/now/<key>", |key| wait_for(key, 0));
    app.get("/fails", || wait_for("k", 600, |value| { let wrong = value.missing(); "x" }));
    app.get("/aborts", || wait_for("k", 600, |value| abort(409)));
    app.get("/slow", || wait_for("k", 600, |value| { time.sleep(0.2); "slow" }));
    app.get("/streams", || wait_for("k", 600, |value| stream(|n| if n < 2 { `${value}${n} ` })));
    app.get("/twice", || wait_for("first", 600, |first| wait_for("k", 600, |second| `${first} and ${second}`)));
    app.get("/again", || again(()));
    app.get("/tenant/<name>", |name| store.scope(name).wait_for("k", 600, |value| `${name} ${value}`));
    app.put("/tenant/<name>", |name| { store.scope(name).set("k", request.text); "" });
    app.post("/body", || { let body = request.data; wait_for("k", 600, |value| `${body.len()} ${value}`) });
    app.get("/fast", || "fast");
    app.post("/incr", || `${store.incr("k")}`);
    app.post("/append", || { store.append("k", 1); "" });
    app.post("/none", || { store["k"] = (); "" });
}
fn again(value) { wait_for("k", 600, Fn("again")) }
"#;

fn mock() -> Mock {
    mock_with(&[])
}

fn mock_with(arguments: &[&str]) -> Mock {
    Mock::start_with(arguments, |folder| folder.write("provision/initial", PROVISION))
}

/// Sends a request that waits.
fn ask(mock: &Mock, path: &str) -> Client {
    let mut client = Client::new(&mock.traffic);
    client.write(format!("GET {path} HTTP/1.1\r\nHost: x\r\nUser-Agent: tester\r\n\r\n").as_bytes());
    client
}

#[track_caller]
fn until_waiting(mock: &Mock, count: usize) {
    eventually(|| match waits(mock) {
        open if open == count as f64 => Ok(()),
        open => Err(format!("{open} of {count} requests wait")),
    });
}

/// Sends a request, and returns its client once it waits.
#[track_caller]
fn waiting(mock: &Mock, path: &str) -> Client {
    let before = waits(mock) as usize;
    let client = ask(mock, path);
    until_waiting(mock, before + 1);
    client
}

#[track_caller]
fn put(mock: &Mock, path: &str, text: &str) {
    let reply = mock.send("PUT", path, &[("Content-Type", "text/plain")], text.as_bytes());
    assert!(reply.status < 300, "{}", reply.text());
}

/// Sets a key of `store` by the administrative port.
#[track_caller]
fn set(mock: &Mock, key: &str, json: &str) {
    let reply = mock.admin(&format!("PUT /app/v1/store/{key}"), &[], json.as_bytes());
    assert!(reply.status < 300, "{}", reply.text());
}

fn shown(reply: &Reply) -> (u16, String) {
    (reply.status, reply.text())
}

fn answer(status: u16, text: &str) -> (u16, String) {
    (status, text.to_owned())
}

#[test]
fn another_request_that_sets_the_key_answers_all_who_wait_for_it() {
    let mock = mock();
    let mut waiters: Vec<Client> = (0..3).map(|_| waiting(&mock, "/job/7")).collect();
    let mut other = waiting(&mock, "/job/8");
    put(&mock, "/job/7", "done");
    for client in &mut waiters {
        let reply = client.read(false);
        assert_eq!((reply.status, reply.header("x-after")), (200, "ran"));
        let expected = serde_json::json!({ "id": "7", "result": "done", "agent": "tester" });
        assert_eq!(reply.json(), expected);
        // The connection goes on.
        assert_eq!(client.send("GET", "/fast", &[], b"").text(), "fast");
    }
    until_waiting(&mock, 1);
    // Set before.
    assert_eq!(mock.get("/job/7").json()["result"], "done");
    put(&mock, "/job/8", "8");
    assert_eq!(other.read(false).json()["result"], "8");
}

#[test]
fn each_way_to_set_a_key_ends_a_wait() {
    let mock = mock();
    let clear = || assert_eq!(mock.admin("DELETE /app/v1/store", &[], b"").status, 200);
    for (method, path, expected) in
        [("POST", "/incr", (500, "")), ("POST", "/append", (200, "[1]\n")), ("PUT", "/job/x", (200, "set"))]
    {
        let key = if path == "/job/x" { "job-x" } else { "k" };
        let mut client = waiting(&mock, &format!("/plain/{key}"));
        assert!(mock.send(method, path, &[("Content-Type", "text/plain")], b"set").status < 300);
        let reply = client.read(false);
        assert_eq!(reply.status, expected.0, "{path}");
        // A number is no answer, as in Flask.
        assert!(reply.status == 500 || reply.text() == expected.1, "{path}: {}", reply.text());
        clear();
    }
    let mut client = waiting(&mock, "/plain/k");
    // `()` is no value, and a removed key neither.
    assert_eq!(mock.post("/none", "text/plain", b"").status, 200);
    clear();
    set(&mock, "other", "1");
    assert_eq!(waits(&mock), 1.0);
    set(&mock, "k", r#"{"by": "admin"}"#);
    assert_eq!(shown(&client.read(false)), answer(200, "{\"by\":\"admin\"}\n"));
}

#[test]
fn the_time_ends_a_wait_with_nothing() {
    let mock = mock();
    for (path, expected) in
        [("/short/k", answer(200, "nothing")), ("/now/k", answer(204, "")), ("/plain/set", answer(200, "v"))]
    {
        set(&mock, "set", "\"v\"");
        let began = Instant::now();
        let reply = mock.get(path);
        assert_eq!((shown(&reply), reply.header("x-after")), (expected, "ran"), "{path}");
        assert!(path != "/short/k" || began.elapsed() >= Duration::from_millis(50));
    }
    assert_eq!(waits(&mock), 0.0);
    // A wait is no time of the mock.
    let entry = &mock.admin("GET /app/v1/requests?path=/short/k", &[], b"").json()["requests"][0];
    assert!(entry["microseconds"].as_u64().unwrap() < 50_000, "{entry}");
    assert_eq!((&entry["status"], &entry["rule"]), (&200.into(), &"/short/<key>".into()));
}

#[test]
fn the_function_answers_like_a_view() {
    let mock = mock();
    let table = [
        (
            "/fails",
            500,
            "script error in provision `initial`: line 12, column 73: no function `missing (string)`",
        ),
        ("/aborts", 409, "handled 409"),
        ("/slow", 200, "slow"),
        ("/streams", 200, "v0 v1 "),
        ("/plain/k", 200, "v"),
    ];
    let mut clients: Vec<Client> = table.iter().map(|(path, ..)| waiting(&mock, path)).collect();
    set(&mock, "k", "\"v\"");
    for (client, (path, status, text)) in clients.iter_mut().zip(table) {
        let reply = client.read(false);
        let (own, first) = (reply.text(), reply.status == 500);
        let got = if first { own.lines().next().unwrap_or_default() } else { &own };
        assert_eq!((reply.status, got, reply.header("x-after")), (status, text, "ran"), "{path}");
    }
    mock.wait_for_log("GET /fails: ");
    let error = mock.admin("GET /app/v1/requests?path=/fails", &[], b"").json();
    assert!(error["requests"][0]["error"].as_str().unwrap().contains("missing"), "{error}");
}

#[test]
fn a_function_may_wait_again_but_not_without_end() {
    let mock = mock();
    let mut client = waiting(&mock, "/twice");
    set(&mock, "first", "\"one\"");
    eventually(|| match mock.admin("GET /app/v1/store", &[], b"").json()["first"] == "one" {
        true => Ok(()),
        false => Err("not set"),
    });
    set(&mock, "k", "\"two\"");
    assert_eq!(shown(&client.read(false)), answer(200, "one and two"));
    let reply = mock.get("/again");
    assert_eq!(reply.status, 500);
    let expected = "wait_for was called more than 1000 times for one request, last for `k`";
    assert!(reply.text().contains(expected), "{}", reply.text());
}

#[test]
fn a_scope_has_waits_of_its_own() {
    let mock = mock();
    let (mut a, mut b) = (waiting(&mock, "/tenant/a"), waiting(&mock, "/tenant/b"));
    put(&mock, "/tenant/b", "for b");
    assert_eq!(b.read(false).text(), "b for b");
    put(&mock, "/tenant/a", "for a");
    assert_eq!(a.read(false).text(), "a for a");
}

#[test]
fn chaos_of_the_request_acts_on_the_answer_of_its_wait() {
    let mock = mock();
    let chaos = |json: &str| assert!(mock.admin("POST /app/v1/chaos", &[], json.as_bytes()).status < 300);
    chaos(r#"{"path": "/plain/k", "fault": "close", "times": 1}"#);
    let (mut broken, mut whole) = (waiting(&mock, "/plain/k"), waiting(&mock, "/plain/k"));
    chaos(r#"{"path": "/plain/other", "status": 503}"#);
    assert_eq!(mock.get("/plain/other").status, 503);
    set(&mock, "k", "\"v\"");
    assert!(broken.try_read(false).is_err());
    assert_eq!(shown(&whole.read(false)), answer(200, "v"));
}

#[test]
fn an_overlay_waits_for_the_store_of_the_base_also_after_its_end() {
    let mock = mock();
    let source = r#"fn registerRules() {
        app.after_request(|r| r.headers["X-After"] = "overlay");
        app.get("/over", || wait_for("job-7", 600, |value| if value == () { abort(404) } else { `over ${value}` }));
    }"#;
    let loaded = mock.admin(
        "POST /app/v1/provision/over?overlay",
        &[("Content-Type", "text/plain")],
        source.as_bytes(),
    );
    assert_eq!(loaded.status, 201, "{}", loaded.text());
    let mut client = waiting(&mock, "/over");
    assert_eq!(mock.admin("DELETE /app/v1/provision/over?overlay", &[], b"").status, 200);
    put(&mock, "/job/7", "base");
    let reply = client.read(false);
    assert_eq!((shown(&reply), reply.header("x-after")), (answer(200, "over base"), "overlay"));
    let entry = &mock.admin("GET /app/v1/requests?path=/over", &[], b"").json()["requests"][0];
    assert_eq!((&entry["overlay"], &entry["rule"]), (&"over".into(), &"/over".into()), "{entry}");
}

#[test]
fn a_reset_and_a_stop_answer_all_who_wait() {
    let mut mock = mock_with(&["--grace", "300s"]);
    let mut clients: Vec<Client> = ["/job/1", "/plain/k"].iter().map(|path| waiting(&mock, path)).collect();
    // A wait for a key that the reset restores is of the old epoch, too.
    assert_eq!(mock.admin("DELETE /app/v1/all", &[], b"").status, 200);
    assert_eq!(shown(&clients[0].read(false)), answer(202, "no 1 yet"));
    assert_eq!(clients[1].read(false).status, 204);
    until_waiting(&mock, 0);
    let mut client = waiting(&mock, "/job/2");
    mock.signal("TERM");
    assert_eq!(shown(&client.read(false)), answer(202, "no 2 yet"));
    assert_eq!(mock.wait().code(), Some(143));
    assert!(!mock.log().contains("unanswered"), "{}", mock.log());
}

#[test]
fn an_activation_ends_no_wait() {
    const NEXT: &str =
        r#"fn registerRules() { app.put("/job/<id>", |id| { store[`job-${id}`] = "by the next"; "" }); }"#;
    for keep in [true, false] {
        let mock = mock_with(if keep { &["--keep-store"] } else { &[] });
        let mut client = waiting(&mock, "/job/7");
        mock.activate("next", NEXT);
        put(&mock, "/job/7", "");
        if keep {
            assert_eq!(client.read(false).json()["result"], "by the next");
        } else {
            // The provision that waits has another store.
            assert_eq!(mock.admin("GET /app/v1/store/job-7", &[], b"").text(), "\"by the next\"");
            assert_eq!(waits(&mock), 1.0);
            assert_eq!(mock.admin("DELETE /app/v1/all", &[], b"").status, 200);
            assert_eq!(shown(&client.read(false)), answer(202, "no 7 yet"));
        }
    }
}

#[test]
fn a_client_that_leaves_ends_its_wait() {
    let mock = mock_with(&["--verbose"]);
    let client = waiting(&mock, "/job/7");
    client.stream().shutdown(Shutdown::Both).unwrap();
    drop(client);
    until_waiting(&mock, 0);
    mock.wait_for_log("GET /job/7 0 /job/<id> ");
    mock.wait_for_log(", the client had left");
    let entries = mock.admin("GET /app/v1/requests?path=/job/7", &[], b"").json();
    let entry = &entries["requests"][0];
    assert_eq!((&entry["status"], &entry["error"]), (&0.into(), &serde_json::Value::Null), "{entry}");
    // The value goes to nobody, and stays.
    put(&mock, "/job/7", "done");
    assert_eq!(mock.get("/job/7").json()["result"], "done");
}

#[test]
fn waits_take_no_more_memory_than_delayed_answers_may() {
    let mock = mock_with(&["--max-buffered", "256k", "--max-body", "200k"]);
    let body = vec![b'x'; 100_000];
    let mut first = Client::new(&mock.traffic);
    first.write(b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
    first.write(&body);
    until_waiting(&mock, 1);
    let refused = eventually(|| {
        let mut more = Client::new(&mock.traffic);
        more.write(b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
        more.write(&body);
        let before = waits(&mock);
        match before < 3.0 {
            true => Ok::<_, String>(more.read(false)),
            false => Err("no refusal".to_owned()),
        }
    });
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert!(refused.text().contains("--max-buffered"), "{}", refused.text());
    assert_eq!(mock.get("/fast").text(), "fast");
    set(&mock, "k", "1");
    assert_eq!(shown(&first.read(false)), answer(200, "100000 1"));
    until_waiting(&mock, 0);
}

/// The target of line 4 of the issue.
#[test]
fn two_thousand_wait_at_once_and_other_requests_are_answered() {
    const MANY: usize = 2000;
    let mock = mock_with(&["--workers", "2"]);
    let mut clients: Vec<Client> =
        (0..MANY).map(|number| ask(&mock, if number % 2 == 0 { "/plain/k" } else { "/job/7" })).collect();
    until_waiting(&mock, MANY);
    let began = Instant::now();
    for _ in 0..20 {
        assert_eq!(mock.get("/fast").text(), "fast");
    }
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    set(&mock, "k", "\"v\"");
    put(&mock, "/job/7", "done");
    for (number, client) in clients.iter_mut().enumerate() {
        let reply = client.read(false);
        assert_eq!(reply.status, 200);
        assert!(number % 2 == 1 || reply.text() == "v");
    }
    assert_eq!(waits(&mock), 0.0);
}

#[test]
fn a_trial_does_not_wait() {
    let folder = Folder::new();
    folder.write("p", PROVISION);
    for (store, expected) in [("{}", "no 7 yet"), (r#"{"job-7": "done"}"#, r#""result":"done""#)] {
        let output = binary()
            .args(["try", "p", "GET", "/job/7", "--store", store])
            .current_dir(&folder.0)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains(expected), "{text}{}", String::from_utf8_lossy(&output.stderr));
    }
}
