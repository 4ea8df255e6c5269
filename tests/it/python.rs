//! Python's names in a running mock: logs, signatures, dates, the environment.

use crate::harness::{Mock, binary, eventually};

const JSON: (&str, &str) = ("Content-Type", "application/json");

#[test]
fn logs_take_several_values_and_never_fail_a_request() {
    let mock = Mock::serving(
        r#"fn registerRules() {
    app.get("/log/<name>", log);
}
fn log(name) {
    print("got", name, [1, ()]);
    logging.info("id %s: %05.1f%%", name, 2.5);
    logging.warning("%(n)d items of %(who)r", #{ n: 3, who: name });
    logging.error("at %s", datetime(2026, 11, 30, 5, 13));
    logging.info("%s and %s", name);
    logging.info("100% sure");
    "logged"
}"#,
    );
    let reply = mock.get("/log/ann");
    assert_eq!((reply.status, reply.text()), (200, "logged".into()), "{}", mock.log());
    eventually(|| {
        let log = mock.log();
        for line in [
            "got ann [1, ()]",
            "id ann: 002.5%",
            "3 items of 'ann'",
            "at 2026-11-30 05:13:00",
            "%s and %s ann",
            "logging.info: 1 values are too few",
            "100% sure",
        ] {
            if !log.contains(line) {
                return Err(format!("`{line}` is missing: {log}"));
            }
        }
        Ok(())
    });
}

/// The expected value is that of `hmac.new(b"key", json.dumps(request.json).encode(), "sha1").hexdigest()` in Python 3.11.
#[test]
fn a_signature_over_json_is_that_of_python() {
    let mock = Mock::serving(
        r#"fn registerRules() {
    app.post("/sign", || hmac.new("key", json.dumps(request.json), hashlib.sha1).hexdigest());
}"#,
    );
    let body =
        r#"{"total":1e16,"id":18446744073709551616,"name":"Zoë \ud83d\ude00","items":[{"z":1,"a":[]}]}"#;
    let reply = mock.send("POST", "/sign", &[JSON], body.as_bytes());
    assert_eq!(reply.text(), "301eb6808e6933e3c32fc252c1895c794f6e9ffa", "{}", mock.log());
}

#[test]
fn dates_are_stored_compared_and_sent_as_in_flask() {
    let mock = Mock::serving(
        r#"fn registerRules() {
    app.post("/start", || { store["since"] = datetime(2026, 11, 30, timezone.utc); "" });
    app.get("/since", || #{ since: store["since"], age: (datetime(2026, 12, 1, timezone.utc) - store["since"]).total_seconds() });
    app.get("/cookie", || {
        let r = make_response("x");
        r.set_cookie("a", "b", #{ expires: store["since"] + timedelta(1) });
        r
    });
    app.get("/dumps", || json.dumps(#{ since: store["since"] }));
    app.get("/mixed", || `${store["since"] < datetime.now()}`);
}"#,
    );
    assert_eq!(mock.send("POST", "/start", &[], b"").status, 200, "{}", mock.log());
    assert_eq!(mock.get("/since").text(), "{\"age\":86400.0,\"since\":\"Mon, 30 Nov 2026 00:00:00 GMT\"}\n");
    let cookie = mock.get("/cookie");
    let cookie = cookie.header("Set-Cookie");
    assert!(cookie.contains("Expires=Tue, 01 Dec 2026 00:00:00 GMT"), "{cookie}");
    for (target, why) in [
        ("/dumps", "json.dumps: at `since`: a datetime has no JSON form: use `.isoformat()`"),
        ("/mixed", "one has a timezone and the other has none"),
    ] {
        let reply = mock.get(target);
        assert!(reply.status == 500 && reply.text().contains(why), "{target}: {}", reply.text());
    }
}

#[test]
fn empty_dictionaries_are_false() {
    let mock = Mock::serving(
        r#"fn registerRules() {
    app.post("/", || jsonify([bool(request.form), bool(request.args), bool(request.files), bool(store), all([request.form])]));
}"#,
    );
    let form = mock.post("/?a=1", "application/x-www-form-urlencoded", b"b=2").text();
    assert_eq!(form, "[true,true,false,false,true]\n");
    assert_eq!(mock.post("/", "text/plain", b"").text(), "[false,false,false,false,false]\n");
}

#[test]
fn scripts_cannot_read_the_admin_token() {
    let mut command = binary();
    command.env("H1MOCK_ADMIN_TOKEN", "s3cret").env("SHOWN", "1");
    let mock = Mock::start_command(command, &[], |folder| {
        folder.write(
            "provision/initial",
            r#"fn registerRules() { app.get("/<name>", |name| {
    jsonify([os.getenv(name), os.environ.get(name), name in os.environ, name in os.environ.keys(), os.environ.to_dict().get(name)])
}); }"#,
        );
    });
    assert_eq!(mock.get("/SHOWN").text(), "[\"1\",\"1\",true,true,\"1\"]\n");
    assert_eq!(mock.get("/H1MOCK_ADMIN_TOKEN").text(), "[null,null,false,false,null]\n");
}
