//! `send_file`, `send_from_directory` and `make_conditional`: files, their headers, conditions and ranges.

use crate::faults::process::status;
use crate::harness::{Client, Mock};
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::time::{Duration, UNIX_EPOCH};

const PROVISION: &str = r#"
fn registerRules() {
    app.get("/file/<path:name>", |name| send_file("static/" + name));
    app.get("/tag", || send_file("static/ten.txt", #{ etag: "v1" }));
    app.get("/age/<int:age>", |age| send_file("static/ten.txt", #{ max_age: age }));
    app.get("/plain", || send_file("static/ten.txt", #{ conditional: false, etag: false, last_modified: 784111777 }));
    app.get("/mime", || send_file("static/a.css.gz", "text/x-y"));
    app.get("/saved/<path:name>", |name| send_file("static/" + name, #{ as_attachment: true }));
    app.get("/named/<path:name>", |name| send_file("static/ten.txt", #{ download_name: name }));
    app.get("/bytes", || send_file("0123456789".to_blob(), #{ download_name: "x.csv", etag: "b" }));
    app.get("/in", || send_from_directory("static", request.args["n"]));
    app.get("/weak", || { let r = make_response("hello"); r.set_etag("b1", true); r.make_conditional(request) });
    app.get("/dated", || { let r = make_response("hello"); r.last_modified = 1704067200; r.make_conditional(request) });
    app.add_url_rule("/body", "body", body, #{ methods: ["GET", "POST"] });
    app.get("/long", || { let r = make_response("hello world"); r.make_conditional(request, true, 12) });
    app.get("/option", || send_file("static/ten.txt", #{ attachment: true }));
    app.get("/nameless", || send_file("x".to_blob()));
    app.get("/unit", || send_file("static/report.txt", ()));
    app.get("/number", || send_file(5));
    app.get("/quoted", || { let r = make_response("x"); r.cache_control["private"] = "a\"b"; r });
    app.get("/late", || send_file("static/ten.txt", #{ last_modified: 253402300800 }));
    app.get("/aged", || send_file("static/ten.txt", #{ max_age: 300000000000 }));
    app.get("/removed", || { let r = make_response("x"); r.cache_control.max_age = 1; r.cache_control = (); r });
    app.get("/above", || send_from_directory("../static", "ten.txt"));
    app.get("/partial", || send_file("large.bin").fault("partial"));
    app.get("/dribble", || send_file("large.bin").dribble(7, 70));
    app.get("/request", asked);
    app.get("/response", built);
}
fn body() {
    let r = make_response("hello world");
    r.set_etag("b1");
    r.make_conditional(request, #{ accept_ranges: true })
}
fn asked() {
    let q = request;
    let none = q.if_none_match;
    let range = q.range;
    #{
        tags: [none.to_header(), none.as_set(true), none.as_set(), none.star_tag, "a" in none, none.contains_weak("a"),
            none.contains_raw("W/\"a\""), none.is_weak("b"), none.is_strong("b"), q.if_match.star_tag, q.if_match.is_empty()],
        since: [`${q.if_modified_since}`, q.if_unmodified_since],
        if_range: [q.if_range.etag, `${q.if_range.date}`, q.if_range.to_header()],
        range: [range.units, range.ranges, range.to_header(), range.range_for_length(10), range.to_content_range_header(10),
            `${range.make_content_range(10)}`, range.range_for_length(1)],
    }
}
fn built() {
    let r = make_response("x");
    let cache = r.cache_control;
    cache["public"] = true;
    cache.max_age = 60;
    r.cache_control.no_cache = true;
    cache["private"] = "a b";
    cache.no_store = true;
    cache.no_store = false;
    let before = [r.last_modified, r.content_range.units, r.accept_ranges];
    r.last_modified = datetime(2024, 1, 1, timezone.utc);
    r.expires = 784111777;
    r.content_range.set(0, 1, 10);
    r.accept_ranges = "none";
    r.content_language = "en";
    r.content_encoding = "x";
    r.content_encoding = ();
    r.data = #{ before: before, after: [`${r.last_modified}`, r.content_range.start, r.content_range.stop, cache.max_age,
        cache.s_maxage, cache["no-store"], cache["private"], cache.immutable] };
    r
}
"#;

const TIME: &str = "Tue, 14 Nov 2023 22:13:20 GMT";

fn serving() -> Mock {
    let mock = Mock::start_with(&[], |folder| folder.write("provision/initial", PROVISION));
    fs::create_dir_all(mock.directory().join("static/sub")).unwrap();
    let names = [
        "a.css.gz",
        "b.html.br",
        "c.tar.gz",
        "d.woff2",
        "e.xhtml",
        "f.mjs",
        "g.avif",
        "naïve.txt",
        "sub/deep.json",
    ];
    for (name, text) in
        names.map(|name| (name, "x")).into_iter().chain([("ten.txt", "0123456789"), ("empty.txt", "")])
    {
        let path = mock.directory().join("static").join(name);
        fs::write(&path, text).unwrap();
        let file = File::options().write(true).open(path).unwrap();
        file.set_modified(UNIX_EPOCH + Duration::from_secs(1_700_000_000)).unwrap();
    }
    mock
}

type Fields = &'static [(&'static str, &'static str)];

/// Columns: method, target, header fields; status, `Content-Range` and body. ct/answers/files.py sends most conditions and ranges to
/// Flask as well.
#[test]
fn conditions_and_ranges_change_files_and_bodies() {
    const ALL: &str = "200  0123456789";
    const PART: &str = "206 bytes 0-4/10 01234";
    let table: &[(&str, &str, Fields, &str)] = &[
        ("GET", "/tag", &[("Range", "bytes=0-4")], PART),
        ("GET", "/tag", &[("Range", "bytes=20-30,40-")], "416 bytes */10"),
        ("GET", "/tag", &[("Range", "bytes=0-4"), ("Range", "bytes=5-6")], ALL),
        ("GET", "/tag", &[("Range", "bytes=0-4"), ("If-Range", "\"v1\"")], PART),
        ("GET", "/tag", &[("Range", "bytes=0-4"), ("If-Range", TIME)], PART),
        ("GET", "/tag", &[("Range", "bytes=0-4"), ("If-None-Match", "\"v1\"")], "304  "),
        ("HEAD", "/tag", &[("If-None-Match", "\"v1\"")], "304  "),
        ("GET", "/file/ten.txt", &[("If-Modified-Since", TIME)], "304  "),
        ("GET", "/tag", &[("If-Match", "\"v2\"")], "412  0123456789"),
        ("GET", "/plain", &[("Range", "bytes=0-4"), ("If-Modified-Since", TIME)], ALL),
        ("GET", "/bytes", &[("Range", "bytes=0-4")], PART),
        ("GET", "/body", &[("Range", "bytes=6-")], "206 bytes 6-10/11 world"),
        ("GET", "/body", &[("Range", "bytes=99-")], "416 bytes */11"),
        ("GET", "/body", &[("If-None-Match", "\"b1\"")], "304  "),
        ("POST", "/body", &[("If-None-Match", "\"b1\""), ("Range", "bytes=0-1")], "200  hello world"),
        ("GET", "/weak", &[("If-None-Match", "\"b1\"")], "304  "),
        ("GET", "/dated", &[("If-Modified-Since", "Mon, 01 Jan 2024 00:00:00 GMT")], "304  "),
        ("GET", "/dated", &[("Range", "bytes=0-1")], "200  hello"),
        ("GET", "/in?n=ten.txt", &[], ALL),
        ("GET", "/in?n=sub/../ten.txt", &[], ALL),
    ];
    let mock = serving();
    for (method, target, fields, expected) in table {
        let reply = mock.send(method, target, fields, b"");
        let shown = format!("{} {} {}", reply.status, reply.header("content-range"), reply.text());
        let page = "<p>The range lies outside of the content.</p>";
        let shown = if reply.text().contains(page) { shown[..14].trim() } else { &shown };
        assert_eq!(shown, *expected, "{method} {target} {fields:?}");
    }
}

#[test]
fn headers_of_files_are_flasks() {
    let disposition = "content-disposition";
    let table = [
        ("/file/ten.txt", disposition, "inline; filename=ten.txt"),
        ("/file/ten.txt", "last-modified", TIME),
        ("/file/ten.txt", "cache-control", "no-cache"),
        ("/file/ten.txt", "accept-ranges", "bytes"),
        ("/file/ten.txt", "expires", ""),
        ("/file/ten.txt", "content-type", "text/plain; charset=utf-8"),
        ("/age/60", "cache-control", "public, max-age=60"),
        ("/age/0", "cache-control", "no-cache, max-age=0"),
        // A date has no year of five digits.
        ("/aged", "expires", ""),
        ("/aged", "cache-control", "public, max-age=300000000000"),
        ("/removed", "cache-control", ""),
        ("/plain", "etag", ""),
        ("/plain", "accept-ranges", ""),
        ("/plain", "last-modified", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("/file/a.css.gz", "content-type", "text/css; charset=utf-8"),
        ("/file/a.css.gz", "content-encoding", "gzip"),
        ("/file/b.html.br", "content-type", "text/html; charset=utf-8"),
        ("/file/b.html.br", "content-encoding", "br"),
        ("/file/c.tar.gz", "content-encoding", "gzip"),
        ("/saved/c.tar.gz", "content-type", "application/x-tar"),
        ("/saved/c.tar.gz", "content-encoding", ""),
        ("/saved/c.tar.gz", disposition, "attachment; filename=c.tar.gz"),
        ("/mime", "content-type", "text/x-y; charset=utf-8"),
        ("/mime", "content-encoding", ""),
        ("/file/e.xhtml", "content-type", "application/xhtml+xml; charset=utf-8"),
        ("/file/f.mjs", "content-type", "text/javascript; charset=utf-8"),
        ("/file/d.woff2", "content-type", "font/woff2"),
        ("/file/g.avif", "content-type", "image/avif"),
        ("/file/na%C3%AFve.txt", disposition, "inline; filename=naive.txt; filename*=UTF-8''na%C3%AFve.txt"),
        ("/named/a%20b.json", "content-type", "application/json"),
        ("/named/a%20b.json", disposition, "inline; filename=\"a b.json\""),
        ("/named/%E6%BC%A2.csv", disposition, "inline; filename=.csv; filename*=UTF-8''%E6%BC%A2.csv"),
        ("/bytes", "content-type", "text/csv; charset=utf-8"),
        ("/bytes", "etag", "\"b\""),
        ("/bytes", "last-modified", ""),
    ];
    let mock = serving();
    for (target, name, expected) in table {
        let reply = mock.get(target);
        assert_eq!((reply.status, reply.header(name)), (200, expected), "{target} {name}");
    }
    let age = mock.get("/age/60");
    assert!(age.header("expires").ends_with(" GMT"), "{:?}", age.headers);
    // The tag stays until the file changes.
    let tag = mock.get("/file/ten.txt").header("etag").to_owned();
    assert!(tag.starts_with("\"1700000000.0-10-"), "{tag}");
    assert_eq!(mock.get("/file/ten.txt").header("etag"), tag);
    assert_eq!(mock.send("GET", "/file/ten.txt", &[("If-None-Match", &tag)], b"").status, 304);
    fs::write(mock.directory().join("static/ten.txt"), "9876543210").unwrap();
    let changed = mock.send("GET", "/file/ten.txt", &[("If-None-Match", &tag)], b"");
    assert_eq!((changed.status, changed.text().as_str()), (200, "9876543210"));
    // A 304 has the headers of the resource, and none of a body.
    let reply = mock.send("GET", "/bytes", &[("If-None-Match", "\"b\"")], b"");
    let mut names: Vec<String> = reply.headers.iter().map(|(name, _)| name.to_lowercase()).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept-ranges", "cache-control", disposition, "date", "etag"]);
}

#[test]
fn a_path_that_is_missing_or_leaves_the_directory_is_404() {
    let mock = serving();
    fs::write(mock.folder.0.join("secret"), "secret").unwrap();
    std::os::unix::fs::symlink("../../secret", mock.directory().join("static/link")).unwrap();
    for path in [
        "",
        "missing",
        "sub",
        "..",
        "../initial",
        "../../secret",
        "/etc/passwd",
        "sub/../../initial",
        "a%00b",
        "link",
    ] {
        let reply = mock.get(&format!("/in?n={path}"));
        assert_eq!(reply.status, 404, "{path}: {}", reply.text());
    }
    for (target, error) in [
        ("/file/missing.txt", "failed to read `static/missing.txt`: not found"),
        ("/above", "invalid name `../static`: leaves the provision directory"),
        (
            "/option",
            "`send_file` has no option `attachment`: it takes mimetype, as_attachment, download_name, conditional, etag, \
             last_modified, max_age",
        ),
        ("/unit", "options of `send_file` are a map: `#{ as_attachment: true }`, not ()"),
        ("/nameless", "`send_file` needs `mimetype` or `download_name` for bytes"),
        ("/number", "`send_file` takes the name of a file or a blob, not 5"),
        ("/quoted", "`private` is `a\"b`: leave the quotes out, they are added"),
        ("/late", "send_file: `last_modified` is out of range: 253402300800"),
        ("/long", "`make_conditional` has the complete_length 12, and the body has 11 bytes: leave it out"),
    ] {
        let reply = mock.get(target);
        assert_eq!(reply.status, 500, "{target}");
        assert!(reply.text().contains(error), "{target}: {}", reply.text());
    }
}

#[test]
fn scripts_read_conditions_and_write_headers_by_werkzeugs_names() {
    let mock = serving();
    let fields = [
        ("If-None-Match", "W/\"a\", \"b\""),
        ("If-Match", "*"),
        ("If-Modified-Since", TIME),
        ("If-Range", "\"x\""),
        ("Range", "bytes=1-2"),
    ];
    let expected = serde_json::json!({
        "tags": ["\"b\", W/\"a\"", ["b", "a"], ["b"], false, false, true, true, false, true, true, false],
        "since": ["2023-11-14 22:13:20+00:00", null],
        "if_range": ["x", "", "\"x\""],
        "range": ["bytes", [[1, 3]], "bytes=1-2", [1, 3], "bytes 1-2/10", "bytes 1-2/10", null],
    });
    assert_eq!(mock.send("GET", "/request", &fields, b"").json(), expected);
    let reply = mock.get("/response");
    let expected = serde_json::json!({
        "before": [null, null, null],
        "after": ["2024-01-01 00:00:00+00:00", 0, 1, 60, null, false, "a b", false],
    });
    assert_eq!(reply.json(), expected);
    for (name, value) in [
        ("cache-control", "public, max-age=60, no-cache, private=\"a b\""),
        ("last-modified", "Mon, 01 Jan 2024 00:00:00 GMT"),
        ("expires", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("content-range", "bytes 0-0/10"),
        ("accept-ranges", "none"),
        ("content-language", "en"),
        ("content-encoding", ""),
    ] {
        assert_eq!(reply.header(name), value, "{name}");
    }
}

#[test]
fn ranges_of_a_large_file_are_sent_from_where_they_are() {
    const LENGTH: u64 = 3 << 30;
    let mock = serving();
    let file = File::create(mock.directory().join("large.bin")).unwrap();
    file.set_len(LENGTH).unwrap();
    file.write_all_at(b"begin", 0).unwrap();
    file.write_all_at(b"end", LENGTH - 3).unwrap();
    fs::copy(mock.directory().join("static/ten.txt"), mock.directory().join("static/more.txt")).unwrap();
    fs::hard_link(mock.directory().join("large.bin"), mock.directory().join("static/large.bin")).unwrap();
    (0..20).for_each(|_| assert_eq!(mock.get("/file/ten.txt").status, 200));
    let before = status(&mock, "VmHWM");
    let mut client = Client::new(&mock.traffic);
    let reply = client.send("GET", "/file/large.bin", &[("Range", "bytes=-3")], b"");
    let range = format!("bytes {}-{}/{LENGTH}", LENGTH - 3, LENGTH - 1);
    assert_eq!((reply.status, reply.header("content-range"), reply.text().as_str()), (206, &*range, "end"));

    let fields = [("Range", "bytes=-3,0-4,1048576-3145727")];
    for target in ["/file/large.bin", "/dribble"] {
        let reply = client.send("GET", target, &fields, b"");
        let boundary = reply.header("content-type").strip_prefix("multipart/byteranges; boundary=").unwrap();
        let part = |range: &str, bytes: &[u8]| {
            let head = format!(
                "--{boundary}\r\nContent-Type: application/octet-stream\r\nContent-Range: {range}\r\n\r\n"
            );
            [head.as_bytes(), bytes, b"\r\n"].concat()
        };
        let middle = part(&format!("bytes 1048576-3145727/{LENGTH}"), &[0; 2 << 20]);
        let first = part(&format!("bytes 0-4/{LENGTH}"), b"begin");
        let expected =
            [part(&range, b"end"), first, middle, format!("--{boundary}--\r\n").into_bytes()].concat();
        assert!(reply.status == 206 && reply.body == expected, "{target}: {} bytes", reply.body.len());
    }
    let after = status(&mock, "VmHWM");
    assert!(after < before + 8_000, "{before} -> {after} kB");

    // A partial fault sends half of the parts, and the head declares all of them.
    let mut client = Client::new(&mock.traffic);
    client.write(b"GET /partial HTTP/1.1\r\nHost: x\r\nRange: bytes=0-4,-3\r\n\r\n");
    let rest = String::from_utf8(client.rest().unwrap()).unwrap();
    let (head, body) = rest.split_once("\r\n\r\n").unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap();
    assert_eq!(body.len(), length.parse::<usize>().unwrap() / 2, "{rest}");
    assert!(body.starts_with("--") && body.contains("\r\n\r\nbegin\r\n"), "{rest}");
}

/// An attack by many ranges (RFC 9110, section 17.15) costs no more than the file.
#[test]
fn many_ranges_or_long_ones_are_answered_with_the_whole_file() {
    let mock = serving();
    let text = "x".repeat(60_000);
    fs::write(mock.directory().join("static/page.txt"), &text).unwrap();
    let ranges = |range: &str, count: usize| format!("bytes={}", vec![range; count].join(","));
    for (range, status, length) in [
        (ranges("0-0", 64), 206, None),
        (ranges("0-0", 65), 200, Some(60_000)),
        (ranges("0-", 2), 200, Some(60_000)),
        (ranges("5-", 60), 200, Some(60_000)),
    ] {
        let reply = mock.send("GET", "/file/page.txt", &[("Range", &range)], b"");
        assert_eq!(reply.status, status, "{range}");
        assert!(
            length.is_none_or(|length| reply.body.len() == length) && reply.body.len() <= 60_000,
            "{range}"
        );
    }
}
