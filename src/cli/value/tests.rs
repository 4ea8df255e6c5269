//! Texts of values and what they parse to.

use super::*;

fn os(text: &str) -> &OsStr {
    OsStr::new(text)
}

#[test]
fn sizes_have_units_of_1024() {
    for (text, bytes) in [
        ("1", 1),
        ("512", 512),
        ("512b", 512),
        ("10k", 10 << 10),
        ("10KB", 10 << 10),
        ("8M", 8 << 20),
        (" 8MiB ", 8 << 20),
        ("1GiB", 1 << 30),
    ] {
        assert_eq!(size(os(text), 1..=usize::MAX), Ok(bytes), "{text}");
    }
    for text in ["", "12x", "M", "-1", "+1", "1.5M", "1 M", "99999999999999999999", "9999999999G", "é"] {
        assert_eq!(size(os(text), 1..=usize::MAX), Err(format!("`{text}` is no size (try 8M)")));
    }
}

#[test]
fn sizes_have_a_range() {
    let range = 1 << 10..=1 << 20;
    for (text, expected) in [
        ("0", Err("`0` is too small (at least 1k)")),
        ("1023", Err("`1023` is too small (at least 1k)")),
        ("1k", Ok(1 << 10)),
        ("1M", Ok(1 << 20)),
        ("1048577", Err("`1048577` is too large (at most 1M)")),
        ("2G", Err("`2G` is too large (at most 1M)")),
    ] {
        assert_eq!(size(os(text), range.clone()), expected.map_err(str::to_string));
    }
}

#[test]
fn sizes_print_as_they_are_read() {
    for (bytes, text) in [
        (0, "0"),
        (1, "1"),
        (1023, "1023"),
        (1 << 10, "1k"),
        (1536, "1536"),
        (64 << 10, "64k"),
        (3 << 30, "3G"),
    ] {
        assert_eq!(in_units(bytes), text);
        assert_eq!(size(os(text), 0..=usize::MAX), Ok(bytes));
    }
}

#[test]
fn durations_have_units_and_fractions() {
    let range = Duration::ZERO..=Duration::from_secs(7200);
    for (text, millis) in [
        ("500ms", 500),
        ("0.5ms", 0),
        ("2s", 2_000),
        ("2", 2_000),
        ("0", 0),
        ("1.5", 1_500),
        (".25s", 250),
        ("1m", 60_000),
        ("1.5m", 90_000),
        ("2h", 7_200_000),
    ] {
        let time = duration(os(text), range.clone()).unwrap();
        assert_eq!(time.as_millis(), millis, "{text}");
    }
    for text in ["", "s", ".", "1.2.3", "-1", "2 s", "1d", "inf", "NaN", "1e3", "2S"] {
        let expected = format!("`{text}` is no duration (try 500ms, 2s or 1m)");
        assert_eq!(duration(os(text), range.clone()), Err(expected));
    }
    let huge = "9".repeat(400);
    assert!(duration(os(&huge), range.clone()).is_err());
    assert_eq!(duration(os("3h"), range), Err("`3h` is out of range (0s to 2h)".to_string()));
}

#[test]
fn durations_print_as_they_are_read() {
    for text in ["0s", "1ms", "1500ms", "2s", "90s", "300s", "1h"] {
        assert_eq!(in_words(time(text).unwrap()), text);
    }
}

#[test]
fn switches_know_eight_words_in_any_case() {
    for text in ["1", "true", "TRUE", "Yes", "on"] {
        assert_eq!(switch(os(text)), Ok(true), "{text}");
    }
    for text in ["", "0", "False", "no", "OFF"] {
        assert_eq!(switch(os(text)), Ok(false), "{text}");
    }
    assert_eq!(switch(os("maybe")), Err("`maybe` is no switch (try 1 or 0)".to_string()));
}

#[test]
fn numbers_and_ports_are_decimal_and_bounded() {
    assert_eq!(port(os("0")), Ok(0));
    assert_eq!(port(os("65535")), Ok(65535));
    for text in ["", "65536", "-1", "+80", "0x50", "tcp://10.0.0.1:8000"] {
        assert_eq!(port(os(text)), Err(format!("`{text}` is no port (0 to 65535)")));
    }
    assert_eq!(count(os("1024"), 1..=1024), Ok(1024));
    for text in ["0", "1025", "many"] {
        assert_eq!(count(os(text), 1..=1024), Err(format!("`{text}` is no number from 1 to 1024")));
    }
}

#[test]
fn addresses_are_literal() {
    assert_eq!(address(os("[::1]")), Ok("::1".parse().unwrap()));
    assert_eq!(address(os("10.0.0.1")), Ok("10.0.0.1".parse().unwrap()));
    let expected = "`localhost` is no IP address (try 0.0.0.0 or ::)";
    assert_eq!(address(os("localhost")), Err(expected.to_string()));
}

#[test]
fn a_token_fits_a_header_and_is_not_repeated() {
    assert_eq!(token(os("abc\n")), Ok(Some(Token::new("abc"))));
    assert_eq!(token(os("")), Ok(None));
    for text in ["two words", "line\r\nX: y", "ünicode"] {
        assert_eq!(token(os(text)), Err("the token is not visible ASCII".to_string()));
    }
}

#[test]
fn requests_have_a_path() {
    for text in ["/", "POST /orders", "GET   /a b?status=2xx", "/a /b", " PUT /x "] {
        assert_eq!(requests(os(text)), Ok(text.trim().to_string()));
    }
    for text in ["", "orders", "POST", "POST orders", "POST?body=/ /x y"] {
        let expected = format!("`{text}` has no path that starts with `/` (try `POST /orders`)");
        assert_eq!(requests(os(text)), if text.contains("/x") { Ok(text.into()) } else { Err(expected) });
    }
}

#[test]
fn provisions_have_names_that_the_directory_takes() {
    for text in ["initial", "initial.rhai", "v2/foo-bar", "v1.d/a", " a b "] {
        assert_eq!(provision(os(text)).unwrap().unwrap().as_str(), text.trim());
    }
    assert_eq!(provision(os(" ")), Ok(None));
    const FORM: &str = "no name of a provision, which has no extension or ends in `.rhai`";
    for (text, error) in [
        ("/app/initial", "invalid name `/app/initial`: absolute (try initial or foo-bar.rhai)"),
        ("a//b", "invalid name `a//b`: empty component (try initial or foo-bar.rhai)"),
        ("a/", "invalid name `a/`: empty component (try initial or foo-bar.rhai)"),
        ("../a", "invalid name `../a`: leaves the provision directory (try initial or foo-bar.rhai)"),
        (".a", "invalid name `.a`: hidden (try initial or foo-bar.rhai)"),
        ("a\nb", "invalid name `a\\nb`: contains a control character (try initial or foo-bar.rhai)"),
        ("data.json", &format!("`data.json` is {FORM}")),
        ("v1.2", &format!("`v1.2` is {FORM}")),
        ("a.tmp", &format!("`a.tmp` is {FORM}")),
        ("a~", "`a~` is no name of a provision: backup copy, which is left alone"),
    ] {
        assert_eq!(provision(os(text)).unwrap_err(), error);
    }
}

#[test]
fn bytes_that_are_not_utf8_are_refused_where_text_is_needed() {
    use std::os::unix::ffi::OsStrExt;
    let bytes = OsStr::from_bytes(b"a\xff");
    assert_eq!(name(bytes), Err("`a\u{fffd}` is not UTF-8".to_string()));
    assert_eq!(path(bytes), Ok(PathBuf::from(bytes)));
    assert_eq!(path(os("")), Err("the path is empty".to_string()));
    assert!(token(bytes).is_err());
}

#[test]
fn hosts_are_names_without_scheme_and_port() {
    let table: &[(&str, &[&str])] = &[
        ("", &[]),
        (" , ", &[]),
        ("Mock.example.com", &["mock.example.com"]),
        ("a.example, *.b_1.example,*", &["a.example", "*.b_1.example", "*"]),
    ];
    for (text, expected) in table {
        assert_eq!(hosts(OsStr::new(text)).unwrap(), *expected, "{text}");
    }
    for text in
        ["a.example:8074", "http://a.example", "a..b", "a.*.b", "*a.example", "a.example.", "ä.example"]
    {
        let name = text.to_ascii_lowercase();
        let error = format!("`{name}` is no name of a host (try `mock.example.com`, `*.example.com` or `*`)");
        assert_eq!(hosts(OsStr::new(text)).unwrap_err(), error);
    }
}
