//! An exchange as bytes: what the request path hands over becomes a record, and a record an entry for those who ask.

use super::entry::Entry;
use super::ring::LENGTH;
use crate::quoting::decode_path;
use crate::request::{Request, url};
use crate::response::Fields;
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// When a request came, and whether the journal was cleared since.
#[derive(Debug, Clone, Copy)]
pub struct Begun {
    pub(super) clears: u64,
    pub(super) time: SystemTime,
    pub(super) at: Instant,
}

/// A request and its answer, for the journal to copy.
pub struct Exchange<'x> {
    /// What [`super::Journal::begin`] gave when the request came.
    pub begun: Begun,
    /// Generation of the provision that served it; 0 where none did.
    pub generation: u64,
    /// The request.
    pub request: &'x Request,
    /// The rule that served it, and its endpoint.
    pub rule: Option<(&'x str, &'x str)>,
    /// Why none did.
    pub unmatched: Option<&'x str>,
    /// Status of the answer; 0 where the connection is broken on purpose.
    pub status: u16,
    /// Fields of the answer.
    pub answer_headers: &'x Fields,
    /// All of its body.
    pub answer_body: &'x [u8],
    /// What a script threw.
    pub error: Option<&'x str>,
    /// The delay or fault that was injected.
    pub fault: Option<&'x str>,
}

/// What the byte after the length says: all is there, or nothing is.
const WHOLE: u8 = 0;
const TOO_LARGE: u8 = 1;

/// Writes the head of the record, all but the bodies, in place of what `out` has: at most `most` bytes; a head that is longer is
/// left out, and said to be. Gives what follows it: at most `body` bytes of each body.
pub fn encode<'x>(out: &mut Vec<u8>, exchange: &Exchange<'x>, body: usize, most: usize) -> [&'x [u8]; 2] {
    let request = exchange.request;
    let whole = [&request.body[..], exchange.answer_body];
    let mut bodies = whole.map(|whole| &whole[..whole.len().min(body)]);
    out.clear();
    out.extend_from_slice(&[0; LENGTH]);
    out.push(WHOLE);
    put_number(out, micros(exchange.begun.time.duration_since(UNIX_EPOCH).unwrap_or_default()));
    put_number(out, micros(exchange.begun.at.elapsed()));
    put_number(out, exchange.generation);
    put_number(out, exchange.status.into());
    put_peer(out, request.remote_addr);
    put_text(out, request.method());
    put_text(out, request.target());
    put_option(out, exchange.rule.map(|(rule, _)| rule));
    put_option(out, exchange.rule.map(|(_, endpoint)| endpoint));
    put_option(out, exchange.unmatched);
    put_option(out, exchange.error);
    put_option(out, exchange.fault);
    for (name, value) in request.headers() {
        put_field(out, name, value);
    }
    out.push(0);
    for (name, value) in exchange.answer_headers {
        put_field(out, name, value);
    }
    out.push(0);
    for (whole, kept) in whole.iter().zip(bodies) {
        put_number(out, whole.len() as u64);
        put_number(out, kept.len() as u64);
    }
    if out.len() > most {
        out.truncate(LENGTH);
        out.push(TOO_LARGE);
        bodies = [&[], &[]];
    }
    // The journal keeps records below 4 GiB.
    let length = (out.len() + bodies[0].len() + bodies[1].len()) as u32;
    out[..LENGTH].copy_from_slice(&length.to_le_bytes());
    bodies
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// Seven bits a byte, the lowest first.
fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_number(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// 0 is none, else the length and one.
fn put_option(out: &mut Vec<u8>, text: Option<&str>) {
    let Some(text) = text else { return out.push(0) };
    put_number(out, text.len() as u64 + 1);
    out.extend_from_slice(text.as_bytes());
}

/// A list of them ends with 0.
fn put_field(out: &mut Vec<u8>, name: &str, value: &str) {
    put_number(out, name.len() as u64 + 1);
    put_number(out, value.len() as u64);
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(value.as_bytes());
}

fn put_peer(out: &mut Vec<u8>, peer: Option<SocketAddr>) {
    match peer {
        None => return out.push(0),
        Some(SocketAddr::V4(peer)) => {
            out.push(4);
            out.extend_from_slice(&peer.ip().octets());
        }
        Some(SocketAddr::V6(peer)) => {
            out.push(6);
            out.extend_from_slice(&peer.ip().octets());
        }
    }
    out.extend_from_slice(&peer.map_or(0, |peer| peer.port()).to_le_bytes());
}

/// Takes the first record off `bytes`.
pub fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = u32::from_le_bytes(bytes.first_chunk().copied()?) as usize;
    Some((bytes.get(LENGTH..length)?, bytes.get(length..)?))
}

/// The entry of a record without its length; `None` where only its number is known.
pub fn decode(record: &[u8], number: u64) -> Option<Entry> {
    let mut left = Reader(record);
    if left.byte()? != WHOLE {
        return None;
    }
    let time = UNIX_EPOCH + Duration::from_micros(left.number()?);
    let (microseconds, generation) = (left.number()?, left.number()?);
    let status = u16::try_from(left.number()?).ok()?;
    let peer = left.peer()?;
    let (method, target) = (left.text()?, left.text()?);
    let (rule, endpoint) = (left.option()?, left.option()?);
    let (unmatched, error, fault) = (left.option()?, left.option()?, left.option()?);
    let (headers, answer_headers) = (left.fields()?, left.fields()?);
    let (body_length, kept) = (left.number()?, left.number()?);
    let (answer_length, answer_kept) = (left.number()?, left.number()?);
    let path = path(&target);
    let (body, answer_body) = (left.bytes(kept)?.to_vec(), left.bytes(answer_kept)?.to_vec());
    Some(Entry {
        number,
        time,
        generation,
        peer,
        method,
        target,
        path,
        headers,
        body,
        body_length,
        rule,
        endpoint,
        unmatched,
        status,
        answer_headers,
        answer_body,
        answer_length,
        microseconds,
        error,
        fault,
    })
}

/// As `Request::path` has it.
fn path(target: &str) -> String {
    let path = decode_path(&target[url::places(target).path]);
    if path.starts_with('/') { path.into_owned() } else { format!("/{path}") }
}

struct Reader<'r>(&'r [u8]);

impl<'r> Reader<'r> {
    fn bytes(&mut self, count: u64) -> Option<&'r [u8]> {
        let (taken, left) = self.0.split_at_checked(usize::try_from(count).ok()?)?;
        self.0 = left;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.bytes(1)?.first().copied()
    }

    fn number(&mut self) -> Option<u64> {
        let (mut number, mut shift) = (0, 0);
        loop {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte < 0x80 {
                return Some(number);
            }
            shift += 7;
        }
    }

    fn string(&mut self, length: u64) -> Option<String> {
        Some(String::from_utf8_lossy(self.bytes(length)?).into_owned())
    }

    fn text(&mut self) -> Option<String> {
        let length = self.number()?;
        self.string(length)
    }

    fn option(&mut self) -> Option<Option<String>> {
        Some(match self.number()?.checked_sub(1) {
            Some(length) => Some(self.string(length)?),
            None => None,
        })
    }

    fn fields(&mut self) -> Option<Vec<(String, String)>> {
        let mut fields = Vec::new();
        while let Some(name) = self.number()?.checked_sub(1) {
            let value = self.number()?;
            fields.push((self.string(name)?, self.string(value)?));
        }
        Some(fields)
    }

    fn peer(&mut self) -> Option<Option<SocketAddr>> {
        let address = match self.byte()? {
            4 => <[u8; 4]>::try_from(self.bytes(4)?).ok()?.into(),
            6 => <[u8; 16]>::try_from(self.bytes(16)?).ok()?.into(),
            _ => return Some(None),
        };
        let port = u16::from_le_bytes(self.bytes(2)?.try_into().ok()?);
        Some(Some(SocketAddr::new(address, port)))
    }
}
