//! The binary form of an entry: encodes a request with its answer as a record, and decodes a record as an [`Entry`].

use super::entry::{Entry, Gone};
use super::lines::{self, Key};
use super::streams;
use crate::message::answer::Fields;
use crate::message::latin1::readable;
use crate::message::progress::Progress;
use crate::message::request::{Request, url};
use crate::routing::quoting::decode_path;
use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// The beginning of a request: when it came, and how often the journal had been cleared.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Begun {
    pub(super) clears: u64,
    pub(super) time: SystemTime,
}

/// A request and its answer, borrowed for [`super::Journal::record`].
pub(crate) struct Exchange<'x> {
    /// The result of [`super::Journal::begin`] when the request came.
    pub begun: Begun,
    /// Nanoseconds from then to the answer.
    pub took: u64,
    /// Generation of the provision that served it; 0 where the engine refused it.
    pub generation: u64,
    /// The overlay that served it; `None` for the active provision.
    pub overlay: Option<&'x str>,
    pub request: &'x Request,
    /// The rule that served it, with its endpoint.
    pub rule: Option<(&'x str, &'x str)>,
    /// Why no rule served it.
    pub unmatched: Option<&'x str>,
    /// Status of the answer; 0 where the connection is broken on purpose.
    pub status: u16,
    pub answer_headers: &'x Fields,
    /// The answer's body, or as much of it as the journal keeps.
    pub answer_body: &'x [u8],
    /// Bytes of the whole body.
    pub answer_length: u64,
    /// The error that a script threw.
    pub error: Option<&'x str>,
    /// The delay or fault that was injected.
    pub fault: Option<&'x str>,
    /// The progress of the answer, if it is a stream: its pieces are not made yet.
    pub stream: Option<&'x Arc<Progress>>,
}

/// A record begins with its length in so many bytes. The length includes them.
pub(super) const LENGTH: usize = 4;
/// Bytes at the beginning of a head that belong to the store.
pub(super) const PREFIX: usize = LENGTH + 12 + KEPT;
/// The last bytes of the prefix: how many bytes of both bodies are kept. A record has them, too.
pub(super) const KEPT: usize = 8;

/// Flag in the byte after the length of a record: it is a line ([`Key`]), not a head with bodies.
pub(super) const LINE: u8 = 1;
/// Flags: the body of the request, or of the answer, was evicted.
pub(super) const NO_BODY: u8 = 2;
pub(super) const NO_ANSWER: u8 = 4;
/// Flag: the answer is a stream. Its state follows, with its length before it; without bytes where it is not known.
pub(super) const STREAM: u8 = 8;
/// Bytes at the beginning of the head of a stream that belong to the store, after the prefix.
pub(super) const STATE: usize = 8;

/// First size of a buffer for heads, in bytes.
const USUAL: usize = 512;

/// Writes the head of a record to the beginning of `out`, after room for the prefix. `out` grows where needed.
///
/// Returns where the head ends, the text of the request, which follows it in the record, and at most `body` bytes of each body. If
/// head and text have more than `most` bytes together, only the prefix is left.
pub(super) fn encode<'x>(
    out: &mut Vec<u8>,
    exchange: &Exchange<'x>,
    body: usize,
    most: usize,
) -> (usize, &'x [u8], [&'x [u8]; 2]) {
    let cut = |whole: &'x [u8]| &whole[..whole.len().min(body)];
    let bodies = [cut(&exchange.request.body), cut(exchange.answer_body)];
    let text = exchange.request.head().text.as_bytes();
    if out.len() < USUAL {
        out.resize(USUAL, 0);
    }
    let end = write(out, exchange);
    if end + text.len() > most {
        return (PREFIX, &[], [&[]; 2]);
    }
    if end > out.len() {
        out.resize(end, 0);
        write(out, exchange);
    }
    (end, text, bodies)
}

/// Writes the head after its prefix, and returns where it ends, also where `out` is too short for it.
fn write(out: &mut [u8], exchange: &Exchange) -> usize {
    let (request, mut out) = (exchange.request, Writer { out, end: PREFIX });
    if exchange.stream.is_some() {
        out.bytes(&[0; STATE]);
    }
    out.bytes(&micros(exchange.begun.time).to_le_bytes());
    out.number(exchange.took / 1_000);
    out.number(exchange.generation);
    out.number(exchange.status.into());
    out.peer(request.remote_addr);
    out.option(exchange.rule.map(|(rule, _)| rule));
    out.option(exchange.rule.map(|(_, endpoint)| endpoint));
    out.option(exchange.unmatched);
    out.option(exchange.error);
    out.option(exchange.fault);
    out.option(exchange.overlay);
    for (name, value) in exchange.answer_headers {
        out.lengths((name.len(), value.len()));
        out.bytes(name.as_bytes());
        out.bytes(value.as_bytes());
    }
    out.number(0);
    out.number(request.body.len() as u64);
    out.number(exchange.answer_length);
    let head = request.head();
    [head.method, head.target, head.path].into_iter().for_each(|length| out.number(length as u64));
    head.fields.for_each(|field| out.lengths(field));
    out.number(0);
    out.end
}

/// Microseconds since 1970.
pub(super) fn micros(time: SystemTime) -> u64 {
    let time = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    // Not `as_micros`: its 128 bits take longer than everything else here.
    time.as_secs().saturating_mul(1_000_000) + u64::from(time.subsec_micros())
}

/// Writes values one after another. A value that finds no room only adds to `end`.
pub(super) struct Writer<'w> {
    out: &'w mut [u8],
    end: usize,
}

impl<'w> Writer<'w> {
    pub(super) fn new(out: &'w mut [u8]) -> Writer<'w> {
        Writer { out, end: 0 }
    }

    pub(super) fn end(&self) -> usize {
        self.end
    }

    fn bytes(&mut self, bytes: &[u8]) {
        let end = self.end + bytes.len();
        if let Some(place) = self.out.get_mut(self.end..end) {
            place.copy_from_slice(bytes);
        }
        self.end = end;
    }

    /// Writes seven bits per byte, the lowest first. The highest bit of a byte says that another byte follows.
    pub(super) fn number(&mut self, mut number: u64) {
        loop {
            let more = number >= 0x80;
            if let Some(place) = self.out.get_mut(self.end) {
                *place = number as u8 & 0x7f | u8::from(more) << 7;
            }
            self.end += 1;
            number >>= 7;
            if !more {
                return;
            }
        }
    }

    /// Writes the length plus one, and the text; 0 for `None`.
    pub(super) fn option(&mut self, text: Option<&str>) {
        let Some(text) = text else { return self.number(0) };
        self.number(text.len() as u64 + 1);
        self.bytes(text.as_bytes());
    }

    /// Writes the lengths of a field's name, plus one, and of its value. A list of fields ends with 0.
    fn lengths(&mut self, (name, value): (usize, usize)) {
        self.number(name as u64 + 1);
        self.number(value as u64);
    }

    fn peer(&mut self, peer: Option<SocketAddr>) {
        match peer.map(|peer| peer.ip()) {
            None => return self.number(0),
            Some(IpAddr::V4(ip)) => {
                self.number(4);
                self.bytes(&ip.octets());
            }
            Some(IpAddr::V6(ip)) => {
                self.number(6);
                self.bytes(&ip.octets());
            }
        }
        self.bytes(&peer.map_or(0, |peer| peer.port()).to_le_bytes());
    }
}

/// Splits `bytes` into the first record, without its length, and the rest.
pub(super) fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = u32::from_le_bytes(bytes.first_chunk().copied()?) as usize;
    Some((bytes.get(LENGTH..length)?, bytes.get(length..)?))
}

#[cfg(test)]
thread_local! {
    /// How many entries this thread has decoded.
    pub static DECODED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Decodes a record, given without its length.
pub(super) fn decode(record: &[u8], number: u64) -> Option<Entry> {
    #[cfg(test)]
    DECODED.set(DECODED.get() + 1);
    let mut left = Reader(record);
    let flags = left.byte()?;
    if flags == LINE {
        return decode_line(left, number);
    }
    let [kept, answer_kept] = [left.length()?, left.length()?];
    let stream = match flags & STREAM {
        0 => None,
        _ => Some(left.length().and_then(|length| left.bytes(length)).map(streams::decode)?),
    };
    // The fields of a literal are evaluated in the order in which they are written: that of the record.
    let mut entry = Entry {
        number,
        time: u64::from_le_bytes(*left.bytes(8)?.first_chunk()?),
        microseconds: left.number()?,
        generation: left.number()?,
        status: u16::try_from(left.number()?).ok()?,
        peer: left.peer()?,
        rule: left.option()?,
        endpoint: left.option()?,
        unmatched: left.option()?,
        error: left.option()?,
        fault: left.option()?,
        overlay: left.option()?,
        ..Entry::default()
    };
    while let Some((name, value)) = left.lengths()? {
        entry.answer_headers.push((left.string(name)?, left.header(value)?));
    }
    (entry.body_length, entry.answer_length) = (left.number()?, left.number()?);
    let [method, target, path] = [left.number()?, left.number()?, left.number()?];
    let mut fields = Vec::new();
    while let Some(lengths) = left.lengths()? {
        fields.push(lengths);
    }
    (entry.method, entry.target) = (left.string(method)?, left.string(target)?);
    entry.path = decoded_path(&entry.target);
    left.bytes(path)?;
    for (name, value) in fields {
        entry.headers.push((left.string(name)?, left.header(value)?));
    }
    let is_gone = |flag| flags & flag != 0;
    entry.gone = Gone { body: is_gone(NO_BODY), answer_body: is_gone(NO_ANSWER), ..Gone::default() };
    let mut body = |kept, is_gone| Some(if is_gone { Vec::new() } else { left.bytes(kept)?.to_vec() });
    entry.body = body(kept, entry.gone.body)?;
    entry.answer_body = body(answer_kept, entry.gone.answer_body)?;
    if let Some(state) = stream {
        entry.add_stream(state);
    }
    Some(entry)
}

/// Decodes a line. The rest of the entry was evicted.
fn decode_line(mut left: Reader, number: u64) -> Option<Entry> {
    let path = match left.length()?.checked_sub(1) {
        Some(length) => Some(left.string(length)?),
        None => None,
    };
    let (key, level) = Key::from_row(left.0).unwrap_or((Key::default(), lines::NOTHING));
    let gone = Gone {
        answer_body: true,
        body: true,
        headers: true,
        path: path.is_none(),
        generation: level > lines::ALL,
        rule: level > lines::NO_GENERATION,
        method: level > lines::NO_RULE,
        stream: key.streams || level > lines::NO_RULE,
    };
    Some(Entry {
        number,
        generation: key.generation,
        method: key.method.to_owned(),
        path: path.unwrap_or_default(),
        rule: key.rule.map(|(rule, _)| rule.to_owned()),
        endpoint: key.rule.map(|(_, endpoint)| endpoint.to_owned()),
        status: key.status,
        gone,
        ..Entry::default()
    })
}

/// Decodes the path of `target` as `Request::path` does.
fn decoded_path(target: &str) -> String {
    let path = decode_path(&target[url::places(target).path]);
    if path.starts_with('/') { path.into_owned() } else { format!("/{path}") }
}

pub(super) struct Reader<'r>(&'r [u8]);

impl<'r> Reader<'r> {
    pub(super) fn new(bytes: &'r [u8]) -> Reader<'r> {
        Reader(bytes)
    }

    /// Reads a header value: decoded from UTF-8 where it is UTF-8, so that filters find what people write.
    fn header(&mut self, length: u64) -> Option<String> {
        let value = self.string(length)?;
        match readable(&value) {
            Cow::Borrowed(_) => Some(value),
            Cow::Owned(decoded) => Some(decoded),
        }
    }

    fn bytes(&mut self, count: u64) -> Option<&'r [u8]> {
        let (taken, left) = self.0.split_at_checked(usize::try_from(count).ok()?)?;
        self.0 = left;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.bytes(1)?.first().copied()
    }

    pub(super) fn number(&mut self) -> Option<u64> {
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

    /// Reads a number of four bytes.
    fn length(&mut self) -> Option<u64> {
        Some(u32::from_le_bytes(*self.bytes(4)?.first_chunk()?).into())
    }

    fn string(&mut self, length: u64) -> Option<String> {
        Some(String::from_utf8_lossy(self.bytes(length)?).into_owned())
    }

    pub(super) fn option(&mut self) -> Option<Option<String>> {
        Some(match self.number()?.checked_sub(1) {
            Some(length) => Some(self.string(length)?),
            None => None,
        })
    }

    /// Reads the lengths of the next field's name and value; `None` at the end of the list.
    fn lengths(&mut self) -> Option<Option<(u64, u64)>> {
        Some(match self.number()?.checked_sub(1) {
            Some(name) => Some((name, self.number()?)),
            None => None,
        })
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
