//! Scripts that try to use up time and memory. Each ends with an answer, in time and within a small multiple of its memory.

use crate::harness::{Client, DEADLINE, Mock};
use std::fs;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Bodies of views, one a line.
const SCRIPTS: &str = include_str!("hostile/scripts.txt");

/// Functions that the views call. In `deep` each level holds the one below twice, so walking through all of it never ends.
const FUNCTIONS: &str = r#"
fn calls_itself(n) { calls_itself(n + 1) }
fn deep(x) { for i in range(25) { x = group_by([#{ k: "a", v: x }, #{ k: "a", v: x }], "k"); } x }
fn registerRules() { app.get("/", view); }
"#;

/// Deadline: far more than twice the time of a call, since a test build on a busy machine takes long for one native.
const LONGEST: Duration = Duration::from_secs(12);

/// Most KiB that a script adds to the memory of the idle program: three times the memory of a call. An operation that exceeds
/// it holds the old values, its argument and its result. The rest is the allocator's.
const MOST: u64 = (3 * 32 + 24) << 10;

/// Returns the peak memory of the process in KiB.
fn peak(mock: &Mock) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", mock.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Returns the fault of the way in which `script` ended.
fn fault(script: &str) -> Option<String> {
    let source = format!("fn view() {{ {script} }}{FUNCTIONS}");
    let arguments = ["--workers", "1", "--script-timeout", "500ms"];
    let mock = Mock::start_with(&arguments, |folder| folder.write("provision/initial", &source));
    let idle = peak(&mock);
    let began = Instant::now();
    let mut client = Client::connect(&mock.traffic, LONGEST + DEADLINE).unwrap();
    let status = match client.try_send("GET", "/", &[], b"") {
        Ok(reply) if reply.status == 404 && reply.text().contains("help here") => {
            return Some(format!("does not load: {}", mock.log()));
        }
        Ok(reply) => reply.status,
        Err(error) => return Some(format!("no answer: {error}")),
    };
    let (took, peak) = (began.elapsed(), peak(&mock) - idle);
    println!("{status} {took:.1?} {} MiB {script}", peak >> 10);
    let slow = took > LONGEST;
    (slow || peak > MOST).then(|| format!("{status} after {took:?}, {} MiB", peak >> 10))
}

/// Each worker runs an endless view, and each search in it takes as long as the limit allows.
#[test]
fn endless_views_delay_others_for_no_longer_than_their_time() {
    let source = r#"
        fn registerRules() { app.get("/", || "ok"); app.get("/endless", endless); }
        fn endless() { loop { try { re.search("(?:a?){60}b", "a" * 2000) } catch {} } }
    "#;
    let arguments = ["--workers", "2", "--script-timeout", "500ms"];
    let mock = Mock::start_with(&arguments, |folder| folder.write("provision/initial", source));
    std::thread::scope(|scope| {
        let endless: Vec<_> = (0..2).map(|_| scope.spawn(|| mock.get("/endless"))).collect();
        let began = Instant::now();
        while endless.iter().any(|request| !request.is_finished()) {
            assert_eq!(mock.get("/").text(), "ok");
        }
        assert!(began.elapsed() < LONGEST, "{:?}", began.elapsed());
        for request in endless {
            let reply = request.join().unwrap();
            assert_eq!(reply.status, 500);
            assert!(reply.text().contains("the script ran longer than 500 ms"), "{}", reply.text());
        }
    });
}

/// A load that fails with values whose text holds captured values, or with thrown texts, has a short message too.
#[test]
fn the_message_of_a_load_that_throws_is_short() {
    let mock = Mock::start();
    let functions = r#"let s = "x" * 8000000; let g = |a| 1; for i in 0..500 { g = g.curry(s); }"#;
    for (script, message) in [
        (r#"app.get("/", || 1, #{ endpoint: [g] }); throw "end""#, "end"),
        (r#"Blueprint("b", #{ url_prefix: [g] })"#, "url_prefix `[Fn("),
        (r#"make_response("x", [g])"#, "headers are a map or a list of pairs"),
        ("throw [g]", "[Fn("),
        ("throw s", "xxxx"),
        ("g.foo(s)", "no method `foo`"),
        ("call(g)", "a closure was called with 500 arguments, and takes another number of them"),
    ] {
        let reply = mock.provision("p", &format!("fn registerRules() {{ {functions}\n{script} }}"));
        assert_eq!(reply.status, 422, "{script}: {}", reply.text());
        let shown = reply.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(shown.starts_with(message) && shown.len() <= 1024, "{script}: {shown}");
    }
    assert!(mock.log().lines().all(|line| line.len() < 4096));
}

#[test]
fn hostile_scripts_end_in_time_and_within_their_memory() {
    let scripts: Vec<&str> = SCRIPTS.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(scripts.len() > 100);
    let (rest, faults) = (Mutex::new(scripts.iter()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some(script) = rest.lock().unwrap().next() else { return };
                    if let Some(fault) = fault(script) {
                        faults.lock().unwrap().push(format!("{script}\n    {fault}"));
                    }
                }
            });
        }
    });
    let faults = faults.into_inner().unwrap();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
