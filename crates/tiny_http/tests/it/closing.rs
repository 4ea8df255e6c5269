//! The end of a refused connection: the client gets a text, and time to read it.

use std::io::ErrorKind;
use std::thread;
use std::time::Duration;

use crate::client::{Client, End};
use crate::harness::Server;

const REFUSED: [(&str, &[u8], u16); 8] = [
    ("no Host", b"GET / HTTP/1.1\r\n\r\n", 400),
    ("a bad request line", b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("a length over the limit", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n", 413),
    ("a bad chunk", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400),
    ("an expectation", b"GET / HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n", 417),
    ("CONNECT", b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", 501),
    ("HTTP/2.0", b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    ("a coding", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
];

/// Runs a check on all refusals and reports all that fail.
fn each(check: impl Fn(&mut Client, &[u8], u16) -> Result<(), String>) {
    let server = Server::start();
    let failures: Vec<String> = REFUSED
        .iter()
        .filter_map(|(name, send, status)| {
            let mut client = Client::connect(server.address);
            let wrong = check(&mut client, send, *status).and_then(|()| server.check_workers()).err()?;
            Some(format!("{name}: {wrong}\n  came:  \"{}\"", client.received.escape_ascii()))
        })
        .collect();
    println!("{} cases, {} failed", REFUSED.len(), failures.len());
    assert!(
        failures.is_empty(),
        "{} of {} cases failed\n\n{}",
        failures.len(),
        REFUSED.len(),
        failures.join("\n")
    );
}

fn refusal(client: &mut Client, status: u16) -> Result<String, String> {
    let got = client.answer(false)?;
    if got.status != status || !got.lists("connection", "close") {
        return Err(format!("got {} with {:?}", got.status, got.fields));
    }
    match got.values("content-type")[..] {
        [value] if value.starts_with("text/plain") => Ok(String::from_utf8_lossy(&got.body).into_owned()),
        ref others => Err(format!("Content-Type {others:?}")),
    }
}

fn ends(client: &mut Client) -> Result<(), String> {
    match client.end() {
        End::Closed => Ok(()),
        end => Err(format!("expected the end of the connection, got {end:?}")),
    }
}

/// RFC 9110 section 15.5: the answer explains the error.
#[test]
fn a_refusal_explains_the_error_in_one_line() {
    each(|client, send, status| {
        client.send(send);
        let text = refusal(client, status)?;
        let line = text.trim_end_matches('\n');
        match line.trim().is_empty() || line.chars().any(char::is_control) {
            true => Err(format!("the text is {text:?}")),
            false => Ok(()),
        }
    });
}

/// RFC 9112 section 9.6: a server that closes at once, with bytes of the client unread, resets the connection, and the
/// client may lose the answer.
#[test]
fn unread_bytes_do_not_reset_the_connection() {
    each(|client, send, status| {
        client.send(&[send, vec![b'x'; 200_000].as_slice()].concat());
        refusal(client, status)?;
        ends(client)
    });
}

/// The client learns of the refusal only after it has sent the rest, in pieces.
#[test]
fn a_client_that_still_sends_is_not_reset() {
    each(|client, send, status| {
        client.send(send);
        for _ in 0..20 {
            let sent = client.try_send(&[b'x'; 100]);
            sent.map_err(|error| format!("the server has ended both directions: {error}"))?;
            // A server that ends too early needs time to show it. A correct one passes whatever the time.
            thread::sleep(Duration::from_millis(1));
        }
        refusal(client, status)?;
        ends(client)?;
        for _ in 0..5 {
            match client.try_send(b"x").map_err(|error| error.kind()) {
                Err(ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => {
                    return Err("reset by what was sent after the answer".into());
                }
                _ => thread::sleep(Duration::from_millis(1)),
            }
        }
        Ok(())
    });
}

/// A refused connection ends as soon as its client does.
#[test]
fn a_refused_connection_ends_once_its_client_ends_its_side() {
    each(|client, send, status| {
        client.send(send);
        client.half_close();
        refusal(client, status)?;
        ends(client)
    });
}
