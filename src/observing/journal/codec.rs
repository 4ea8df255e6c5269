//! The binary form of an entry: encodes a request with its answer as a record, and decodes a record as an [`Entry`].

use super::bytes::{Reader, Writer};
use super::entry::{Entry, Forwarded, Gone, Kind};
use super::lines::{self, Key};
use super::streams;
use crate::message::answer::Fields;
use crate::message::progress::Progress;
use crate::message::request::{Request, url};
use crate::routing::quoting::decode_path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
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
    /// The URL that a request was forwarded to, `http://real:8080/path`, and the reason why there was no answer.
    pub forwarded: Option<(&'x str, Option<&'x str>)>,
    /// Whether the request came, or left as a callback.
    pub kind: Kind,
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

/// Bits of the number that has the status in its lowest ten bits: where both are absent, they take no byte.
const FORWARDED: u64 = 1 << 10;
const CALLBACK: u64 = 1 << 11;

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
    let (request, mut out) = (exchange.request, Writer::at(out, PREFIX));
    if exchange.stream.is_some() {
        out.bytes(&[0; STATE]);
    }
    out.bytes(&micros(exchange.begun.time).to_le_bytes());
    out.number(exchange.took / 1_000);
    out.number(exchange.generation);
    let callback = match exchange.kind {
        Kind::Request => None,
        Kind::Callback { cause, attempt } => Some((cause, attempt)),
    };
    let marks = [(exchange.forwarded.is_some(), FORWARDED), (callback.is_some(), CALLBACK)];
    let status = u64::from(exchange.status) & (FORWARDED - 1);
    out.number(marks.iter().filter(|(is_set, _)| *is_set).fold(status, |status, (_, mark)| status | mark));
    if let Some((url, error)) = exchange.forwarded {
        out.option(Some(url));
        out.option(error);
    }
    if let Some((cause, attempt)) = callback {
        out.number(cause);
        out.number(attempt.into());
    }
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
    let rest = request.rest.as_ref().map_or(0, |rest| rest.load(Ordering::Relaxed));
    out.number(request.body.len() as u64 + rest);
    out.number(exchange.answer_length);
    let head = request.head();
    [head.method, head.target, head.path].into_iter().for_each(|length| out.number(length as u64));
    head.fields.for_each(|field| out.lengths(field));
    out.number(0);
    out.end()
}

/// Microseconds since 1970.
pub(super) fn micros(time: SystemTime) -> u64 {
    let time = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    // Not `as_micros`: its 128 bits take longer than everything else here.
    time.as_secs().saturating_mul(1_000_000) + u64::from(time.subsec_micros())
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
    let mut left = Reader::new(record);
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
        ..Entry::default()
    };
    decode_status(&mut left, &mut entry)?;
    entry = Entry {
        peer: left.peer()?,
        rule: left.option()?,
        endpoint: left.option()?,
        unmatched: left.option()?,
        error: left.option()?,
        fault: left.option()?,
        overlay: left.option()?,
        ..entry
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

/// Decodes the status, the exchange of a forwarded request, and the kind.
fn decode_status(left: &mut Reader, entry: &mut Entry) -> Option<()> {
    let status = left.number()?;
    entry.status = (status & (FORWARDED - 1)) as u16;
    if status & FORWARDED != 0 {
        entry.forwarded = Some(Forwarded { url: left.option()?.unwrap_or_default(), error: left.option()? });
    }
    if status & CALLBACK != 0 {
        entry.kind = Kind::Callback { cause: left.number()?, attempt: u32::try_from(left.number()?).ok()? };
    }
    Some(())
}

/// Decodes a line. The rest of the entry was evicted.
fn decode_line(mut left: Reader, number: u64) -> Option<Entry> {
    let path = match left.length()?.checked_sub(1) {
        Some(length) => Some(left.string(length)?),
        None => None,
    };
    let (key, level) = Key::from_row(left.rest()).unwrap_or((Key::default(), lines::NOTHING));
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
        forwarded: key.forwarded.then(Forwarded::default),
        kind: if key.callback { Kind::Callback { cause: 0, attempt: 0 } } else { Kind::Request },
        gone,
        ..Entry::default()
    })
}

/// Decodes the path of `target` as `Request::path` does.
fn decoded_path(target: &str) -> String {
    let path = decode_path(&target[url::places(target).path]);
    if path.starts_with('/') { path.into_owned() } else { format!("/{path}") }
}
