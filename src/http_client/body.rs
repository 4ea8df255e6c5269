//! The body of an answer: takes bytes as they arrive, and gives them without their framing (RFC 9112, sections 6 and 7).

use super::head::Framing;

/// Longest line of a chunk's size, and of a trailer, in bytes.
const MOST_LINE: usize = 8 << 10;
/// Most bytes of all trailers.
const MOST_TRAILERS: usize = 64 << 10;

/// Decodes one body.
#[derive(Debug)]
pub(crate) struct Decoder {
    state: State,
    /// A line that has not arrived in full.
    line: Vec<u8>,
    /// Fields after the last chunk.
    pub trailers: Vec<(String, String)>,
    trailer_bytes: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Bytes that are missing.
    Length(u64),
    UntilClose,
    Size,
    /// Bytes of the chunk that are missing.
    Chunk(u64),
    ChunkEnd,
    Trailers,
    Done,
}

impl Decoder {
    pub(crate) fn new(framing: Framing) -> Decoder {
        let state = match framing {
            Framing::Empty | Framing::Length(0) => State::Done,
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::Size,
            Framing::UntilClose => State::UntilClose,
        };
        Decoder { state, line: Vec::new(), trailers: Vec::new(), trailer_bytes: 0 }
    }

    /// Whether the body is complete.
    pub(crate) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Takes `input`, appends the bytes of the body to `out`, and returns how many bytes of `input` belong to this answer.
    ///
    /// # Errors
    /// The reason why the framing is wrong.
    pub(crate) fn take(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<usize, &'static str> {
        let mut at = 0;
        while at < input.len() {
            let rest = &input[at..];
            match self.state {
                State::Done => break,
                State::UntilClose => {
                    out.extend_from_slice(rest);
                    at = input.len();
                }
                State::Length(left) => {
                    let count = copy(rest, left, out);
                    at += count;
                    let left = left - count as u64;
                    self.state = if left == 0 { State::Done } else { State::Length(left) };
                }
                State::Chunk(left) => {
                    let count = copy(rest, left, out);
                    at += count;
                    let left = left - count as u64;
                    self.state = if left == 0 { State::ChunkEnd } else { State::Chunk(left) };
                }
                State::Size | State::ChunkEnd | State::Trailers => {
                    let (count, whole) = self.read_line(rest)?;
                    at += count;
                    if whole {
                        self.end_line()?;
                    }
                }
            }
        }
        Ok(at)
    }

    /// Says that the connection has ended.
    ///
    /// # Errors
    /// The body is not complete.
    pub(crate) fn end(&mut self) -> Result<(), &'static str> {
        match self.state {
            State::Done => Ok(()),
            State::UntilClose => {
                self.state = State::Done;
                Ok(())
            }
            _ => Err("the connection closed early"),
        }
    }

    /// Adds to the line. Returns the number of bytes, and whether the line is complete.
    fn read_line(&mut self, input: &[u8]) -> Result<(usize, bool), &'static str> {
        let end = input.iter().position(|byte| *byte == b'\n');
        let count = end.map_or(input.len(), |end| end + 1);
        if self.line.len() + count > MOST_LINE {
            return Err("a line between its chunks is over 8 KiB");
        }
        self.line.extend_from_slice(&input[..count]);
        Ok((count, end.is_some()))
    }

    fn end_line(&mut self) -> Result<(), &'static str> {
        let line = std::mem::take(&mut self.line);
        let line = line.strip_suffix(b"\n").unwrap_or(&line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        self.state = match self.state {
            State::Size => match size(line).ok_or("a chunk has no size")? {
                0 => State::Trailers,
                size => State::Chunk(size),
            },
            State::ChunkEnd if line.is_empty() => State::Size,
            State::ChunkEnd => return Err("a chunk is longer than its size"),
            State::Trailers if line.is_empty() => State::Done,
            state => {
                self.trailer_bytes += line.len();
                if self.trailer_bytes > MOST_TRAILERS {
                    return Err("its trailers are over 64 KiB");
                }
                let colon = line.iter().position(|byte| *byte == b':').ok_or("a trailer has no colon")?;
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
                self.trailers.push((text(&line[..colon]), text(&line[colon + 1..])));
                state
            }
        };
        Ok(())
    }
}

/// Copies at most `most` bytes of `input` to `out`.
fn copy(input: &[u8], most: u64, out: &mut Vec<u8>) -> usize {
    let count = input.len().min(usize::try_from(most).unwrap_or(usize::MAX));
    out.extend_from_slice(&input[..count]);
    count
}

/// Parses the size of a chunk: hexadecimal digits, perhaps with extensions after a semicolon.
fn size(line: &[u8]) -> Option<u64> {
    let digits = line.split(|byte| *byte == b';').next()?.trim_ascii();
    let text = std::str::from_utf8(digits).ok()?;
    let hexadecimal = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    u64::from_str_radix(text, 16).ok().filter(|_| hexadecimal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_joined_in_any_split() {
        let bytes = b"3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: u\r\n\r\nrest";
        for cut in 0..bytes.len() {
            let (mut decoder, mut out) = (Decoder::new(Framing::Chunked), Vec::new());
            let first = decoder.take(&bytes[..cut], &mut out).unwrap();
            let used = if first < cut { first } else { cut + decoder.take(&bytes[cut..], &mut out).unwrap() };
            assert_eq!((&*out, used), (&b"abc0123456789"[..], bytes.len() - 4), "{cut}");
            assert_eq!(decoder.trailers, [("T".to_owned(), "u".to_owned())]);
            assert!(decoder.is_done());
        }
    }
}
