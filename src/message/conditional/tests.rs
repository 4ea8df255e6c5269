//! Conditions and ranges, one request a row.

use super::*;

const EARLY: &str = "Sun, 31 Dec 2023 23:59:59 GMT";
const DATE: &str = "Mon, 01 Jan 2024 00:00:00 GMT";
const LATE: &str = "Mon, 01 Jan 2024 00:00:01 GMT";

fn answer(validators: &[(&'static str, &'static str)]) -> Answer {
    let mut answer = Answer::text(200, "0123456789");
    for (name, value) in validators {
        answer.set_header(name, *value);
    }
    answer
}

fn applied(method: &str, validators: &[(&'static str, &'static str)], headers: &[(&str, &str)]) -> String {
    let request = Request::from_parts(method, "/", headers.iter().copied(), Vec::new(), None, None);
    let mut answer = answer(validators);
    match apply(&mut answer, &request, true) {
        Ok(()) => {
            let body = String::from_utf8_lossy(answer.body.bytes()).into_owned();
            [answer.status.to_string(), answer.header("content-range").unwrap_or_default().to_owned(), body]
                .join(" ")
        }
        Err(Unsatisfiable(length)) => format!("416 {length}"),
    }
}

#[test]
fn conditions_are_evaluated_in_the_order_of_the_rfc() {
    const STRONG: &[(&str, &str)] = &[("ETag", "\"v\""), ("Last-Modified", DATE)];
    const WEAK: &[(&str, &str)] = &[("ETag", "W/\"v\"")];
    const DATED: &[(&str, &str)] = &[("Last-Modified", DATE)];
    type Row =
        (&'static str, &'static [(&'static str, &'static str)], &'static [(&'static str, &'static str)], u16);
    let table: &[Row] = &[
        ("GET", STRONG, &[], 200),
        ("GET", STRONG, &[("If-None-Match", "\"v\"")], 304),
        ("HEAD", STRONG, &[("If-None-Match", "\"v\"")], 304),
        ("POST", STRONG, &[("If-None-Match", "\"v\"")], 200),
        ("PUT", STRONG, &[("If-Match", "\"w\"")], 200),
        ("GET", STRONG, &[("If-None-Match", "W/\"v\"")], 304),
        ("GET", WEAK, &[("If-None-Match", "\"v\"")], 304),
        ("GET", STRONG, &[("If-None-Match", "\"w\", \"v\"")], 304),
        ("GET", STRONG, &[("If-None-Match", "\"w\""), ("If-None-Match", "\"v\"")], 304),
        ("GET", STRONG, &[("If-None-Match", "*")], 304),
        ("GET", &[], &[("If-None-Match", "*")], 304),
        ("GET", STRONG, &[("If-None-Match", "\"w\"")], 200),
        // The tag counts, and not the date.
        ("GET", STRONG, &[("If-None-Match", "\"w\""), ("If-Modified-Since", DATE)], 200),
        ("GET", STRONG, &[("If-None-Match", "\"v\""), ("If-Modified-Since", EARLY)], 304),
        ("GET", DATED, &[("If-None-Match", "\"w\""), ("If-Modified-Since", DATE)], 304),
        ("GET", DATED, &[("If-Modified-Since", DATE)], 304),
        ("GET", DATED, &[("If-Modified-Since", LATE)], 304),
        ("GET", DATED, &[("If-Modified-Since", EARLY)], 200),
        ("GET", DATED, &[("If-Modified-Since", "never")], 200),
        ("GET", &[], &[("If-Modified-Since", LATE)], 200),
        ("GET", STRONG, &[("If-Match", "\"v\"")], 200),
        ("GET", STRONG, &[("If-Match", "*")], 200),
        ("GET", STRONG, &[("If-Match", "\"w\"")], 412),
        ("GET", STRONG, &[("If-Match", "W/\"v\"")], 412),
        ("GET", WEAK, &[("If-Match", "\"v\"")], 412),
        ("GET", &[], &[("If-Match", "\"v\"")], 412),
        ("GET", STRONG, &[("If-Match", "\"v\""), ("If-None-Match", "\"v\"")], 304),
        ("GET", STRONG, &[("If-Match", "\"w\""), ("If-None-Match", "\"v\"")], 412),
        ("GET", STRONG, &[("If-Match", "\"v\""), ("If-Unmodified-Since", EARLY)], 200),
        ("GET", DATED, &[("If-Unmodified-Since", EARLY)], 412),
        ("GET", DATED, &[("If-Unmodified-Since", DATE)], 200),
        ("GET", &[], &[("If-Unmodified-Since", EARLY)], 200),
        ("GET", STRONG, &[("If-None-Match", "\"v\""), ("Range", "bytes=0-1")], 304),
        ("GET", STRONG, &[("If-Match", "\"w\""), ("Range", "bytes=0-1")], 412),
        ("GET", STRONG, &[("If-Match", "\"v\""), ("Range", "bytes=0-1")], 206),
    ];
    for (method, validators, headers, status) in table {
        let shown = applied(method, validators, headers);
        assert!(shown.starts_with(&status.to_string()), "{method} {validators:?} {headers:?}: {shown}");
    }
}

#[test]
fn ranges_of_a_get_are_selected() {
    const STRONG: &[(&str, &str)] = &[("ETag", "\"v\""), ("Last-Modified", DATE)];
    const WEAK: &[(&str, &str)] = &[("ETag", "W/\"v\"")];
    let all = "200  0123456789";
    let part = "206 bytes 0-1/10 01";
    for (method, validators, range, if_range, expected) in [
        ("GET", STRONG, "bytes=0-1", "", part),
        ("HEAD", STRONG, "bytes=0-1", "", all),
        ("GET", STRONG, "bytes=20-", "", "416 10"),
        ("HEAD", STRONG, "bytes=20-", "", all),
        ("GET", STRONG, "bytes=x", "", all),
        ("GET", STRONG, "bytes=-2,30-", "", "206 bytes 8-9/10 89"),
        ("GET", STRONG, "bytes=0-1", "\"v\"", part),
        ("GET", STRONG, "bytes=0-1", "\"w\"", all),
        ("GET", STRONG, "bytes=0-1", "W/\"v\"", all),
        ("GET", WEAK, "bytes=0-1", "\"v\"", all),
        ("GET", WEAK, "bytes=0-1", "W/\"v\"", all),
        ("GET", STRONG, "bytes=0-1", DATE, part),
        ("GET", STRONG, "bytes=0-1", EARLY, all),
        ("GET", STRONG, "bytes=0-1", LATE, all),
        ("GET", STRONG, "bytes=20-", LATE, all),
        ("GET", &[], "bytes=0-1", DATE, all),
    ] {
        let headers: &[(&str, &str)] = &[("Range", range), ("If-Range", if_range)];
        let headers = if if_range.is_empty() { &headers[..1] } else { headers };
        assert_eq!(applied(method, validators, headers), expected, "{method} {range} {if_range}");
    }
}

#[test]
fn several_ranges_are_parts_of_one_body() {
    let headers = [("Range", "bytes=0-1,-3")];
    let request = Request::from_parts("GET", "/", headers, Vec::new(), None, None);
    let whole = answer(&[("ETag", "\"v\"")]);
    let (mut answer, mut again) = (whole.clone(), whole);
    assert_eq!(apply(&mut answer, &request, true), Ok(()));
    assert_eq!(apply(&mut again, &request, true), Ok(()));
    assert_eq!(answer, again, "a replay compares the bytes");
    let kind = answer.header("content-type").unwrap();
    let boundary = kind.strip_prefix("multipart/byteranges; boundary=").unwrap();
    let part = "Content-Type: text/plain; charset=utf-8\r\nContent-Range: bytes";
    let expected = format!(
        "--{boundary}\r\n{part} 0-1/10\r\n\r\n01\r\n--{boundary}\r\n{part} 7-9/10\r\n\r\n789\r\n--{boundary}--\r\n"
    );
    assert_eq!(String::from_utf8_lossy(answer.body.bytes()), expected);
    assert_eq!((answer.status, answer.header("content-range")), (206, None));
}

#[test]
fn a_304_keeps_the_headers_of_the_resource_only() {
    let request = Request::from_parts("GET", "/", [("If-None-Match", "*")], Vec::new(), None, None);
    let names =
        ["ETag", "Last-Modified", "Cache-Control", "Expires", "Vary", "Content-Location", "Set-Cookie"];
    let gone = ["Content-Encoding", "content-language", "Content-MD5", "Allow", "Content-Range"];
    let mut answer = Answer::text(200, "body");
    names.iter().chain(&gone).for_each(|name| answer.set_header(name, "x"));
    assert_eq!(apply(&mut answer, &request, true), Ok(()));
    let left: Vec<&str> = answer.headers.iter().map(|(name, _)| &**name).collect();
    assert_eq!(left, ["ETag", "Cache-Control", "Expires", "Vary", "Content-Location", "Set-Cookie"]);
    assert_eq!((answer.status, answer.body.len()), (304, 0));
}

#[test]
fn only_successful_answers_change() {
    for (status, expected) in [(200, 206), (201, 201), (203, 203), (301, 301), (404, 404), (500, 500)] {
        let request = Request::from_parts("GET", "/", [("Range", "bytes=0-1")], Vec::new(), None, None);
        let mut answer = Answer { status, ..answer(&[]) };
        assert_eq!(apply(&mut answer, &request, true), Ok(()));
        assert_eq!(answer.status, expected);
    }
}
