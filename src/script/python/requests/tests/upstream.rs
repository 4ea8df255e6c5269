//! A server that answers `requests.*`, also wrongly.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// Starts a server that answers until the test process ends. Unlike the mock, it can also answer wrongly or not at all.
pub(super) fn upstream() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || serve(stream));
        }
    });
    address
}

fn serve(mut stream: TcpStream) {
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    let text = loop {
        let count = stream.read(&mut piece).unwrap_or(0);
        bytes.extend_from_slice(&piece[..count]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let length = text.lines().find_map(|line| line.strip_prefix("Content-Length: ")?.parse().ok());
        let whole = text.split_once("\r\n\r\n").is_some_and(|(_, body)| body.len() >= length.unwrap_or(0));
        if whole || count == 0 {
            break text;
        }
    };
    let path = text.split(' ').nth(1).unwrap_or_default();
    if path == "/silent" {
        // Until the client leaves.
        let _ = stream.read(&mut piece);
        return;
    }
    let _ = stream.write_all(answer(path, &text).as_bytes());
}

fn answer(path: &str, request: &str) -> String {
    let with = |head: &str, body: &str| {
        format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\nX-A: 1\r\nx-a: 2\r\n\r\n{body}", body.len())
    };
    match path {
        "/json" => with("200 OK\r\nContent-Type: application/json", r#"{"b": [1, null], "a": "ä"}"#),
        "/latin" => {
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=ISO-8859-1\r\nContent-Length: 2\r\n\r\nä"
                .into()
        }
        "/404" => with("404 Not Found", "no"),
        "/503" => with("503 Service Unavailable", ""),
        "/to-echo" => with("302 Found\r\nLocation: echo?x=1#top", ""),
        "/to-tls" => with("302 Found\r\nLocation: https://secure.example/", ""),
        "/loop" => with("307 Temporary Redirect\r\nLocation: /loop", ""),
        "/cut" => "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut".into(),
        "/garbage" => "SSH-2.0-OpenSSH\r\n".into(),
        "/empty" => String::new(),
        "/large" => format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(3 << 20)),
        _ => {
            let own = ["User-Agent: h1mock", "Host: ", "Accept: ", "Connection: "];
            let lines = request.split("\r\n").filter(|line| !own.iter().any(|own| line.starts_with(own)));
            with("200 OK", &lines.collect::<Vec<_>>().join("|"))
        }
    }
}
