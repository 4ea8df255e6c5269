//! Calls of `requests.*` with an upstream on a thread.

mod upstream;

use crate::message::request::Request;
use crate::outgoing::{Allowed, Outgoing};
use crate::script::runtime::budget::Budget;
use crate::script::runtime::call::{self, Call};
use crate::script::runtime::conditions::Conditions;
use crate::script::runtime::request_error::RequestError;
use crate::script::runtime::size_limits::text_of;
use crate::script::tests::trial;
use rhai::EvalAltResult;
use std::net::TcpListener;
use std::time::{Duration, Instant};
use upstream::upstream;

fn outgoing(workers: usize) -> &'static Outgoing {
    let outgoing = Outgoing::new(Allowed::default(), 2);
    outgoing.slots.set_workers(workers);
    outgoing.leak()
}

/// Runs a script while a request is handled. Returns its result, or the error in the words of a fault.
fn run_with(budget: Budget, outgoing: Option<&'static Outgoing>, script: &str) -> String {
    let engine = trial::engine();
    let request = Request::from_parts("GET", "/", None::<(&str, &str)>, Vec::new(), None, None);
    let conditions = Conditions { outgoing, ..Conditions::default() };
    let call = Call { request: Some(request.into()), conditions, ..Call::default() };
    let source = format!("fn view() {{ {script} }} let result = view(); result.to_debug()");
    let run = || call::within(call, || engine.eval::<String>(&source)).0;
    match budget.run(run) {
        Ok(result) => result,
        Err(error) => match error.unwrap_inner() {
            EvalAltResult::ErrorRuntime(thrown, _) => match thrown.read_lock::<RequestError>() {
                Some(error) => error.to_string(),
                None => text_of(thrown, 1000).to_string(),
            },
            other => other.to_string(),
        },
    }
}

/// Compares the results of scripts. `UP` in scripts and results is the URL of an upstream, `ADDR` its address.
#[track_caller]
fn yields(table: &[(&str, &str)]) {
    let (address, outgoing) = (upstream(), outgoing(4));
    let at =
        |text: &str| text.replace("UP", &format!("http://{address}")).replace("ADDR", &address.to_string());
    for (script, expected) in table {
        let found = run_with(Budget::default(), Some(outgoing), &at(script));
        assert_eq!(found, at(expected), "{script}");
    }
}

#[test]
fn arguments_become_a_request_as_in_python() {
    yields(&[
        (r#"requests.get("UP/a").text"#, r#""GET /a HTTP/1.1||""#),
        (r#"requests.options("UP").text"#, r#""OPTIONS / HTTP/1.1|Content-Length: 0||""#),
        (r#"requests.delete("UP/a", #{}).text"#, r#""DELETE /a HTTP/1.1|Content-Length: 0||""#),
        (r#"requests.request("purge", "UP/a").text"#, r#""PURGE /a HTTP/1.1|Content-Length: 0||""#),
        (
            r#"requests.get("UP/a?x=1", #{ params: #{ q: "a b", n: [1, 2], none: () } }).text"#,
            r#""GET /a?x=1&n=1&n=2&q=a+b HTTP/1.1||""#,
        ),
        (
            r#"requests.get("UP/a", #{ params: [["z", 1], ["a", "ä"]] }).text"#,
            r#""GET /a?z=1&a=%C3%A4 HTTP/1.1||""#,
        ),
        (r#"requests.get("UP/a", #{ params: "x=y z" }).text"#, r#""GET /a?x=y%20z HTTP/1.1||""#),
        (r#"requests.get("UP/a", #{ params: #{} }).text"#, r#""GET /a HTTP/1.1||""#),
        (
            r#"requests.post("UP/a", #{ json: #{ a: [1, "ä"] } }).text"#,
            r#""POST /a HTTP/1.1|Content-Length: 20|Content-Type: application/json||{\"a\": [1, \"\\u00e4\"]}""#,
        ),
        (
            r#"requests.put("UP/a", #{ data: #{ a: 1, b: "x y" } }).text"#,
            r#""PUT /a HTTP/1.1|Content-Length: 9|Content-Type: application/x-www-form-urlencoded||a=1&b=x+y""#,
        ),
        (
            r#"requests.patch("UP/a", #{ data: "text", headers: #{ "content-type": "text/x" } }).text"#,
            r#""PATCH /a HTTP/1.1|Content-Length: 4|content-type: text/x||text""#,
        ),
        (
            r#"requests.post("UP/a", #{ data: "abc".encode() }).text"#,
            r#""POST /a HTTP/1.1|Content-Length: 3||abc""#,
        ),
        (
            r#"requests.get("UP/a", #{ auth: ["me", "pass"], headers: #{ Authorization: "x" } }).text"#,
            r#""GET /a HTTP/1.1|Authorization: Basic bWU6cGFzcw==||""#,
        ),
        (
            r#"requests.get("UP/a", #{ cookies: #{ a: 1, b: "c" } }).text"#,
            r#""GET /a HTTP/1.1|Cookie: a=1; b=c||""#,
        ),
        (
            r#"requests.post("UP/a", #{ data: "abc", headers: #{ "Content-Length": "7", "Transfer-Encoding": "chunked", "Connection": "x" } }).text"#,
            r#""POST /a HTTP/1.1|Content-Length: 3||abc""#,
        ),
        (
            r#"requests.get("UP/a", #{ timeout: (), json: (), headers: (), auth: () }).text"#,
            r#""GET /a HTTP/1.1||""#,
        ),
    ]);
}

#[test]
fn a_response_has_the_properties_of_python() {
    yields(&[
        (
            r#"let r = requests.get("UP/json"); [r.status_code, r.reason, r.ok, r.url]"#,
            r#"[200, "OK", true, "UP/json"]"#,
        ),
        (
            r#"let r = requests.get("UP/json"); [r.json().a, r.json()["b"][0], r.json().b[1]]"#,
            r#"["ä", 1, ()]"#,
        ),
        (
            r#"let r = requests.get("UP/json"); [r.headers["x-a"], r.headers.get("X-None", 7), "X-A" in r.headers]"#,
            r#"["1, 2", 7, true]"#,
        ),
        (r#"requests.get("UP/json").headers["X-None"]"#, "`response.headers` has no `X-None`"),
        (r#"requests.get("UP/404").content.len()"#, "2"),
        (r#"requests.get("UP/latin").text"#, r#""Ã¤""#),
        (
            r#"let r = requests.get("UP/404"); [r.status_code, r.ok, `${r}`]"#,
            r#"[404, false, "<Response [404]>"]"#,
        ),
        (
            r#"let e = requests.get("UP/a").elapsed; e.total_seconds() > 0.0 && e.total_seconds() < 2.0"#,
            "true",
        ),
        (r#"requests.head("UP/json").text"#, r#""""#),
        (r#"requests.get("UP/json").raise_for_status()"#, "()"),
    ]);
}

#[test]
fn redirects_are_followed_unless_the_script_says_otherwise() {
    yields(&[
        (
            r#"let r = requests.post("UP/to-echo", #{ json: 1 }); [r.url, r.text]"#,
            r#"["UP/echo?x=1", "GET /echo?x=1 HTTP/1.1||"]"#,
        ),
        (r#"requests.get("UP/to-echo", #{ allow_redirects: false }).status_code"#, "302"),
        (r#"requests.head("UP/to-echo").status_code"#, "302"),
        (r#"requests.head("UP/to-echo", #{ allow_redirects: true }).status_code"#, "200"),
        (
            r#"requests.get("UP/loop")"#,
            "requests.TooManyRedirects: `UP/loop` leads to more than 30 redirects",
        ),
        (
            r#"requests.get("UP/to-tls")"#,
            "requests.InvalidURL: `UP/to-tls` redirects to a wrong URL: `https://secure.example/` needs TLS, which h1mock does not speak: take `http://` and a sidecar that adds TLS (docs/forwarding.md)",
        ),
    ]);
}

#[test]
fn errors_have_the_classes_of_python() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    yields(&[
        (
            r#"requests.get("UP/silent", #{ timeout: 0.1 })"#,
            "requests.ReadTimeout: no whole answer from `ADDR` within 100ms",
        ),
        (
            r#"requests.get("UP/cut")"#,
            "requests.ConnectionError: failed to get an answer from `ADDR`: the connection closed early",
        ),
        (
            r#"requests.get("UP/empty")"#,
            "requests.ConnectionError: failed to get an answer from `ADDR`: the connection closed early",
        ),
        (
            r#"requests.get("UP/garbage")"#,
            "requests.ConnectionError: failed to read the answer of `ADDR`: it is no HTTP",
        ),
        (
            r#"requests.get("UP/404").raise_for_status()"#,
            "requests.HTTPError: 404 Client Error: Not Found for url: UP/404",
        ),
        (
            r#"requests.get("UP/503").raise_for_status()"#,
            "requests.HTTPError: 503 Server Error: Service Unavailable for url: UP/503",
        ),
        (
            r#"requests.get("UP/404").json()"#,
            "requests.JSONDecodeError: the answer of `UP/404` is no JSON: expected ident at line 1 column 2",
        ),
        (
            &format!(r#"requests.get("http://{closed}/")"#),
            &format!("requests.ConnectionError: failed to connect to `{closed}`: connection refused"),
        ),
        (
            r#"requests.get("host/a")"#,
            "requests.InvalidURL: failed to use URL `host/a`: write `http://` before it, as in `http://host/a`",
        ),
        (
            r#"requests.get("https://host/a")"#,
            "requests.InvalidURL: `https://host/a` needs TLS, which h1mock does not speak: take `http://` and a sidecar that adds TLS (docs/forwarding.md)",
        ),
        (
            r#"requests.get("UP", #{ headers: #{ "X-A": "ä" } })"#,
            "requests.RequestException: failed to send header `X-A`: not visible ASCII",
        ),
    ]);
}

#[test]
fn scripts_can_catch_errors() {
    let caught = |script: &str, look: &str| {
        format!("let seen = (); try {{ {script} }} catch (e) {{ seen = {look}; }} seen")
    };
    let silent = r#"requests.get("UP/silent", #{ timeout: 0.05 })"#;
    let failed = r#"requests.get("UP/503").raise_for_status()"#;
    let table = [
        (
            caught(silent, "[e.type, e.name, e.url]"),
            r#"["requests.ReadTimeout", "requests.ReadTimeout", "UP/silent"]"#,
        ),
        (caught(silent, "`${e}`"), r#""no whole answer from `ADDR` within 50ms""#),
        (
            caught(
                silent,
                "[e.is_a(requests.Timeout), e.is_a(requests.exceptions.RequestException), e.is_a(requests.ConnectionError)]",
            ),
            "[true, true, false]",
        ),
        (
            caught(silent, r#"[e.is_a("requests.Timeout"), e.is_a("Timeout"), e.is_a("timeout")]"#),
            "[true, true, false]",
        ),
        (
            caught(failed, "[e.message, e.response.status_code]"),
            r#"["503 Server Error: Service Unavailable for url: UP/503", 503]"#,
        ),
        (caught(r#"throw "other""#, "e.is_a(requests.Timeout)"), "false"),
        (caught(silent, "`${requests.Timeout}`"), r#""requests.Timeout""#),
    ];
    yields(&table.each_ref().map(|(script, expected)| (script.as_str(), *expected)));
}

#[test]
fn wrong_arguments_say_what_is_right() {
    yields(&[
        (
            r#"requests.get("UP", #{ timeot: 1 })"#,
            "requests has no option `timeot`: it takes params, headers, json, data, timeout, auth, cookies, allow_redirects, did you mean `timeout`?",
        ),
        (
            r#"requests.post("UP", #{ body: "x" })"#,
            "requests has no option `body`: it takes params, headers, json, data, timeout, auth, cookies, allow_redirects, did you mean `data`?",
        ),
        (
            r#"requests.get("UP", #{ verify: false })"#,
            "requests has no option `verify`: it takes params, headers, json, data, timeout, auth, cookies, allow_redirects",
        ),
        (
            r#"requests.post("UP", #{ json: 1, data: "x" })"#,
            "a request has either `json` or `data`, not both",
        ),
        (
            r#"requests.get("UP", #{ timeout: 0 })"#,
            "option `timeout` of requests is a number of seconds above 0, not 0",
        ),
        (
            r#"requests.get("UP", #{ timeout: "1" })"#,
            "option `timeout` of requests is a number of seconds above 0, not string",
        ),
        (
            r#"requests.get("UP", #{ auth: "me" })"#,
            "option `auth` of requests is a list of two texts: `[\"user\", \"password\"]`",
        ),
        (
            r#"requests.get("UP", #{ allow_redirects: 1 })"#,
            "option `allow_redirects` of requests is true or false, not i64",
        ),
        (
            r#"requests.get("UP", #{ params: 1 })"#,
            "option `params` of requests is a map, a list of pairs or a text, not i64",
        ),
        (
            r#"requests.get("UP", #{ data: 1 })"#,
            "option `data` of requests is a map, a list of pairs, a text or a blob, not i64",
        ),
        (
            r#"requests.get("UP", #{ cookies: "a=b" })"#,
            "option `cookies` of requests is a map, as in `#{ session: \"7\" }`, not string",
        ),
        (
            r#"requests.get("UP", #{ headers: "X-A: b" })"#,
            "option `headers` of requests is a map, as in `#{ \"X-A\": \"b\" }`, not string: of `request.headers` take `request.headers.to_dict()`",
        ),
        (
            r#"requests.get("UP", #{ headers: #{ "X A": "b" } })"#,
            "header name `X A` has characters that headers can't have",
        ),
        (
            r#"requests.get("UP", 5)"#,
            "requests.get takes options as a map, as in `#{ timeout: 1.0 }`, not i64",
        ),
        (r#"requests.request("G T", "UP")"#, "requests.request takes a method such as `GET`, not `G T`"),
        (
            r#"requests.request("connect", "UP")"#,
            "requests.request has no method `CONNECT`: h1mock asks servers, no proxies",
        ),
        (
            r#"requests.post("UP", #{ json: Fn("view") })"#,
            "option `json` of requests: the function `view` has no JSON form: call it",
        ),
    ]);
}

#[test]
fn a_request_ends_before_the_time_of_its_script() {
    let url = format!("http://{}/silent", upstream());
    let script = format!("try {{ requests.get(\"{url}\") }} catch (e) {{ return `${{e.type}}: ${{e}}`; }}");
    let budget = Budget { time: Duration::from_millis(500), ..Budget::default() };
    let began = Instant::now();
    let found = run_with(budget, Some(outgoing(2)), &script);
    let at = url.trim_start_matches("http://").trim_end_matches("/silent");
    let expected = format!(
        "\"requests.ReadTimeout: no whole answer from `{at}` within the time of the script: raise --script-timeout\""
    );
    assert_eq!(found, expected);
    assert!(began.elapsed() >= Duration::from_millis(400), "{:?}", began.elapsed());
}

#[test]
fn an_answer_gets_a_quarter_of_the_memory_of_its_script() {
    let address = upstream();
    let script = format!("requests.get(\"http://{address}/large\").text.len()");
    assert_eq!(
        run_with(Budget { memory: 32 << 20, ..Budget::default() }, Some(outgoing(2)), &script),
        "3145728"
    );
    let found = run_with(Budget { memory: 8 << 20, ..Budget::default() }, Some(outgoing(2)), &script);
    let begins = format!("requests.RequestException: failed to read the answer of `{address}`: it is over ");
    assert!(found.starts_with(&begins), "{found}");
    assert!(found.ends_with(" bytes: raise --script-memory, of which an answer gets a quarter"), "{found}");
}

#[test]
fn no_request_leaves_without_a_worker_to_spare_or_a_mock_that_serves() {
    let script = r#"requests.get("http://localhost:1/")"#;
    let run = |outgoing| run_with(Budget::default(), outgoing, script);
    assert_eq!(
        run(Some(outgoing(1))),
        "requests.ConnectionError: the only worker of the mock can't wait for another server: start h1mock with `--workers 2` or more"
    );
    let busy = outgoing(2);
    let _place = busy.slots.take().unwrap();
    assert_eq!(
        run(Some(busy)),
        "requests.ConnectionError: 1 of 2 workers of the mock wait for other servers already, and one stays free: raise `--workers`, or take `forward`, for which no worker waits"
    );
    assert_eq!(
        run(None),
        "requests.ConnectionError: a trial sends no requests: try it with a mock that serves"
    );
    trial::fails(&[(
        script,
        "requests leave from views and hooks, not while a provision loads: an answer that is needed once can be kept in `store`",
    )]);
}
