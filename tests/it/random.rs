//! The test's dice: `/app/v1/random` and `--seed`.

use crate::harness::{Mock, Reply};
use std::collections::BTreeSet;
use std::thread;

const PROVISION: &str = r#"
fn registerRules() {
    let loaded = secrets.token_hex(4);
    app.get("/loaded", || loaded);
    app.get("/draw", || `${random.randint(1, 1000)} ${uuid.uuid4()} ${secrets.token_hex(2)}`);
    app.get("/plain", || "plain");
    app.get("/unseeded", || { random.seed(); random.randint(1, 1000000).to_string() });
    app.get("/seeded", || { random.seed(3); random.randint(1, 1000).to_string() });
}
"#;

const SEED: &str = r#"{"seed": 7}"#;

#[track_caller]
fn set(mock: &Mock, query: &str, body: &str) -> String {
    let reply = mock.admin(&format!("PUT /app/v1/random{query}"), &[], body.as_bytes());
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.text()
}

fn shown(mock: &Mock) -> String {
    mock.admin("GET /app/v1/random", &[], b"").text()
}

fn draw(mock: &Mock, baggage: &str) -> String {
    mock.send("GET", "/draw", &[("Baggage", baggage)], b"").text()
}

fn draws(mock: &Mock, baggage: &str) -> [String; 3] {
    [(); 3].map(|()| draw(mock, baggage))
}

#[test]
fn a_seed_gives_the_same_answers_in_each_run() {
    let mock = Mock::serving(PROVISION);
    assert_eq!(shown(&mock), r#"{"seed":null,"requests":0,"baggage":{}}"#);
    let answer = set(&mock, "", SEED);
    assert_eq!(answer, r#"{"result":"success: the seed is set","seed":7,"requests":0}"#);
    let first = draws(&mock, "");
    assert_eq!(first[0], "396 71ee1c57-3d43-44cb-bc2d-47def65edcd8 3790");
    assert_ne!(first[0], first[1]);
    assert_eq!(shown(&mock), r#"{"seed":7,"requests":3,"baggage":{}}"#);
    set(&mock, "", SEED);
    // `random.seed()` begins a sequence of the test's dice.
    let unseeded = [(); 2].map(|()| mock.get("/unseeded").text());
    set(&mock, "", SEED);
    assert_eq!([(); 2].map(|()| mock.get("/unseeded").text()), unseeded);
    set(&mock, "", SEED);
    // Requests that draw nothing take no numbers, and neither do loads and the script's own seed.
    mock.get("/plain");
    assert_eq!(mock.get("/seeded").text(), "582");
    mock.activate("again", PROVISION);
    assert_eq!(draws(&mock, ""), first);
    let other = Mock::start_with(&["--seed", "7"], |folder| folder.write("provision/initial", PROVISION));
    assert_eq!(draws(&other, ""), first);
    assert_eq!(other.admin("GET /app/v1/report", &[], b"").json()["seed"], 7);
    // Both have loaded the same text under the same seed.
    assert_eq!(other.get("/loaded").text(), mock.get("/loaded").text());
    assert_ne!(draws(&other, ""), first);
    other.admin("DELETE /app/v1/all", &[], b"");
    assert_eq!(draws(&other, ""), first);
    set(&other, "", r#"{"seed": 8}"#);
    assert_ne!(draws(&other, ""), first);
    let removed = other.admin("DELETE /app/v1/random", &[], b"").text();
    assert_eq!(removed, r#"{"result":"success: random numbers are random"}"#);
    assert_ne!(draws(&other, ""), draws(&other, ""));
    assert_eq!(other.admin("GET /app/v1/report", &[], b"").json().get("seed"), None);
}

#[test]
fn members_of_baggage_have_seeds_of_their_own() {
    let mock = Mock::serving(PROVISION);
    set(&mock, "", SEED);
    let all = draws(&mock, "");
    set(&mock, "?baggage=test=1", SEED);
    set(&mock, "?baggage=test=2", r#"{"seed": 8}"#);
    let (one, two) = thread::scope(|scope| {
        let one = scope.spawn(|| draws(&mock, "test=1"));
        let two = scope.spawn(|| draws(&mock, "test=2"));
        (one.join().unwrap(), two.join().unwrap())
    });
    assert_eq!(one, all);
    assert_ne!(two, all);
    let members = r#"{"test=1":{"seed":7,"requests":3},"test=2":{"seed":8,"requests":3}}"#;
    assert_eq!(shown(&mock), format!(r#"{{"seed":7,"requests":3,"baggage":{members}}}"#));
    let own = mock.admin("GET /app/v1/random?baggage=test=2", &[], b"").text();
    assert_eq!(own, r#"{"seed":8,"requests":3}"#);
    let removed = mock.admin("DELETE /app/v1/random?baggage=test=2", &[], b"").text();
    assert_eq!(removed, r#"{"result":"success: the seed of `test=2` has been removed"}"#);
    mock.admin("DELETE /app/v1/all", &[], b"");
    assert_eq!(shown(&mock), r#"{"seed":null,"requests":0,"baggage":{}}"#);
}

/// Requests at the same time get the answers of the sequence, each of them once.
#[test]
fn requests_at_the_same_time_share_one_sequence() {
    let mock = Mock::serving(PROVISION);
    set(&mock, "", SEED);
    let sequence: BTreeSet<String> = (0..40).map(|_| draw(&mock, "")).collect();
    set(&mock, "", SEED);
    let parallel: BTreeSet<String> = thread::scope(|scope| {
        let client = || (0..10).map(|_| draw(&mock, "")).collect::<Vec<_>>();
        let clients = [(); 4].map(|()| scope.spawn(client));
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    assert_eq!(parallel, sequence);
}

#[test]
fn a_seed_of_register_rules_begins_anew_with_a_reset() {
    let mock = Mock::serving(
        r#"fn registerRules() { random.seed(3); app.get("/draw", || random.randint(1, 1000).to_string()); }"#,
    );
    let first = draws(&mock, "");
    assert_eq!(first, ["757", "646", "220"]);
    assert_ne!(draws(&mock, ""), first);
    mock.admin("DELETE /app/v1/all", &[], b"");
    assert_eq!(draws(&mock, ""), first);
    set(&mock, "", SEED);
    assert_eq!(draw(&mock, ""), "396");
}

#[test]
fn wrong_requests_say_what_to_send() {
    let mock = Mock::serving(PROVISION);
    for (verb, body, status, error) in [
        ("PUT", "{}", 400, r#"field `seed` is missing: send {"seed": 7}"#),
        ("PUT", "7", 400, r#"`7` is no object: send {"seed": 7}"#),
        ("PUT", r#"{"seed": "x"}"#, 400, "field `seed`: `\"x\"` is no integer"),
        ("PUT ?baggage=a", SEED, 400, "query parameter `baggage`: `a` is no member such as `test=17`"),
        ("DELETE ?baggage=test=1", "", 404, "there is no seed of `test=1`"),
        ("GET ?id=1", "", 400, "query parameter `id` is unknown: there is baggage"),
    ] {
        let (verb, query) = verb.split_once(' ').unwrap_or((verb, ""));
        let reply: Reply = mock.admin(&format!("{verb} /app/v1/random{query}"), &[], body.as_bytes());
        let expected = format!("failed: {error}");
        assert_eq!(
            (reply.status, reply.json()["result"].as_str().unwrap()),
            (status, &*expected),
            "{verb}{query}"
        );
    }
}
