//! `/app/v1/store`, scenarios, scopes, baggage and `/app/v1/all`.

use crate::harness::{Client, Mock, eventually};
use std::thread;

const PROVISION: &str = r#"
fn registerRules() {
    store["stock"] = 3;
    app.get("/stock", || #{ stock: store["stock"], keys: store.keys() });
    app.post("/buy", || store.incr("stock", -1).to_string());
    app.get("/state", || scenario("order").state);
    app.post("/pay", || if scenario("order").advance("Started", "paid") { "paid" } else { ["conflict", 409] });
    app.post("/ship", || { let order = scenario("order"); if order.is("paid") { order.set("shipped"); } order.state });
    app.post("/mine", || store.scope(request.baggage.get("test")).incr("n").to_string());
    app.get("/mine", || { let mine = store.scope(request.baggage.get("test")); [mine.keys(), mine.len(), mine.get("n", 0)] });
    app.delete("/mine", || { store.scope(request.baggage.get("test")).clear(); "gone" });
    app.post("/mine/pay", || store.scope(request.baggage["test"]).scenario("order").advance("Started", "paid").to_string());
    app.post("/assign", || { let mine = store.scope("a"); mine["k"] = 1; mine["k"] += 1; mine.k + store.scope("a")["k"] + "" });
    app.get("/baggage", || request.baggage.to_dict(false));
}
"#;

fn admin(mock: &Mock, line: &str, body: &str) -> (u16, String) {
    let reply = mock.admin(line, &[], body.as_bytes());
    (reply.status, reply.text())
}

#[track_caller]
fn check(mock: &Mock, line: &str, body: &str, status: u16, expected: &str) {
    assert_eq!(admin(mock, line, body), (status, expected.to_owned()), "{line}");
}

#[test]
fn the_store_is_prepared_read_and_removed() {
    let mock = Mock::serving(PROVISION);
    let table = [
        ("GET /app/v1/store", "", 200, r#"{"stock":3}"#),
        ("GET /app/v1/store/stock", "", 200, "3"),
        (
            "PUT /app/v1/store/stock",
            "7",
            200,
            r#"{"result":"success: key 'stock' has been set","generation":1}"#,
        ),
        (
            "PUT /app/v1/store/a%20b/c",
            r#"{"x":[1,null]}"#,
            201,
            r#"{"result":"success: key 'a b/c' has been set","generation":1}"#,
        ),
        ("GET /app/v1/store/a%20b%2Fc", "", 200, r#"{"x":[1,null]}"#),
        ("GET /app/v1/store?prefix=a%20", "", 200, r#"{"a b/c":{"x":[1,null]}}"#),
        ("GET /app/v1/store", "", 200, r#"{"a b/c":{"x":[1,null]},"stock":7}"#),
        ("GET /app/v1/store/none", "", 404, r#"{"result":"failed: there is no key `none` in the store"}"#),
        (
            "PUT /app/v1/store/x",
            "{\"a\":\n nul}",
            400,
            r#"{"result":"failed: failed to read the value of `x`: expected ident at line 2 column 5"}"#,
        ),
        (
            "PUT /app/v1/store/x",
            "",
            400,
            r#"{"result":"failed: failed to read the value of `x`: EOF while parsing a value at line 1 column 0"}"#,
        ),
        ("PUT /app/v1/store/%FF", "1", 400, "{\"result\":\"failed: key `%FF` is not UTF-8\"}"),
        ("DELETE /app/v1/store/none", "", 404, r#"{"result":"failed: there is no key `none` in the store"}"#),
        (
            "DELETE /app/v1/store/stock",
            "",
            200,
            r#"{"result":"success: key 'stock' has been removed","generation":1}"#,
        ),
        (
            "DELETE /app/v1/store?prefx=a",
            "",
            400,
            r#"{"result":"failed: query parameter `prefx` is unknown: there is `prefix`"}"#,
        ),
        (
            "GET /app/v1/store?prefix=a&prefix=b",
            "",
            400,
            r#"{"result":"failed: query parameter `prefix` is given twice"}"#,
        ),
        (
            "DELETE /app/v1/store?prefix=b",
            "",
            200,
            r#"{"result":"success: 0 keys have been removed","generation":1}"#,
        ),
        ("DELETE /app/v1/store", "", 200, r#"{"result":"success: 1 key has been removed","generation":1}"#),
        ("GET /app/v1/store", "", 200, "{}"),
    ];
    for (line, body, status, expected) in table {
        check(&mock, line, body, status, expected);
    }
    check(
        &mock,
        "PUT /app/v1/store/stock",
        "10",
        201,
        r#"{"result":"success: key 'stock' has been set","generation":1}"#,
    );
    assert_eq!(mock.post("/buy", "text/plain", b"").text(), "9");
    check(&mock, "GET /app/v1/store/stock", "", 200, "9");
    // The limit is that of a script's values, even if `--max-body` is larger.
    let reply = mock.admin("PUT /app/v1/store/x", &[], format!("[{}1]", "{},".repeat(1 << 18)).as_bytes());
    let expected = r#"{"result":"failed: failed to set `x`: the value is larger than scripts can hold"}"#;
    assert_eq!((reply.status, reply.text().as_str()), (413, expected));
}

#[test]
fn each_provision_has_a_store_of_its_own() {
    let mock = Mock::serving(PROVISION);
    admin(&mock, "PUT /app/v1/store/x", "1");
    mock.activate("other", "fn registerRules() { app.get(\"/x\", || jsonify(store[\"x\"])); }");
    check(&mock, "GET /app/v1/store", "", 200, "{}");
    check(
        &mock,
        "PUT /app/v1/store/x",
        "[2]",
        201,
        r#"{"result":"success: key 'x' has been set","generation":2}"#,
    );
    assert_eq!(mock.get("/x").text(), "[2]\n");
}

#[test]
fn a_scenario_changes_its_state() {
    let mock = Mock::serving(PROVISION);
    let post = |target: &str| mock.post(target, "text/plain", b"").text();
    assert_eq!(mock.get("/state").text(), "Started");
    assert_eq!(post("/ship"), "Started");
    assert_eq!((post("/pay"), post("/pay")), ("paid".into(), "conflict".into()));
    check(&mock, "GET /app/v1/store?prefix=scenario:", "", 200, r#"{"scenario:order":"paid"}"#);
    assert_eq!(post("/ship"), "shipped");
    admin(&mock, "PUT /app/v1/store/scenario:order", "\"paid\"");
    assert_eq!(post("/ship"), "shipped");
    admin(&mock, "DELETE /app/v1/store/scenario:order", "");
    assert_eq!(mock.get("/state").text(), "Started");
    // A state that was set as a number becomes text.
    admin(&mock, "PUT /app/v1/store/scenario:order", "2");
    assert_eq!(mock.get("/state").text(), "2");
}

#[test]
fn one_of_several_concurrent_requests_advances_a_scenario() {
    let source = r#"
fn registerRules() {
    app.post("/step/<int:n>", |n| if scenario("s").advance(if n == 0 { "Started" } else { n.to_string() }, (n + 1).to_string()) { "yes" } else { "no" });
}
"#;
    let mock = Mock::serving(source);
    let round = |n: usize| {
        let ask = || Client::new(&mock.traffic).send("POST", &format!("/step/{n}"), &[], b"").text();
        thread::scope(|scope| {
            let asked: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
            asked.into_iter().map(|one| one.join().unwrap()).filter(|text| text == "yes").count()
        })
    };
    for n in 0..25 {
        assert_eq!(round(n), 1, "{n}");
    }
    check(&mock, "GET /app/v1/store/scenario:s", "", 200, "\"25\"");
}

#[test]
fn parallel_tests_share_a_mock_with_scopes_from_their_baggage() {
    let mock = Mock::serving(PROVISION);
    let send = |method: &str, target: &str, test: &str| {
        let baggage = format!("other=1, test={test};p=1");
        mock.send(method, target, &[("baggage", &baggage)], b"").text()
    };
    assert_eq!((send("POST", "/mine", "a"), send("POST", "/mine", "a")), ("1".into(), "2".into()));
    assert_eq!(send("POST", "/mine", "b%2Fc"), "1");
    assert_eq!(mock.post("/mine", "text/plain", b"").text(), "1");
    assert_eq!(send("GET", "/mine", "a"), "[[\"n\"],1,2]\n");
    assert_eq!(send("POST", "/mine/pay", "a"), "true");
    assert_eq!(send("POST", "/mine/pay", "b"), "true");
    let expected = r#"{"scope:a/n":2,"scope:a/scenario:order":"paid"}"#;
    check(&mock, "GET /app/v1/store?prefix=scope:a/", "", 200, expected);
    assert_eq!(mock.get("/stock").text(), "{\"keys\":[\"n\",\"stock\"],\"stock\":3}\n");
    send("DELETE", "/mine", "a");
    check(&mock, "GET /app/v1/store?prefix=scope:a/", "", 200, "{}");
    check(&mock, "GET /app/v1/store/scope:b%252Fc%2Fn", "", 200, "1");
    assert_eq!(mock.post("/mine/pay", "text/plain", b"").status, 400);
    assert_eq!(mock.post("/assign", "text/plain", b"").text(), "4");
    let fields = [("baggage", "a=1;p , a=%20x"), ("Baggage", "b=2")];
    assert_eq!(mock.send("GET", "/baggage", &fields, b"").text(), "{\"a\":[\"1\",\" x\"],\"b\":[\"2\"]}\n");
}

fn hits(mock: &Mock, rule: &str) -> u64 {
    let ledger = mock.admin("GET /app/v1/provision", &[], b"").json();
    let rules = ledger["rules"].as_array().unwrap().clone();
    let row = rules.iter().find(|row| row["rule"] == rule).unwrap();
    assert_eq!(row["never_hit"], row["hits"] == 0);
    row["hits"].as_u64().unwrap()
}

#[test]
fn everything_is_reset_in_one_step() {
    let mock = Mock::serving(PROVISION);
    mock.post("/buy", "text/plain", b"");
    mock.post("/pay", "text/plain", b"");
    admin(&mock, "PUT /app/v1/store/x", "1");
    assert_eq!(hits(&mock, "/buy"), 1);
    check(&mock, "DELETE /app/v1/all", "", 200, r#"{"result":"success: all has been reset","generation":1}"#);
    assert_eq!(hits(&mock, "/buy"), 0);
    // The values that `registerRules()` set are restored, as after an activation.
    check(&mock, "GET /app/v1/store", "", 200, r#"{"stock":3}"#);
    mock.post("/buy", "text/plain", b"");
    assert_eq!(hits(&mock, "/buy"), 1);
    let reply = mock.admin("GET /app/v1/all", &[], b"");
    assert_eq!((reply.status, reply.header("allow")), (405, "DELETE, OPTIONS"));
}

/// A request that runs during a reset leaves nothing behind, but still reads its own values.
#[test]
fn a_request_that_began_before_a_reset_leaves_nothing_after_it() {
    let source = r#"
fn registerRules() {
    app.get("/long", long);
    app.get("/next", || store.incr("n").to_string());
}
fn long() {
    store["begun"] = true;
    while store["begun"] == true {}
    store["mine"] = store.incr("n");
    [store["mine"], store["begun"], store.keys()]
}
"#;
    let arguments = ["--script-timeout", "20s"];
    let mock = Mock::start_with(&arguments, |folder| folder.write("provision/initial", source));
    let traffic = mock.traffic.clone();
    let long = thread::spawn(move || Client::new(&traffic).send("GET", "/long", &[], b""));
    eventually(|| match admin(&mock, "GET /app/v1/store", "") {
        (_, text) if text == r#"{"begun":true}"# => Ok(()),
        (_, text) => Err(text),
    });
    check(&mock, "DELETE /app/v1/all", "", 200, r#"{"result":"success: all has been reset","generation":1}"#);
    let reply = long.join().unwrap();
    assert_eq!((reply.status, reply.text().as_str()), (200, "[1,null,[\"mine\",\"n\"]]\n"));
    check(&mock, "GET /app/v1/store", "", 200, "{}");
    assert_eq!(hits(&mock, "/long"), 0);
    assert_eq!(mock.get("/next").text(), "1");
}

/// Requests run during repeated resets. Each is in the hits, in the store and in the journal, or in none of them.
#[test]
fn hits_store_and_journal_have_the_same_requests_after_a_reset() {
    // A reset restores many values here, so that it takes long.
    let source = r#"
fn registerRules() {
    for n in 0..3000 { store["key " + n] = n; }
    app.post("/count", || store.incr("n").to_string());
}
"#;
    let mock = Mock::serving(source);
    let entered = || {
        let counted = mock.admin("GET /app/v1/verify?path=/count&min=0", &[], b"").json();
        counted["count"].as_u64().unwrap()
    };
    let mut counts = Vec::new();
    for _ in 0..20 {
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut client = Client::new(&mock.traffic);
                    (0..25).for_each(|_| assert_eq!(client.send("POST", "/count", &[], b"").status, 200));
                });
            }
            // Reset only after the first requests, and before the last ones.
            eventually(|| if entered() >= 20 { Ok(()) } else { Err("too few requests") });
            assert_eq!(admin(&mock, "DELETE /app/v1/all", "").0, 200);
        });
        let stored = match admin(&mock, "GET /app/v1/store/n", "") {
            (404, _) => 0,
            (_, text) => text.parse::<u64>().unwrap(),
        };
        assert_eq!((hits(&mock, "/count"), stored), (entered(), entered()));
        counts.push(stored);
        admin(&mock, "DELETE /app/v1/all", "");
    }
    assert!(counts.iter().any(|count| (1..80).contains(count)), "no reset came between: {counts:?}");
}

/// A script reads 100,000 events of 100 bytes in pages, under the default limits.
#[test]
fn a_long_list_is_filled_and_read_in_pages() {
    let source = r#"
fn registerRules() {
    app.post("/events", || { for i in 0..1000 { store.append("events", request.text); } store.len("events").to_string() });
    app.post("/event", || store.update("events", [], |l| l + [request.text]).len().to_string());
    app.get("/events", || { let first = request.args.get("first", -20, "int"); store.slice("events", first, first + 20) });
    app.get("/last", || store.slice("events", -20));
}
"#;
    let mock = Mock::serving(source);
    let event = "x".repeat(100);
    for request in 1..=100 {
        assert_eq!(
            mock.post("/events", "text/plain", event.as_bytes()).text(),
            (request * 1_000).to_string()
        );
    }
    assert_eq!(mock.post("/event", "text/plain", b"last").text(), "100001");
    for (path, items, end) in [
        ("/events?first=0", 20, event.as_str()),
        ("/events?first=50000", 20, &event),
        ("/events?first=99990", 11, "last"),
        ("/events?first=100001", 0, ""),
        ("/last", 20, "last"),
    ] {
        let page = mock.get(path).json();
        let page = page.as_array().unwrap();
        let last = page.last().and_then(|item| item.as_str()).unwrap_or_default();
        assert_eq!((page.len(), last), (items, end), "{path}");
    }
    let (status, list) = admin(&mock, "GET /app/v1/store/events", "");
    assert_eq!((status, list.len()), (200, 100_000 * 103 + 8));
}
