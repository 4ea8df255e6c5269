//! Features of scripts besides Flask's API: state, sleeping, imports, files, uploads.

use crate::faults::has_news;
use crate::harness::{Client, Mock, eventually};
use crate::metrics::{held, until_held};
use std::time::{Duration, Instant};

#[test]
fn store_counts_under_concurrency() {
    let mock = Mock::serving(
        r#"fn registerRules() {
    app.get("/incr", || `${store.incr("n")}`);
    app.get("/update", || `${store.update("u", 0, |n| n + 1)}`);
    app.get("/missing", || { store["n2"] += 1; "" });
    app.get("/read", || `${store.get("n", 0)} ${store.get("u")} ${store.keys()} ${"n" in store}`);
    app.get("/function", || { store["f"] = |x| x; "" });
}"#,
    );
    std::thread::scope(|scope| {
        for target in ["/incr", "/incr", "/update", "/update"] {
            let mock = &mock;
            scope.spawn(move || {
                let mut client = Client::new(&mock.traffic);
                (0..200).for_each(|_| assert_eq!(client.send("GET", target, &[], b"").status, 200));
            });
        }
    });
    assert_eq!(mock.get("/read").text(), "400 400 [\"n\", \"u\"] true");
    let missing = mock.get("/missing");
    assert_eq!(missing.status, 500);
    assert!(missing.text().contains("the left side of `+=` is (), which is nothing: a counter is `store.incr(key)`, another value needs a start"), "{}", missing.text());
    assert!(
        mock.get("/function").text().contains("store: `f` can hold text, numbers"),
        "{}",
        mock.get("/function").text()
    );
}

#[test]
fn store_has_the_methods_of_dictionaries() {
    let mock = Mock::serving(
        r#"fn registerRules() {
    for name in ["", "s"] { app.get(`/all${name}`, || all(if name == "" { store } else { store.scope("s") })); }
    app.get("/append", || `${store.scope("log").append("l", #{ n: store.incr("n") })}`);
    app.get("/log", || { let l = store.scope("log").get("l"); `${l.len()} ${dict(l.map(|x| [`${x.n}`, 1])).len()}` });
    app.get("/pop", || if store.pop("token", ()) == () { "gone" } else { "mine" });
    app.get("/put", || { store["token"] = 1; "" });
    app.get("/missing", || store.pop("none"));
    app.get("/number", || { store["number"] = 7; store.append("number", 1) });
    app.get("/function", || store.append("f", |x| x));
    app.get("/again", || { let before = store.setdefault("keep", []); store.append("keep", 1); store.append("keep", [2]); jsonify([before, store["keep"]]) });
}
fn all(s) {
    s.clear();
    let one = s.setdefault("b", 1);
    let two = s.setdefault("b", 2);
    s["a"] = #{ x: 1 };
    s.scope("inner").append("hidden", 1);
    [s.items(), s.values(), [one, two], s.pop("b"), s.pop("b", "none"), s.append("l", "x"), s.append("l", ["y"]), s["l"], s.keys()]
}"#,
    );
    let expected = r#"[[["a",{"x":1}],["b",1]],[{"x":1},1],[1,1],1,"none",1,2,["x",["y"]],["a","l"]]"#;
    for target in ["/all", "/alls"] {
        assert_eq!(mock.get(target).text().trim_end(), expected, "{target}");
    }
    assert_eq!(mock.get("/again").text(), "[[],[1,[2]]]\n");
    mock.get("/put");
    let mine = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut client = Client::new(&mock.traffic);
                (0..100).for_each(|_| assert_eq!(client.send("GET", "/append", &[], b"").status, 200));
                if client.send("GET", "/pop", &[], b"").text() == "mine" {
                    mine.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!((mock.get("/log").text().as_str(), mine.into_inner()), ("400 400", 1));
    for (target, error) in [
        ("/missing", "store.pop: no key `none`: `pop(key, default)` gives a default"),
        ("/number", "store.append: `number` holds i64, not a list"),
        ("/function", "store: `f` can hold text, numbers, booleans, lists, maps and blobs, not Fn"),
    ] {
        let reply = mock.get(target);
        assert!(reply.status == 500 && reply.text().contains(error), "{target}: {}", reply.text());
    }
}

#[test]
fn an_activation_clears_the_store_unless_it_is_kept() {
    let source = r#"fn registerRules() { app.get("/n", || `${store.incr("n")}`); }"#;
    for (arguments, after) in [(&[][..], "1"), (&["--keep-store"][..], "2")] {
        let mock = Mock::start_with(arguments, |folder| folder.write("provision/initial", source));
        assert_eq!(mock.get("/n").text(), "1");
        mock.activate("again", source);
        assert_eq!(mock.get("/n").text(), after);
    }
}

#[test]
fn sleeping_answers_occupy_no_worker() {
    const WORKERS: f64 = 4.0;
    let mock = Mock::start_with(&["--workers", "4"], |folder| {
        folder.write(
            "provision/initial",
            r#"fn registerRules() {
    app.get("/slow", || { time.sleep(1.7); time.sleep(0.3); "slow" });
    app.get("/old", || { sleep(1); "slow" });
    app.get("/fast", || "fast");
}"#,
        );
    });
    let mut sleeping: Vec<Client> = (0..200).map(|_| Client::new(&mock.traffic)).collect();
    let began = Instant::now();
    for client in &mut sleeping {
        client.write(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    // More answers sleep than there are workers, and other requests are served meanwhile.
    eventually(|| {
        let before = held(&mock);
        assert_eq!(mock.get("/fast").text(), "fast");
        let sleeping = before.min(held(&mock));
        if sleeping > WORKERS { Ok(()) } else { Err(format!("{sleeping} answers sleep")) }
    });
    for client in &mut sleeping {
        assert_eq!(client.read(false).text(), "slow");
    }
    let all = began.elapsed();
    assert!(all >= Duration::from_secs(2), "{all:?}");
    // If each answer occupied one of the four workers, all together would take 100 s.
    assert!(all < Duration::from_secs(50), "{all:?}");
    let began = Instant::now();
    mock.get("/old");
    assert!(began.elapsed() >= Duration::from_secs(1));
}

#[test]
fn errors_leave_at_once_and_aborts_when_they_are_due() {
    let mock = Mock::serving(
        r#"fn registerRules() {
    app.get("/throw", || { time.sleep(30); throw "x" });
    app.get("/type", || { time.sleep(30); 7 });
    app.get("/caught", || { try { time.sleep(0.4); throw "x" } catch { } "caught" });
    app.get("/abort", || { time.sleep(0.4); abort(409) });
    app.get("/argument", || { time.sleep(0.4); request.args["x"] });
    app.get("/hour", || { while store["x"] == () { time.sleep(1); } "" });
    app.get("/often", || { while store["x"] == () { time.sleep(0.001); } "" });
    app.get("/thousand", || { for i in 0..1000 { time.sleep(0); } "thousand" });
    let handled = Blueprint("handled", #{ url_prefix: "/handled" });
    handled.get("/quick", || { time.sleep(30); throw "x" });
    handled.get("/slow", || { time.sleep(30); sleep(0.4, 1) });
    handled.register_error_handler(500, |e| { if request.path.endswith("slow") { time.sleep(0.4); } ["handled", 500] });
    app.register_blueprint(handled);
    let after = Blueprint("after", #{ url_prefix: "/after" });
    after.get("/", || { time.sleep(30); "" });
    after.after_request(|response| { time.sleep(30); throw "after" });
    app.register_blueprint(after);
}"#,
    );
    let loop_text = "it holds back the answer and does not pause the script, so a loop can't wait by it; to answer when another request has set a key of `store`, return `wait_for(\"key\", 10.0, |value| ...)`";
    let hour = format!("the sleeps of a request add up to 3600 s at most: {loop_text}");
    let often = format!("sleep was called more than 1000 times: {loop_text}");
    for (target, status, text, held) in [
        ("/throw", 500, "x", false),
        ("/type", 500, "returned an integer", false),
        ("/caught", 200, "caught", true),
        ("/abort", 409, "Conflict", true),
        ("/argument", 400, "Bad Request", true),
        ("/hour", 500, often.as_str(), false),
        ("/often", 500, often.as_str(), false),
        ("/thousand", 200, "thousand", false),
        ("/handled/quick", 500, "handled", false),
        ("/handled/slow", 500, "handled", true),
        ("/after/", 500, "after", false),
    ] {
        let began = Instant::now();
        let reply = mock.get(target);
        let took = began.elapsed();
        assert_eq!(reply.status, status, "{target}: {}", reply.text());
        assert!(reply.text().contains(text), "{target}: {}", reply.text());
        let due = if held { 400..10_000 } else { 0..10_000 };
        assert!(due.contains(&took.as_millis()), "{target}: {took:?}");
    }
    mock.activate("long", r#"fn registerRules() { app.get("/", || { while true { time.sleep(1000); } }); }"#);
    assert!(mock.get("/").text().contains(&hour), "{}", mock.get("/").text());
}

#[test]
fn imports_bring_functions_constants_and_views() {
    let mock = Mock::start_with(&[], |folder| {
        folder.write(
            "provision/initial",
            r#"
import "common" as common;
import "lib/more" as more;
const OWN = 1 + 1;
fn registerRules() {
    common::register(app);
    app.get("/here", || `${common::double(OWN)} ${common::FACTOR} ${more::text()}`);
    app.get("/inside", || { import "late" as late; late::value() });
}"#,
        );
        folder.write("provision/common.rhai", r#"
const FACTOR = 2;
fn double(x) { times(x) }
private fn times(x) { x * FACTOR }
fn register(app) { app.get("/there/<int:id>", show); app.get("/closure/<int:id>", |id| `${double(id)} ${FACTOR}`); }
fn show(id) { `${double(id)}` }
"#);
        folder.write("provision/lib/more", r#"fn text() { read_text("lib/more.txt").strip() }"#);
        folder.write("provision/lib/more.txt", "more\n");
        folder.write("provision/late.rhai", r#"fn value() { "late" }"#);
    });
    let cases = [("/here", "4 2 more"), ("/there/4", "8"), ("/closure/3", "6 2"), ("/inside", "late")];
    for (target, body) in cases {
        assert_eq!(mock.get(target).text(), body, "{target}");
    }
}

#[test]
fn uploads_files_and_downloads() {
    let mock = Mock::start_with(&[], |folder| {
        folder.write(
            "provision/initial",
            r#"
const DATA = read_json("data.json");
fn registerRules() {
    app.post("/upload", upload);
    app.get("/download", || send_file("page.html"));
    app.get("/attached", || send_file("data.json", #{ as_attachment: true }));
    app.get("/data", || DATA);
    app.get("/list", || os.listdir());
    app.get("/outside", || read_text("../outside"));
}
fn upload() {
    let file = request.files["f"];
    `${file.filename} ${file.content_type} ${file.text()} ${request.form["note"]} ${request.data.len()}`
}"#,
        );
        folder.write("provision/page.html", "<p>page</p>");
        folder.write("provision/data.json", "[1, {\"a\": null}]");
        folder.write("outside", "secret");
    });
    let body = b"--b1\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhi\r\n--b1\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\nfile body\r\n--b1--\r\n";
    assert_eq!(
        mock.post("/upload", "multipart/form-data; boundary=b1", body).text(),
        "a.txt text/plain file body hi 0"
    );
    assert_eq!(mock.post("/upload", "text/plain", b"").status, 400);
    let page = mock.get("/download");
    assert_eq!(
        (page.text().as_str(), page.header("content-type")),
        ("<p>page</p>", "text/html; charset=utf-8")
    );
    assert_eq!(mock.get("/attached").header("content-disposition"), "attachment; filename=data.json");
    assert_eq!(mock.get("/data").text(), "[1,{\"a\":null}]\n");
    assert_eq!(mock.get("/list").text(), "[\"data.json\",\"initial\",\"page.html\"]\n");
    let outside = mock.get("/outside");
    assert_eq!(outside.status, 500);
    assert!(!outside.text().contains("secret"), "{}", outside.text());
}

#[test]
fn answers_held_back_on_one_connection_leave_in_order_and_hold_up_no_others() {
    let mock = Mock::serving(
        r#"fn registerRules() {
    app.get("/hold/<float:seconds>", |seconds| { time.sleep(seconds); `${seconds}` });
}"#,
    );
    let mut pipelined = Client::new(&mock.traffic);
    let began = Instant::now();
    pipelined.write(b"GET /hold/3.5 HTTP/1.1\r\nHost: x\r\n\r\nGET /hold/0.2 HTTP/1.1\r\nHost: x\r\n\r\n");
    until_held(&mock, 1.0);
    assert_eq!(mock.get("/hold/0.1").text(), "0.1");
    // On a slow machine the first answer may be due by now.
    let early = has_news(&pipelined) && began.elapsed() < Duration::from_millis(3500);
    assert!(!early, "one of the two has left, or another answer waited for it");
    assert_eq!(
        (pipelined.read(false).text(), pipelined.read(false).text()),
        ("3.5".to_owned(), "0.2".to_owned())
    );
}

#[test]
fn parameters_and_variables_hide_handles_of_pythons_modules() {
    let mock = Mock::serving(
        r#"const secrets = 5;
fn registerRules() {
    app.get("/handles", || `${bytes.fromhex("6869").decode()} ${string.digits} ${inner()}`);
    app.get("/closures", || [1].map(|n| string.digits[n] + bytes.fromhex("68").decode())[0]);
    app.get("/parameters", || parameters("a", "b"));
    app.get("/<string>", |string| `closure ${string}`);
    app.get("/variables/<bytes>", variables);
    app.get("/constant", || `${secrets + 1}`);
}
fn inner() { [bytes([104]).hex(), string.hexdigits.len()] }
fn parameters(bytes, string) { bytes + string }
fn variables(bytes) { let string = bytes; string }"#,
    );
    for (target, text) in [
        ("/handles", "hi 0123456789 [\"68\", 22]"),
        ("/closures", "1h"),
        ("/parameters", "ab"),
        ("/x", "closure x"),
        ("/variables/y", "y"),
        ("/constant", "6"),
    ] {
        assert_eq!(mock.get(target).text(), text, "{target}");
    }
}

#[test]
fn identifiers_are_text_with_hex() {
    let mock = Mock::serving(
        r#"fn registerRules() {
    app.get("/<uuid:id>", |id| id.hex);
    app.get("/made", || { let id = uuid.uuid4(); [#{ id: id, same: id.hex == id.replace("-", "") }, 200, #{ "X-Id": id }] });
}"#,
    );
    assert_eq!(mock.get("/12345678-1234-5678-1234-56781234567A").text(), "1234567812345678123456781234567a");
    let made = mock.get("/made");
    assert_eq!(made.json()["same"], true);
    assert_eq!(made.json()["id"].as_str().unwrap(), made.header("x-id"));
}
