use super::super::{Form, parse};
use super::*;

const CONTENT_TYPE: &str = "multipart/form-data; boundary=b";

/// Fields as `[name|value]`, files as `<name|filename|content>`.
fn display(body: &[u8]) -> String {
    let form = parse(CONTENT_TYPE, body).unwrap();
    let fields = form.fields.iter().map(|(name, value)| format!("[{name}|{value}]"));
    let files = form.files.iter().map(|file| {
        let content = String::from_utf8_lossy(&body[file.content.clone()]);
        format!("<{}|{}|{content}>", file.name, file.filename.as_deref().unwrap())
    });
    fields.chain(files).collect()
}

const A: &str = "Content-Disposition: form-data; name=\"a\"";

/// Bodies with the boundary `b`; `{A}` stands for the header of a field `a`. The expectations are answers of Werkzeug 2.0.3.
#[test]
fn bodies_are_read_as_werkzeug_reads_them() {
    let cases = [
        ("--b\r\n{A}\r\n\r\n1\r\n--b--\r\n", "[a|1]"),
        ("pre\r\n--b\r\n{A}\r\n\r\n1\r\n--b--\r\nepilogue", "[a|1]"),
        ("--b\n{A}\n\n1\n--b--", "[a|1]"),
        ("--b\r{A}\r\r1\r--b--", "[a|1]"),
        ("--b\r\n{A}\r\n\r\n1\r\n", ""),
        ("--b\r\n{A}\r\n\r\n1\r\n--b\r\n{A}\r\n\r\n2", ""),
        ("--b\r\n{A}; filename=\"\"\r\n\r\n\r\n--b--", "<a||>"),
        ("--b\r\n{A}; filename=x.txt\r\nX: 1\r\n\r\nhello\r\n\r\n--b--", "<a|x.txt|hello\r\n>"),
        ("--b--", ""),
        ("", ""),
        ("--b\r\n\r\nx\r\n--b--", ""),
        ("--b\r\nX: y\r\n\r\nx\r\n--b--", ""),
        ("--b\r\nno colon\r\n\r\nx\r\n--b--", ""),
        ("--b\r\n{A}\r\n\r\n1\r\n--bx\r\n--b  \r\n{A}\r\n\r\n2\r\n--b--", "[a|1\r\n--bx][a|2]"),
        ("--b\r\n{A}\r\n\r\n--b--\r\n", ""),
        ("--b\r\n{A}\r\n\r\n\r\n--b--\r\n", "[a|]"),
        ("--b\r\n{A}\r\n\r\n1\r\n--b\r\n--b--", ""),
        ("--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b\r\n{A}\r\n\r\n1\r\n--b--", "[a|1]"),
    ];
    for (body, expected) in cases {
        assert_eq!(display(body.replace("{A}", A).as_bytes()), expected, "{body:?}");
    }
}

#[test]
fn invalid_utf8_is_replaced_in_fields_and_kept_in_files() {
    let body = [b"--b\r\n", A.as_bytes(), b"\r\n\r\n\xff\r\n--b--"].concat();
    assert_eq!(display(&body), "[a|\u{fffd}]");
    let body = [b"--b\r\n", A.as_bytes(), b"; filename=f\r\n\r\n\xff\r\n--b--"].concat();
    let form = parse(CONTENT_TYPE, &body).unwrap();
    assert_eq!(&body[form.files[0].content.clone()], b"\xff");
}

#[test]
fn a_field_is_decoded_by_the_charset_of_its_part() {
    for (content_type, expected) in [
        ("text/plain; charset=iso-8859-1", "n\u{e9}\u{c3}\u{a9}"),
        ("text/plain; charset=\"ISO-8859-1\"", "n\u{e9}\u{c3}\u{a9}"),
        ("text/plain; charset=us-ascii", "n\u{fffd}\u{fffd}\u{fffd}"),
        ("text/plain; charset=utf-8", "n\u{fffd}\u{e9}"),
        ("text/plain; charset=windows-1252", "n\u{fffd}\u{e9}"),
        ("text/plain", "n\u{fffd}\u{e9}"),
    ] {
        let head = format!("--b\r\n{A}\r\nContent-Type: {content_type}\r\n\r\n");
        let body = [head.as_bytes(), b"n\xe9\xc3\xa9\r\n--b--"].concat();
        assert_eq!(display(&body), format!("[a|{expected}]"), "{content_type}");
    }
}

#[test]
fn headers_of_a_part_may_continue_on_the_next_line() {
    let body = format!(
        "--b\r\n{A};\r\n filename=f\r\nContent-Type: text/plain;\r\n\t charset=x\r\nX:\r\n y\r\n\r\n\r\n--b--"
    );
    let form = parse(CONTENT_TYPE, body.as_bytes()).unwrap();
    assert_eq!(form.files[0].filename.as_deref(), Some("f"));
    assert_eq!(form.files[0].headers[1], ("Content-Type".to_owned(), "text/plain; charset=x".to_owned()));
    assert_eq!(form.files[0].headers[2], ("X".to_owned(), "y".to_owned()));
}

#[test]
fn a_body_with_an_impossible_boundary_is_empty() {
    let long = "b".repeat(MAX_BOUNDARY + 1);
    for boundary in ["", long.as_str()] {
        let content_type = format!("multipart/form-data; boundary={boundary}");
        let body = format!("--{boundary}\r\n{A}\r\n\r\n1\r\n--{boundary}--");
        assert_eq!(parse(&content_type, body.as_bytes()), Ok(Form::default()));
    }
}

#[test]
fn the_number_of_parts_is_bounded() {
    let part = format!("--b\r\n{A}\r\n\r\n1\r\n");
    let fits = part.repeat(MAX_PARTS) + "--b--";
    assert_eq!(parse(CONTENT_TYPE, fits.as_bytes()).unwrap().fields.len(), MAX_PARTS);
    let too_many = part.repeat(MAX_PARTS + 1) + "--b--";
    assert_eq!(parse(CONTENT_TYPE, too_many.as_bytes()), Err(FormError::TooManyParts));
}

#[test]
fn the_headers_of_a_part_are_bounded() {
    let body = format!("--b\r\n{A}\r\nX: {}\r\n\r\n1\r\n--b--", "x".repeat(MAX_PART_HEADERS));
    assert_eq!(parse(CONTENT_TYPE, body.as_bytes()), Err(FormError::HeadersTooLong));
}

#[test]
fn truncated_and_damaged_bodies_never_panic() {
    let valid =
        format!("pre\r\n--b\r\n{A}\r\n\r\n1\r\n--b\r\n{A}; filename=\"f\"\r\nX: é\r\n\r\nfile\r\n--b--\r\n");
    assert_eq!(display(valid.as_bytes()), "[a|1]<a|f|file>");
    let mut random = fastrand::Rng::with_seed(1);
    for cut in 0..valid.len() {
        let _ = display(&valid.as_bytes()[..cut]);
        let mut damaged = valid.clone().into_bytes();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(..damaged.len());
            damaged[at] = *random.choice(b"\r\n-b \":;=\x00\xff".iter()).unwrap();
        }
        let _ = display(&damaged);
    }
    for _ in 0..20_000 {
        let pieces = ["--b", "--", "\r\n", "\n", "\r", A, "; filename*=", "''%f", "\"", "\\", ":", " ", "é"];
        let body: String = (0..random.usize(..16)).filter_map(|_| random.choice(pieces)).collect();
        let _ = display(body.as_bytes());
        let noise: Vec<u8> = (0..random.usize(..64)).map(|_| random.u8(..)).collect();
        let _ = display(&noise);
    }
}
