//! Any split of a stream into writes gives the same answers.

use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::client::Client;
use crate::harness::Server;

/// Random ways to cut each stream.
const ROUNDS: usize = 60;
/// After this many failures a stream is not cut any further.
const ENOUGH: usize = 3;
/// Repeats a run: `SPLIT_SEED=...`, as a failure prints it.
const SEED: &str = "SPLIT_SEED";

/// Bytes, and the statuses of their final answers.
struct Stream {
    name: &'static str,
    bytes: Vec<u8>,
    statuses: &'static [u16],
}

fn streams() -> Vec<Stream> {
    let stream = |name, bytes: &[u8], statuses| Stream { name, bytes: bytes.to_vec(), statuses };
    vec![
        stream(
            "three requests, one with a body, empty lines before and between",
            b"\r\n\r\nGET /1?a=b HTTP/1.1\r\nHost: a\r\nX-A:  one \r\n\r\n\
              POST /2 HTTP/1.1\r\nContent-Length: 12\r\nHost: a\r\n\r\nhello\r\n\r\nyou\
              \r\nGET /3 HTTP/1.1\r\nHost:a\r\n\r\n",
            &[200, 200, 200],
        ),
        stream(
            "chunks with extensions and trailers",
            b"POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
              5;a=b;c=\"d;\\\"e\"\r\nhello\r\n00b \t; x\r\n\r\n0\r\n\r\nyou!\r\n0;last\r\n\
              X-Trailer: 1\r\nContent-Length: 7\r\n\r\n\
              GET /2 HTTP/1.1\r\nHost: a\r\n\r\n\
              PUT /3 HTTP/1.1\r\nHost: a\r\ntransfer-encoding:CHUNKED\r\n\r\n0\r\n\r\n",
            &[200, 200, 200],
        ),
        stream(
            "bodies after Expect",
            b"POST /1 HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello\
              POST /2 HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n\
              5\r\nhello\r\n0\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n",
            &[200, 200, 200],
        ),
        stream(
            "HTTP/1.0 kept alive, then closed",
            b"GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n\
              POST /2 HTTP/1.0\r\nConnection: x, Keep-Alive\r\nContent-Length: 3\r\n\r\n\r\n\r\
              GET /3 HTTP/1.0\r\nHost: a\r\n\r\n",
            &[200, 200, 200],
        ),
        stream(
            "other methods, forms and answers, then close",
            b"HEAD /status/204 HTTP/1.1\r\nHost: a\r\n\r\nOPTIONS * HTTP/1.1\r\nHost:\r\n\r\n\
              GET http://a/\xc3\xa9 HTTP/1.2\r\nHost: [::1]:80\r\nX-A: \xc3\xa9\r\n\r\n\
              BREW /stream HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            &[204, 200, 200, 200],
        ),
        stream(
            "a refused head behind a good one",
            b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\
              X-A: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n",
            &[200, 400],
        ),
        stream(
            "a refused chunk",
            b"POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a\r\nhello\r\n0\r\n\
              X-Trailer: 1\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n",
            &[400],
        ),
        stream(
            "a lone LF",
            b"GET /1 HTTP/1.1\r\nHost: a\r\nX-A: 1\r\n\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
            &[400],
        ),
    ]
}

/// Statuses and bodies.
type Answers = Vec<(u16, Vec<u8>)>;

/// Returns the final answers to the pieces. Interim ones are left out: they depend on the bytes before them.
fn answers(server: &Server, pieces: &[&[u8]], pause: bool, count: usize) -> Result<Answers, String> {
    let mut client = Client::connect(server.address);
    for piece in pieces {
        client.send(piece);
        // A pause lets most servers read the piece alone. The outcome must not depend on it.
        if pause {
            thread::sleep(Duration::from_micros(100));
        }
    }
    let mut answers = Vec::new();
    while answers.len() < count {
        let got = client.answer(false).map_err(|wrong| format!("answer {}: {wrong}", answers.len() + 1))?;
        if got.status >= 200 {
            answers.push((got.status, got.body));
        }
    }
    Ok(answers)
}

/// A stream, and the answers to one write of it.
struct Subject {
    server: Server,
    stream: Stream,
    whole: Answers,
}

impl Subject {
    fn new(stream: Stream) -> Result<Subject, String> {
        let server = Server::start();
        let whole = answers(&server, &[&stream.bytes], false, stream.statuses.len())?;
        let statuses: Vec<u16> = whole.iter().map(|(status, _)| *status).collect();
        match statuses == stream.statuses {
            true => Ok(Subject { server, stream, whole }),
            false => Err(format!("in one write: expected {:?}, got {statuses:?}", stream.statuses)),
        }
    }

    /// Checks that one way to cut gives the same answers as one write.
    fn compare(&self, pieces: &[&[u8]], pause: bool) -> Result<(), String> {
        let cut = answers(&self.server, pieces, pause, self.whole.len())?;
        match cut == self.whole {
            true => Ok(()),
            false => Err(format!("in one write: {}\n  cut: {}", text(&self.whole), text(&cut))),
        }
    }
}

fn text(answers: &[(u16, Vec<u8>)]) -> String {
    answers.iter().map(|(status, body)| format!("{status} \"{}\" ", body.escape_ascii())).collect()
}

/// Runs all streams, each on a server of its own, and reports all failures.
fn check(cut: impl Fn(&Subject) -> Vec<String>) {
    let mut failures = Vec::new();
    for stream in streams() {
        let name = stream.name;
        let wrong = Subject::new(stream).map_or_else(
            |wrong| vec![wrong],
            |subject| cut(&subject).into_iter().chain(subject.server.check_workers().err()).collect(),
        );
        failures.extend(wrong.into_iter().map(|wrong| format!("{name}: {wrong}")));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn at_every_position() {
    check(|subject| {
        let ways = (1..subject.stream.bytes.len()).flat_map(|at| [(at, false), (at, true)]);
        let failures = ways.filter_map(|(at, pause)| {
            let (first, second) = subject.stream.bytes.split_at(at);
            let wrong = subject.compare(&[first, second], pause).err()?;
            Some(format!("cut at {at}, before \"{}\": {wrong}", second.escape_ascii()))
        });
        failures.take(ENOUGH).collect()
    });
}

#[test]
fn byte_by_byte() {
    check(|subject| {
        let pieces: Vec<&[u8]> = subject.stream.bytes.chunks(1).collect();
        let failures = [false, true].into_iter().filter_map(|pause| subject.compare(&pieces, pause).err());
        failures.collect()
    });
}

/// Marsaglia's xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

/// Cuts a stream into pieces of up to `longest` bytes.
fn pieces<'a>(mut bytes: &'a [u8], longest: usize, random: &mut Random) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    while !bytes.is_empty() {
        let (piece, rest) = bytes.split_at((1 + random.below(longest)).min(bytes.len()));
        pieces.push(piece);
        bytes = rest;
    }
    pieces
}

fn seed() -> u64 {
    let given = std::env::var(SEED).ok().and_then(|seed| seed.parse().ok());
    let seed =
        given.unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64);
    println!("{SEED}={seed}");
    seed | 1
}

#[test]
fn at_random_positions() {
    let seed = seed();
    check(|subject| {
        let mut random = Random(seed);
        let failures = (0..ROUNDS).filter_map(|round| {
            let longest = [3, 16, 60][round % 3];
            let pieces = pieces(&subject.stream.bytes, longest, &mut random);
            let lengths: Vec<usize> = pieces.iter().map(|piece| piece.len()).collect();
            let wrong = subject.compare(&pieces, round % 2 == 0).err()?;
            Some(format!("{SEED}={seed}, lengths {lengths:?}: {wrong}"))
        });
        failures.take(ENOUGH).collect()
    });
}

/// Bodies that don't fit into one read.
#[test]
fn large_bodies_at_random_positions() {
    let seed = seed();
    let body: Vec<u8> = (0..100_000_usize).map(|n| (n % 251) as u8).collect();
    let mut random = Random(seed);
    let mut bytes =
        format!("POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(&body);
    bytes.extend_from_slice(b"POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    for chunk in pieces(&body, 4000, &mut random) {
        bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        bytes.extend_from_slice(chunk);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n");
    let stream = Stream { name: "large bodies", bytes, statuses: &[200, 200, 200] };
    let subject = Subject::new(stream).unwrap();
    for round in 0..12 {
        let pieces = pieces(&subject.stream.bytes, [500, 9000, 70_000][round % 3], &mut random);
        let compared = subject.compare(&pieces, round % 2 == 0);
        compared.unwrap_or_else(|wrong| panic!("{SEED}={seed}, round {round}: {wrong}"));
    }
}
