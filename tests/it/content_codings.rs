//! Bodies of requests in a content coding, answers that are compressed, and JSON that is larger than the memory of a script. The
//! packed bodies were made by Python's `gzip` and `zlib`.

use crate::harness::{Mock, Reply};
use serde_json::{Value, json};
use std::fs;

const JSON: &str = "{\"id\": 7, \"name\": \"ä\"}";

/// `gzip.compress(JSON)`
const GZIP: &[u8] =
    b"\x1f\x8b\x08\0\0\0\0\0\x02\x03\xabV\xcaLQ\xb2R0\xd7QP\xcaK\xccM\x052\x95\x0e/Q\xaa\x05\0\x1a\x04T\
    \x84\x17\0\0\0";

/// `gzip.GzipFile("name.json", ...)`: the header has a name.
const NAMED: &[u8] =
    b"\x1f\x8b\x08\x08\0\0\0\0\x02\xffname.json\0\xabV\xcaLQ\xb2R0\xd7QP\xcaK\xccM\x052\x95\x0e/Q\xaa\x05\
    \0\x1a\x04T\x84\x17\0\0\0";

/// Two members, of the first five bytes and of the rest.
const MEMBERS: &[u8] =
    b"\x1f\x8b\x08\0\0\0\0\0\x02\x03\xabV\xcaLQ\x02\0\x9e^\xec\xd1\x05\0\0\0\x1f\x8b\x08\0\0\0\0\0\x02\x03\
    \xb3R0\xd7QP\xcaK\xccMU\xb2RP:\xbcD\xa9\x16\0\xcf\xd4\xf9\xad\x12\0\0\0";

/// `zlib.compress(JSON)`
const ZLIB: &[u8] = b"x\x9c\xabV\xcaLQ\xb2R0\xd7QP\xcaK\xccM\x052\x95\x0e/Q\xaa\x05\0K\xa0\x06\xd1";

/// The stream of `zlib.compressobj(9, zlib.DEFLATED, -15)`
const RAW: &[u8] = b"\xabV\xcaLQ\xb2R0\xd7QP\xcaK\xccM\x052\x95\x0e/Q\xaa\x05\0";

/// `gzip.compress(zlib.compress(JSON))`
const TWICE: &[u8] =
    b"\x1f\x8b\x08\0\0\0\0\0\x02\x03\xab\x98\xb3:\xec\x94O\xe0\xa6 \x83\xeb\x81\x01\xa7\xbc\xcf\xf8\xb2\
    \x1aM\xe5\xd3\x0f\\\xc5\xca\xe0\xbd\x80\xed\"\0\xc1@\x05T\x1e\0\0\0";

/// `gzip.compress(b"a=1&b=x+y")`
const FORM: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\x02\x03K\xb45TK\xb2\xad\xd0\xae\x04\0`\x86\xc0\x88\x09\0\0\0";

/// A multipart form with one file, `hello file`, by gzip.
const UPLOAD: &[u8] =
    b"\x1f\x8b\x08\0\0\0\0\0\x02\x03E\xcb1\x0a\x84@\x0c\0\xc0>\x90?,\xdb\xc7\xeb\x15+}\x82\x1f\x88\x98\xc5\
    \xc0\x9a,\x9a\xc2\xfb\xfd\x81WXN1D+\xc2\xe4\x16bA\xb3^\xcd/\x0du\xebS\xf1\xf3\xa0\x8d\x83\x87d|\xc8\
    \x98K\x1eR\xd1*\x7fq\x17w\xe4\xf7.\xdf&}\x0a\xb9\xe3\xd3*\xab! \xecR\xab?\x07\x81h%B\xf8\x01\x80\xe9\
    <\xe3p\0\0\0";

/// 64 MiB of zeros, by gzip twice.
const BOMB: &[u8] =
    b"\x1f\x8b\x08\0\0\0\0\0\x02\x03\xed\xdc\xafNBq\x14\xc0\xf1\x8b\\7&\x1bb \x19\xe4\x11\x88\x14\x06\x1a\
    \xcc\x06\xcd\x8e\x07 \x92es&\x0b/Afcs\xb3\xd2x\x03\xb4\xd9\xfd\x13\x9c39/\xdc\xfb\x18\xbf\xf3\xf9\
    \xa4\x93O<;\xfb\x9e=6\xb2\xd2A\xfdc]\xab\xed\x87\xd9\xfc\x7f\xf9\xd58\xca\0\0\0\x80\xc4\xcd^\xef\xeb\
    \xe51 \xeb\x16\xdb\xcb\xab\x1b\0\0\0 u\xe3\xe3V^\x1d\x05\xfenO\xcf\xad\x03\0\0\0\x92\xf70\xe8\xb7\
    \xab\x0f\x81\xef\xbbIn\x1d\0\0\0\x90\xbc\xce\xef\xdb\xa8\xba\x05l\x8a\xa7\x93k\xfb\0\0\0\x80\xe4\xbd\
    \x08\x06\0\0\0@(\x82\x01\0\0\0\x10\x8b`\0\0\0\0\xc4\"\x18\0\0\0\0\xc1\x08\x06\0\0\0@,\x82\x01\0\0\0\
    \x10\x8b`\0\0\0\0\xc4\"\x18\0\0\0\0\xc1\x08\x06\0\0\0@,\x82\x01\0\0\0\x10\xcbb\xd0\xef\x96\x8f\x01\
    \xed\x9fb:\xbc8\xcc\0\0\0\x88\xe4\xb9\xf9\xd9{_\xed\x87|\x07<L\xec\xfa\xe2\xfe\0\0";

const PROVISION: &str = r#"
fn registerRules() {
    app.post("/json", || request.json);
    app.post("/silent", || [request.get_json(#{ silent: true })]);
    app.post("/data", || request.data);
    app.post("/text", || request.text);
    app.post("/get_data", || request.get_data());
    app.post("/raw", || request.raw_data);
    app.post("/form", || request.form.to_dict());
    app.post("/values", || request.values.to_dict());
    app.post("/files", || request.files["f"].read());
    app.post("/file_text", || request.files["f"].text());
    app.post("/size", || #{ size: request.data.len(), raw: request.raw_data.len() });
    app.post("/loads", || json.loads(request.data).len().to_string());
    app.post("/list", || request.json.len().to_string());
    app.post("/forms", || request.form.len().to_string());
    app.post("/unread", || #{ coding: request.content_encoding, length: request.content_length });
    app.post("/handled", || request.json);
    app.post("/caught", || { try { return request.data; } catch (e) { return `caught ${e.code}`; } });
    app.get("/script", || make_response("hello " * 5).compress());
    app.get("/text", || "hello " * 100);
    app.get("/tagged", || { let r = make_response("hello " * 100); r.set_etag("a"); r.headers["Vary"] = "Origin"; r });
    app.get("/small", || "hello");
    app.get("/image", || make_response("hello " * 100).mimetype("image/png"));
    app.get("/page", || send_file("page.html"));
    app.get("/large", || send_file("large.html"));
    app.get("/none", || [make_response("").compress(), 204]);
}
"#;

fn serving(arguments: &[&str]) -> Mock {
    Mock::start_with(arguments, |folder| {
        folder.write("provision/initial", PROVISION);
        folder.write("provision/page.html", &"<p>page</p>".repeat(100));
        folder.write("provision/large.html", &"<p>a large page</p>\n".repeat(10_000));
    })
}

fn post(mock: &Mock, target: &str, coding: &str, kind: &str, body: &[u8]) -> Reply {
    mock.send("POST", target, &[("Content-Encoding", coding), ("Content-Type", kind)], body)
}

#[track_caller]
fn description(reply: &Reply) -> (u16, String) {
    let text = reply.text();
    let paragraph = text.split("<p>").nth(1).unwrap_or(&text).split("</p>").next().unwrap_or_default();
    (reply.status, paragraph.to_owned())
}

#[test]
fn scripts_see_bodies_without_their_coding() {
    let mock = serving(&[]);
    let json = "application/json";
    for (coding, body) in [
        ("gzip", GZIP),
        ("X-GZip", GZIP),
        ("gzip", NAMED),
        ("gzip", MEMBERS),
        ("deflate", ZLIB),
        ("deflate", RAW),
        ("deflate, gzip", TWICE),
        ("identity", JSON.as_bytes()),
    ] {
        let parsed: Value = serde_json::from_str(JSON).unwrap();
        assert_eq!(post(&mock, "/json", coding, json, body).json(), parsed, "{coding}");
        for target in ["/data", "/text", "/get_data"] {
            assert_eq!(post(&mock, target, coding, json, body).text(), JSON, "{coding} {target}");
        }
        assert_eq!(post(&mock, "/raw", coding, json, body).body, body, "{coding}");
        let head = json!({ "coding": coding, "length": body.len() });
        assert_eq!(post(&mock, "/unread", coding, json, body).json(), head);
    }
    // Two fields are one list.
    let fields = [("Content-Encoding", "deflate"), ("Content-Encoding", "gzip"), ("Content-Type", json)];
    assert_eq!(mock.send("POST", "/data", &fields, TWICE).text(), JSON);
    let form = "application/x-www-form-urlencoded";
    for target in ["/form", "/values"] {
        assert_eq!(post(&mock, target, "gzip", form, FORM).json(), json!({ "a": "1", "b": "x y" }));
    }
    let multipart = "multipart/form-data; boundary=b";
    for target in ["/files", "/file_text"] {
        assert_eq!(post(&mock, target, "gzip", multipart, UPLOAD).text(), "hello file", "{target}");
    }
}

#[test]
fn a_body_that_can_not_be_decoded_is_400_and_an_unknown_coding_is_left() {
    let mock = serving(&[]);
    let refused = |why: &str| (400, format!("failed to decode the body by its Content-Encoding: {why}"));
    for (coding, body, why) in [
        ("gzip", b"hello".as_slice(), "the data is not gzip: it has no such header"),
        ("gzip", &GZIP[..20], "the data is not gzip: it ends too early"),
        ("gzip", &[&GZIP[..GZIP.len() - 1], b"x"].concat(), "the data is not gzip: its checksum is wrong"),
        ("deflate", b"hello", "the data is not deflate: it is damaged"),
        ("deflate", &ZLIB[..20], "the data is not deflate: it ends too early"),
    ] {
        for target in ["/json", "/data", "/text"] {
            let reply = post(&mock, target, coding, "application/json", body);
            assert_eq!(description(&reply), refused(why), "{coding} {target}");
        }
        assert_eq!(post(&mock, "/silent", coding, "application/json", body).text(), "[null]\n");
        assert_eq!(post(&mock, "/caught", coding, "text/plain", body).text(), "caught 400");
        assert_eq!(post(&mock, "/unread", coding, "text/plain", body).status, 200);
        assert_eq!(post(&mock, "/raw", coding, "text/plain", body).body, body);
        // Another type is no form, so nothing is decoded.
        assert_eq!(post(&mock, "/form", coding, "text/plain", body).text(), "{}\n");
        let form = post(&mock, "/form", coding, "application/x-www-form-urlencoded", body);
        assert_eq!(description(&form), refused(why), "{coding}");
    }
    for coding in ["br", "zstd", "gzip, br", "gzip, gzip, gzip, gzip"] {
        assert_eq!(post(&mock, "/data", coding, "text/plain", b"as sent").text(), "as sent", "{coding}");
    }
}

#[test]
fn a_bomb_is_413_and_takes_no_memory() {
    let mock = serving(&[]);
    let most = |flag: &str, bytes: usize| {
        (413, format!("the body has more than {bytes} bytes when decoded ({flag})"))
    };
    for target in ["/json", "/silent", "/data", "/text", "/get_data"] {
        let reply = post(&mock, target, "gzip, gzip", "application/json", BOMB);
        assert_eq!(description(&reply), most("--max-body", 8 << 20), "{target}");
    }
    for kind in ["application/x-www-form-urlencoded", "multipart/form-data; boundary=b"] {
        let reply = post(&mock, "/form", "gzip, gzip", kind, BOMB);
        assert_eq!(description(&reply), most("--max-body", 8 << 20), "{kind}");
    }
    assert_eq!(post(&mock, "/unread", "gzip, gzip", "text/plain", BOMB).status, 200);
    let status = fs::read_to_string(format!("/proc/{}/status", mock.pid())).unwrap();
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    let peak: u64 = peak.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(peak < 80 << 10, "{peak} KB");
    // With a larger limit, the memory of the script ends it.
    let mock = serving(&["--max-body", "1G"]);
    let (status, text) = description(&post(&mock, "/data", "gzip, gzip", "text/plain", BOMB));
    assert!(status == 413 && text.ends_with("when decoded (--script-memory)"), "{status} {text}");
}

#[test]
fn the_journal_and_its_filters_see_the_content() {
    let mock = serving(&[]);
    let ask = |line: &str| mock.admin(line, &[], b"").json();
    post(&mock, "/json", "gzip", "application/json", GZIP);
    let entry = ask("GET /app/v1/requests/1");
    assert_eq!((&entry["body"], &entry["body_length"]), (&json!(JSON), &json!(GZIP.len())));
    assert!(entry["body_base64"].is_string() && entry["body_undecoded"].is_null(), "{entry}");
    for (query, count) in [("json=/id=7", 1), ("json=/id=8", 0), ("body~=name", 1)] {
        let verified = ask(&format!("GET /app/v1/verify?{query}&count={count}"));
        assert_eq!(verified["verdict"], "pass", "{query} {verified}");
    }
    let log = ask("GET /app/v1/requests.har")["log"].take();
    let request = &log["entries"][0]["request"];
    assert_eq!((&request["postData"]["text"], &request["bodySize"]), (&json!(JSON), &json!(GZIP.len())));
    for (coding, body, why) in [
        ("gzip, gzip", BOMB, "more than 1048576 bytes when decoded"),
        ("gzip", b"\xff", "the data is not gzip: it has no such header"),
        ("br", b"\xff", "the coding `br` is not known"),
    ] {
        post(&mock, "/unread", coding, "text/plain", body);
        let last = ask("GET /app/v1/requests?limit=1")["requests"][0].take();
        assert_eq!(last["body_undecoded"], why, "{coding}");
        assert!(last["body"].is_null() && last["body_base64"].is_string(), "{last}");
    }
}

#[test]
fn answers_of_text_are_compressed_with_the_flag() {
    let mock = serving(&["--compress"]);
    let get = |method: &str, target: &str| mock.send(method, target, &[("Accept-Encoding", "gzip")], b"");
    // The journal decodes answers, too.
    let content =
        || mock.admin("GET /app/v1/requests?limit=1", &[], b"").json()["requests"][0]["answer_body"].take();
    for (target, text) in [
        ("/text", "hello ".repeat(100)),
        ("/page", "<p>page</p>".repeat(100)),
        ("/large", "<p>a large page</p>\n".repeat(10_000)),
        ("/nowhere", String::new()),
    ] {
        let reply = get("GET", target);
        let coded = (reply.header("content-encoding"), reply.header("vary"));
        if text.is_empty() {
            assert_eq!(coded, ("", ""), "{target}");
            continue;
        }
        assert_eq!(coded, ("gzip", "Accept-Encoding"), "{target}");
        assert!(reply.body.starts_with(b"\x1f\x8b\x08") && reply.body.len() < 600, "{target}");
        assert_eq!(content(), text, "{target}");
        let head = get("HEAD", target);
        let named = |reply: &Reply| -> Vec<(String, String)> {
            reply.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("date")).cloned().collect()
        };
        assert_eq!(named(&head), named(&reply), "{target}");
        let plain = mock.get(target);
        assert_eq!((plain.header("content-encoding"), plain.header("vary")), ("", "Accept-Encoding"));
        assert_eq!(plain.text(), text, "{target}");
    }
    let tagged = get("GET", "/tagged");
    assert_eq!((tagged.header("etag"), tagged.header("vary")), ("W/\"a\"", "Origin, Accept-Encoding"));
    for target in ["/small", "/image"] {
        assert_eq!(get("GET", target).header("content-encoding"), "", "{target}");
    }
}

#[test]
fn a_script_compresses_an_answer_by_itself() {
    let mock = serving(&[]);
    let get = |accepted: &str, target: &str| mock.send("GET", target, &[("Accept-Encoding", accepted)], b"");
    for (accepted, coding) in [("gzip", "gzip"), ("gzip;q=0.1, deflate", "deflate"), ("br", "")] {
        let reply = get(accepted, "/script");
        assert_eq!((reply.header("content-encoding"), reply.header("vary")), (coding, "Accept-Encoding"));
        assert_eq!(reply.header("content-length"), reply.body.len().to_string());
    }
    assert_eq!(get("gzip", "/text").header("vary"), "");
    assert_eq!(get("gzip", "/none").header("content-encoding"), "");
}

#[test]
fn what_max_body_lets_in_is_read_or_413_or_500_that_names_the_flag() {
    // An eighth of the defaults, with the same ratio.
    let mock = serving(&["--max-body", "1M", "--script-memory", "4M"]);
    let most = 1 << 20;
    let list = |item: &str, bytes: usize| {
        let items = vec![item; (bytes - 2) / (item.len() + 1)];
        format!("[{}]", items.join(",")).into_bytes()
    };
    let keys: Vec<String> = (0..60_000).map(|number| format!("\"k{number}\":1")).collect();
    let bodies = [
        ("a long text", [b"\"", vec![b'a'; most - 2].as_slice(), b"\""].concat(), true),
        ("blanks", [vec![b' '; most - 2].as_slice(), b"[]"].concat(), true),
        ("a quarter of numbers", list("1", most / 4), true),
        ("numbers", list("1", most), false),
        ("floats", list("1.5", most), false),
        ("large numbers", list("12345678901234567890123", most), true),
        ("texts", list("\"\"", most), false),
        ("maps", list("{\"a\":1}", most), false),
        ("keys", format!("{{{}}}", keys.join(",")).into_bytes(), false),
        ("deep lists", [vec![b'['; 1000], vec![b']'; 1000]].concat(), false),
    ];
    for (name, body, fits) in &bodies {
        let parsed = mock.post("/list", "application/json", body);
        let (status, text) = description(&parsed);
        assert_eq!(status, if *fits { 200 } else { 413 }, "{name} {text}");
        assert!(
            *fits || text.contains("--script-memory") || text.contains("deeper than 127"),
            "{name} {text}"
        );
        let loaded = mock.post("/loads", "application/json", body);
        assert_eq!(loaded.status, if *fits { 200 } else { 500 }, "{name}");
        let text = loaded.text();
        assert!(
            *fits || text.contains("--script-memory") || text.contains("deeper than 127"),
            "{name} {text}"
        );
    }
    let silent = mock.post("/silent", "application/json", b"[".repeat(200).as_slice());
    assert_eq!(silent.status, 413);
    let form = "a=1&".repeat(9_999);
    assert_eq!(mock.post("/forms", "application/x-www-form-urlencoded", form.as_bytes()).text(), "1");
}
