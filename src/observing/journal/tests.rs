//! The journal through its public calls: a reader gets the entries that were entered.

mod outgoing;

use super::*;
use crate::message::progress::Progress;
use serde_json::json;
use std::net::SocketAddr;
use std::sync::mpsc;
use std::time::Duration;

/// Enters a request with its answer.
pub(crate) fn enter(journal: &Journal, line: &str, body: &[u8], answer: &Answer) {
    let begun = journal.begin().unwrap();
    journal.record(&exchange(begun, &request(line, body), answer));
}

/// Enters a request whose answer is a stream.
pub(crate) fn enter_stream(journal: &Journal, line: &str) -> (u64, Arc<Progress>) {
    let (answer, request, progress) = (Answer::default(), request(line, b""), Arc::default());
    let stream = Some(&progress);
    let exchange = Exchange { stream, ..exchange(journal.begin().unwrap(), &request, &answer) };
    (journal.record(&exchange).unwrap(), progress)
}

/// A journal that keeps three bytes of each body.
pub(crate) fn small() -> Journal {
    Journal::new(16 << 10, 3).unwrap()
}

/// Enters a request with a body.
pub(crate) fn enter_body(journal: &Journal, line: &str, body: &str) {
    enter(journal, line, body.as_bytes(), &Answer::default());
}

/// Enters a request whose head and path are too large for a [`small`] journal. Only its number, method and status are kept.
pub(crate) fn lose(journal: &Journal) {
    enter_body(journal, &format!("GET /{}", "x".repeat(16 << 10)), "");
}

fn request(line: &str, body: &[u8]) -> Request {
    let (method, target) = line.split_once(' ').unwrap();
    let headers = [("Host", "mock:8000"), ("X-Empty", ""), ("x-a", "\u{e9}"), ("x-a", "2")];
    let peer = "[::1]:4711".parse().ok();
    Request::from_parts(method, target, headers, body.into(), peer, None)
}

fn exchange<'x>(begun: Begun, request: &'x Request, answer: &'x Answer) -> Exchange<'x> {
    Exchange {
        begun,
        took: 7_999,
        generation: 300,
        overlay: None,
        request,
        rule: Some(("/a/<int:id>", "show")),
        unmatched: None,
        status: answer.status,
        answer_headers: &answer.headers,
        answer_body: answer.body.bytes(),
        answer_length: answer.body.len(),
        error: None,
        fault: None,
        stream: None,
        forwarded: None,
        kind: Kind::Request,
    }
}

/// Returns the numbers of the entries after `since`.
pub(crate) fn numbers(journal: &Journal, since: u64) -> (Vec<u64>, Span) {
    let mut numbers = Vec::new();
    let span = journal.read(since, &mut |entry| {
        numbers.push(entry.number);
        ControlFlow::Continue(())
    });
    (numbers, span)
}

#[test]
fn an_entry_has_all_of_its_request_and_answer() {
    let journal = Journal::new(1 << 20, 1000).unwrap();
    let now = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_micros() as u64;
    let before = now();
    let answer = Answer::text(201, vec![b'y'; 1001]);
    let (request, begun) = (request("PO ST /a%20b/7?x=%20#f", &[0xff; 3000]), journal.begin().unwrap());
    let whole = Exchange {
        unmatched: Some("why"),
        error: Some("script error in provision `p`: line 3"),
        fault: Some("delay 10 ms"),
        overlay: Some("busy"),
        forwarded: Some(("http://real:80/a", Some("refused"))),
        kind: Kind::Callback { cause: 300, attempt: 2 },
        ..exchange(begun, &request, &answer)
    };
    journal.record(&whole);
    let entry = journal.get(1).unwrap();
    assert!((before..=now()).contains(&entry.time));
    assert_eq!(entry.microseconds, 7);
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let expected = Entry {
        number: 1,
        time: entry.time,
        generation: 300,
        overlay: Some("busy".to_owned()),
        peer: "[::1]:4711".parse().ok(),
        method: "PO".to_owned(),
        target: "ST /a%20b/7?x=%20#f".to_owned(),
        path: "/ST /a b/7".to_owned(),
        headers: vec![
            pair("Host", "mock:8000"),
            pair("X-Empty", ""),
            pair("x-a", "\u{e9}"),
            pair("x-a", "2"),
        ],
        body: vec![0xff; 1000],
        body_length: 3000,
        rule: Some("/a/<int:id>".to_owned()),
        endpoint: Some("show".to_owned()),
        unmatched: Some("why".to_owned()),
        status: 201,
        answer_headers: vec![pair("Content-Type", "text/plain; charset=utf-8")],
        answer_body: vec![b'y'; 1000],
        answer_length: 1001,
        microseconds: entry.microseconds,
        error: Some("script error in provision `p`: line 3".to_owned()),
        fault: Some("delay 10 ms".to_owned()),
        kind: Kind::Callback { cause: 300, attempt: 2 },
        forwarded: Some(entry::Forwarded { url: "http://real:80/a".into(), error: Some("refused".into()) }),
        stream: None,
        gone: Default::default(),
    };
    assert_eq!(entry, expected);
    assert_eq!(entry.path, request.path());
}

#[test]
fn a_refused_request_is_entered_as_far_as_it_was_read() {
    let journal = Journal::new(1 << 20, 1000).unwrap();
    let peer: SocketAddr = "127.0.0.1:1".parse().unwrap();
    let lines = [
        ("GET /a?b HTTP/1.1", "GET", "/a?b", "/a"),
        ("GET /long", "GET", "/long", "/long"),
        ("\u{16}\u{3}", "\u{16}\u{3}", "", "/"),
        ("", "", "", "/"),
    ];
    for (number, (line, method, target, path)) in (1..).zip(lines) {
        journal.record_refused(Request::refused(line, None, peer), "too long", &Answer::text(413, "page"));
        let entry = journal.get(number).unwrap();
        assert_eq!((&*entry.method, &*entry.target, &*entry.path), (method, target, path));
        assert_eq!((entry.peer, entry.status, entry.generation), (Some(peer), 413, 0));
        assert_eq!((entry.rule, entry.unmatched.as_deref()), (None, Some("too long")));
        assert_eq!(entry.answer_body, b"page");
    }
    let request = Request::refused("GET / HTTP/1.1", None, peer);
    Journal::new(0, 0).unwrap().record_refused(request, "why", &Answer::default());
}

#[test]
fn after_a_deletion_numbers_continue_and_running_requests_are_not_entered() {
    let journal = Journal::new(64 << 10, 1 << 10).unwrap();
    let (answer, request) = (Answer::text(200, "x".repeat(1000)), request("GET /", b""));
    (0..4000).for_each(|_| enter(&journal, "GET /", b"", &answer));
    let before = journal.begin().unwrap();
    let (stats, evicted) = (journal.stats(), journal.stats().evicted);
    assert_eq!(journal.clear(), stats.entries);
    journal.record(&exchange(before, &request, &answer));
    let expected =
        Stats { entries: 0, first: 0, last: 4000, evicted: 0, evicted_in_all: evicted, ..journal.stats() };
    assert!(evicted > 0);
    assert_eq!(journal.stats(), expected);
    assert_eq!((journal.get(4000), journal.get(1)), (Err(Missing::Deleted), Err(Missing::Deleted)));
    enter(&journal, "GET /", b"", &answer);
    // Deleted entries don't count as evicted.
    assert_eq!(numbers(&journal, 0), (vec![4001], Span { last: 4001, ..Span::default() }));
    (0..4000).for_each(|_| enter(&journal, "GET /", b"", &answer));
    let stats = journal.stats();
    assert!(stats.evicted > 0);
    assert_eq!((stats.evicted, stats.evicted_in_all), (stats.first - 4001, evicted + stats.first - 4001));
    assert_eq!((numbers(&journal, 0).1.evicted, journal.evicted(0)), (stats.evicted, stats.evicted));
}

#[test]
fn the_end_of_an_epoch_deletes_its_entries_and_none_of_the_next() {
    let epoch = Arc::<Epoch>::default();
    let journal = Journal::new(64 << 10, 1 << 10).unwrap().of_epoch(&epoch);
    let (answer, early) = (Answer::default(), request("GET /early", b""));
    let mut late = request("GET /late", b"");
    let begin = || journal.begin().unwrap();
    let (done, running) = (begin(), begin());
    journal.record(&exchange(done, &early, &answer));
    late.epoch = epoch.next();
    // The journal learns of the new epoch by a request of it.
    journal.record(&exchange(begin(), &late, &answer));
    journal.record(&exchange(running, &early, &answer));
    assert_eq!(numbers(&journal, 0), (vec![2], Span { last: 2, ..Span::default() }));
    assert_eq!((journal.get(1), journal.get(2).unwrap().path), (Err(Missing::Deleted), "/late".to_owned()));
    let running = begin();
    assert_eq!(journal.clear(), 1);
    journal.record(&exchange(running, &late, &answer));
    let refused = Request::refused("GET /refused", None, ([127, 0, 0, 1], 1).into());
    journal.record_refused(refused, "why", &answer);
    assert_eq!(journal.get(3).unwrap().path, "/refused");
    // Or it learns of the epoch by a reader.
    epoch.next();
    assert_eq!((journal.stats().entries, journal.get(3)), (0, Err(Missing::Deleted)));
}

#[test]
fn a_read_ends_with_the_entry_that_was_the_latest_when_it_began() {
    let journal = Journal::new(1 << 20, 1 << 10).unwrap();
    (0..3).for_each(|_| enter(&journal, "GET /", b"", &Answer::default()));
    let mut seen = 0;
    let span = journal.read(0, &mut |_| {
        // The callback may enter requests: the lock is not held.
        enter(&journal, "GET /", b"", &Answer::default());
        seen += 1;
        ControlFlow::Continue(())
    });
    assert_eq!((seen, span.last, journal.last()), (3, 3, 6));
    let mut first = 0;
    let stopped = |entry: &Entry| {
        first = entry.number;
        ControlFlow::Break(())
    };
    journal.read(4, &mut { stopped });
    assert_eq!(journal.read(u64::MAX, &mut |_| panic!("none")), Span { last: 6, ..Span::default() });
}

#[test]
fn entries_that_are_evicted_while_they_are_read_are_lines_or_count_as_evicted() {
    let target = |number: u64| format!("GET /{number}?{}", "x".repeat(1000));
    // Enough new entries to evict some heads, all heads, and all lines that the read has not copied yet.
    for (more, lines, evicted) in [(400, 1..200, false), (1_000, 200..300, false), (80_000, 0..1, true)] {
        let journal = Journal::new(1 << 20, 1 << 10).unwrap();
        let enter_all = |count| {
            (1..=count).for_each(|number| enter(&journal, &target(number), b"", &Answer::default()));
        };
        enter_all(300);
        let mut read = Vec::new();
        let span = journal.read(0, &mut |entry| {
            if read.is_empty() {
                enter_all(more);
            }
            read.push((entry.path.clone(), entry.gone.headers));
            ControlFlow::Continue(())
        });
        assert_eq!((span.last, span.evicted, span.evicted > 0), (300, 300 - read.len() as u64, evicted));
        assert!(read.iter().zip(1..).all(|((path, _), number)| *path == format!("/{number}")), "{more}");
        let found = read.iter().filter(|(_, is_line)| *is_line).count();
        assert!(lines.contains(&found), "{more}: {found}");
    }
}

#[test]
fn threads_get_numbers_without_gaps_and_readers_whole_entries() {
    let journal = Journal::new(64 << 10, 1 << 10).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let journal = &journal;
            scope.spawn(move || {
                for count in 0..500 {
                    let body = vec![thread; count];
                    enter(journal, &format!("GET /{thread}/{count}"), &body, &Answer::default());
                }
            });
        }
        let mut since = 0;
        while since < 2000 {
            let mut last = since;
            let span = journal.read(since, &mut |entry| {
                assert!(entry.number > last);
                last = entry.number;
                if entry.gone.headers {
                    return ControlFlow::Continue(());
                }
                let parts: Vec<usize> =
                    entry.path[1..].split('/').map(|part| part.parse().unwrap()).collect();
                let length = if entry.gone.body { 0 } else { parts[1] };
                assert_eq!(entry.body, vec![parts[0] as u8; length]);
                ControlFlow::Continue(())
            });
            since = span.last;
        }
    });
    assert_eq!(journal.stats().last, 2000);
}

#[test]
fn a_journal_of_0_bytes_keeps_nothing() {
    let journal = Journal::new(0, 100).unwrap();
    assert!(!journal.is_on() && journal.begin().is_none());
    assert_eq!(journal.stats(), Stats::default());
    assert_eq!((journal.clear(), journal.last()), (0, 0));
    assert_eq!(numbers(&journal, 0), (vec![], Span::default()));
}

#[test]
fn the_default_budget_is_a_tenth_of_a_small_container() {
    for (memory, budget) in
        [(None, 2 << 20), (Some(1 << 40), 2 << 20), (Some(10_000_000), 1_000_000), (Some(0), 0)]
    {
        assert_eq!(Journal::default_budget(memory), budget, "{memory:?}");
    }
}

#[test]
fn a_budget_beyond_the_memory_is_an_error_with_its_flag() {
    let error = Journal::new(isize::MAX as usize, 0).err().unwrap();
    let expected = "failed to set aside 9223372036854775807 bytes for the journal (--journal-bytes): ";
    assert!(error.starts_with(expected), "{error}");
}

#[test]
fn listeners_are_called_on_the_timer_once_for_many() {
    type Job = (Duration, Box<dyn FnOnce() + Send>);
    let journal = Arc::new(Journal::new(1 << 20, 0).unwrap());
    let (jobs, due) = mpsc::channel::<Job>();
    let jobs = Mutex::new(jobs);
    journal.watch.set_timer(Box::new(move |delay, job| jobs.lock().unwrap().send((delay, job)).unwrap()));
    let run = || {
        due.try_recv().map(|(delay, job)| {
            job();
            delay
        })
    };
    let entered = || enter(&journal, "GET /", b"", &Answer::default());
    entered();
    assert!(run().is_err(), "nobody listens");
    let (told, tells) = mpsc::channel();
    let (told, seen) = (Mutex::new(told), journal.clone());
    let watch = journal.watch.add(Box::new(move || told.lock().unwrap().send(seen.last()).unwrap()));
    entered();
    entered();
    assert!(tells.try_recv().is_err(), "not on the thread of the request");
    assert_eq!(run(), Ok(Duration::ZERO));
    assert_eq!(tells.try_iter().collect::<Vec<u64>>(), [3]);
    // Further entries of a burst are announced together.
    entered();
    assert_eq!(run(), Ok(Duration::from_millis(1)));
    assert_eq!(tells.try_iter().collect::<Vec<u64>>(), [4]);
    assert_eq!(run(), Ok(Duration::from_millis(1)));
    assert!(run().is_err() && tells.try_recv().is_err());
    journal.close();
    assert!(run() == Ok(Duration::ZERO) && journal.is_closed() && tells.try_recv() == Ok(4));
    assert!(run().is_ok());
    journal.watch.remove(watch);
    entered();
    assert!(run().is_err());
}

#[test]
fn bodies_are_text_or_base64_in_json() {
    let journal = Journal::new(1 << 20, 5).unwrap();
    enter(&journal, "POST /a%20b?c", "abcd\u{e9}".as_bytes(), &Answer::new(200, "x/y", [0xff]));
    let mut value = journal.get(1).unwrap().to_json();
    let time = value["time"].take();
    let time = time.as_str().unwrap();
    assert!(time.len() == 27 && time.starts_with("20") && time.ends_with('Z'), "{time}");
    assert!(value["microseconds"].take().is_u64());
    let expected = json!({
        "number": 1, "kind": "request", "time": null, "generation": 300, "peer": "[::1]:4711", "method": "POST",
        "target": "/a%20b?c", "path": "/a b",
        "headers": [["Host", "mock:8000"], ["X-Empty", ""], ["x-a", "\u{e9}"], ["x-a", "2"]],
        "body": "abcd", "body_length": 6, "body_cut": true, "rule": "/a/<int:id>", "endpoint": "show",
        "unmatched": null, "status": 200, "answer_headers": [["Content-Type", "x/y"]],
        "answer_body_base64": "/w==", "answer_body_length": 1, "answer_body_cut": false,
        "microseconds": null, "error": null, "fault": null, "gone": [],
    });
    assert_eq!(value, expected);
}

#[test]
fn an_archive_has_the_fields_that_har_requires() {
    let journal = Journal::new(1 << 20, 5).unwrap();
    let answer = Answer { headers: vec![("Location".into(), "/l".into())], ..Answer::text(302, "longer") };
    enter(&journal, "POST /a?b=c%20d&e", &[0xff], &answer);
    enter(&journal, "GET http://x/y", b"", &Answer::text(200, ""));
    let first = har::from_entry(&journal.get(1).unwrap()).unwrap();
    let request = &first["request"];
    assert_eq!(request["url"], "http://mock:8000/a?b=c%20d&e");
    assert_eq!(
        request["queryString"],
        json!([{ "name": "b", "value": "c d" }, { "name": "e", "value": "" }])
    );
    assert_eq!(request["headers"][2], json!({ "name": "x-a", "value": "\u{e9}" }));
    let data = json!({ "mimeType": "", "params": [], "text": "/w==", "_encoding": "base64" });
    assert_eq!((&request["postData"], &request["bodySize"]), (&data, &json!(1)));
    let response = &first["response"];
    let content = json!({
        "size": 6, "mimeType": "", "text": "longe", "comment": "cut after 5 of 6 bytes",
    });
    assert_eq!(response["content"], content);
    assert_eq!((&response["statusText"], &response["redirectURL"]), (&json!("Found"), &json!("/l")));
    assert_eq!(first["timings"]["wait"], first["time"]);
    let second = har::from_entry(&journal.get(2).unwrap()).unwrap();
    assert_eq!((&second["request"]["url"], second["request"].get("postData")), (&json!("http://x/y"), None));
    let (before, behind) = har::around(7, true, 0);
    let archive: serde_json::Value = serde_json::from_str(&format!("{before}{first}{behind}")).unwrap();
    assert_eq!((&archive["log"]["version"], &archive["log"]["_last"]), (&json!("1.2"), &json!(7)));
}
