//! Cookies, forms, multipart parts and packed bodies.

use super::*;
use crate::message::content_coding::tests::gzip;

const MULTIPART: &str = "--b\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nA cat\r\n\
    --b\r\nContent-Disposition: form-data; name=\"meta\"\r\nContent-Type: application/json\r\n\r\n{\"a\":1}\r\n\
    --b\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"a=1;b.png\"\r\nContent-Type: Image/PNG; q=1\r\n\r\n\
    PNG data\r\n--b--\r\n";

fn check(table: &[(&str, Fit)], entry: &Entry) {
    for (text, expected) in table {
        assert_eq!(fit(text, entry), *expected, "{text}");
    }
}

#[test]
fn cookies_have_names_and_values() {
    let fields = [("Cookie", "a=1; b=\"x y\""), ("cookie", "a=2")];
    let table = [
        ("cookie=a", Fit::Yes),
        ("cookie=A", Fit::No),
        ("cookie=a=2", Fit::Yes),
        ("cookie=a=1&cookie=a=2", Fit::Yes),
        ("cookie=b=x y", Fit::Yes),
        ("cookie!=a=1", Fit::No),
        ("cookie!=a=3", Fit::Yes),
        ("cookie!=c", Fit::Yes),
        ("cookie~=b=^x", Fit::Yes),
    ];
    check(&table, &entry(1, "GET /", &fields, ""));
}

#[test]
fn fields_of_forms_are_found_urlencoded_and_multipart() {
    let urlencoded = [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")];
    let table = [
        ("form=a", Fit::Yes),
        ("form=a=1 2", Fit::Yes),
        ("form=a=3", Fit::Yes),
        ("form!=a=1 2", Fit::No),
        ("form!=a=4", Fit::Yes),
        ("form!=c", Fit::Yes),
        ("form=b%3Dc=d", Fit::No),
        ("form~=a=^1", Fit::Yes),
        ("part=a", Fit::No),
    ];
    check(&table, &entry(1, "POST /", &urlencoded, "a=1+2&a=3&b%3Dc=d"));
    let table = [
        ("form=title=A cat", Fit::Yes),
        ("form=meta={\"a\":1}", Fit::Yes),
        ("form=photo", Fit::No),
        ("form!=photo", Fit::Yes),
        ("part=title", Fit::Yes),
        ("part=photo", Fit::Yes),
        ("part!=photo", Fit::No),
        ("part!=video", Fit::Yes),
        ("part=photo;filename=a%3D1;b.png", Fit::Yes),
        ("part=title;filename=", Fit::No),
        ("part~=photo;filename=[.]png$", Fit::Yes),
        ("part=photo;type=image/png", Fit::Yes),
        ("part=photo;type=Image/PNG; q%3D1", Fit::Yes),
        ("part!=photo;type=image/jpeg", Fit::Yes),
        ("part=meta;type=application/json", Fit::Yes),
        ("part=title;type=text/plain", Fit::No),
        ("part=photo;content=PNG data", Fit::Yes),
        ("part~=photo;content=^PNG", Fit::Yes),
        ("part!~=photo;content=^GIF", Fit::Yes),
    ];
    let upload = entry(1, "POST /", &[("Content-Type", "multipart/form-data; boundary=b")], MULTIPART);
    check(&table, &upload);
    let cut = cut(upload, 200);
    check(&[("form=title", Fit::Open), ("part!=photo", Fit::Open), ("method=POST", Fit::Yes)], &cut);
    // A body that is not a form has no fields, also where it is truncated.
    let text = super::cut(entry(1, "POST /", &[("Content-Type", "text/plain")], "a=1&b=2"), 2);
    check(&[("form=a", Fit::No), ("form!=a", Fit::Yes), ("part=a", Fit::No)], &text);
    let many = "a&".repeat(100_001);
    check(&[("form=a", Fit::Open), ("form!=a", Fit::Open)], &entry(1, "POST /", &urlencoded, &many));
}

#[test]
fn parts_are_the_same_in_json() {
    let upload = entry(1, "POST /", &[("Content-Type", "multipart/form-data; boundary=b")], MULTIPART);
    let table = [
        (r#"{"part":"photo"}"#, Fit::Yes),
        (r#"{"part":["photo","title"]}"#, Fit::Yes),
        (r#"{"part":{"photo":{"filename":"a=1;b.png","type":"image/png"}}}"#, Fit::Yes),
        (r#"{"part":{"photo":{"filename":"a=1;b.png","type":"image/gif"}}}"#, Fit::No),
        (r#"{"part!":{"photo":{"type":["image/gif","image/jpeg"]}},"form":{"title":"A cat"}}"#, Fit::Yes),
        (r#"{"part~":{"photo":{"content":"^PNG"}},"cookie!":"session"}"#, Fit::Yes),
    ];
    for (text, expected) in table {
        let value = crate::message::json::read(text.as_bytes()).unwrap();
        assert_eq!(json(&value, LIST).unwrap().filter.fits(&Subject::new(&upload)), expected, "{text}");
    }
}

/// An entry whose body has these bytes.
fn packed(coding: &str, body: Vec<u8>) -> Entry {
    let fields = [("Content-Type", "application/x-www-form-urlencoded"), ("Content-Encoding", coding)];
    Entry { body_length: body.len() as u64, body, ..entry(1, "POST /", &fields, "") }
}

#[test]
fn packed_bodies_are_unpacked_within_a_limit() {
    let table = [
        ("json=/id=7", Fit::Yes),
        ("json!=/id=7", Fit::No),
        ("json=/none", Fit::No),
        ("body={\"id\":7}", Fit::Yes),
        ("body~=^.\"id", Fit::Yes),
    ];
    check(&table, &packed("gzip", gzip(br#"{"id":7}"#)));
    check(&[("form=a=1", Fit::Yes), ("form!=b", Fit::Yes)], &packed("gzip", gzip(b"a=1")));
    // A bomb, an unknown coding and a truncated body leave all conditions open.
    let open =
        [("json=/id", Fit::Open), ("json!=/id", Fit::Open), ("form=a", Fit::Open), ("method=POST", Fit::Yes)];
    let bomb = packed("gzip", gzip(&vec![b' '; 2 << 20]));
    check(&open, &bomb);
    check(&[("body=x", Fit::Open), ("body~=x", Fit::Open)], &bomb);
    check(&open, &packed("br", b"whatever".to_vec()));
    check(&open, &cut(packed("gzip", gzip(br#"{"id":7}"#)), 12));
    check(&[("body~=x", Fit::Open)], &cut(packed("gzip", gzip(br#"{"id":7}"#)), 12));
    // A body that is not packed as its coding says is compared as it was sent.
    let broken = packed("gzip", br#"{"id":7}"#.to_vec());
    check(&[("json=/id=7", Fit::Yes), ("body={\"id\":7}", Fit::Yes), ("json=/id=8", Fit::No)], &broken);
    check(&[("body=whatever", Fit::Yes)], &packed("br", b"whatever".to_vec()));
}
