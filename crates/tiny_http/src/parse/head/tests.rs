//! Valid and invalid heads, with their sections of the RFCs.

use super::*;

fn parse(text: &str) -> Result<Head, Reason> {
    match Head::parse(text.as_bytes(), &Limits::default())? {
        Parsed::Whole(head, length) => {
            assert_eq!(length, text.len());
            Ok(head)
        }
        Parsed::Partial => panic!("incomplete: {text:?}"),
    }
}

#[test]
fn a_head_has_method_target_version_fields_and_framing() {
    let head =
        parse("POST /a?b=%20 HTTP/1.1\r\nHost:x:80\r\nEmpty:\r\nX-A: \t b c\t \r\nContent-Length: 7\r\n\r\n")
            .unwrap();
    assert_eq!(
        (&head.method, head.target.as_str(), head.version),
        (&Method::Post, "/a?b=%20", HTTPVersion(1, 1))
    );
    let fields: Vec<_> = head.fields().collect();
    let expected: [(&[u8], &[u8]); 4] =
        [(b"Host", b"x:80"), (b"Empty", b""), (b"X-A", b"b c"), (b"Content-Length", b"7")];
    assert_eq!(fields, expected);
    assert_eq!((head.framing, head.keep_alive, head.expects_continue), (Framing::Length(7), true, false));
}

#[test]
fn valid_heads_are_accepted() {
    let cases = [
        // RFC 9112, section 3.2: the four forms of a target, without the one for proxies.
        "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET http://x:80/a HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET HTTPS://[::1] HTTP/1.1\r\nHost: [::1]\r\n\r\n",
        "GET /ä HTTP/1.1\r\nHost: x\r\n\r\n",
        "M-SEARCH /a HTTP/1.1\r\nHost: \r\n\r\n",
        // RFC 9112, section 3.2: HTTP/1.0 needs no Host.
        "GET / HTTP/1.0\r\n\r\n",
        // RFC 9110, section 2.5.
        "GET / HTTP/1.7\r\nHost: x\r\n\r\n",
        // RFC 9110, section 5.5: obsolete text.
        "GET / HTTP/1.1\r\nHost: a_b.c:\r\nX: ü\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: ,Chunked,\r\n\r\n",
        // RFC 9110, section 10.1.1: expectations of HTTP/1.0 are ignored.
        "GET / HTTP/1.0\r\nExpect: tea\r\n\r\n",
    ];
    for text in cases {
        assert!(parse(text).is_ok(), "{text:?}: {:?}", parse(text));
    }
}

#[test]
fn invalid_heads_are_refused() {
    let cases = [
        // RFC 9112, section 3.
        ("GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        ("GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        ("GET / a HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        ("GET / HTTP/1.1 \r\nHost: x\r\n\r\n", 400),
        ("GET / http/1.1\r\nHost: x\r\n\r\n", 400),
        ("GET / HTTP/1.11\r\nHost: x\r\n\r\n", 400),
        ("GET / HTTP/1\r\nHost: x\r\n\r\n", 400),
        ("G(T / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        ("GET / HTTP/0.9\r\n\r\n", 505),
        ("GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505),
        // RFC 9112, section 3.2.
        ("GET a HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        ("GET * HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        ("GET http:///a HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        ("GET http://:80/a HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        ("GET http://a@b/ HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        ("CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", 501),
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400),
        ("GET / HTTP/1.0\r\nHost: x\r\nHost: x\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: x y\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: x/y\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: x:8a\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: []\r\n\r\n", 400),
        // RFC 9112, section 5.
        ("GET / HTTP/1.1\r\n Host: x\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: x\r\nA\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: x\r\n\n", 400),
        // RFC 9112, section 6.
        ("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1 2\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1,1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551616\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, gzip\r\n\r\n", 400),
        (
            "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            400,
        ),
        ("GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
        ("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        // RFC 9110, section 10.1.1.
        ("GET / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n\r\n", 417),
    ];
    for (text, status) in cases {
        assert_eq!(parse(text).map_err(Reason::status), Err(status), "{text:?}");
    }
}

/// RFC 9112, section 9.3.
#[test]
fn a_head_says_whether_the_connection_stays_open() {
    let cases = [
        ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", true),
        ("GET / HTTP/1.1\r\nHost: x\r\nConnection: Close\r\n\r\n", false),
        ("GET / HTTP/1.1\r\nHost: x\r\nConnection: a, close\r\nConnection: keep-alive\r\n\r\n", false),
        ("GET / HTTP/1.0\r\n\r\n", false),
        ("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true),
    ];
    for (text, stays) in cases {
        assert_eq!(parse(text).unwrap().keep_alive, stays, "{text:?}");
    }
}
