//! Bodies that are forwarded while the client still sends them: neither `--max-body` nor the memory limits them.

use super::{last, mock_with};
use crate::harness::{Client, DEADLINE, Mock, eventually};
use serde_json::json;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

/// A server that reads bodies once the test lets it, and answers with their length and framing.
struct Reader {
    address: String,
    go: Sender<()>,
    /// Gets the bytes of each body, and whether it was whole.
    seen: Receiver<(usize, bool)>,
}

impl Reader {
    fn start() -> Reader {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let ((go, wait), (tell, seen)) = (channel(), channel());
        // It ends with the process.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                serve(stream, &wait, &tell);
            }
        });
        Reader { address, go, seen }
    }

    /// Starts a mock that forwards to it.
    fn mock(&self) -> Mock {
        mock_with(&["--max-body", "1k"], &self.address)
    }

    fn seen(&self) -> (usize, bool) {
        self.seen.recv_timeout(DEADLINE).unwrap()
    }
}

fn serve(mut stream: TcpStream, go: &Receiver<()>, tell: &Sender<(usize, bool)>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut length, mut first) = (None, String::new());
    if reader.read_line(&mut first).unwrap_or(0) == 0 {
        return;
    }
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line == "\r\n" {
            break;
        }
        let (name, value) = line.split_once(':').unwrap();
        if name.eq_ignore_ascii_case("content-length") {
            length = Some(value.trim().parse::<u64>().unwrap());
        }
    }
    if first.contains("/refuse") {
        let _ = stream.write_all(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno");
        let _ = stream.shutdown(Shutdown::Write);
        // An end with unread bytes would be a reset, which may overtake the answer.
        let _ = std::io::copy(&mut reader, &mut std::io::sink());
        return;
    }
    let _ = go.recv();
    let (count, whole) = match length {
        Some(length) => {
            let count = std::io::copy(&mut reader.by_ref().take(length), &mut std::io::sink()).unwrap_or(0);
            (count, count == length)
        }
        None => chunks(&mut reader),
    };
    let _ = tell.send((count as usize, whole));
    let text = format!("{count} {}", if length.is_some() { "declared" } else { "in chunks" });
    let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len());
}

fn chunks(reader: &mut impl BufRead) -> (u64, bool) {
    let mut count = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return (count, false);
        }
        let size = u64::from_str_radix(line.trim(), 16).unwrap();
        count += std::io::copy(&mut reader.by_ref().take(size), &mut std::io::sink()).unwrap_or(0);
        reader.read_line(&mut String::new()).unwrap();
        if size == 0 {
            return (count, true);
        }
    }
}

fn begun(mock: &Mock, path: &str, fields: &str) -> Client {
    let mut client = Client::new(&mock.traffic);
    client.write(format!("POST {path} HTTP/1.1\r\nHost: x\r\n{fields}\r\n").as_bytes());
    client
}

const LARGE: usize = 32 << 20;

#[test]
fn a_body_over_max_body_goes_on_in_bounded_memory() {
    let server = Reader::start();
    let mock = server.mock();
    mock.activate(
        "patient",
        &format!(
            r#"fn registerRules() {{
                app.get("/free", || "free");
                app.forward("/<path:rest>", "http://{}");
            }}"#,
            server.address
        ),
    );
    let mut client = begun(&mock, "/upload", &format!("Content-Length: {LARGE}\r\n"));
    // The server reads nothing yet, so most of the body stays at the client.
    client.stream().set_write_timeout(Some(Duration::from_millis(300))).unwrap();
    let (body, mut sent) = (vec![b'x'; 64 << 10], 0);
    while sent < LARGE
        && let Ok(count) = (&mut client.stream()).write(&body[..body.len().min(LARGE - sent)])
    {
        sent += count;
    }
    assert!((1..24 << 20).contains(&sent), "{sent} bytes were taken without a reader");
    server.go.send(()).unwrap();
    client.stream().set_write_timeout(Some(DEADLINE)).unwrap();
    client.write(&vec![b'x'; LARGE - sent]);
    assert_eq!(client.read(false).text(), format!("{LARGE} declared"));
    assert_eq!(server.seen(), (LARGE, true));
    let entry = last(&mock);
    assert_eq!((&entry["body_length"], &entry["status"]), (&json!(LARGE), &json!(200)), "{entry}");
    // The connection goes on.
    assert_eq!(client.send("GET", "/free", &[], b"").text(), "free");
}

#[test]
fn chunks_go_on_as_chunks() {
    let server = Reader::start();
    let mock = server.mock();
    server.go.send(()).unwrap();
    let mut client = begun(&mock, "/upload", "Transfer-Encoding: chunked\r\n");
    for _ in 0..100 {
        client.write(format!("10000\r\n{}\r\n", "y".repeat(0x10000)).as_bytes());
    }
    client.write(b"0\r\nTrailer: x\r\n\r\n");
    assert_eq!(client.read(false).text(), format!("{} in chunks", 100 << 16));
    assert_eq!(client.send("GET", "/free", &[], b"").text(), "free");
    // A chunk without a size is an error of the client.
    server.go.send(()).unwrap();
    let mut client = begun(&mock, "/upload", "Transfer-Encoding: chunked\r\n");
    client.write(b"3\r\nabc\r\n");
    client.write(b"no size\r\n");
    let reply = client.read(false);
    assert_eq!(reply.status, 400, "{}", reply.text());
    let reasons = ["the body of the request is malformed", "the line with the size of a chunk is malformed"];
    assert!(reasons.iter().any(|reason| reply.text().contains(reason)), "{}", reply.text());
    assert_eq!(client.rest().unwrap(), b"");
}

#[test]
fn a_client_is_asked_for_its_body_once_the_server_is_there() {
    let server = Reader::start();
    let mock = server.mock();
    server.go.send(()).unwrap();
    let mut client = begun(&mock, "/upload", "Content-Length: 100000\r\nExpect: 100-continue\r\n");
    assert_eq!(client.read(true).status, 100);
    client.write(&[b'z'; 100_000]);
    assert_eq!(client.read(false).text(), "100000 declared");
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mock = mock_with(&[], &free.to_string());
    let mut client = begun(&mock, "/upload", "Content-Length: 100000\r\nExpect: 100-continue\r\n");
    assert_eq!(client.read(false).status, 502);
}

#[test]
fn each_side_may_end_an_upload_early() {
    let server = Reader::start();
    let mock = server.mock();
    // The server wants no body.
    let mut client = begun(&mock, "/refuse", &format!("Content-Length: {LARGE}\r\n"));
    client.write(&[b'x'; 100_000]);
    let reply = client.read(false);
    assert_eq!((reply.status, reply.text().as_str()), (413, "no"));
    // The client leaves.
    server.go.send(()).unwrap();
    let mut client = begun(&mock, "/upload", &format!("Content-Length: {LARGE}\r\n"));
    client.write(&[b'x'; 100_000]);
    drop(client);
    assert!(matches!(server.seen(), (..=100_000, false)));
    eventually(|| match last(&mock) {
        entry if entry["target"] == "/upload" && entry["status"] == 0 => Ok(()),
        entry => Err(entry),
    });
    // The client stops.
    server.go.send(()).unwrap();
    let mut client = begun(&mock, "/upload", &format!("Content-Length: {LARGE}\r\n"));
    client.write(&[b'x'; 100_000]);
    let reply = client.read(false);
    assert_eq!(reply.status, 408, "{}", reply.text());
    assert!(reply.text().contains("the client sent no more of its body within 0.5 s"), "{}", reply.text());
}

#[test]
fn functions_that_may_look_at_a_body_get_all_of_it() {
    let server = Reader::start();
    let mock = server.mock();
    let address = &server.address;
    for source in [
        format!(
            r#"app.before_request(|| {{ request.data.len(); }}); app.forward("/<path:rest>", "http://{address}");"#
        ),
        format!(r#"app.forward("/<path:rest>", "http://{address}", #{{ change: |response| {{ }} }});"#),
        format!(r#"app.post("/upload", || forward("http://{address}"));"#),
    ] {
        mock.activate("whole", &format!("fn registerRules() {{ {source} }}"));
        let mut client = begun(&mock, "/upload", "Content-Length: 100000\r\n");
        let reply = client.read(false);
        assert_eq!(reply.status, 413, "{source}: {}", reply.text());
    }
}
