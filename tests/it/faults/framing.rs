//! Requests whose framing violates RFC 9112, and valid requests at its edges, with their answers. The mock must refuse each
//! invalid request at once, without waiting for more bytes. It must end the connection, so that no bytes behind the request
//! become another request.

use super::witness::Witness;
use super::{PING, WORKERS, client, start};
use crate::harness::{Client, Mock};
use std::time::Duration;

/// The fault, the request, its answer. `^` stands for CR LF. A request without an end of its head gets `Host` and the end.
type Row = (&'static str, &'static [u8], u16);

/// The published engine answered most of them 200.
const REFUSED: &[Row] = &[
    // Two lengths could be read as two places where the next request begins.
    (
        "Content-Length and Transfer-Encoding",
        b"POST /length HTTP/1.1^Content-Length: 5^Transfer-Encoding: chunked^Host: x^^0^^",
        400,
    ),
    (
        "Transfer-Encoding and Content-Length",
        b"POST /length HTTP/1.1^Transfer-Encoding: chunked^Content-Length: 5^Host: x^^0^^",
        400,
    ),
    ("two Content-Lengths", b"POST /length HTTP/1.1^Content-Length: 2^Content-Length: 3^Host: x^^abc", 400),
    (
        "two equal Content-Lengths",
        b"POST /length HTTP/1.1^Content-Length: 2^Content-Length: 2^Host: x^^ab",
        400,
    ),
    ("a list of Content-Lengths", b"POST /length HTTP/1.1^Content-Length: 2, 2^Host: x^^ab", 400),
    ("a negative Content-Length", b"POST /length HTTP/1.1^Content-Length: -1", 400),
    ("a Content-Length with a sign", b"POST /length HTTP/1.1^Content-Length: +2^Host: x^^ab", 400),
    ("a Content-Length in hexadecimal", b"POST /length HTTP/1.1^Content-Length: 0x2^Host: x^^ab", 400),
    ("a Content-Length in words", b"POST /length HTTP/1.1^Content-Length: two", 400),
    ("a Content-Length with a blank inside", b"POST /length HTTP/1.1^Content-Length: 1 0", 400),
    ("an empty Content-Length", b"POST /length HTTP/1.1^Content-Length:", 400),
    (
        "a Content-Length of more than 64 bits",
        b"POST /length HTTP/1.1^Content-Length: 18446744073709551616",
        400,
    ),
    // Codings.
    ("Transfer-Encoding: identity", b"POST /length HTTP/1.1^Transfer-Encoding: identity", 400),
    ("Transfer-Encoding: xchunked", b"POST /length HTTP/1.1^Transfer-Encoding: xchunked^Host: x^^0^^", 400),
    (
        "Transfer-Encoding: chunked, identity",
        b"POST /length HTTP/1.1^Transfer-Encoding: chunked, identity^Host: x^^0^^",
        400,
    ),
    (
        "Transfer-Encoding: chunked, chunked",
        b"POST /length HTTP/1.1^Transfer-Encoding: chunked, chunked^Host: x^^0^^",
        400,
    ),
    (
        "chunked in two fields",
        b"POST /length HTTP/1.1^Transfer-Encoding: chunked^Transfer-Encoding: chunked^Host: x^^0^^",
        400,
    ),
    ("Transfer-Encoding: gzip", b"POST /length HTTP/1.1^Transfer-Encoding: gzip", 400),
    (
        "Transfer-Encoding: gzip, chunked",
        b"POST /length HTTP/1.1^Transfer-Encoding: gzip, chunked^Host: x^^0^^",
        501,
    ),
    ("an empty Transfer-Encoding", b"POST /length HTTP/1.1^Transfer-Encoding:", 400),
    ("chunked in HTTP/1.0", b"POST /length HTTP/1.0^Transfer-Encoding: chunked^Host: x^^0^^", 400),
    // Chunks.
    (
        "a chunk size that is no number",
        b"POST /length HTTP/1.1^Transfer-Encoding: chunked^Host: x^^x^ab^0^^",
        400,
    ),
    ("a chunk size with 0x", b"POST /length HTTP/1.1^Transfer-Encoding: chunked^Host: x^^0x2^ab^0^^", 400),
    ("a chunk size with a sign", b"POST /length HTTP/1.1^Transfer-Encoding: chunked^Host: x^^+2^ab^0^^", 400),
    ("a negative chunk size", b"POST /length HTTP/1.1^Transfer-Encoding: chunked^Host: x^^-2^ab^0^^", 400),
    ("an empty chunk size", b"POST /length HTTP/1.1^Transfer-Encoding: chunked^Host: x^^^ab^0^^", 400),
    (
        "a chunk size of more than 64 bits",
        b"POST /length HTTP/1.1^Transfer-Encoding: chunked^Host: x^^10000000000000000^ab",
        400,
    ),
    (
        "a chunk that is longer than it says",
        b"POST /length HTTP/1.1^Transfer-Encoding: chunked^Host: x^^2^abc^0^^",
        400,
    ),
    (
        "a lone LF behind a chunk size",
        b"POST /length HTTP/1.1^Transfer-Encoding: chunked^Host: x^^2\nab^0^^",
        400,
    ),
    ("a lone LF behind a chunk", b"POST /length HTTP/1.1^Transfer-Encoding: chunked^Host: x^^2^ab\n0^^", 400),
    (
        "a trailer that is no header",
        b"POST /length HTTP/1.1^Transfer-Encoding: chunked^Host: x^^0^no header^^",
        400,
    ),
    (
        "a chunk over the limit of bodies",
        b"POST /length HTTP/1.1^Transfer-Encoding: chunked^Host: x^^80000000^ab",
        413,
    ),
    // Host.
    ("no Host", b"GET /ping HTTP/1.1^^", 400),
    ("two Hosts", b"GET /ping HTTP/1.1^Host: x^Host: y^^", 400),
    ("two equal Hosts", b"GET /ping HTTP/1.1^Host: x^Host: x^^", 400),
    ("two Hosts in HTTP/1.0", b"GET /ping HTTP/1.0^Host: x^Host: y^^", 400),
    ("a Host that is none", b"GET /ping HTTP/1.1^Host: a b/c^^", 400),
    // Headers.
    ("NUL in a header", b"GET /ping HTTP/1.1^X: a\0b", 400),
    ("a control character in a header", b"GET /ping HTTP/1.1^X: a\x01b", 400),
    ("a bare CR in a header", b"GET /ping HTTP/1.1^X: a\rb", 400),
    ("a bad header name", b"GET /ping HTTP/1.1^X(y): a", 400),
    ("an empty header name", b"GET /ping HTTP/1.1^: a", 400),
    ("a header name that is not ASCII", b"GET /ping HTTP/1.1^X\xc3\xa4: a", 400),
    ("a header without a colon", b"GET /ping HTTP/1.1^no header", 400),
    ("a blank before the colon", b"GET /ping HTTP/1.1^X : a", 400),
    ("a blank before the first header", b"GET /ping HTTP/1.1^ X: a", 400),
    ("a folded header", b"GET /ping HTTP/1.1^X: a^ b", 400),
    ("lone LFs", b"GET /ping HTTP/1.1\nHost: x\n\n", 400),
    ("a lone LF behind the request line", b"GET /ping HTTP/1.1\nHost: x^^", 400),
    ("a lone LF behind a header", b"GET /ping HTTP/1.1^Host: x\n^", 400),
    ("an expectation that nobody knows", b"POST /length HTTP/1.1^Content-Length: 2^Expect: more", 417),
    // Request lines.
    ("a fourth token", b"GET /ping HTTP/1.1 more", 400),
    ("a fourth token in the target's place", b"GET /ping /ping HTTP/1.1", 400),
    ("two blanks", b"GET  /ping HTTP/1.1", 400),
    ("two blanks before the version", b"GET /ping  HTTP/1.1", 400),
    ("a tab", b"GET\t/ping\tHTTP/1.1", 400),
    ("a blank at the end", b"GET /ping HTTP/1.1 ", 400),
    ("a blank at the beginning", b" GET /ping HTTP/1.1", 400),
    ("a small http", b"GET /ping http/1.1", 400),
    ("no version", b"GET /ping^^", 400),
    ("no version and no head", b"GET /ping^", 400),
    ("no target", b"GET HTTP/1.1", 400),
    ("a method that is no token", b"G(T /ping HTTP/1.1", 400),
    ("a version with two digits", b"GET /ping HTTP/1.10", 400),
    ("a protocol that is another", b"GET /ping HTCPCP/1.0", 400),
    ("HTTP/0.9 spelled out", b"GET /ping HTTP/0.9", 505),
    ("HTTP/2.0", b"GET /ping HTTP/2.0", 505),
    ("HTTP/3.0", b"GET /ping HTTP/3.0", 505),
    ("the preface of HTTP/2", b"PRI * HTTP/2.0^^SM^^", 505),
    // Targets.
    ("CONNECT", b"CONNECT example.com:443 HTTP/1.1", 501),
    ("a target that is no path", b"GET ping HTTP/1.1", 400),
    ("a * that is not OPTIONS'", b"GET * HTTP/1.1", 400),
    ("a control character in the target", b"GET /pi\x01ng HTTP/1.1", 400),
    ("NUL in the target", b"GET /pi\0ng HTTP/1.1", 400),
    ("a target that is not UTF-8", b"GET /\xff\xfe HTTP/1.1", 400),
    ("what TLS says first", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x0a", 400),
];

/// Valid requests, and their bodies. The connection stays open.
const SERVED: &[(&str, &[u8], &str)] = &[
    ("chunks", b"POST /length HTTP/1.1^Transfer-Encoding: chunked^Host: x^^5^abcde^A^0123456789^0^^", "15"),
    (
        "large and small letters",
        b"POST /length HTTP/1.1^transfer-ENCODING: Chunked^Host: x^^00a^0123456789^000^^",
        "10",
    ),
    (
        "chunk extensions",
        b"POST /length HTTP/1.1^Transfer-Encoding: chunked^Host: x^^2;a;b=c;d=\"e;f\"^ab^0;g^^",
        "2",
    ),
    (
        "chunk trailers",
        b"POST /length HTTP/1.1^Transfer-Encoding: chunked^Host: x^^2^ab^0^X-Sum: 1^X-End: 2^^",
        "2",
    ),
    ("no chunk at all", b"POST /length HTTP/1.1^Transfer-Encoding: chunked^Host: x^^0^^", "0"),
    ("a length of zero", b"POST /length HTTP/1.1^Content-Length: 0^Host: x^^", "0"),
    ("a length with zeros before it", b"POST /length HTTP/1.1^Content-Length: 0002^Host: x^^ab", "2"),
    ("no length", b"POST /length HTTP/1.1^Host: x^^", "0"),
    ("a header that is not ASCII", b"GET /ping HTTP/1.1^X: gr\xc3\xbc\xc3\x9fe^Host: x^^", "pong"),
    ("a header in Latin-1", b"GET /ping HTTP/1.1^X: gr\xfc\xdfe^Host: x^^", "pong"),
    ("a target that is not ASCII", b"GET /gr\xc3\xbc\xc3\x9fe HTTP/1.1^Host: x^^", "gr\u{fc}\u{df}e"),
    ("an absolute target", b"GET http://x/ping HTTP/1.1^Host: x^^", "pong"),
    ("HTTP/1.2", b"GET /ping HTTP/1.2^Host: x^^", "pong"),
    ("an empty Host", b"GET /ping HTTP/1.1^Host:^^", "pong"),
    ("a Host with a port", b"GET /ping HTTP/1.1^Host: [::1]:8000^^", "pong"),
    ("empty lines before the request", b"^^GET /ping HTTP/1.1^Host: x^^", "pong"),
    ("HTTP/1.0 that stays", b"GET /ping HTTP/1.0^Connection: keep-alive^^", "pong"),
    ("blanks around a value", b"GET /ping HTTP/1.1^Host: \t x \t ^^", "pong"),
    ("an empty value", b"GET /ping HTTP/1.1^Host: x^X:^^", "pong"),
];

/// The bytes of a row.
fn request(row: &[u8]) -> Vec<u8> {
    // TLS has no head, and a request that ends in a line end has its end.
    let whole = row.ends_with(b"^")
        || row.ends_with(b"\n")
        || row[0] < b' '
        || row.windows(2).any(|two| two == b"^^");
    let row = if whole { row.to_vec() } else { [row, b"^Host: x^^"].concat() };
    row.into_iter().flat_map(|byte| if byte == b'^' { b"\r\n".to_vec() } else { vec![byte] }).collect()
}

/// Deadline for each answer. Without one, the mock waits for more bytes or a thread hangs.
const ANSWER: Duration = Duration::from_secs(3);

/// Sends each row on a connection of its own, all of them first, so that the missing answers have one deadline together.
fn send(mock: &Mock, behind: &[u8]) -> Vec<(&'static Row, Client)> {
    let rows = REFUSED.iter().map(|row| (row, client(mock, &[&request(row.1), behind].concat())));
    let clients: Vec<_> = rows.collect();
    clients
}

/// Returns the fault of the answer to a row.
fn wrong(row: &Row, client: &mut Client, time: Duration) -> Option<String> {
    client.stream().set_read_timeout(Some(time.max(Duration::from_millis(1)))).unwrap();
    let told = match client.try_read(false) {
        Err(error) => format!("no answer: {error}"),
        Ok(reply) if reply.status != row.2 => format!("{} in place of {}", reply.status, row.2),
        Ok(reply) if reply.header("connection") != "close" => format!("{} without a close", reply.status),
        Ok(_) => match client.rest() {
            Ok(rest) if !String::from_utf8_lossy(&rest).contains("HTTP/1") => return None,
            Ok(_) => "what follows it was answered".to_owned(),
            Err(error) => format!("the connection does not end: {error}"),
        },
    };
    Some(format!("{}: {told}", row.0))
}

#[test]
fn malformed_requests_are_refused_and_end_their_connection() {
    let mock = start(&[]);
    let witness = Witness::of(&mock);
    for behind in [b"", PING] {
        let end = std::time::Instant::now() + ANSWER;
        let left = || end.saturating_duration_since(std::time::Instant::now());
        let mut clients = send(&mock, behind);
        let wrong: Vec<String> =
            clients.iter_mut().filter_map(|(row, client)| wrong(row, client, left())).collect();
        assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), REFUSED.len(), wrong.join("\n"));
    }
    witness.testify();
}

/// One after the other on one connection, and then all in one write.
#[test]
fn well_framed_requests_are_served_on_one_connection() {
    let mock = start(&[]);
    let witness = Witness::of(&mock);
    let mut wrong = Vec::new();
    for (name, row, body) in SERVED {
        let mut client = client(&mock, &request(row));
        client.stream().set_read_timeout(Some(ANSWER)).unwrap();
        for request in [&request(row)[..], PING] {
            let told = client.try_read(false).map(|reply| (reply.status, reply.text()));
            if !matches!(&told, Ok((200, text)) if text == body) {
                wrong.push(format!("{name}: {told:?}"));
                break;
            }
            client.write(request);
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), SERVED.len(), wrong.join("\n"));
    let all: Vec<u8> = SERVED.iter().flat_map(|(_, row, _)| request(row)).collect();
    let mut client = client(&mock, &all);
    for (name, _, body) in SERVED {
        assert_eq!(client.read(false).text(), *body, "{name}");
    }
    witness.testify();
}

/// Each of these requests left a thread of the published engine waiting for ever.
#[test]
fn many_requests_of_another_version_block_no_worker() {
    let mock = start(&[]);
    let witness = Witness::of(&mock);
    for row in [&b"GET /ping HTTP/2.0"[..], b"PRI * HTTP/2.0^^SM^^"] {
        let mut clients: Vec<Client> = (0..WORKERS * 4).map(|_| client(&mock, &request(row))).collect();
        for client in &mut clients {
            assert_eq!(super::refusal(client), 505);
        }
    }
    witness.testify();
}

#[test]
fn a_client_that_waits_for_100_is_asked_for_its_body() {
    let mock = start(&[]);
    let witness = Witness::of(&mock);
    for framing in ["Content-Length: 4", "Transfer-Encoding: chunked"] {
        let head = format!("POST /length HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n{framing}\r\n\r\n");
        let mut clients: Vec<Client> = (0..WORKERS * 4).map(|_| client(&mock, head.as_bytes())).collect();
        for client in &mut clients {
            assert_eq!(client.read(true).status, 100);
            client.write(if framing.starts_with('C') { b"abcd" } else { b"4\r\nabcd\r\n0\r\n\r\n" });
            assert_eq!(client.read(false).text(), "4");
        }
    }
    witness.testify();
}
