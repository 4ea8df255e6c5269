//! The interface with a provision directory of its own, and a timer that runs when a test runs it.

mod callbacks;
mod calls;
mod closest;
mod openapi;

use super::*;
use crate::directory::fixture::Folder;
use crate::directory::{Cause, DirectoryError};
use crate::message::answer::JSON;
use crate::message::epoch::Epoch;
use crate::observing::journal::on_own_thread;
use crate::provisioning::activation::ActivationError;
use crate::provisioning::load::LoadOptions;
use crate::provisioning::required::Required;
use crate::script;
use crate::script::runtime::budget::Budget;
use crate::script::runtime::fault::LoadError;
use rhai::Engine;
use serde_json::Value;
use std::cell::Cell;
use std::fs::{self, File};
use std::sync::{LazyLock, Mutex, mpsc};
use std::time::{Duration, UNIX_EPOCH};

type Jobs = Arc<Mutex<Vec<(Duration, Box<dyn FnOnce() + Send>)>>>;

/// A provision that loads.
const GOOD: &[u8] = b"fn registerRules() { app.get(\"/near\", || \"near\"); }";
const BROKEN: &[u8] = b"\n\nlet x = broken;\nfn registerRules() {}";
const LIBRARY: &[u8] = b"fn one() { 1 }";
const INITIAL: &[u8] = b"fn registerRules() {
    app.get(\"/a/<int:n>\", |n| `${n}`); app.get(\"/a/<int:id>\", show);
}
fn show(id) { `${id}` }";

fn activation(folder: &Folder, required: Option<&str>) -> Activation {
    static ENGINE: LazyLock<Arc<Engine>> = LazyLock::new(|| Arc::new(script::engine(Budget::default())));
    let directory = folder.directory();
    let files = [("initial", INITIAL), ("stale", BROKEN), ("lib.rhai", LIBRARY), ("data.json", &b"{}"[..])];
    for (name, content) in files {
        fs::write(folder.root().join(name), content).unwrap();
        File::options().write(true).open(folder.root().join(name)).unwrap().set_modified(UNIX_EPOCH).unwrap();
    }
    let options = LoadOptions {
        store_bytes: 64 << 20,
        required: Required(required.map(|name| Name::parse(name).unwrap())),
        ..LoadOptions::default()
    };
    Activation::start(ENGINE.clone(), options, Arc::new(directory), Arc::new(Epoch::default())).unwrap()
}

/// Starts an admin interface that serves; returns it with the jobs that wait on its timer.
fn started() -> (Arc<Admin>, Jobs) {
    started_with(None)
}

/// Starts an admin interface that is ready once the provision `required` is active.
fn started_with(required: Option<&str>) -> (Arc<Admin>, Jobs) {
    let jobs = Jobs::default();
    let timer = Arc::clone(&jobs);
    let folder = Folder::new();
    let activation = Arc::new(activation(&folder, required));
    let journal = Arc::new(Journal::new(1 << 20, 1 << 10).unwrap().of_epoch(&activation.epoch));
    journal.watch.set_timer(on_own_thread(Box::new(|_, _| {})).unwrap());
    let admin = Admin {
        activation,
        after: Box::new(move |delay, job| {
            // The folder is removed with the interface.
            let _ = &folder;
            timer.lock().unwrap().push((delay, job));
        }),
        token: None,
        hosts: Vec::new(),
        readiness: Arc::new(Readiness::default()),
        observing: Observing {
            metrics: Box::new(|| "a_total 1\n".to_owned()),
            report: Box::new(|fail_on| {
                format!(r#"{{"verdict":"{}"}}"#, fail_on.map_or("pass".to_owned(), |given| given.text()))
            }),
            end_earlier: Box::new(|| ()),
            quit: Box::new(|| QUITS.with(|quits| quits.set(quits.get() + 1))),
        },
        chaos: Arc::default(),
        streams: Streams::new(&journal),
        waiters: Waiters::new(&journal),
        journal,
        reception: Reception {
            address: ([127, 0, 0, 1], 8000).into(),
            max_content: 1 << 20,
            trusted_proxies: 0,
        },
        loads: Job::thread("loads", 16 << 20).unwrap(),
        reads: Job::thread("reads", 16 << 20).unwrap(),
        checks: Job::thread("checks", 16 << 20).unwrap(),
        large_answers: Default::default(),
    };
    admin.readiness.set_serving(true);
    (Arc::new(admin), jobs)
}

thread_local! {
    /// Number of calls of `quit` on this thread.
    static QUITS: Cell<usize> = const { Cell::new(0) };
}

/// Builds a request from `"POST /path?query"`, one header or "", and a body.
fn request(line: &str, header: &str, body: &[u8]) -> Request {
    let (method, target) = line.split_once(' ').unwrap();
    Request::from_parts(method, target, header.split_once(": "), body.into(), None, None)
}

fn send(admin: &Arc<Admin>, request: Request) -> mpsc::Receiver<Answer> {
    let (sender, receiver) = mpsc::channel();
    handle(admin, request, Box::new(move |reply| sender.send(reply.answer).unwrap()), Box::new(drop));
    receiver
}

#[track_caller]
fn answer(admin: &Arc<Admin>, line: &str, header: &str, body: &[u8]) -> Answer {
    let answer = send(admin, request(line, header, body)).recv_timeout(Duration::from_secs(20)).unwrap();
    let is_json = answer.header("Content-Type") == Some(JSON);
    // The body of a large answer is made while it is sent.
    let ends = answer.body.len() == 0 || answer.body.bytes().ends_with(b"\n");
    assert!(!is_json || ends, "{line}: {}", text(&answer));
    answer
}

/// Returns the body, JSON without its line end.
fn text(answer: &Answer) -> String {
    let text = String::from_utf8_lossy(answer.body.bytes());
    let is_json = answer.header("Content-Type") == Some(JSON);
    text.strip_suffix('\n').filter(|_| is_json).unwrap_or(&text).to_owned()
}

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.headers.iter().find(|(n, _)| n == name).map(|(_, value)| &**value)
}

const PLAIN: &str = "Content-Type: text/plain";

#[test]
fn each_resource_serves_the_methods_it_allows_and_no_others() {
    let resources = [
        "healthz",
        "readyz",
        "app/v1/openapi.json",
        "app/v1/wait",
        "app/v1/provision",
        "app/v1/provision/x",
        "app/v1/source/x",
        "app/v1/file/x",
        "app/v1/store",
        "app/v1/store/x",
        "app/v1/all",
        "metrics",
        "app/v1/report",
        "app/v1/quit",
        "app/v1/requests",
        "app/v1/requests/1",
        "app/v1/requests.har",
        "app/v1/requests/stream",
        "app/v1/requests/wait?timeout=0",
        "app/v1/verify",
        "app/v1/check",
    ];
    for path in resources {
        let (admin, _) = started();
        let options = answer(&admin, &format!("OPTIONS /{path}"), "", b"");
        assert_eq!((options.status, options.body.len()), (200, 0), "{path}");
        let allow = header(&options, "Allow").unwrap();
        for method in ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE", "CONNECT"] {
            let answer = answer(&admin, &format!("{method} /{path}"), "", b"");
            let allowed = allow.split(", ").any(|one| one == method);
            assert_eq!(answer.status != 405, allowed, "{method} {path}");
            assert_eq!(
                header(&answer, "Allow"),
                (!allowed || method == "OPTIONS").then_some(allow),
                "{method} {path}"
            );
        }
    }
}

#[test]
fn with_a_token_only_the_probes_are_free() {
    let (mut admin, _) = started();
    Arc::get_mut(&mut admin).unwrap().token = Some("s3cret".into());
    for (line, free) in [("GET /healthz", 200), ("GET /readyz", 200), ("PUT /readyz", 405)] {
        assert_eq!(answer(&admin, line, "", b"").status, free, "{line}");
    }
    for (line, with_token) in [
        ("GET /app/v1/openapi.json", 200),
        ("GET /nowhere", 404),
        ("GET /metrics", 200),
        ("GET /app/v1/report", 200),
        ("POST /app/v1/quit", 202),
        ("OPTIONS /app/v1/wait", 200),
        ("POST /app/v1/provision/x", 422),
    ] {
        let refused = answer(&admin, line, "", b"");
        assert_eq!((refused.status, header(&refused, "WWW-Authenticate")), (401, Some("Bearer")), "{line}");
        assert_eq!(answer(&admin, line, "Authorization: Bearer s3cret", b"").status, with_token, "{line}");
    }
    let text = |header| text(&answer(&admin, "GET /", header, b""));
    assert_eq!(
        text("Authorization: Bearer x"),
        r#"{"result":"failed: the bearer token is wrong (`--admin-token`)"}"#
    );
    assert!(text("").contains("send Authorization: Bearer TOKEN"));
}

#[test]
fn the_server_is_alive_but_not_ready_until_the_required_provision_is_active() {
    let (admin, _) = started_with(Some("x"));
    let refused = answer(&admin, "GET /readyz", "", b"");
    assert_eq!(refused.status, 503);
    assert!(
        text(&refused).starts_with("{\"result\":\"failed: provision `x` is required "),
        "{}",
        text(&refused)
    );
    assert_eq!(answer(&admin, "GET /healthz", "", b"").status, 200);
    answer(&admin, "POST /app/v1/provision/x", PLAIN, GOOD);
    assert_eq!(answer(&admin, "GET /readyz", "", b"").status, 200);
    admin.readiness.set_draining();
    assert_eq!(answer(&admin, "GET /readyz", "", b"").status, 503);
}

#[test]
fn a_wait_is_answered_by_the_generation_and_its_timer_then_does_nothing() {
    let (admin, jobs) = started();
    let waiting = send(&admin, request("GET /app/v1/wait?generation=3&timeout=2.5", "", b""));
    answer(&admin, "GET /app/v1/provision/initial", "", b"");
    assert!(waiting.try_recv().is_err());
    answer(&admin, "GET /app/v1/provision/initial", "", b"");
    assert_eq!(
        text(&waiting.try_recv().unwrap()),
        r#"{"result":"success: generation 3 serves","generation":3}"#
    );
    let (delay, job) = jobs.lock().unwrap().pop().unwrap();
    assert_eq!(delay, Duration::from_millis(2500));
    job();
    assert!(waiting.try_recv().is_err());
}

#[test]
fn a_wait_that_is_over_answers_408_and_is_forgotten() {
    let (admin, jobs) = started();
    let waiting = send(&admin, request("HEAD /app/v1/wait?generation=2", "", b""));
    let (delay, job) = jobs.lock().unwrap().pop().unwrap();
    assert_eq!(delay, Duration::from_secs(30));
    job();
    let late = waiting.try_recv().unwrap();
    assert_eq!(
        (late.status, text(&late)),
        (408, r#"{"result":"failed: generation 2 does not serve after 30s"}"#.into())
    );
    assert_eq!(admin.activation.active.waiting(), 0);
    answer(&admin, "GET /app/v1/provision/initial", "", b"");
    assert!(waiting.try_recv().is_err());
}

#[test]
fn the_ledger_shows_rules_and_errors() {
    let (admin, _) = started();
    answer(&admin, "GET /app/v1/provision/stale", "", b"");
    let answer = answer(&admin, "GET /app/v1/provision", "", b"");
    assert_eq!(header(&answer, "Content-Type"), Some("application/json"));
    let body: Value = serde_json::from_slice(answer.body.bytes()).unwrap();
    assert_eq!(body["active"], serde_json::json!({ "name": "initial", "generation": 1 }));
    let rule = r#"{"rule":"/a/<int:id>","endpoint":"show","methods":["GET","HEAD","OPTIONS"],"file":"initial","line":2,"hits":0,"never_hit":true,"shadowed_by":"/a/<int:n>"}"#;
    assert!(text(&answer).contains(rule), "{}", text(&answer));
    let files = body["files"].as_array().unwrap();
    assert_eq!(files.len(), 4);
    let stale = files.iter().find(|row| row["name"] == "stale").unwrap();
    assert_eq!(stale["error"]["message"], "no variable `broken`");
    assert_eq!(stale["error"].get("hint"), None);
    assert_eq!(
        (&stale["modified"], &stale["generation"]),
        (&"1970-01-01T00:00:00.000Z".into(), &Value::Null)
    );
}

#[test]
fn metrics_have_the_type_of_their_text_format() {
    let (admin, _) = started();
    let page = answer(&admin, "GET /metrics", "", b"");
    assert_eq!(header(&page, "Content-Type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    assert_eq!(text(&page), "a_total 1\n");
}

#[test]
fn quit_is_answered_and_then_done() {
    let (admin, _) = started();
    QUITS.set(0);
    let waiting = send(&admin, request("POST /app/v1/quit", "", b""));
    let accepted = waiting.try_recv().unwrap();
    assert_eq!((accepted.status, text(&accepted)), (202, r#"{"result":"success: the server stops"}"#.into()));
    assert_eq!(QUITS.get(), 1);
    assert_eq!(answer(&admin, "GET /app/v1/quit", "", b"").status, 405);
    assert_eq!(QUITS.get(), 1);
}

#[test]
fn a_hint_is_shown_and_missing_positions_are_null() {
    let error = LoadError { hint: Some("write `fn`".into()), ..LoadError::of_file("x", "python") };
    let body = answer::refused(&ActivationError::Load(error));
    assert_eq!(
        text(&body),
        "{\"result\":\"failed: failed to load provision `x`: python\",\"error\":{\"file\":\"x\",\"line\":null,\"column\":null,\
         \"message\":\"python\",\"source\":null,\"hint\":\"write `fn`\"}}"
    );
}

#[test]
fn an_error_of_the_directory_is_a_500() {
    let error = ActivationError::Directory(DirectoryError::new("write", "full", Cause::Changing));
    let answer = answer::refused(&error);
    let expected = r#"{"result":"failed: failed to write `full`: changes while it is read"}"#;
    assert_eq!((answer.status, text(&answer)), (500, expected.into()));
}

#[test]
fn sources_are_text_only_where_they_are_utf8() {
    let (admin, _) = started();
    answer(&admin, "PUT /app/v1/file/logo.png", "", b"\x89PNG");
    let image = answer(&admin, "GET /app/v1/source/logo.png", "", b"");
    assert_eq!(
        (header(&image, "Content-Type"), image.body.bytes()),
        (Some("application/octet-stream"), &b"\x89PNG"[..])
    );
    let source = answer(&admin, "GET /app/v1/source/stale", "", b"");
    assert_eq!(header(&source, "Content-Type"), Some("text/plain; charset=utf-8"));
}
