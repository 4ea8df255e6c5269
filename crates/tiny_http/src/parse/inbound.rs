//! Turns the bytes of one client into requests, one after the other. It knows no sockets: the caller passes bytes, in pieces of
//! any size.

use crate::limits::Limits;
use crate::parse::body_pool;
use crate::parse::chunked::Chunks;
use crate::parse::head::{Field, Framing, Head, Parsed};
use crate::refusal::Reason;

/// Parser of the requests of one connection.
#[derive(Debug, Default)]
pub(crate) struct Inbound {
    /// Bytes that have arrived and are not part of a request yet.
    buffer: Vec<u8>,
    /// Length of the part of the buffer that has no end of a head.
    searched: usize,
    /// Bytes of empty lines before the request.
    skipped: usize,
    /// The request whose body arrives.
    gathering: Option<Box<Gathering>>,
    /// The rest of the body of a request that the program has already.
    rest: Option<Rest>,
    /// The client of that request waits to be asked for the body.
    pub waits: bool,
}

/// Whether the program takes a request before its body has arrived.
pub(crate) type Early = dyn Fn(&Head) -> bool + Send + Sync;

#[derive(Debug)]
struct Gathering {
    message: Message,
    rest: Rest,
}

/// The missing rest of a body.
#[derive(Debug)]
enum Rest {
    Length(usize),
    Chunks(Chunks),
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub head: Head,
    /// The decoded body.
    pub body: Vec<u8>,
}

impl Message {
    /// Returns the bytes of memory that the message holds.
    pub(crate) fn space(&self) -> usize {
        let Head { bytes, fields, target, .. } = &self.head;
        self.body.capacity() + bytes.len() + target.capacity() + fields.capacity() * size_of::<Field>()
    }
}

#[derive(Debug)]
pub(crate) enum Progress {
    More,
    /// The client waits for `100 Continue` before it sends the body.
    Continue,
    /// A complete request. Bytes behind it are kept for the next one.
    Whole(Message),
    /// A request with the beginning of its body. [`Inbound::take_rest`] gives the rest.
    Early(Message),
    /// A refused request. Bytes behind it are refused too.
    Refused(Reason),
}

/// Bytes that are allocated at first for a body of declared length. More follow as bytes arrive.
const FIRST_SPACE: usize = 64 << 10;

impl Inbound {
    #[cfg(any(fuzzing, test))]
    pub(crate) fn take(&mut self, input: &[u8], limits: &Limits) -> Progress {
        self.take_early(input, limits, None)
    }

    /// Adds `input`, and returns the next request if it is complete, or if `early` takes it before. An empty `input` returns the
    /// next one of the bytes that were kept.
    pub(crate) fn take_early(&mut self, input: &[u8], limits: &Limits, early: Option<&Early>) -> Progress {
        if self.gathering.is_some() {
            return self.gather(input, limits);
        }
        if self.buffer.is_empty() {
            return self.next(input, limits, early);
        }
        // Parsing again makes sense only after the end of a line, or after a control character. The latter shows that this is
        // no text, but TLS, for example.
        let searched = std::mem::take(&mut self.searched);
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.extend_from_slice(input);
        let is_decisive = |byte: &u8| *byte == b'\n' || (byte.is_ascii_control() && !b"\r\t".contains(byte));
        if searched > 0 && !buffer[searched..].iter().any(is_decisive) && buffer.len() < limits.head {
            (self.searched, self.buffer) = (buffer.len(), buffer);
            return Progress::More;
        }
        self.next(&buffer, limits, early)
    }

    /// Decodes `input`, appends the body to `out`, and returns whether the body is complete.
    ///
    /// # Errors
    /// The coding of chunks is malformed.
    pub(crate) fn take_rest(
        &mut self,
        input: &[u8],
        out: &mut Vec<u8>,
        limits: &Limits,
    ) -> Result<bool, Reason> {
        let Some(rest) = &mut self.rest else { return Ok(true) };
        let Some(used) = rest.take(input, out, &without_limit(limits))? else { return Ok(false) };
        self.buffer.extend_from_slice(&input[used..]);
        self.rest = None;
        Ok(true)
    }

    /// Whether the program has the request, and a rest of its body is missing.
    pub(crate) fn has_rest(&self) -> bool {
        self.rest.is_some()
    }

    /// Takes a request back whose body is not complete. It comes again once it is. False if its body is longer than allowed.
    pub(crate) fn gather_rest(&mut self, message: Message, limits: &Limits) -> bool {
        let Some(rest) = self.rest.take() else { return true };
        let fits = match rest {
            Rest::Length(left) => left.saturating_add(message.body.len()) <= limits.body,
            Rest::Chunks(_) => message.body.len() <= limits.body,
        };
        self.gathering = Some(Box::new(Gathering { message, rest }));
        fits
    }

    pub(crate) fn has_bytes(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// Whether a head is complete and its body is not.
    pub(crate) fn is_gathering(&self) -> bool {
        self.gathering.is_some()
    }

    /// Returns the bytes of memory that incomplete requests hold.
    pub(crate) fn space(&self) -> usize {
        self.buffer.capacity() + self.gathering.as_ref().map_or(0, |gathering| gathering.message.space())
    }

    /// Returns the request line of the incomplete request, or the part of it that has arrived.
    pub(crate) fn line(&self) -> String {
        match &self.gathering {
            Some(gathering) => first_line(&gathering.message.head.bytes),
            None => first_line(&self.buffer),
        }
    }

    /// Returns the value of the field `name` of the incomplete request, if its line has arrived in full.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        let head = match &self.gathering {
            Some(gathering) => &*gathering.message.head.bytes,
            None => &self.buffer[..],
        };
        let lines = head.split_inclusive(|byte| *byte == b'\n').skip(1);
        let mut lines = lines.take_while(|line| line.len() > 2 && line.ends_with(b"\r\n"));
        lines.find_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            let is_it = line[..colon].eq_ignore_ascii_case(name.as_bytes());
            is_it.then(|| String::from_utf8_lossy(line[colon + 1..].trim_ascii()).into_owned())
        })
    }

    fn next(&mut self, mut input: &[u8], limits: &Limits, early: Option<&Early>) -> Progress {
        // RFC 9112, section 2.2: empty lines before a request are skipped.
        while let Some(rest) = input.strip_prefix(b"\r\n") {
            input = rest;
            self.skipped += 2;
        }
        if self.skipped > limits.head {
            return self.refused(input, Reason::Malformed("too many empty lines come before the request"));
        }
        if input.is_empty() {
            return Progress::More;
        }
        match Head::parse(input, limits) {
            Ok(Parsed::Whole(head, length)) => {
                self.skipped = 0;
                self.body(head, &input[length..], limits, early)
            }
            Ok(Parsed::Partial) => {
                self.buffer.extend_from_slice(input);
                self.searched = self.buffer.len();
                Progress::More
            }
            Err(reason) => self.refused(input, reason),
        }
    }

    fn body(&mut self, head: Head, behind: &[u8], limits: &Limits, early: Option<&Early>) -> Progress {
        let early = head.framing != Framing::Empty && early.is_some_and(|takes| takes(&head));
        let rest = match head.framing {
            Framing::Empty => {
                self.buffer.extend_from_slice(behind);
                return Progress::Whole(Message { head, body: Vec::new() });
            }
            Framing::Length(length) => {
                match usize::try_from(length).ok().filter(|length| early || *length <= limits.body) {
                    Some(length) => Rest::Length(length),
                    None => return self.refused(&head.bytes, Reason::BodyTooLong),
                }
            }
            Framing::Chunked => Rest::Chunks(Chunks::default()),
        };
        let waits = head.expects_continue && behind.is_empty();
        let message = Message { head, body: Vec::new() };
        if early {
            self.waits = waits;
            return self.begin(message, rest, behind, limits);
        }
        self.gathering = Some(Box::new(Gathering { message, rest }));
        if waits { Progress::Continue } else { self.gather(behind, limits) }
    }

    /// Hands a request over with the beginning of its body.
    fn begin(&mut self, mut message: Message, mut rest: Rest, behind: &[u8], limits: &Limits) -> Progress {
        match rest.take(behind, &mut message.body, &without_limit(limits)) {
            Ok(Some(used)) => self.buffer.extend_from_slice(&behind[used..]),
            Ok(None) => self.rest = Some(rest),
            Err(reason) => return self.refused(&message.head.bytes, reason),
        }
        if self.has_rest() { Progress::Early(message) } else { Progress::Whole(message) }
    }

    fn gather(&mut self, input: &[u8], limits: &Limits) -> Progress {
        let Some(mut gathering) = self.gathering.take() else { return Progress::More };
        let Gathering { message, rest } = &mut *gathering;
        match rest.take(input, &mut message.body, limits) {
            Ok(None) => {
                self.gathering = Some(gathering);
                Progress::More
            }
            Ok(Some(used)) => {
                self.buffer.extend_from_slice(&input[used..]);
                Progress::Whole(gathering.message)
            }
            Err(reason) => self.refused(&gathering.message.head.bytes, reason),
        }
    }

    /// Keeps what has arrived of a refused request for [`Inbound::line`] and [`Inbound::field`].
    fn refused(&mut self, request: &[u8], reason: Reason) -> Progress {
        self.buffer = request.to_vec();
        Progress::Refused(reason)
    }
}

/// Returns the limits for a body that the program takes piece by piece.
fn without_limit(limits: &Limits) -> Limits {
    Limits { body: usize::MAX, ..*limits }
}

impl Rest {
    /// Adds bytes of the body. Once it is complete, returns how many of them belonged to it.
    fn take(&mut self, input: &[u8], body: &mut Vec<u8>, limits: &Limits) -> Result<Option<usize>, Reason> {
        match self {
            Rest::Length(left) => {
                let piece = &input[..input.len().min(*left)];
                // Memory grows with the bytes that have arrived, never with the declared length.
                if body.capacity() - body.len() < piece.len() {
                    let more = (*left).min(piece.len().max(body.len()).max(FIRST_SPACE));
                    body_pool::reserve(body, more, limits.buffered);
                }
                body.extend_from_slice(piece);
                *left -= piece.len();
                Ok((*left == 0).then_some(piece.len()))
            }
            Rest::Chunks(chunks) => {
                let used = chunks.decode(input, body, limits)?;
                Ok(chunks.is_done().then_some(used))
            }
        }
    }
}

/// Returns the first line of `bytes`, at most 2 KiB of it. A control character ends it: TLS, for example, is no text.
fn first_line(bytes: &[u8]) -> String {
    let end = bytes.iter().take(2048).position(u8::is_ascii_control);
    String::from_utf8_lossy(&bytes[..end.unwrap_or(bytes.len().min(2048))]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns all requests in `input`, added in pieces that end at `cuts`.
    fn requests(input: &[u8], cuts: &[usize]) -> Vec<Message> {
        let limits = Limits::default();
        let (mut inbound, mut found, mut start) = (Inbound::default(), Vec::new(), 0);
        for end in cuts.iter().copied().chain([input.len()]) {
            let mut progress = inbound.take(&input[start..end], &limits);
            start = end;
            while let Progress::Whole(message) = progress {
                found.push(message);
                progress = inbound.take(&[], &limits);
            }
            assert!(!matches!(progress, Progress::Refused(_)), "{progress:?} at {end}");
        }
        assert!(!inbound.has_bytes() && !inbound.is_gathering());
        found
    }

    const STREAM: &[u8] = b"\r\nGET /a HTTP/1.1\r\nHost: x\r\n\r\n\
        POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello\
        POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3;a=\"b\"\r\nabc\r\n2\r\nde\r\n0\r\nT: v\r\n\r\n\r\n\
        POST /d HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n\
        PUT /e?f=g HTTP/1.1\r\nHost: [::1]:80\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nxyz";

    #[test]
    fn any_split_gives_the_same_requests() {
        let whole = requests(STREAM, &[]);
        let bodies: Vec<_> = whole.iter().map(|message| message.body.as_slice()).collect();
        assert_eq!(bodies, [&b""[..], b"hello", b"abcde", b"", b"xyz"]);
        for cut in 0..STREAM.len() {
            assert_eq!(requests(STREAM, &[cut]), whole, "cut at {cut}");
        }
        let every: Vec<usize> = (1..STREAM.len()).collect();
        assert_eq!(requests(STREAM, &every), whole);
        // A linear congruential generator: the same cuts in every run.
        let mut state = 7_u64;
        for _ in 0..2000 {
            let cuts: Vec<usize> = (1..STREAM.len())
                .filter(|_| {
                    state =
                        state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    (state >> 33).is_multiple_of(9)
                })
                .collect();
            assert_eq!(requests(STREAM, &cuts), whole, "{cuts:?}");
        }
    }

    #[test]
    fn memory_grows_with_the_bytes_that_arrived() {
        let limits = Limits { body: 1 << 40, ..Limits::default() };
        let mut inbound = Inbound::default();
        let head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000000\r\n\r\nabc";
        assert!(matches!(inbound.take(head, &limits), Progress::More));
        assert!(inbound.space() <= FIRST_SPACE + 1024, "{}", inbound.space());
        inbound.take(&vec![0; 1 << 20], &limits);
        assert!(inbound.space() <= 3 << 20, "{}", inbound.space());
    }

    #[test]
    fn a_client_is_asked_for_its_body_once_and_only_within_the_limit() {
        let limits = Limits { body: 10, ..Limits::default() };
        let head = |length| {
            format!("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Length: {length}\r\n\r\n")
        };
        let mut inbound = Inbound::default();
        assert!(matches!(inbound.take(head(10).as_bytes(), &limits), Progress::Continue));
        assert!(matches!(inbound.take(b"01234", &limits), Progress::More));
        assert!(matches!(inbound.take(b"56789", &limits), Progress::Whole(_)));
        let refused = Inbound::default().take(head(11).as_bytes(), &limits);
        assert!(matches!(refused, Progress::Refused(Reason::BodyTooLong)), "{refused:?}");
        assert!(matches!(Inbound::default().take(head(0).as_bytes(), &limits), Progress::Whole(_)));
    }

    #[test]
    fn a_request_is_refused_as_soon_as_it_can_not_become_valid() {
        let limits = Limits { head: 256, headers: 3, ..Limits::default() };
        let cases: [(&str, u16, &str); 12] = [
            ("GET / HTTP/1.1\n", 400, "a line of the head ends in LF without CR"),
            ("GET / HTTP/1.1\r\nHost: x\n", 400, "a line of the head ends in LF without CR"),
            ("\n", 400, "a line of the head ends in LF without CR"),
            ("GET /\r\n", 400, "this is no request line: METHOD SP TARGET SP HTTP/1.1 is expected"),
            ("\x16\x03\x01", 400, crate::parse::head::TLS.text()),
            ("\x17", 400, "this is no request line: METHOD SP TARGET SP HTTP/1.1 is expected"),
            ("GET / http/1.1\r\n", 400, "the version is written `HTTP/1.1`, in capitals"),
            ("PRI * HTTP/2.0\r\n", 505, crate::parse::head::HTTP_2.text()),
            (&"x".repeat(256), 414, "the request line is too long"),
            (&format!("GET / HTTP/1.1\r\n{}", "x".repeat(256)), 431, "the head of the request is too long"),
            (
                "GET / HTTP/1.1\r\na: b\r\nc: d\r\ne: f\r\ng: h\r\n",
                431,
                "the request has too many header fields",
            ),
            (&"\r\n".repeat(129), 400, "too many empty lines come before the request"),
        ];
        for (input, status, why) in cases {
            for pieces in [1, input.len()] {
                let mut inbound = Inbound::default();
                let refused =
                    input.as_bytes().chunks(pieces).find_map(|piece| match inbound.take(piece, &limits) {
                        Progress::Refused(reason) => Some((reason.status(), reason.text())),
                        _ => None,
                    });
                assert_eq!(refused, Some((status, why)), "{input:?} in pieces of {pieces}");
            }
        }
    }
}
