//! Swaps under load: each answer is wholly of one provision, none is lost.

use crate::harness::{Client, Mock, Stop};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

fn source(word: &str) -> String {
    format!(
        "const WORD = \"{word}\";\nfn registerRules() {{ app.get(\"/word\", show); app.after_request(|r| {{ r.headers[\"X-Word\"] = WORD; r }}); }}\nfn show() {{ WORD + \" {word}\" }}\n"
    )
}

#[test]
fn every_answer_is_wholly_old_or_wholly_new() {
    let mock = Mock::serving(&source("a"));
    let (stop, answers) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let _stop = Stop(&stop);
        for _ in 0..4 {
            scope.spawn(|| {
                let mut client = Client::new(&mock.traffic);
                while !stop.load(Ordering::Relaxed) {
                    let reply = client.send("GET", "/word", &[], b"");
                    let word = reply.header("x-word").to_owned();
                    assert_eq!((reply.status, reply.text()), (200, format!("{word} {word}")));
                    answers.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let (mut admin, mut checking) = (Client::new(&mock.admin), Client::new(&mock.traffic));
        for round in 0..300 {
            let word = if round % 2 == 0 { "b" } else { "a" };
            let target = format!("/app/v1/provision/{word}");
            let posted =
                admin.send("POST", &target, &[("Content-Type", "text/plain")], source(word).as_bytes());
            assert_eq!(posted.json()["generation"], round + 2, "{}: {}", posted.text(), mock.log());
            let served = checking.send("GET", "/word", &[], b"");
            assert_eq!(served.text(), format!("{word} {word}"), "the answer to a POST comes after the swap");
        }
    });
    assert!(answers.load(Ordering::Relaxed) > 300);
    assert_eq!(mock.active(), ("a".to_owned(), 301), "a POST is one generation, its file event none");
}

#[test]
fn a_request_that_runs_finishes_on_the_old_provision() {
    let source = "const WORD = \"old\";\nfn registerRules() { app.get(\"/word\", || { print(\"it runs\"); while !os.listdir().contains(\"go.txt\") { } WORD }); }";
    let mock =
        Mock::start_with(&["--script-timeout", "60s"], |folder| folder.write("provision/initial", source));
    let mut client = Client::new(&mock.traffic);
    client.write(b"GET /word HTTP/1.1\r\nHost: x\r\n\r\n");
    mock.wait_for_log("it runs");
    mock.activate("new", "fn registerRules() { app.get(\"/word\", || \"new\"); }");
    assert_eq!(mock.get("/word").text(), "new");
    mock.folder.write("provision/go.txt", "");
    assert_eq!(client.read(false).text(), "old");
}
