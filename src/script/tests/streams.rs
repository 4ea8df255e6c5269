//! `stream` and `sse`: their pieces, options and errors, in trials that make all pieces without waiting.

use crate::handling::trial::{self, Tried};
use crate::provisioning::provision::Provision;
use crate::script::flask::request::tests::request;
use crate::script::runtime::budget::Budget;
use crate::script::runtime::conditions::Conditions;
use crate::script::tests::trial::{load, load_within};
use std::sync::Arc;
use std::time::Duration;

const SOURCE: &str = r##"
import "library" as lib;
const C = [1];
const F = |n| { if n < 3 { `${n}${C}` } };
fn two(a, b) { "" }
private fn own(n) { "x" }
fn numbers(n) { if n < 3 { time.sleep(0.1); `${n} ` } }
fn registerRules() {
    app.before_request(|| if request.path == "/before" { stream(["early"]) });
    app.after_request(|r| { r.headers["X-Streamed"] = `${r.is_streamed} ${r.content_length}`; r });
    app.register_error_handler(404, |e| stream(["handler ", "of ", "404"], #{ status: 404 }));
    app.get("/before", || "view");
    app.get("/list", || stream(["a", "", "b".to_blob(), "c"]));
    app.get("/empty", || stream([]));
    app.get("/nothing", || stream(|n| ()));
    app.get("/constant", || stream(F));
    app.get("/named", || stream(numbers, #{ every: 0.05 }));
    app.get("/pointer", || stream(Fn("numbers")));
    app.get("/imported", || lib::answer());
    app.get("/tuple", || [stream(["a", "b"]), 201, #{ "X-A": "1" }]);
    app.get("/make", || make_response(stream(["a", "b"]), 202));
    app.get("/response", || Response(stream(["a", "b"]), #{ mimetype: "text/csv" }));
    app.get("/options", || stream(["a"], #{ status: "299 Fine", headers: #{ "X-B": 2 }, content_type: "text/x" }));
    app.get("/changed", || { let r = stream(["a"]); r.status_code = 203; r.headers["X-C"] = "3"; r.mimetype = "text/plain"; r.set_cookie("k", "v"); r });
    app.get("/replaced", || { let r = stream(["a"]); r.set_data("whole"); r });
    app.get("/abort", || stream(|n| abort(418, "tea")));
    app.get("/abort/response", || stream(|n| abort(make_response("own", 499))));
    app.get("/abort/later", || stream(|n| if n == 0 { "a" } else { abort(418, "tea") }));
    app.get("/throw", || stream(|n| throw "bad"));
    app.get("/throw/later", || stream(|n| if n < 2 { "a" } else { throw "bad" }));
    app.get("/time", || stream(|n| if n == 0 { "a" } else { loop { let m = n; } }));
    app.get("/memory", || stream(|n| if n == 0 { "a" } else { let l = ["x"]; loop { l += l; } }));
    app.get("/grows", || { let l = []; stream(|n| { for i in 0..100 { l.push("x" * 10000 + i); } "a" }) });
    app.get("/stores", || stream(|n| { if n < 40 { store[`${n}`] = "x" * 100000; "a" } }));
    app.get("/context", || { store["n"] = 0; stream(|n| { store.incr("n"); if store["n"] < 3 { `${store["n"]}${request.args.get("a")}${request.path} ` } }) });
    app.get("/seed", || { random.seed(7); stream(|n| if n < 2 { `${random.randint(1, 1000)} ` }) });
    app.get("/draws", || { random.seed(7); [1, 2].map(|n| `${random.randint(1, 1000)} `).reduce(|all, one| all + one, "") });
    app.get("/captured", || { let i = 0; stream(|n| { i += 10; if n < 3 { `${i} ` } }) });
    app.get("/sleep", || { time.sleep(0.2); stream(|n| { if n < 3 { time.sleep(0.1); `${n}` } }) });
    app.get("/forever", || stream(|n| "a", #{ every: 1 }));
    app.get("/conditional", || { let r = stream(["abc"]); r.set_etag("x"); r.make_conditional(request, true) });
    app.get("/compressed", || stream(["abc"]).compress());
    app.get("/status/<int:code>", |code| stream(|n| throw "called", #{ status: code }));
    let bp = Blueprint("bp", #{ url_prefix: "/bp" });
    bp.after_request(|r| { r.headers["X-Bp"] = "1"; r });
    bp.get("/list", || stream(["bp"]));
    app.register_blueprint(bp);
}"##;

const LIBRARY: &str = r#"
const WORDS = ["one ", "two "];
fn word(n) { if n < 2 { WORDS[n] } }
fn answer() { stream(word) }
"#;

fn provision() -> (crate::directory::fixture::Folder, Arc<Provision>) {
    let budget = Budget { time: Duration::from_millis(200), memory: 4 << 20, ..Budget::default() };
    load_within(budget, SOURCE.to_owned(), &[("library", LIBRARY)])
}

pub(super) fn attempt(
    provision: &Arc<Provision>,
    method: &str,
    target: &str,
    fields: &[(&str, &str)],
) -> Tried {
    trial::attempt(provision, &Conditions::default(), request(method, target, fields, b""))
}

/// Returns status and body, the number of pieces with their time, and whether the stream breaks or goes on.
fn shown(tried: &Tried) -> (String, String) {
    let answer = &tried.outcome.reply.answer;
    let text = format!("{} {}", answer.status, String::from_utf8_lossy(answer.body.bytes()));
    let stream = tried.stream.as_ref().map_or("no stream".to_owned(), |stream| {
        let end = if stream.cut {
            " cut"
        } else if stream.breaks {
            " breaks"
        } else {
            ""
        };
        format!("{} in {:?}{end}", stream.pieces, stream.over)
    });
    (text, stream)
}

#[test]
fn lists_and_functions_make_the_pieces() {
    let (_folder, provision) = provision();
    for (target, text, stream) in [
        ("/before", "200 early", "1 in 0ns"),
        ("/list", "200 abc", "3 in 0ns"),
        ("/empty", "200 ", "0 in 0ns"),
        ("/nothing", "200 ", "0 in 0ns"),
        ("/constant", "200 0[1]1[1]2[1]", "3 in 0ns"),
        ("/named", "200 0 1 2 ", "3 in 300ms"),
        ("/pointer", "200 0 1 2 ", "3 in 200ms"),
        ("/imported", "200 one two ", "2 in 0ns"),
        ("/tuple", "201 ab", "2 in 0ns"),
        ("/make", "202 ab", "2 in 0ns"),
        ("/response", "200 ab", "2 in 0ns"),
        ("/options", "299 a", "1 in 0ns"),
        ("/changed", "203 a", "1 in 0ns"),
        ("/replaced", "200 whole", "no stream"),
        ("/abort/response", "499 own", "no stream"),
        ("/context?a=b", "200 1b/context 2b/context ", "2 in 0ns"),
        ("/captured", "200 10 20 30 ", "3 in 0ns"),
        ("/sleep", "200 012", "3 in 200ms"),
        ("/stores", &format!("200 {}", "a".repeat(40)), "40 in 0ns"),
        ("/conditional", "200 abc", "1 in 0ns"),
        ("/compressed", "200 abc", "1 in 0ns"),
        ("/bp/list", "200 bp", "1 in 0ns"),
        ("/unknown", "404 handler of 404", "3 in 0ns"),
        ("/status/204", "204 ", "no stream"),
        ("/status/304", "304 ", "no stream"),
    ] {
        let tried = attempt(&provision, "GET", target, &[]);
        assert_eq!(shown(&tried), (text.to_owned(), stream.to_owned()), "{target}");
        assert_eq!(tried.outcome.error, None, "{target}");
    }
    // The seed of the view holds for the pieces.
    let [pieces, draws] = ["/seed", "/draws"].map(|target| shown(&attempt(&provision, "GET", target, &[])).0);
    assert_eq!(pieces, draws);
    // HEAD calls no function.
    assert_eq!(
        shown(&attempt(&provision, "HEAD", "/throw", &[])),
        ("200 ".to_owned(), "no stream".to_owned())
    );
    let fresh = attempt(&provision, "GET", "/conditional", &[("If-None-Match", "\"x\"")]);
    assert_eq!(shown(&fresh), ("304 ".to_owned(), "no stream".to_owned()));
    let ranged = attempt(&provision, "GET", "/conditional", &[("Range", "bytes=0-1")]);
    assert_eq!(shown(&ranged).0, "200 abc");
    let (text, stream) = shown(&attempt(&provision, "GET", "/forever", &[]));
    assert_eq!((text.len(), &*stream), (1_004, "1000 in 999s cut"));
}

#[test]
fn a_stream_has_the_headers_of_any_response() {
    let (_folder, provision) = provision();
    let html = "Content-Type: text/html; charset=utf-8";
    let streamed = "X-Streamed: true ";
    for (target, expected) in [
        ("/list", vec![html, streamed]),
        ("/tuple", vec![html, "X-A: 1", streamed]),
        ("/response", vec!["Content-Type: text/csv; charset=utf-8", streamed]),
        ("/options", vec!["Content-Type: text/x", "X-B: 2", streamed]),
        (
            "/changed",
            vec!["Content-Type: text/plain; charset=utf-8", "X-C: 3", "Set-Cookie: k=v; Path=/", streamed],
        ),
        ("/replaced", vec![html, "X-Streamed: false 5"]),
        ("/bp/list", vec![html, "X-Bp: 1", streamed]),
    ] {
        let reply = attempt(&provision, "GET", target, &[]).outcome.reply;
        let headers: Vec<String> =
            reply.answer.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        assert_eq!(headers, expected, "{target}");
    }
}

#[test]
fn an_error_before_the_first_piece_is_an_answer_and_a_later_one_breaks_the_stream() {
    let (_folder, provision) = provision();
    let in_script = "script error in provision `p`: line ";
    for (target, status, stream, error) in [
        ("/abort", 418, "no stream", None),
        (
            "/abort/later",
            200,
            "1 in 0ns breaks",
            Some("28, column 68: abort(418): tea (piece 1 of a stream)"),
        ),
        ("/throw", 500, "no stream", Some("29, column 37: bad (piece 0 of a stream)")),
        ("/throw/later", 200, "2 in 0ns breaks", Some("30, column 67: bad (piece 2 of a stream)")),
    ] {
        let tried = attempt(&provision, "GET", target, &[]);
        let error = error.map(|error| format!("{in_script}{error}"));
        assert_eq!(
            (shown(&tried).0.starts_with(&status.to_string()), shown(&tried).1),
            (true, stream.to_owned()),
            "{target}"
        );
        assert_eq!(tried.outcome.error.as_deref(), error.as_deref(), "{target}");
        let lines: Vec<String> = error.iter().map(|error| format!("ERROR GET {target}: {error}")).collect();
        assert_eq!(tried.lines, lines);
    }
    // The place in an endless loop is any of its operations.
    for (target, line, error) in [
        ("/time", 31, "the script ran longer than 200 ms (piece 1 of a stream)"),
        ("/memory", 32, "the script used more than 4194304 bytes (piece 1 of a stream)"),
    ] {
        let found = attempt(&provision, "GET", target, &[]).outcome.error.unwrap();
        assert!(
            found.starts_with(&format!("{in_script}{line}, column ")) && found.ends_with(error),
            "{found}"
        );
    }
    let tried = attempt(&provision, "GET", "/grows", &[]);
    assert_eq!(
        tried.outcome.error.as_deref(),
        Some(
            "script error in provision `p`: line 33: the function of a stream keeps more than 4194304 bytes in its variables from piece to piece: keep less, or raise --script-memory (piece 5 of a stream)"
        )
    );
}

#[test]
fn mistakes_say_what_to_write() {
    let called =
        "calls the function with the number of the piece, from 0 on, as in `fn piece(n)` or `|n| ...`, but";
    let takes = "takes a list of pieces or a function `|n| ...` that makes piece n, not";
    let first = "item 0 of the list:";
    for (line, message) in [
        ("stream(none)", format!("stream {called} `none` takes `()`")),
        ("stream(none())", format!("stream {takes} string `x`: a single piece stands in a list, `stream([x])`")),
        ("stream(())", format!("stream {takes} `()`: if a function makes the pieces, name it and do not call it, as in `stream(piece)` with `fn piece(n) {{ ... }}`")),
        ("stream(7)", format!("stream {takes} i64 `7`")),
        ("stream(|a, b| a)", format!("stream {called} closure takes `(a, b)`")),
        ("stream(own)", "function `own` is private: drop the word `private` before `fn own`".to_owned()),
        ("stream([\"a\", 1])", "stream: item 1 of the list: a piece of a stream is a text or a blob, not i64 `1`: write `${x}` for its text".to_owned()),
        ("stream(|n| #{ a: 1 })", "a piece of a stream is a text or a blob, not map `#{\"a\": 1}`: write json.dumps(x) for JSON".to_owned()),
        ("stream(|n| 7)", "a piece of a stream is a text or a blob, not i64 `7`: write `${x}` for its text".to_owned()),
        ("stream(|n| none)", "a piece of a stream is a text or a blob, not Fn `Fn(none)`: call it with ()".to_owned()),
        ("stream(|n| stream([]))", "a piece of a stream is a text or a blob, not a response: let the view return it in place of the stream".to_owned()),
        ("stream(|n| wait_for(\"k\", 1))", "a piece of a stream is a text or a blob, not `wait_for(...)`: let the view return wait_for(...), and its function |value| the stream".to_owned()),
        ("stream(wait_for(\"k\", 1))", format!("stream {takes} `wait_for(...)`: let the view return wait_for(...), and its function |value| the stream")),
        ("stream(0..3)", format!("stream {takes} Range<i64> `0..3`: write `list(x).map(|i| ...)` for a list of pieces")),
        ("stream([()])", "stream: item 0 of the list: a piece of a stream is a text or a blob, not `()`: leave it out".to_owned()),
        ("stream([], 0.2)", "stream: options are a map, such as `#{ every: 0.2 }`, not 0.2".to_owned()),
        ("stream([], 201)", "stream: options are a map, such as `#{ status: 201 }`, not 201".to_owned()),
        ("stream([], \"text/csv\")", "stream: options are a map, such as `#{ every: 0.2 }`, not text/csv".to_owned()),
        ("stream([], #{ evry: 1 })", "`stream` has no option `evry`: it takes every, mimetype, content_type, status, headers".to_owned()),
        ("stream([], #{ every: -1 })", "stream: `every` takes seconds from 0 to 3600, not -1".to_owned()),
        ("stream([], #{ every: \"1\" })", "stream: `every` takes seconds from 0 to 3600, not string `1`".to_owned()),
        ("stream([], #{ status: 42 })", "status `42` is neither a number from 200 to 999 nor text such as \"404 NOT FOUND\"".to_owned()),
        ("{ let l = []; l.pad(100, \"x\" * 1000000); stream(l) }", "stream: the result does not fit into the memory of the script".to_owned()),
        ("{ let r = stream([]); r.add_etag(); r }", "the body of a stream can't be read: its pieces do not exist yet".to_owned()),
        ("stream([]).data", "the body of a stream can't be read: its pieces do not exist yet".to_owned()),
        ("stream([]).text", "the body of a stream can't be read: its pieces do not exist yet".to_owned()),
        ("stream([]).get_json()", "the body of a stream can't be read: its pieces do not exist yet".to_owned()),
        ("stream([]).make_conditional(request, true, 5)", "a stream has no length: leave `complete_length` out".to_owned()),
        ("[\"x\", 200, #{ \"Transfer-Encoding\": \"gzip\" }]", "header `Transfer-Encoding` can only be `chunked`, not `gzip`: the coding of a body is `Content-Encoding`".to_owned()),
        ("Response(none)", "the view function returned a function: call it with (), or give it to stream(...), which calls it for each piece: return a text, a map, a list or make_response(...)".to_owned()),
        ("sse(\"text\")", format!("sse {takes} string `text`: a single piece stands in a list, `sse([x])`")),
        ("sse(#{ data: 1 })", format!("sse {takes} map `#{{\"data\": 1}}`: a single piece stands in a list, `sse([x])`")),
        ("sse([], #{ mimetype: \"a\" })", "`sse` has no option `mimetype`: it takes every, status, headers".to_owned()),
        ("sse([#{ evnt: 1 }])", format!("sse: {first} an event has no key `evnt`: there are comment, event, id, retry, data")),
        ("sse([#{}])", format!("sse: {first} an event without keys sends nothing: give it `data`, or a `comment`")),
        ("sse([wait_for(\"k\", 1)])", format!("sse: {first} an event is a map or a text, not `wait_for(...)`: let the view return wait_for(...), and its function |value| the stream")),
        ("sse([redirect(\"/\")])", format!("sse: {first} an event is a map or a text, not a response: let the view return it in place of the stream")),
        ("sse([`data: x\\n\\n`])", format!("sse: {first} sse writes `data: ` and the line ends itself, and `data: x\\n\\n` has them: give the data alone, or send ready events by stream(..., #{{ mimetype: \"text/event-stream\" }})")),
        ("sse([1])", format!("sse: {first} an event is a map or a text, not i64 `1`: write `#{{ data: x }}`")),
        ("sse([[\"a\"]])", format!("sse: {first} an event is a map or a text, not array `[\"a\"]`: give each event on its own")),
        ("sse([#{ event: \"a\\nb\" }])", format!("sse: {first} `event` of an event can't have a line end: `a\\nb`")),
        ("sse([#{ id: \"a\\rb\" }])", format!("sse: {first} `id` of an event can't have a line end: `a\\rb`")),
        ("sse([#{ id: \"a\\x00b\" }])", format!("sse: {first} `id` of an event can't have a NUL: `a\\0b`")),
        ("sse([#{ id: 1.5 }])", format!("sse: {first} `id` of an event is a text, not 1.5")),
        ("sse([#{ retry: \"5\" }])", format!("sse: {first} `retry` of an event takes milliseconds, such as 3000, not string `5`")),
        ("sse(|n| wait_for(\"k\", 1.0))", "an event is a map or a text, not `wait_for(...)`: let the view return wait_for(...), and its function |value| the stream".to_owned()),
        ("sse([#{ retry: 1.5 }])", format!("sse: {first} `retry` of an event takes milliseconds, such as 3000, not f64 `1.5`")),
        ("sse([#{ retry: -1 }])", format!("sse: {first} `retry` of an event takes milliseconds, such as 3000, not i64 `-1`")),
        ("sse([\"data: x\\n\\n\"])", format!("sse: {first} sse writes `data: ` and the line ends itself, and `data: x` has them: give the data alone, or send ready events by stream(..., #{{ mimetype: \"text/event-stream\" }})")),
    ] {
        let source = format!("fn none() {{ \"x\" }} private fn own(n) {{ \"x\" }}\nfn registerRules() {{ app.get(\"/\", view); }}\nfn view() {{ {line} }}");
        let (_folder, provision) = load(source, &[]);
        let error = attempt(&provision, "GET", "/", &[]).outcome.error.unwrap_or_default();
        let error = error.strip_suffix(" (piece 0 of a stream)").unwrap_or(&error).to_owned();
        let text = error.strip_prefix("script error in provision `p`: line 3").unwrap_or(&error);
        let text = text.split_once(": ").map_or(text, |(_, text)| text);
        assert_eq!(text, message, "{line}");
    }
    let (_folder, provision) =
        load("const S = || stream([]);\nfn registerRules() { app.get(\"/\", S); }".to_owned(), &[]);
    assert_eq!(attempt(&provision, "GET", "/", &[]).outcome.error, None);
}

/// Functions that several streams share: a constant, a closure over a variable of `registerRules`, over a constant, over a variable of
/// its request.
const SHARED: &str = r#"
const WORDS = ["a", "b", "c"];
let total = 0;
const F = |n| { if n < 3 { WORDS[n] } };
const G = |n| { total += 1; if n < 3 { "x" } };
fn registerRules() {
    let words = ["a", "b", "c"];
    let count = 0;
    app.get("/constant", || stream(F));
    app.get("/changing", || stream(G));
    app.get("/rules", || stream(|n| if n < words.len() { words[n] }));
    app.get("/counts", || stream(|n| { count += 1; if n < 3 { "x" } }));
    app.get("/own", || { let own = WORDS; own.push("d"); stream(|n| { if n < own.len() { own[n] } }) });
}"#;

#[test]
fn functions_of_many_streams_at_once_do_not_meet() {
    let (_folder, provision) = load(SHARED.to_owned(), &[]);
    for (target, expected) in [
        ("/constant", "200 abc"),
        ("/changing", "200 xxx"),
        ("/rules", "200 abc"),
        ("/counts", "200 xxx"),
        ("/own", "200 abcd"),
    ] {
        let work = || {
            for _ in 0..200 {
                let tried = attempt(&provision, "GET", target, &[]);
                assert_eq!(shown(&tried).0, expected, "{target}: {:?}", tried.outcome.error);
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(work);
            }
        });
    }
}

#[test]
fn a_large_captured_list_is_not_copied_for_each_piece() {
    let source = "fn registerRules() { app.get(\"/\", || { let l = []; l.pad(100000, 1); stream(|n| if n < 900 { `${l[n]}` }) }); }";
    let (_folder, provision) = load(source.to_owned(), &[]);
    let tried = attempt(&provision, "GET", "/", &[]);
    // A copy would take 2 ms in each of the calls, and the trial would end after 2 s.
    assert_eq!(shown(&tried).1, "900 in 0ns");
}
