//! Many held answers at once: they need no worker, other requests are served, and their memory is bounded.

use super::get;
use crate::harness::{Client, Mock, eventually};
use crate::metrics::until_held;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::Value;
use std::time::{Duration, Instant};

const PROVISION: &str = r#"
fn registerRules() {
    app.get("/ping", || "pong");
    app.get("/delay/<int:ms>", |ms| make_response(`${ms}`).delay(ms));
    app.get("/dribble", || make_response("0123456789").dribble(5, 1000));
    app.get("/large/<int:ms>", |ms| {
        let text = "seven b";
        for doubled in range(0, 15) { text += text; }
        make_response(text).delay(ms)
    });
    app.get("/large-dribble", || {
        let text = "seven b";
        for doubled in range(0, 15) { text += text; }
        make_response(text).dribble(10, 60000)
    });
}
"#;

/// Returns how many clients the limit of open files allows, up to 10,000.
fn crowd() -> usize {
    let granted = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: granted.maximum, ..granted }).unwrap();
    let files = granted.maximum.unwrap_or(u64::MAX).min(1 << 20) as usize;
    10_000.min(files / 2)
}

#[test]
fn ten_thousand_answers_wait_at_once() {
    let wanted = crowd();
    let mock = Mock::serving(PROVISION);
    let mut waiting: Vec<Client> = (0..wanted).map(|_| Client::new(&mock.traffic)).collect();
    let began = Instant::now();
    for client in &mut waiting {
        client.write(get("/delay/5000").as_bytes());
    }
    // More other clients than there are workers are answered before the first of these answers is due.
    let others = Instant::now();
    for _ in 0..50 {
        assert_eq!(mock.get("/ping").text(), "pong");
    }
    assert!(others.elapsed() < Duration::from_secs(5), "{:?}", others.elapsed());
    let all = began.elapsed();
    for client in &mut waiting {
        assert_eq!(client.read(false).text(), "5000");
        assert!(began.elapsed() >= Duration::from_secs(5));
    }
    // The requests were sent within `all`, so the last answers come soon after that and five seconds.
    assert!(began.elapsed() < all + Duration::from_secs(15), "{:?} after {all:?}", began.elapsed());
}

#[test]
fn bodies_dribble_side_by_side() {
    let mock = Mock::serving(PROVISION);
    let mut clients: Vec<Client> = (0..200).map(|_| Client::new(&mock.traffic)).collect();
    let began = Instant::now();
    clients.iter_mut().for_each(|client| client.write(get("/dribble").as_bytes()));
    clients.iter_mut().for_each(|client| assert_eq!(client.read(false).text(), "0123456789"));
    assert!(began.elapsed() >= Duration::from_secs(1) && began.elapsed() < Duration::from_secs(10));
}

#[test]
fn the_memory_of_held_answers_is_bounded() {
    let arguments = ["--max-buffered", "1M", "--max-body", "64k"];
    let mock = Mock::start_with(&arguments, |folder| folder.write("provision/initial", PROVISION));
    // 224 KiB each: four answers fit, held or dribbling.
    let ask = |path: &str| {
        let mut client = Client::new(&mock.traffic);
        client.write(get(path).as_bytes());
        client
    };
    let mut held: Vec<Client> =
        ["/large/60000", "/large-dribble", "/large-dribble", "/large/60000"].map(ask).into();
    // A request that came before them would take their room. A request is counted before its answer has its room.
    until_held(&mock, 4.0);
    let refused = mock.get("/large/1");
    assert_eq!(refused.status, 503);
    let why = "too many bytes of answers wait here: over 1048576 (--max-buffered)";
    assert!(refused.text().contains(why), "{}", refused.text());
    // The journal and the metrics have that answer, too.
    let entry = &mock.admin("GET /app/v1/requests?path=/large/1", &[], b"").json()["requests"][0];
    assert_eq!((&entry["status"], &entry["fault"]), (&503.into(), &Value::Null));
    let counted = r#"h1mock_requests_total{rule="/large/<int:ms>",method="GET",status="503"} 1"#;
    let page = mock.admin("GET /metrics", &[], b"").text();
    assert!(page.contains(counted) && page.contains("h1mock_held_answers 4\n"), "{page}");
    // An answer that leaves at once needs no room. The room of a client that has left is free again.
    assert_eq!(mock.get("/large/0").body.len(), 7 << 15);
    drop(held.remove(1));
    eventually(|| match mock.get("/large/1").status {
        200 => Ok(()),
        status => Err(status.to_string()),
    });
}
