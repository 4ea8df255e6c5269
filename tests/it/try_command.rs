//! `h1mock try`.

use crate::harness::{Folder, binary};
use crate::trial::SHOP;
use serde_json::{Value, json};
use std::process::{Command, Output};

fn attempt(folder: &Folder, arguments: &[&str]) -> Output {
    binary().arg("try").args(arguments).current_dir(&folder.0).output().unwrap()
}

#[test]
fn try_prints_the_answer_and_ends_with_a_code() {
    let folder = Folder::new();
    folder.write("shop", SHOP);
    folder.write("prices.rhai", "fn of(name) { 7 }\n");
    folder.write("body.json", "{\"name\": \"file\"}");
    folder.write("bad", "fn registerRules() { app.get(\"/x\", nobody); }\n");
    folder.write("empty", "fn registerRules() { app.get(\"/e\", || [\"\", 204], #{ endpoint: \"e\" }); app.get(\"/r\", || make_response(\"x\").delay(5).fault(\"reset\"), #{ endpoint: \"r\" }); }\n");
    let json = "Content-Type: application/json";
    let made = "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nX-Shop: 1\r\nContent-Length: ";
    for (arguments, code, out, error) in [
        (
            &["shop", "GET", "/orders/7"][..],
            0,
            "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 7\r\n\r\norder 7"
                .to_owned(),
            "rule `/orders/<int:id>` (shop:7)\n",
        ),
        (
            &["shop", "HEAD", "/orders/7"],
            0,
            "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 7\r\n\r\n"
                .to_owned(),
            "rule `/orders/<int:id>` (shop:7)\n",
        ),
        (
            &["shop", "POST", "/orders", "-H", json, "-d", "{\"name\": \"x\"}"],
            0,
            format!("{made}30\r\n\r\n{{\"id\":1,\"item\":\"x\",\"price\":7}}\n"),
            "WARN shop:15: an order\nrule `/orders` (shop:6)\n",
        ),
        (
            &["shop", "POST", "/orders", "-H", json, "-d", "@body.json", "--store", "{\"orders\": 41}"],
            0,
            format!("{made}34\r\n\r\n{{\"id\":42,\"item\":\"file\",\"price\":7}}\n"),
            "WARN shop:15: an order\nrule `/orders` (shop:6)\n",
        ),
        (
            &["shop", "GET", "/slow"],
            0,
            "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 4\r\n\r\nslow"
                .to_owned(),
            "INFO slow\nrule `/slow` (shop:10)\ndelay 100 ms\n",
        ),
        (
            &["empty", "GET", "/e"],
            0,
            "HTTP/1.1 204 No Content\r\nContent-Type: text/html; charset=utf-8\r\n\r\n".to_owned(),
            "rule `/e` (empty:1)\n",
        ),
        (&["empty", "GET", "/r"], 0, String::new(), "rule `/r` (empty:1)\ndelay 5 ms\nfault reset\n"),
        (&["shop", "GET"], 2, String::new(), "h1mock: missing argument: `h1mock try FILE METHOD PATH`\n"),
        (
            &["shop", "GET", "/a", "/b"],
            2,
            String::new(),
            "h1mock: unexpected argument `/b`: `h1mock try` takes three\n",
        ),
        (&["shop", "G T", "/a"], 2, String::new(), "h1mock: `G T` is no method (try GET)\n"),
        (&["shop", "GET", "a"], 2, String::new(), "h1mock: `a` is no path: it starts with `/` (try /foo)\n"),
        (
            &["shop", "GET", "/a b"],
            2,
            String::new(),
            "h1mock: `/a b` has characters that a path can't have: write them as in `%20`\n",
        ),
        (
            &["shop", "GET", "/a", "-H", "Accept"],
            2,
            String::new(),
            "h1mock: failed to parse `--header`: `Accept` is no header (try `Accept: text/plain`)\n",
        ),
        (
            &["shop", "GET", "/a", "-H"],
            2,
            String::new(),
            "h1mock: missing value: `--header` needs one, `--header=FIELD`\n",
        ),
        (
            &["shop", "GET", "/a", "--strict"],
            2,
            String::new(),
            "h1mock: failed to use `--strict`: it is no option of `h1mock try`\n",
        ),
        (
            &["shop", "GET", "/a", "-d", "@none"],
            1,
            String::new(),
            "h1mock: failed to read `none` (--data): no such file or directory\n",
        ),
        (
            &["shop", "GET", "/a", "--store", "[1]"],
            1,
            String::new(),
            "h1mock: failed to use `--store`: not an object of keys (try '{\"key\": 1}')\n",
        ),
        (
            &["shop", "GET", "/a", "--store", "{"],
            1,
            String::new(),
            "h1mock: failed to parse `--store` as JSON: EOF while parsing an object at line 1 column 1\n",
        ),
        (
            &["/dev/null", "GET", "/a"],
            1,
            String::new(),
            "h1mock: failed to load provision `/dev/null`: this is a pipe or a device: name a file\n",
        ),
        (
            &["prices.rhai", "GET", "/a"],
            1,
            String::new(),
            "h1mock: `prices.rhai` is a library: it has no registerRules()\n",
        ),
    ] {
        let output = attempt(&folder, arguments);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert_eq!(
            (output.status.code(), text(&output.stdout), text(&output.stderr)),
            (Some(code), out, error.to_owned()),
            "{arguments:?}"
        );
    }
    let failed = attempt(&folder, &["shop", "GET", "/broken"]);
    let (out, error) = (String::from_utf8_lossy(&failed.stdout), String::from_utf8_lossy(&failed.stderr));
    assert_eq!(failed.status.code(), Some(1));
    assert!(
        out.starts_with("HTTP/1.1 500 Internal Server Error\r\n") && out.contains("  --> shop:"),
        "{out}"
    );
    assert!(error.starts_with("ERROR GET /broken: script error in provision `shop`: line "), "{error}");
    assert!(error.ends_with("rule `/broken` (shop:9)\n"), "{error}");
    let missed = attempt(&folder, &["shop", "PUT", "/orders/7"]);
    assert_eq!(missed.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&missed.stdout).starts_with("HTTP/1.1 405 "));
    let expected = "no rule for the path serves the method\nclosest: `GET /orders/<int:id>`: the method is PUT, the rule takes GET\n";
    assert!(
        String::from_utf8_lossy(&missed.stderr).starts_with(expected),
        "{}",
        String::from_utf8_lossy(&missed.stderr)
    );
    let bad = attempt(&folder, &["bad", "GET", "/x"]);
    assert_eq!(bad.status.code(), Some(1));
    let error = String::from_utf8_lossy(&bad.stderr);
    assert!(
        error.starts_with("h1mock: failed to load provision `bad`: line 1, column 36: no variable `nobody`"),
        "{error}"
    );
}

#[test]
fn try_sends_what_curl_sends() {
    let folder = Folder::new();
    folder.write(
        "echo",
        "fn registerRules() { app.add_url_rule(\"/echo\", \"echo\", echo, #{ methods: [\"GET\", \"POST\"] }); }\nfn echo() {\n    #{ host: request.host, type: request.content_type, accept: request.headers.get(\"Accept\"), length: request.content_length, form: request.form, from: request.remote_addr }\n}\n",
    );
    for (arguments, expected) in [
        (
            &["GET"][..],
            json!({ "host": "localhost:8000", "type": null, "accept": "*/*", "length": null, "form": {}, "from": "127.0.0.1" }),
        ),
        (
            &["POST", "-d", "a=1"],
            json!({ "host": "localhost:8000", "type": "application/x-www-form-urlencoded", "accept": "*/*", "length": 3, "form": { "a": "1" }, "from": "127.0.0.1" }),
        ),
        (
            &["POST", "-d", "a=1", "-H", "Content-Type: text/plain", "-H", "host: a.example", "-HAccept:"],
            json!({ "host": "a.example", "type": "text/plain", "accept": null, "length": 3, "form": {}, "from": "127.0.0.1" }),
        ),
    ] {
        let (method, rest) = arguments.split_first().unwrap();
        let output = attempt(&folder, &[&["echo", method, "/echo"], rest].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        let body = text
            .split_once("\r\n\r\n")
            .unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)))
            .1;
        assert_eq!(serde_json::from_str::<Value>(body).unwrap(), expected, "{arguments:?}");
    }
}

#[test]
fn try_has_the_clock_and_the_dice_of_its_flags() {
    let folder = Folder::new();
    folder.write(
        "now",
        "fn registerRules() { app.get(\"/\", || [time.time(), random.random()], #{ endpoint: \"now\" }); }\n",
    );
    let arguments = ["now", "GET", "/", "--clock", "2026-01-01T00:00:00Z", "--seed", "7"];
    let output = attempt(&folder, &arguments);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.ends_with("\r\n\r\n[1767225600.0,0.3957057406697241]\n"), "{text}");
}

#[test]
fn try_completes_the_answer_as_the_server_does() {
    let folder = Folder::new();
    folder.write(
        "page",
        "fn registerRules() { app.get(\"/\", || [request.url, request.remote_addr, \"xxx\".ljust(600)], #{ endpoint: \"page\" }); }\n",
    );
    let flags = ["page", "GET", "/", "--cors", "https://a.example", "--trust-proxy", "1", "--compress"];
    let forwarded = "X-Forwarded-Host: b.example";
    let headers = ["-H", "Origin: https://a.example", "-H", forwarded, "-H", "X-Forwarded-For: 10.0.0.1"];
    let output = attempt(&folder, &[&flags[..], &headers].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    for part in [
        "\r\nAccess-Control-Allow-Origin: https://a.example\r\n",
        "\r\nVary: Accept-Encoding, Origin\r\n",
        "\r\n\r\n[\"http://b.example/\",\"10.0.0.1\",\"xxx",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let output = attempt(&folder, &[&flags[..], &["-H", "Accept-Encoding: gzip"]].concat());
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("\r\nContent-Encoding: gzip\r\n"), "{text}");
}

#[test]
fn try_reads_a_body_from_standard_input() {
    let folder = Folder::new();
    folder.write(
        "echo",
        "fn registerRules() { app.post(\"/\", || request.data.as_string(), #{ endpoint: \"echo\" }); }\n",
    );
    for body in ["-", "@-"] {
        let line = format!("printf 'a\\nb' | \"$0\" try echo POST / -H 'Content-Type: text/plain' -d {body}");
        let output = Command::new("sh")
            .args(["-c", &line, env!("CARGO_BIN_EXE_h1mock")])
            .current_dir(&folder.0)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            text.ends_with("Content-Length: 3\r\n\r\na\nb"),
            "{text}{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
