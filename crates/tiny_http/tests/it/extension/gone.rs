//! Clients that leave while their answer goes on, and clients that only end their side. TCP shows both in the same way, so the
//! engine sends zeros in front of the next chunk's size: a client that has left answers with a reset.

use super::growing::{Begun, LARGE, begun, server};
use super::{Attended, DEADLINE};
use crate::client::{Client, End};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{RecvTimeoutError, TryRecvError};
use std::thread;
use std::time::Duration;
use tiny_http::extension::Limits;

/// A client that ends its side later than this after its request may count as gone.
const LATE: Duration = Duration::from_millis(150);

/// How a client leaves.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Leaves {
    /// As a program does that ends or closes its socket.
    Closes,
    Resets,
}

fn get(server: &Attended, version: &str) -> Client {
    server.send(format!("GET / HTTP/{version}\r\nHost: x\r\n\r\n").as_bytes())
}

#[test]
fn a_client_that_leaves_ends_its_answer_once_and_without_another_piece() {
    let (server, opened) = server(Limits::default());
    // Version, whether the client has read what was sent, whether bytes wait, whether it leaves late, how it leaves.
    for (version, reads, waits, late, leaves) in [
        ("1.1", true, false, false, Leaves::Closes),
        ("1.1", true, false, true, Leaves::Closes),
        ("1.1", false, false, false, Leaves::Closes),
        ("1.1", true, false, false, Leaves::Resets),
        ("1.1", true, false, true, Leaves::Resets),
        ("1.1", true, true, false, Leaves::Closes),
        ("1.1", true, true, true, Leaves::Closes),
        ("1.1", true, true, false, Leaves::Resets),
        ("1.0", true, false, true, Leaves::Closes),
        ("1.0", false, false, false, Leaves::Closes),
        ("1.0", true, false, false, Leaves::Resets),
        ("1.0", true, true, false, Leaves::Closes),
        ("1.0", true, true, false, Leaves::Resets),
    ] {
        let case = format!("{version}, reads {reads}, waits {waits}, late {late}, {leaves:?}");
        let mut client = get(&server, version);
        let Begun { open, gone } = begun(&opened);
        match (reads, version) {
            (true, "1.1") => client.until_received(b"be\r\n"),
            (true, _) => client.until_received(b"be"),
            (false, _) => super::eventually(|| client.has_news()),
        }
        if waits {
            assert!(open.add(vec![b'x'; LARGE]));
        }
        if late {
            thread::sleep(LATE);
        }
        match leaves {
            Leaves::Closes => drop(client),
            Leaves::Resets => client.reset(),
        }
        assert_eq!(gone.recv_timeout(DEADLINE), Ok(()), "{case}");
        assert_eq!((open.waiting(), open.add(b"x".to_vec())), (None, false), "{case}");
        assert_eq!(gone.recv_timeout(DEADLINE), Err(RecvTimeoutError::Disconnected), "{case}: told twice");
    }
    server.until_open(0);
    server.pings();
}

/// HTTP/1.0 has no bytes without a meaning, so only the next piece tells a client that has left from one that still reads.
#[test]
fn a_client_of_http_1_0_that_leaves_right_after_its_request_is_gone_with_the_next_piece() {
    let (server, opened) = server(Limits::default());
    let mut client = get(&server, "1.0");
    let Begun { open, gone } = begun(&opened);
    client.until_received(b"be");
    drop(client);
    super::eventually(|| !open.add(b"x".to_vec()));
    assert_eq!(gone.recv_timeout(DEADLINE), Ok(()));
}

#[test]
fn a_client_that_only_ends_its_side_gets_its_whole_answer() {
    let (server, opened) = server(Limits::default());
    // Version, whether the client ends its side late.
    for (version, late) in [("1.1", false), ("1.1", true), ("1.0", false)] {
        let mut client = get(&server, version);
        if !late {
            client.half_close();
        }
        let Begun { open, gone } = begun(&opened);
        if late {
            thread::sleep(LATE);
            client.half_close();
        }
        for piece in [&b"gun"[..], b", ", b"ended"] {
            server.server.close_absent();
            assert!(open.add(piece.to_vec()), "{version}, late {late}");
        }
        assert_eq!(server.server.num_busy(), 1);
        open.end();
        let answer = client.answer(false).unwrap();
        assert_eq!(answer.body, b"begun, ended", "{version}, late {late}");
        assert_eq!(client.end(), End::Closed);
        assert!(gone.recv_timeout(DEADLINE).is_err(), "the client did not leave");
        server.until_open(0);
    }
}

/// Zeros are sent while no piece comes, in front of the next chunk or of the last one, and no more than three of them.
#[test]
fn zeros_in_front_of_a_chunk_ask_for_a_client_that_has_ended_its_side() {
    let (server, opened) = server(Limits::default());
    for (piece, chunks) in [(Some("gun"), "0003\r\ngun\r\n0\r\n\r\n"), (None, "0000\r\n\r\n")] {
        let mut client = get(&server, "1.1");
        let Begun { open, .. } = begun(&opened);
        client.until_received(b"\r\n2\r\nbe\r\n");
        client.half_close();
        client.until_received(b"\r\n2\r\nbe\r\n000");
        if let Some(piece) = piece {
            assert!(open.add(piece.into()));
        }
        open.end();
        client.answer(false).unwrap();
        assert!(client.received.ends_with(format!("\r\n2\r\nbe\r\n{chunks}").as_bytes()));
        assert_eq!(client.end(), End::Closed);
    }
    // A client of an answer that breaks off after the zeros does not take them for its end.
    let mut client = get(&server, "1.1");
    let Begun { open, .. } = begun(&opened);
    client.half_close();
    client.until_received(b"be\r\n000");
    open.break_off();
    assert!(client.answer(false).unwrap_err().ends_with("Closed"));
}

/// Passes bytes on in both directions. Like the proxies of Docker and Kubernetes, it passes the end of a side on, and ends when
/// both sides have ended or a write fails.
fn proxy(to: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (client, _) = listener.accept().unwrap();
        let server = TcpStream::connect(to).unwrap();
        let pass = |mut from: TcpStream, mut to: TcpStream| {
            thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(count @ 1..) = from.read(&mut buffer) {
                    if to.write_all(&buffer[..count]).is_err() {
                        break;
                    }
                }
                let _ = (from.shutdown(Shutdown::Read), to.shutdown(Shutdown::Write));
            })
        };
        let there = pass(client.try_clone().unwrap(), server.try_clone().unwrap());
        let back = pass(server, client);
        let _ = (there.join(), back.join());
    });
    address
}

#[test]
fn a_client_that_leaves_a_proxy_which_only_ends_its_side_is_gone() {
    let (server, opened) = server(Limits::default());
    let mut client = Client::connect(proxy(server.address));
    client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    let Begun { open, gone } = begun(&opened);
    client.until_received(b"be\r\n");
    assert_eq!(gone.try_recv(), Err(TryRecvError::Empty));
    drop(client);
    assert_eq!(gone.recv_timeout(DEADLINE), Ok(()), "no piece was added");
    assert_eq!(open.waiting(), None);
}

/// A stop waits for answers that go on: the program ends them.
#[test]
fn a_stop_closes_no_answer_that_goes_on() {
    let (server, opened) = server(Limits::default());
    let mut clients = [get(&server, "1.1"), get(&server, "1.1")];
    clients[0].half_close();
    let opens = [begun(&opened), begun(&opened)];
    server.server.close_listener();
    server.server.end_silent(Duration::ZERO);
    server.server.close_absent();
    assert_eq!((server.server.close_idle(Duration::ZERO), server.server.num_busy()), (0, 2));
    for (client, Begun { open, gone }) in clients.iter_mut().zip(opens) {
        assert!(gone.try_recv().is_err() && open.add(b"gun".to_vec()));
        open.end();
        assert_eq!(client.answer(false).unwrap().body, b"begun");
    }
    super::eventually(|| {
        server.server.close_idle(Duration::ZERO);
        server.server.num_connections() == 0
    });
}
