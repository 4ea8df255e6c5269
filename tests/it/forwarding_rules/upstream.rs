//! A server that shows which request it got.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// Bytes of the answer to `/large`: too many to be passed on at once.
pub(super) const LARGE: usize = 300_000;

/// A running server. Its threads end with the process.
pub(super) struct Upstream {
    pub url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Upstream {
    pub(super) fn start() -> Upstream {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = requests.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = kept.clone();
                thread::spawn(move || serve(stream, &kept));
            }
        });
        Upstream { url, requests }
    }

    /// Returns a provision in which `URL` is this server.
    pub(super) fn provision(&self, source: &str) -> String {
        source.replace("URL", &self.url)
    }

    /// Takes the requests so far: their heads and bodies.
    pub(super) fn taken(&self) -> Vec<String> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }

    /// Takes the request lines so far, without the version.
    pub(super) fn lines(&self) -> Vec<String> {
        let line = |request: &String| {
            let line = request.lines().next().unwrap_or_default();
            line.strip_suffix(" HTTP/1.1").unwrap_or(line).to_owned()
        };
        self.taken().iter().map(line).collect()
    }
}

fn serve(stream: TcpStream, requests: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut request, mut length) = (String::new(), 0);
        loop {
            let start = request.len();
            if reader.read_line(&mut request).unwrap_or(0) == 0 {
                return;
            }
            let line = request[start..].trim_end();
            if let Some((_, value)) = line.split_once(": ").filter(|(name, _)| *name == "Content-Length") {
                length = value.parse().unwrap();
            }
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        request += &String::from_utf8_lossy(&body);
        let answer = answer(&request);
        requests.lock().unwrap().push(request);
        if reader.get_mut().write_all(&answer).is_err() {
            return;
        }
    }
}

fn answer(request: &str) -> Vec<u8> {
    let path = request.split([' ', '?']).nth(1).unwrap_or_default();
    let (status, fields, body) = match path {
        "/json" => ("200 OK", "Content-Type: application/json\r\n", r#"{"b":1,"a":[true]}"#.to_owned()),
        "/teapot" => ("418 Short and Stout", "Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n", "tea".to_owned()),
        "/moved" => ("302 Found", "Location: http://elsewhere/x\r\n", String::new()),
        "/large" => ("200 OK", "Content-Type: text/plain\r\n", "x".repeat(LARGE)),
        "/away" => ("503 Service Unavailable", "", "away".to_owned()),
        _ => ("200 OK", "Content-Type: text/plain\r\n", format!("real {path}")),
    };
    let length = body.len();
    let body = if request.starts_with("HEAD ") { "" } else { &body };
    format!("HTTP/1.1 {status}\r\n{fields}Content-Length: {length}\r\n\r\n{body}").into_bytes()
}
