//! Chunks of an answer (RFC 9112, section 7.1).

use crate::write::body::{Body, ONE_WRITE};
use std::io::Write;

/// The empty chunk that ends an answer.
pub(crate) const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// Returns `body` as one chunk with `end` behind it. An empty body is no chunk, since that would be the last.
pub(crate) fn chunk(body: Body, end: &[u8]) -> Body {
    /// Bytes of a size and two line ends.
    const MOST_AROUND: usize = 16 + 2 + 2;
    let length = body.len();
    match body {
        _ if length == 0 => Body::Bytes(end.to_vec()),
        Body::Bytes(bytes) if bytes.len() <= ONE_WRITE => {
            let mut chunk = Vec::with_capacity(bytes.len() + MOST_AROUND + end.len());
            push_size(&mut chunk, length);
            [&bytes, b"\r\n".as_slice(), end].into_iter().for_each(|part| chunk.extend_from_slice(part));
            Body::Bytes(chunk)
        }
        body => {
            let mut size = Vec::new();
            push_size(&mut size, length);
            Body::Parts(vec![Body::Bytes(size), body, Body::Bytes([b"\r\n", end].concat())])
        }
    }
}

fn push_size(out: &mut Vec<u8>, size: u64) {
    // Writing to memory does not fail.
    let _ = write!(out, "{size:x}\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(body: &Body, out: &mut Vec<u8>) {
        match body {
            Body::Bytes(bytes) => out.extend_from_slice(bytes),
            Body::File(..) => unreachable!(),
            Body::Parts(parts) => parts.iter().for_each(|part| bytes(part, out)),
        }
    }

    #[test]
    fn a_body_is_one_chunk_and_an_empty_one_is_none() {
        let long = vec![b'x'; ONE_WRITE + 1];
        let in_one = |length: usize| vec![b'x'; length];
        for (body, end, expected) in [
            (Body::Bytes(vec![]), b"".as_slice(), vec![]),
            (Body::Bytes(vec![]), LAST_CHUNK, b"0\r\n\r\n".to_vec()),
            (Body::Parts(vec![]), LAST_CHUNK, b"0\r\n\r\n".to_vec()),
            (Body::Bytes(in_one(10)), b"", b"a\r\nxxxxxxxxxx\r\n".to_vec()),
            (Body::Bytes(in_one(1)), LAST_CHUNK, b"1\r\nx\r\n0\r\n\r\n".to_vec()),
            (
                Body::Parts(vec![Body::Bytes(in_one(2)), Body::Bytes(in_one(1))]),
                LAST_CHUNK,
                b"3\r\nxxx\r\n0\r\n\r\n".to_vec(),
            ),
            (Body::Bytes(long.clone()), b"", [b"10001\r\n", &*long, b"\r\n"].concat()),
        ] {
            let mut out = Vec::new();
            bytes(&chunk(body, end), &mut out);
            assert!(out == expected, "{}", out.escape_ascii());
        }
    }
}
