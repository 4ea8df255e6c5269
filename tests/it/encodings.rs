//! Bytes of clients that are no plain UTF-8: escapes, headers, JSON in UTF-16 and UTF-32, charsets of parts. The expectations are
//! answers of Flask 3.1 with Werkzeug 3.1.9, unless a comment says otherwise.

use crate::harness::{Client, Mock};
use serde_json::{Value, json};

const SOURCE: &str = r#"
fn pairs(dict) {
    let all = [];
    for key in dict.keys() { for value in dict.getlist(key) { all.push([key, value]); } }
    all
}

fn registerRules() {
    app.get("/query", || jsonify(pairs(request.args)));
    app.add_url_rule("/path/<x>", "path", |x| #{ x: x, path: request.path, url: request.url, built: url_for("path", #{ x: x }) });
    app.get("/slash/<x>/", |x| x);
    app.get("/a/<path:x>", |x| x);
    app.get("/to/<x>", |x| redirect("/path/" + request.query_string));
    app.post("/form", || jsonify(#{
        form: pairs(request.form),
        files: request.files.values().map(|file| [file.name, file.filename, file.text()]),
    }));
    app.post("/json", || jsonify(request.json));
    app.post("/force", || jsonify(request.get_json(#{ force: true, silent: true })));
    app.post("/loads", || jsonify(json.loads(request.get_data())));
    app.post("/file", || jsonify(read_json("utf16.json")));
    app.get("/echo", || {
        let r = make_response(jsonify(request.headers["X-A"].to_chars().map(|c| c.to_int())));
        r.headers["X-E"] = request.headers["X-A"];
        r
    });
    app.get("/location", || ["", 302, #{ "location": "/\u00e9%FF\u20ac", "Content-Location": "/a b" }]);
    app.get("/set/<x>", |x| ["", 200, #{ "X-E": x }]);
    app.get("/reason/<x>", |x| ["", "400 " + x]);
    app.get("/cookies", || {
        let r = make_response(jsonify([pairs(request.cookies), pairs(request.baggage)]));
        r.set_cookie("s", "\u00e9", #{ path: "/p", httponly: true, secure: true, samesite: "Lax", domain: "example.org" });
        r.set_cookie("t", "1", #{ max_age: 60 });
        r
    });
}
"#;

fn serving() -> Mock {
    let utf16: Vec<u8> = "\u{feff}[\"\u{e9}\"]".encode_utf16().flat_map(u16::to_le_bytes).collect();
    Mock::start_with(&[], |folder| {
        folder.write("provision/initial", SOURCE);
        std::fs::write(folder.0.join("provision/utf16.json"), &utf16).unwrap();
    })
}

/// Sends raw bytes and returns the raw answer.
fn raw(mock: &Mock, head: &[u8]) -> Vec<u8> {
    let mut client = Client::new(&mock.traffic);
    client.write(&[head, b"Host: h\r\nConnection: close\r\n\r\n"].concat());
    client.rest().unwrap()
}

/// Returns the value of the header `name` as bytes.
fn field<'r>(reply: &'r [u8], name: &str) -> Option<&'r [u8]> {
    let start = format!("{name}: ");
    reply
        .split(|byte| *byte == b'\n')
        .find_map(|line| line.strip_prefix(start.as_bytes())?.strip_suffix(b"\r"))
}

#[test]
fn escapes_that_cannot_be_decoded_stay_in_queries_and_forms() {
    let mock = serving();
    for (sent, name, value) in [
        ("q=%FF", "q", "%FF"),
        ("q=%ff%41", "q", "%FFA"),
        ("q=%9A%BC", "q", "%9A%BC"),
        ("%FF=1", "%FF", "1"),
        ("q=%zz", "q", "%zz"),
        ("q=%2", "q", "%2"),
        ("q=%", "q", "%"),
        ("q=%C3%A9+%C3", "q", "\u{e9} %C3"),
        ("q=%ED%A0%80", "q", "%ED%A0%80"),
        ("q=%25FF", "q", "%FF"),
    ] {
        let expected = json!([[name, value]]);
        assert_eq!(mock.get(&format!("/query?{sent}")).json(), expected, "{sent}");
        let kinds =
            ["", "; charset=iso-8859-1"].map(|more| format!("application/x-www-form-urlencoded{more}"));
        for kind in kinds {
            let reply = mock.post("/form", &kind, sent.as_bytes());
            assert_eq!(reply.json()["form"], expected, "{kind} {sent}");
        }
    }
    // Werkzeug drops such a form. Here the bytes are kept as escapes.
    let raw = mock.post("/form", "application/x-www-form-urlencoded", b"q=\xff\xc3\xa9");
    assert_eq!(raw.json()["form"], json!([["q", "%FF\u{e9}"]]));
}

/// Flask replaces the bytes by U+FFFD in a path, and so can't tell `%FE` from `%FF`. Here they stay, as in queries.
#[test]
fn escapes_that_cannot_be_decoded_stay_in_paths_and_redirects() {
    let mock = serving();
    for (sent, x, url, built) in [
        ("%FF", "%FF", "%FF", "%25FF"),
        ("%ff%41", "%FFA", "%FFA", "%25FFA"),
        ("%25FF", "%FF", "%FF", "%25FF"),
        ("%C3%A9", "\u{e9}", "\u{e9}", "%C3%A9"),
        ("%C3", "%C3", "%C3", "%25C3"),
    ] {
        let got = mock.get(&format!("/path/{sent}")).json();
        let expected = json!({
            "x": x,
            "path": format!("/path/{x}"),
            "url": format!("http://mock.test/path/{url}"),
            "built": format!("/path/{built}"),
        });
        assert_eq!(got, expected, "{sent}");
        assert_eq!(mock.get(&format!("/path/{built}")).json()["x"], x, "{built} leads to the same value");
    }
    for (target, location) in [
        ("/slash/%FF?q=%FF", "/slash/%FF/?q=%FF"),
        ("/slash/%ff%C3%A9", "/slash/%FF%C3%A9/"),
        ("/slash/%25C3%25A9", "/slash/%25C3%25A9/"),
        ("/to/x?%FF%C3%A9%zz", "/path/%FF%C3%A9%zz"),
        ("/location", "/%C3%A9%FF%E2%82%AC"),
    ] {
        assert_eq!(mock.get(target).header("location"), location, "{target}");
    }
    assert_eq!(mock.get("/slash/%FF/").text(), "%FF");
    assert_eq!(mock.get("/path/a%2Fb").status, 404, "an escaped slash is a slash");
    assert_eq!(mock.get("/a/a%2Fb%FF").text(), "a/b%FF");
}

#[test]
fn headers_go_out_as_they_came_in() {
    let mock = serving();
    let cases: [(&[u8], &[u32]); 4] = [
        (b"plain", &[112, 108, 97, 105, 110]),
        (b"\xe9", &[0xe9]),
        (b"\xc3\xa9", &[0xc3, 0xa9]),
        (b"\x80\xff", &[0x80, 0xff]),
    ];
    for (sent, seen) in cases {
        let reply = raw(&mock, &[b"GET /echo HTTP/1.1\r\nX-A: ", sent, b"\r\n"].concat());
        assert_eq!(field(&reply, "X-E"), Some(sent), "{}", String::from_utf8_lossy(&reply));
        let body = format!("\r\n\r\n{}\n", json!(seen));
        assert!(reply.ends_with(body.as_bytes()), "{}", String::from_utf8_lossy(&reply));
    }
    assert_eq!(field(&raw(&mock, b"GET /set/%C3%A9 HTTP/1.1\r\n"), "X-E"), Some(&b"\xe9"[..]));
    let reply = raw(&mock, b"GET /reason/%C3%84rger HTTP/1.1\r\n");
    assert!(reply.starts_with(b"HTTP/1.1 400 \xc4rger\r\n"), "{}", String::from_utf8_lossy(&reply));
    let refused = mock.get("/set/%E2%82%AC");
    let why = "header `X-E` has `\u{20ac}` in its value: headers have characters up to U+00FF (ISO 8859-1), so encode the value, for \
               example by urllib.quote(value)";
    assert!(refused.status == 500 && refused.text().contains(why), "{}", refused.text());
}

#[test]
fn a_filter_finds_the_escapes_that_people_write() {
    let mock = serving();
    raw(&mock, b"GET /path/%ff%C3%A9?q=%FF HTTP/1.1\r\n");
    for filter in
        ["path=/path/%FF%C3%A9", "path=/path/%ff%c3%a9", "path=/path/%25FF%C3%A9", "path~=%FF", "query=q=%FF"]
    {
        let found = mock.admin(&format!("GET /app/v1/verify?{filter}&count=1"), &[], b"");
        assert_eq!(found.status, 200, "{filter}: {}", found.text());
    }
}

/// Flask shows UTF-8 of cookies as Latin-1. People who read the journal, and cookies and baggage, mean UTF-8.
#[test]
fn cookies_baggage_and_the_journal_read_utf8() {
    let mock = serving();
    raw(&mock, b"GET /echo HTTP/1.1\r\nX-A: \xc3\xa9\r\n");
    raw(&mock, b"GET /echo HTTP/1.1\r\nX-A: \xe9\r\n");
    for number in [1, 2] {
        let entry = mock.admin(&format!("GET /app/v1/requests/{number}"), &[], b"").json();
        assert_eq!(entry["headers"][0], json!(["X-A", "\u{e9}"]), "{entry}");
        assert!(entry["answer_headers"].to_string().contains("\u{e9}"), "{entry}");
    }
    let found = mock.admin("GET /app/v1/verify?header=X-A:%20%C3%A9&count=2", &[], b"");
    assert_eq!(found.status, 200, "{}", found.text());
    let reply = raw(&mock, b"GET /cookies HTTP/1.1\r\nCookie: a=\xc3\xa9; b=\xe9\r\nbaggage: c=\xc3\xa9\r\n");
    let expected = "[[[\"a\",\"\u{c3}\u{a9}\"],[\"b\",\"\u{e9}\"]],[[\"c\",\"\u{e9}\"]]]\n";
    assert!(reply.ends_with(expected.as_bytes()), "{}", String::from_utf8_lossy(&reply));
    let reply = raw(&mock, b"GET /cookies HTTP/1.1\r\nCookie: a=\xc3\xa9\r\n");
    assert!(reply.ends_with("[[[\"a\",\"\u{e9}\"]],[]]\n".as_bytes()), "{}", String::from_utf8_lossy(&reply));
}

#[test]
fn json_is_read_in_each_encoding_of_python() {
    let mock = serving();
    let text = "{\"a\": \"\u{e9}\u{1f600}\"}";
    let utf16 = |mark: &str, end: fn(u16) -> [u8; 2]| -> Vec<u8> {
        format!("{mark}{text}").encode_utf16().flat_map(end).collect()
    };
    let utf32 = |mark: &str, end: fn(u32) -> [u8; 4]| -> Vec<u8> {
        format!("{mark}{text}").chars().flat_map(|character| end(character.into())).collect()
    };
    let mark = "\u{feff}";
    let encoded = [
        text.as_bytes().to_vec(),
        format!("{mark}{text}").into_bytes(),
        utf16("", u16::to_le_bytes),
        utf16("", u16::to_be_bytes),
        utf16(mark, u16::to_le_bytes),
        utf16(mark, u16::to_be_bytes),
        utf32("", u32::to_le_bytes),
        utf32("", u32::to_be_bytes),
        utf32(mark, u32::to_le_bytes),
        utf32(mark, u32::to_be_bytes),
    ];
    let expected: Value = serde_json::from_str(text).unwrap();
    for body in &encoded {
        for target in ["/json", "/force", "/loads"] {
            let reply = mock.post(target, "application/json", body);
            assert_eq!((reply.status, reply.json()), (200, expected.clone()), "{target} {body:?}");
        }
        let key = mock.admin("PUT /app/v1/store/k", &[], body);
        assert!(key.status < 300, "{}", key.text());
        assert_eq!(mock.admin("GET /app/v1/store/k", &[], b"").json(), expected);
    }
    let filter =
        format!("GET /app/v1/verify?path=/json&json=/a=%22%C3%A9%F0%9F%98%80%22&count={}", encoded.len());
    let found = mock.admin(&filter, &[], b"");
    assert_eq!(found.status, 200, "{}", found.text());
    assert_eq!(mock.post("/file", "", b"").json(), json!(["\u{e9}"]));
    for (body, why) in [
        (&b"\xff\xfea"[..], "the text is not UTF-16: there is no character at byte 3"),
        (b"{\0\"\0\0\xdc\"\0", "the text is not UTF-16: there is no character at byte 5"),
        (b"\0\0\0{\0\0\0", "the text is not UTF-32: there is no character at byte 5"),
        (b"{\0\"\0a\0\"\0:\0\n\0}\0", "expected value at line 2 column 1"),
        (b"{\"a\": \"\xff\"}", "invalid unicode code point at line 1 column 8"),
        (b"\xef\xbb\xbf", "EOF while parsing a value at line 1 column 0"),
    ] {
        let reply = mock.post("/json", "application/json", body);
        assert_eq!(reply.status, 400, "{}", reply.text());
        assert!(reply.text().contains(&format!("failed to decode json: {why}")), "{}", reply.text());
        assert_eq!(mock.post("/force", "", body).json(), Value::Null, "silent: {why}");
        assert_eq!(mock.admin("PUT /app/v1/store/k", &[], body).status, 400, "{why}");
    }
}

#[test]
fn parts_are_read_by_their_charset_and_names_without_escapes() {
    let mock = serving();
    let send = |head: &str| {
        let body = [
            b"--B\r\nContent-Disposition: form-data; ",
            head.as_bytes(),
            b"\r\n\r\nn\xe9\xc3\xa9\r\n--B--\r\n",
        ]
        .concat();
        mock.post("/form", "multipart/form-data; boundary=B", &body).json()
    };
    for (head, form, files) in [
        (
            "name=a\r\nContent-Type: text/plain; charset=iso-8859-1",
            json!([["a", "n\u{e9}\u{c3}\u{a9}"]]),
            json!([]),
        ),
        (
            "name=a\r\nContent-Type: text/plain; charset=us-ascii",
            json!([["a", "n\u{fffd}\u{fffd}\u{fffd}"]]),
            json!([]),
        ),
        ("name=a\r\nContent-Type: text/plain; charset=utf-8", json!([["a", "n\u{fffd}\u{e9}"]]), json!([])),
        ("name=\"a%22b\"", json!([["a\"b", "n\u{fffd}\u{e9}"]]), json!([])),
        ("name=\"a%0D%0Ab\"", json!([["a%0D%0Ab", "n\u{fffd}\u{e9}"]]), json!([])),
        (
            "name=\"f%22\"; filename=\"c%22d%0D%0Ae.txt\"\r\nContent-Type: text/plain; charset=ISO-8859-1",
            json!([]),
            json!([["f\"", "c\"d%0D%0Ae.txt", "n\u{e9}\u{c3}\u{a9}"]]),
        ),
        ("name=f; filename*=iso-8859-1''%e9.txt", json!([]), json!([["f", "\u{e9}.txt", "n\u{fffd}\u{e9}"]])),
        ("name=f; filename*=windows-1252''%e9", json!([]), json!([["f", "%e9", "n\u{fffd}\u{e9}"]])),
        (
            "name=f; filename*0*=utf-8''a%20; filename*1*=%C3%A9",
            json!([]),
            json!([["f", "a \u{e9}", "n\u{fffd}\u{e9}"]]),
        ),
    ] {
        assert_eq!(send(head), json!({ "form": form, "files": files }), "{head}");
    }
}

#[test]
fn an_archive_has_cookies_and_the_fields_of_forms() {
    let mock = serving();
    mock.send("GET", "/cookies?q=%FF&r=a+b", &[("Cookie", "a=1; b=\"x\\054y\""), ("Cookie", "c=3")], b"");
    let disposition = "Content-Disposition: form-data; name";
    let body = format!(
        "--B\r\n{disposition}=\"a%22\"\r\n\r\n1\r\n--B\r\n{disposition}=f; filename=x.txt\r\nContent-Type: text/plain\r\n\r\nhi\r\n--B--\r\n"
    );
    mock.post("/form", "multipart/form-data; boundary=B", body.as_bytes());
    mock.post("/form", "application/x-www-form-urlencoded", b"a=1&b=%C3%A9");
    let log = mock.admin("GET /app/v1/requests.har", &[], b"").json()["log"].take();
    let entries = &log["entries"];
    let pair = |name: &str, value: &str| json!({ "name": name, "value": value });
    assert_eq!(entries[0]["request"]["cookies"], json!([pair("a", "1"), pair("b", "x,y"), pair("c", "3")]));
    assert_eq!(entries[0]["request"]["queryString"], json!([pair("q", "%FF"), pair("r", "a b")]));
    let cookies = &entries[0]["response"]["cookies"];
    let first = json!({
        "name": "s", "value": "\u{e9}", "path": "/p", "domain": "example.org", "httpOnly": true, "secure": true, "sameSite": "Lax",
    });
    assert_eq!(cookies[0], first);
    assert_eq!((&cookies[1]["name"], &cookies[1]["path"]), (&json!("t"), &json!("/")));
    let began = entries[0]["startedDateTime"].as_str().unwrap();
    let expires = cookies[1]["expires"].as_str().unwrap();
    assert!(expires > began && expires.ends_with('Z'), "{expires} after {began}");
    assert_eq!(entries[1]["request"]["cookies"], json!([]));
    let file = json!({ "name": "f", "fileName": "x.txt", "contentType": "text/plain" });
    assert_eq!(entries[1]["request"]["postData"]["params"], json!([pair("a\"", "1"), file]));
    assert_eq!(entries[2]["request"]["postData"]["params"], json!([pair("a", "1"), pair("b", "\u{e9}")]));
}
