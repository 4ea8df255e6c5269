//! Decodes the chunked transfer coding (RFC 9112, section 7.1) as its bytes arrive. It skips extensions, and checks and drops
//! trailers.

use crate::limits::Limits;
use crate::method::is_token;
use crate::refusal::Reason;

/// Most bytes of the line with the size of a chunk.
const LONGEST_LINE: usize = 4096;

#[derive(Debug, Default)]
pub(crate) struct Chunks {
    state: State,
    /// Size of the chunk while its digits arrive; then the bytes that are missing.
    size: u64,
    /// Bytes of the line so far.
    line: usize,
    /// Bytes of all extensions so far.
    extensions: usize,
    /// Bytes and lines of the trailers so far.
    trailers: (usize, usize),
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first digit of a size.
    #[default]
    Size,
    Digits,
    /// In blanks after the size. Only an extension may follow.
    Blank,
    Extension,
    /// In a quoted string of an extension. True after a backslash.
    Quoted(bool),
    /// Before the LF after the size.
    SizeEnd,
    Data,
    DataEnd,
    DataEndLf,
    /// At the beginning of a trailer or of the empty last line.
    Trailer,
    Name,
    Value,
    TrailerEnd,
    /// Before the LF of the empty last line.
    End,
    Done,
}

const LINE: Reason = Reason::Malformed("the line with the size of a chunk is malformed");

impl Chunks {
    /// Decodes the beginning of `input` and appends the data to `body`. Returns how many bytes belonged to the body. The body
    /// is complete once [`Chunks::is_done`].
    ///
    /// # Errors
    /// The coding is malformed, or the body or its trailers are over their limits.
    pub(crate) fn decode(
        &mut self,
        input: &[u8],
        body: &mut Vec<u8>,
        limits: &Limits,
    ) -> Result<usize, Reason> {
        let mut at = 0;
        while at < input.len() && self.state != State::Done {
            if self.state == State::Data {
                let left = usize::try_from(self.size).unwrap_or(usize::MAX);
                let piece = &input[at..][..left.min(input.len() - at)];
                body.extend_from_slice(piece);
                at += piece.len();
                self.size -= piece.len() as u64;
                if self.size == 0 {
                    self.state = State::DataEnd;
                }
                continue;
            }
            self.state = self.step(input[at], body.len(), limits)?;
            at += 1;
        }
        Ok(at)
    }

    pub(crate) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Handles one byte that is no data.
    fn step(&mut self, byte: u8, decoded: usize, limits: &Limits) -> Result<State, Reason> {
        match self.state {
            State::Size | State::Digits | State::Blank | State::Extension | State::Quoted(_) => {
                self.size_line(byte, limits)
            }
            State::SizeEnd if byte == b'\n' => self.chunk(decoded, limits),
            State::SizeEnd => Err(LINE),
            State::DataEnd if byte == b'\r' => Ok(State::DataEndLf),
            State::DataEndLf if byte == b'\n' => {
                (self.size, self.line) = (0, 0);
                Ok(State::Size)
            }
            State::DataEnd | State::DataEndLf => {
                Err(Reason::Malformed("the data of a chunk is not followed by CR LF"))
            }
            _ => self.trailer(byte, limits),
        }
    }

    fn size_line(&mut self, byte: u8, limits: &Limits) -> Result<State, Reason> {
        self.line += 1;
        // Without this limit, a client could send a long extension with each byte of data, without end.
        self.extensions += usize::from(!matches!(self.state, State::Size | State::Digits));
        if self.line > LONGEST_LINE || self.extensions > limits.head {
            return Err(Reason::Malformed("the line with the size of a chunk is too long"));
        }
        match (self.state, byte) {
            (State::Size | State::Digits, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => self.digit(byte),
            (State::Digits | State::Extension, b'\r') => Ok(State::SizeEnd),
            (State::Digits | State::Blank, b' ' | b'\t') => Ok(State::Blank),
            (State::Digits | State::Blank, b';') => Ok(State::Extension),
            (State::Extension, b'"') | (State::Quoted(true), b'"' | b'\\') => Ok(State::Quoted(false)),
            (State::Quoted(false), b'"') => Ok(State::Extension),
            (State::Quoted(false), b'\\') => Ok(State::Quoted(true)),
            (State::Quoted(_), b'\t' | b' '..=b'~' | 0x80..) => Ok(State::Quoted(false)),
            (State::Extension, b'\t' | b' '..=b'~' | 0x80..) => Ok(State::Extension),
            _ => Err(LINE),
        }
    }

    fn digit(&mut self, byte: u8) -> Result<State, Reason> {
        let digit = char::from(byte).to_digit(16).unwrap_or_default();
        let size = self.size.checked_mul(16).map(|size| size + u64::from(digit));
        self.size = size.ok_or(Reason::Malformed("the size of a chunk is too large"))?;
        Ok(State::Digits)
    }

    /// Handles the end of the line with the size.
    fn chunk(&mut self, decoded: usize, limits: &Limits) -> Result<State, Reason> {
        if self.size == 0 {
            return Ok(State::Trailer);
        }
        match self.size.checked_add(decoded as u64).is_some_and(|all| all <= limits.body as u64) {
            true => Ok(State::Data),
            false => Err(Reason::BodyTooLong),
        }
    }

    fn trailer(&mut self, byte: u8, limits: &Limits) -> Result<State, Reason> {
        let (bytes, lines) = &mut self.trailers;
        *bytes += 1;
        if *bytes > limits.head {
            return Err(Reason::TrailersTooLong);
        }
        if *lines > limits.headers {
            return Err(Reason::TooManyTrailers);
        }
        match (self.state, byte) {
            (State::Trailer, b'\r') => Ok(State::End),
            (State::Trailer | State::Name, byte) if is_token(byte) => Ok(State::Name),
            (State::Name, b':') => Ok(State::Value),
            (State::Value, b'\t' | b' '..=b'~' | 0x80..) => Ok(State::Value),
            (State::Value, b'\r') => Ok(State::TrailerEnd),
            (State::TrailerEnd, b'\n') => {
                *lines += 1;
                Ok(State::Trailer)
            }
            (State::End, b'\n') => Ok(State::Done),
            _ => Err(Reason::Malformed("the trailers of the request are malformed")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(input: &[u8], pieces: usize) -> Result<(Vec<u8>, usize), Reason> {
        let limits = Limits { body: 64, head: 64, headers: 2, ..Limits::default() };
        let (mut chunks, mut body, mut used) = (Chunks::default(), Vec::new(), 0);
        for piece in input.chunks(pieces) {
            used += chunks.decode(piece, &mut body, &limits)?;
        }
        if chunks.is_done() { Ok((body, used)) } else { Err(Reason::Malformed("incomplete")) }
    }

    #[test]
    fn decodes_in_pieces_of_any_size() {
        let cases: [(&[u8], &[u8], &[u8]); 7] = [
            (b"0\r\n\r\n", b"", b""),
            (b"3\r\nabc\r\n0\r\n\r\nGET", b"abc", b"GET"),
            (b"3\r\nabc\r\n000A\r\n0123456789\r\n00\r\n\r\n", b"abc0123456789", b""),
            (b"1;a\r\nx\r\n0;a=b;c=\"d;\\\"\"\r\n\r\n", b"x", b""),
            (b"1 ;a = b\r\nx\r\n0\t;\xff\r\n\r\n", b"x", b""),
            (b"1\r\n\r\r\n0\r\nA: b\r\nB:\r\n\r\n.", b"\r", b"."),
            (b"2\r\n\r\n\r\n0\r\n\r\n", b"\r\n", b""),
        ];
        for (input, body, rest) in cases {
            for pieces in [1, 2, 3, 7, input.len()] {
                let decoded = decode(input, pieces).unwrap_or_else(|reason| panic!("{reason:?} {pieces}"));
                assert_eq!(decoded, (body.to_vec(), input.len() - rest.len()), "in pieces of {pieces}");
            }
        }
    }

    #[test]
    fn malformed_codings_are_refused() {
        let cases: [(&[u8], u16); 24] = [
            (b"\r\n", 400),
            (b" 3\r\n", 400),
            (b"+3\r\n", 400),
            (b"-3\r\n", 400),
            (b"0x3\r\n", 400),
            (b"g\r\n", 400),
            (b"3\nabc", 400),
            (b"3 \r\nabc", 400),
            (b"3\r\rabc", 400),
            (b"3\r\nabcd\r\n", 400),
            (b"3\r\nabc\n", 400),
            (b"3\r\nabc\r\r", 400),
            (b"3;a\nabc", 400),
            (b"3;a\0", 400),
            (b"3;a=\"b\r\n", 400),
            (b"10000000000000000\r\n", 400),
            (b"ffffffffffffffff\r\n", 413),
            (b"41\r\n", 413),
            (b"0\r\nA b: c\r\n", 400),
            (b"0\r\n: c\r\n", 400),
            (b"0\r\nA: b\r\n c\r\n", 400),
            (b"0\r\nA: b\n\r\n", 400),
            (b"0\r\n\n", 400),
            (b"0\r\nA: b\r\nA: b\r\nA: b\r\n\r\n", 431),
        ];
        for (input, status) in cases {
            for pieces in [1, input.len()] {
                let shown = String::from_utf8_lossy(input);
                assert_eq!(decode(input, pieces).map_err(Reason::status), Err(status), "{shown:?}");
            }
        }
        let long = [b"1;".as_slice(), &[b'a'; LONGEST_LINE]].concat();
        assert_eq!(decode(&long, 100).unwrap_err().text(), "the line with the size of a chunk is too long");
        let many = b"1;abcdefgh\r\nx\r\n".repeat(8);
        assert_eq!(decode(&many, 100).unwrap_err().text(), "the line with the size of a chunk is too long");
        let long = [b"0\r\nA:".as_slice(), &[b'a'; 64]].concat();
        assert_eq!(decode(&long, 100).unwrap_err().status(), 431);
    }

    #[test]
    fn the_line_of_a_size_and_the_trailers_may_reach_their_limits() {
        let limits = Limits { head: 2 * LONGEST_LINE, ..Limits::default() };
        let small = Limits { head: 64, ..Limits::default() };
        let accepts = |parts: [&[u8]; 3], limits: &Limits| {
            Chunks::default().decode(&parts.concat(), &mut Vec::new(), limits).is_ok()
        };
        // Both limits count the line end: CR of the line, and the last four bytes of the trailers.
        for (more, accepted) in [(0, true), (1, false)] {
            let extension = vec![b'a'; LONGEST_LINE - 3 + more];
            assert_eq!(accepts([b"0;", &extension, b"\r\n\r\n"], &limits), accepted);
            let value = vec![b'a'; 64 - 6 + more];
            assert_eq!(accepts([b"0\r\nA:", &value, b"\r\n\r\n"], &small), accepted);
        }
    }
}
