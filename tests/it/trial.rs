//! Trying provisions before they serve: `POST /app/v1/check` and its replay.

use crate::harness::{Client, Mock, Reply};
use serde_json::{Value, json};

const PLAIN: (&str, &str) = ("Content-Type", "text/plain");

fn check(mock: &Mock, query: &str, source: &str) -> Reply {
    mock.admin(&format!("POST /app/v1/check{query}"), &[PLAIN], source.as_bytes())
}

/// The provision that serves.
pub(crate) const SHOP: &str = r#"
import "prices.rhai" as prices;
fn registerRules() {
    store.set("orders", 0);
    store.set("motto", "old");
    app.post("/orders", create);
    app.get("/orders/<int:id>", show);
    app.get("/token", token);
    app.get("/broken", broken);
    app.get("/slow", slow);
    app.get("/motto", motto);
}
fn create() {
    let item = request.get_json();
    logging.warning("an order");
    [#{ id: store.incr("orders"), item: item.name, price: prices::of(item.name) }, 201, #{ "X-Shop": "1" }]
}
fn show(id) { `order ${id}` }
fn token() { #{ at: time.time(), number: random.random(), id: uuid.uuid4().to_string() } }
fn broken() { nothing.here }
fn slow() { time.sleep(0.1); print("slow"); make_response("slow") }
fn motto() { store.get("motto") }
"#;

/// Returns a mock that serves [`SHOP`].
fn shop(arguments: &[&str]) -> Mock {
    Mock::start_with(arguments, |folder| {
        folder.write("provision/initial", SHOP);
        folder.write("provision/prices.rhai", "fn of(name) { 7 }\n");
    })
}

fn order(mock: &Mock, name: &str) {
    let reply = mock.post("/orders", "application/json", format!("{{\"name\":\"{name}\"}}").as_bytes());
    assert_eq!(reply.status, 201, "{}", reply.text());
}

/// Everything that a check must leave as it is. Times of the process are left out.
fn state(mock: &Mock) -> Vec<String> {
    let get = |path: &str| mock.admin(&format!("GET {path}"), &[], b"").text();
    let metrics: String = get("/metrics")
        .lines()
        .filter(|line| {
            !["process_", "h1mock_connections", "h1mock_busy"].iter().any(|name| line.contains(name))
        })
        .map(|line| format!("{line}\n"))
        .collect();
    let paths = [
        "/readyz",
        "/app/v1/provision",
        "/app/v1/store",
        "/app/v1/requests",
        "/app/v1/report",
        "/app/v1/chaos",
    ];
    let mut state: Vec<String> = paths.map(get).to_vec();
    state.extend([metrics, mock.log()]);
    state
}

#[test]
fn a_check_answers_as_a_post_would_and_says_what_would_change() {
    let mock = shop(&[]);
    let next = "fn registerRules() {
    store.set(\"orders\", 0);
    store.set(\"motto\", \"new\");
    store.set(\"more\", 1);
    app.post(\"/orders\", create);
    app.get(\"/orders/<id>\", show);
    app.add_url_rule(\"/token\", \"token\", token, #{ methods: [\"GET\", \"PUT\"] });
    app.get(\"/fresh\", slip);
}
fn create() { \"\" }
fn show(id) { id }
fn token() { \"\" }
fn slip() { jsonfy(1) }
";
    order(&mock, "a");
    assert_eq!(mock.admin("PUT /app/v1/store/extra", &[], b"1").status, 201);
    let reply = check(&mock, "?name=v2%2Fshop", next);
    assert_eq!(reply.status, 200, "{}", reply.text());
    let body = reply.json();
    assert_eq!(body["result"], "success: basename file 'v2/shop' would be loaded");
    assert_eq!(
        body["rules"][3],
        json!({ "rule": "/fresh", "endpoint": "slip", "methods": ["GET", "HEAD", "OPTIONS"], "file": "v2/shop", "line": 8,
                "hits": 0, "never_hit": true, "shadowed_by": null })
    );
    assert_eq!(body["warnings"][0]["message"], "no function `jsonfy`");
    assert_eq!(body["replay"], Value::Null);
    let changes = &body["changes"];
    assert_eq!(changes["beside"], json!({ "name": "initial", "generation": 1 }));
    let named = |list: &str| -> Vec<&str> {
        changes["rules"][list].as_array().unwrap().iter().map(|rule| rule["rule"].as_str().unwrap()).collect()
    };
    assert_eq!(named("added"), ["/fresh"]);
    assert_eq!(named("removed"), ["/broken", "/slow", "/motto"]);
    assert_eq!(named("changed"), ["/orders/<id>", "/token"]);
    assert_eq!(changes["rules"]["changed"][0]["before"], json!({ "rule": "/orders/<int:id>" }));
    assert_eq!(changes["rules"]["changed"][1]["before"], json!({ "methods": ["GET", "HEAD", "OPTIONS"] }));
    assert_eq!(changes["store"], json!({ "lost": ["extra"], "initial": ["more", "motto", "orders"] }));
}

#[test]
fn a_check_refuses_as_a_post_does() {
    let mock = Mock::start_with(&[], |folder| folder.write("provision/folder/a", "fn registerRules() { }\n"));
    let (plain, form) =
        (("Content-Type", "text/plain"), ("Content-Type", "application/x-www-form-urlencoded"));
    let good = "fn registerRules() { app.get(\"/x\", || 1); }\n";
    for (name, header, source, status) in [
        ("bad", plain, "fn registerRules() {\n    app.get(\"/x\", nobody);\n}\n", 422),
        ("bad", plain, "let x = ;", 422),
        ("bad", plain, "", 422),
        ("library", plain, "fn f() { 1 }\n", 422),
        ("bad", plain, "import \"none\" as none;\nfn registerRules() { }\n", 422),
        ("a", form, good, 415),
        ("data.json", plain, good, 400),
        ("backup~", plain, good, 400),
        (".hidden", plain, good, 400),
        ("a//b", plain, good, 400),
        ("folder", plain, good, 400),
    ] {
        let posted = mock.admin(&format!("POST /app/v1/provision/{name}"), &[header], source.as_bytes());
        let checked = mock.admin(&format!("POST /app/v1/check?name={name}"), &[header], source.as_bytes());
        assert_eq!((checked.status, checked.text()), (status, posted.text()), "{name} {source}");
        assert_eq!(posted.status, status, "{name} {source}");
    }
    let number = "failed: `replay` takes a number of entries from 1 to 10000, not";
    for (query, result) in [
        ("?replay=0", format!("{number} `0`")),
        ("?replay=all", format!("{number} `all`")),
        ("?replay", format!("{number} ``")),
        ("?name=a&name=b", "failed: query parameter `name` is given twice".to_owned()),
        ("?nam=a", "failed: query parameter `nam` is unknown: there are `name` and `replay`".to_owned()),
    ] {
        let reply = check(&mock, query, good);
        assert_eq!((reply.status, reply.json()["result"].as_str().unwrap()), (400, &*result), "{query}");
    }
    let refused = mock.admin("GET /app/v1/check", &[], b"");
    assert_eq!((refused.status, refused.header("allow")), (405, "OPTIONS, POST"));
}

#[test]
fn a_replay_needs_a_journal() {
    let mock = Mock::start_with(&["--journal-bytes", "0"], |_| ());
    let reply = check(&mock, "?replay=1", "fn registerRules() { }\n");
    let expected = "failed: the journal is off (--journal-bytes 0)";
    assert_eq!((reply.status, reply.json()["result"].as_str().unwrap()), (404, expected));
}

#[test]
fn a_replay_has_the_headers_of_the_command_line() {
    let mock = shop(&["--cors", "https://a.example"]);
    let origin = ("Origin", "https://a.example");
    mock.send("GET", "/motto", &[origin], b"");
    let preflight =
        mock.send("OPTIONS", "/nowhere", &[origin, ("Access-Control-Request-Method", "PUT")], b"");
    assert_eq!(preflight.status, 200);
    let next = SHOP.replace("store.set(", "app.cors(#{ origins: [\"https://a.example\"] });\n    store.set(");
    for source in [SHOP, &next] {
        let replay = check(&mock, "?replay=100", source).json()["replay"].clone();
        assert_eq!((&replay["same"], &replay["recorded_otherwise"]), (&json!(2), &json!(0)), "{replay}");
    }
}

#[test]
fn a_check_and_a_replay_leave_no_trace() {
    let mock = shop(&[]);
    order(&mock, "a");
    for path in ["/slow", "/broken", "/token", "/nowhere"] {
        mock.get(path);
    }
    mock.wait_for_log("ERROR GET /broken");
    let before = state(&mock);
    // Each of these would log a line, change the store or count a failure if it served.
    let noisy = SHOP
        .replace("fn registerRules() {", "print(\"top\");\nfn registerRules() { logging.error(\"load\");");
    for source in [SHOP, &noisy, "fn registerRules() { oops( }", "fn f() { 1 }"] {
        for query in ["", "?replay=100", "?name=other&replay=100"] {
            let reply = check(&mock, query, source);
            assert!([200, 422].contains(&reply.status), "{}", reply.text());
        }
    }
    let files: Vec<_> =
        std::fs::read_dir(mock.directory()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(files.len(), 2, "{files:?}");
    // A line that was logged before this one would be there.
    mock.get("/broken?last");
    mock.wait_for_log("ERROR GET /broken?last");
    let (log, known) = (mock.log(), before.last().unwrap().clone());
    let new = log.strip_prefix(&known).unwrap();
    assert_eq!(new.lines().count(), 1, "{new}");
    let after = state(&mock);
    assert!(after[3].contains("\"last\":6"), "{}", after[3]);
    for part in [0, 2, 5] {
        assert_eq!(after[part], before[part]);
    }
    let hits = |state: &[String]| {
        let ledger: Value = serde_json::from_str(&state[1]).unwrap();
        let rules = ledger["rules"].as_array().unwrap();
        let hits: Vec<u64> = rules.iter().map(|rule| rule["hits"].as_u64().unwrap()).collect();
        (hits, ledger["files"].clone(), ledger["active"].clone())
    };
    let (was, files, active) = hits(&before);
    // The last request is the only one that came.
    assert_eq!(was, [1, 0, 1, 1, 1, 0]);
    assert_eq!(hits(&after), (vec![1, 0, 1, 2, 1, 0], files, active));
    let report = |state: &[String]| -> Value { serde_json::from_str(&state[4]).unwrap() };
    let (was, is) = (report(&before), report(&after));
    assert_eq!(is["loads"], was["loads"]);
    assert_eq!(is["errors"]["count"].as_u64(), Some(2));
    assert_eq!(is["requests"].as_u64(), Some(6));
    let loads = |state: &[String]| -> Vec<String> {
        state[6].lines().filter(|line| line.contains("load")).map(str::to_owned).collect()
    };
    assert_eq!(loads(&after), loads(&before));
}

#[test]
fn a_replay_lists_the_entries_that_would_be_answered_otherwise() {
    let mock = shop(&[]);
    order(&mock, "a");
    for path in ["/orders/7", "/token", "/slow", "/broken", "/nowhere", "/motto"] {
        mock.get(path);
    }
    order(&mock, "b");
    let replay = |source: &str| {
        let reply = check(&mock, "?replay=100", source);
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()["replay"].clone()
    };
    // The same source: time, random numbers and the store make no difference.
    let same = json!({ "entries": 8, "same": 8, "different": 0, "unknown": 0, "recorded_otherwise": 0, "differences": [], "unknowns": [] });
    assert_eq!(replay(SHOP), same);
    let next = SHOP
        .replace("app.get(\"/orders/<int:id>\", show);", "")
        .replace("item.name, price", "item.name + \"!\", price")
        .replace("\"X-Shop\": \"1\"", "\"X-Shop\": \"2\"")
        .replace("time.sleep(0.1)", "time.sleep(60)")
        .replace("make_response(\"slow\")", "make_response(\"slow\").fault(\"reset\")")
        .replace("nothing.here", "\"mended\"")
        .replace("store.get(\"motto\")", "store.get(\"new\", \"?\")")
        .replace("store.set(\"motto\", \"old\");", "store.set(\"new\", \"value\");");
    let found = replay(&next);
    assert_eq!((found["same"].as_u64(), found["different"].as_u64()), (Some(2), Some(6)), "{found}");
    let rows = found["differences"].as_array().unwrap();
    let row = |number: u64| rows.iter().find(|row| row["number"] == number).unwrap();
    assert_eq!(
        row(1),
        &json!({ "number": 1, "method": "POST", "target": "/orders",
                 "headers": [{ "name": "x-shop", "before": "1", "after": "2" }],
                 "body": { "json": "/item", "before": "\"a\"", "after": "\"a!\"" } })
    );
    assert_eq!(row(2)["status"], json!({ "before": 200, "after": 404 }));
    assert_eq!(row(2)["rule"], json!({ "before": "/orders/<int:id>", "after": null }));
    assert_eq!(row(2)["body"]["position"], 0);
    assert_eq!(row(4)["hold"], json!({ "before": 100.0, "after": 60_000.0 }));
    assert_eq!(row(4)["fault"], json!({ "before": null, "after": "fault reset" }));
    assert_eq!(row(5)["status"], json!({ "before": 500, "after": 200 }));
    assert!(row(5)["error"]["before"].as_str().unwrap().contains("no variable `nothing`"), "{}", row(5));
    assert_eq!(row(7)["body"], json!({ "position": 0, "before": "old", "after": "value" }));
    // The last two entries only.
    let two = check(&mock, "?replay=2", &next).json();
    assert_eq!(two["replay"]["entries"], 2);
    assert_eq!(two["replay"]["differences"][0]["number"], 7);
}

/// Scripts of a replay see the address of the listener and the headers of trusted proxies, as they did when they served.
#[test]
fn a_replay_receives_requests_as_the_server_does() {
    const HOSTS: &str = r#"
fn registerRules() { app.get("/", || ["", if request.host == "a.example" { 201 } else { 202 }], #{ endpoint: "e" }); }
"#;
    let mock = Mock::start_with(&["--trust-proxy", "1"], |folder| folder.write("provision/initial", HOSTS));
    assert_eq!(mock.send("GET", "/", &[("X-Forwarded-Host", "a.example")], b"").status, 201);
    let mut client = Client::new(&mock.traffic);
    client.write(b"GET / HTTP/1.0\r\n\r\n");
    assert_eq!(client.read(false).status, 202);
    let other = HOSTS.replace("a.example", &mock.traffic);
    let replay = check(&mock, "?replay=5", &other).json()["replay"].clone();
    assert_eq!((replay["recorded_otherwise"].as_u64(), replay["different"].as_u64()), (Some(0), Some(2)));
}

#[test]
fn a_replay_compares_the_recorded_status_too() {
    let mock = shop(&[]);
    mock.get("/motto");
    assert_eq!(mock.admin("DELETE /app/v1/store/motto", &[], b"").status, 200);
    let next = SHOP.replace("store.get(\"motto\")", "\"x\"").replace("store.set(\"motto\", \"old\");", "");
    let replay = check(&mock, "?replay=1", &next).json()["replay"].clone();
    assert_eq!(replay["recorded_otherwise"], 1, "{replay}");
    assert_eq!(replay["differences"][0]["recorded"], 200);
    assert_eq!(replay["differences"][0]["status"], json!({ "before": 500, "after": 200 }));
}

#[test]
fn entries_that_cannot_be_compared_are_unknown() {
    let mock = shop(&["--journal-body", "10"]);
    mock.get("/motto");
    mock.activate("next", SHOP);
    order(&mock, "a long name");
    let rule = br#"{"path":"/slow","status":503}"#;
    assert_eq!(mock.admin("PUT /app/v1/chaos", &[], rule).status, 200);
    mock.get("/slow");
    let rule = br#"{"path":"/motto","delay":1}"#;
    let set = mock.admin("PUT /app/v1/chaos", &[], rule);
    assert_eq!(set.status, 200, "{}", set.text());
    mock.get("/motto");
    mock.send("GET", "/motto", &[("Transfer-Encoding", "chunked, odd")], b"");
    let overlay = b"fn registerRules() { app.get(\"/motto\", || \"mine\"); }";
    let plain = [("Content-Type", "text/plain")];
    let laid = mock.admin("POST /app/v1/provision/mine?overlay", &plain, overlay);
    assert_eq!(laid.status, 201, "{}", laid.text());
    assert_eq!(mock.get("/motto").text(), "mine");
    let replay = check(&mock, "?replay=100", SHOP).json()["replay"].clone();
    let whys: Vec<(u64, &str)> = replay["unknowns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["number"].as_u64().unwrap(), row["why"].as_str().unwrap()))
        .collect();
    let expected = [
        (2, "its body was cut after 10 of 22 bytes (--journal-body)"),
        (3, "chaos answered it: status 503 (chaos 1)"),
        (5, "the server refused it"),
        (6, "overlay `mine` answered it"),
    ];
    assert_eq!(whys, expected, "{replay}");
    assert_eq!(
        (replay["same"].as_u64(), replay["unknown"].as_u64()),
        (Some(2), Some(4)),
        "an entry of an earlier generation is compared: {replay}"
    );
}

#[test]
fn a_copy_of_the_active_provision_has_the_sources_that_serve() {
    let mock = shop(&[]);
    mock.get("/orders/1");
    order(&mock, "a");
    // Neither file loads, so the provision that serves is that of the old files.
    std::fs::write(mock.directory().join("prices.rhai"), "fn of( {").unwrap();
    mock.wait_for_log("provision `initial` keeps serving");
    let free = "fn registerRules() { app.get(\"/orders/<int:id>\", |id| `order ${id}`); }\n";
    let replay = check(&mock, "?replay=10", free).json()["replay"].clone();
    assert_eq!((replay["same"].as_u64(), replay["different"].as_u64()), (Some(1), Some(1)), "{replay}");
    assert_eq!(replay["differences"][0]["status"], json!({ "before": 201, "after": 404 }));
}
