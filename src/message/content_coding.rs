//! `Content-Encoding`: decodes bodies of gzip or deflate within limits, chooses the coding of an answer, and encodes it. All of
//! them are pure functions of bytes.

mod choice;
mod crc32;
mod deflate;
mod inflate;

pub(crate) use choice::choose;
pub(crate) use crc32::crc32;
pub(crate) use deflate::compress;
pub(crate) use inflate::decompress;

use std::fmt;

/// Limit of codings of one body, one around the other.
const MAX_CODINGS: usize = 3;

/// The frame around a deflated stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frame {
    /// None (RFC 1951).
    Raw,
    /// A header and Adler-32 (RFC 1950): the coding `deflate`.
    Zlib,
    /// A header, CRC-32 and length (RFC 1952); several of them may follow one another.
    Gzip,
}

/// Limits of one decoding or encoding.
pub(crate) struct Bounds<'b> {
    /// Most bytes of the result.
    pub most: usize,
    /// Gets the work since its last call, in bytes that are made; false ends the work.
    pub go_on: &'b mut dyn FnMut(usize) -> bool,
}

/// The reason why there is no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// The result has more bytes than this: perhaps a bomb.
    TooLarge(usize),
    /// The bytes are not in the coding of this name, with the reason.
    Broken(String, &'static str),
    /// A coding that h1mock does not know, such as `br`.
    UnknownCoding(String),
    /// [`Bounds::go_on`] ended the work.
    Stopped,
}

impl fmt::Display for Flaw {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Flaw::TooLarge(most) => write!(out, "more than {most} bytes when decoded"),
            Flaw::Broken(coding, why) => write!(out, "the data is not {coding}: {why}"),
            Flaw::UnknownCoding(name) => write!(out, "the coding `{name}` is not known"),
            Flaw::Stopped => out.write_str("decoding took too long"),
        }
    }
}

/// Decodes `body` by its `Content-Encoding`, which lists codings in the order in which the sender applied them (RFC 9110, 8.4).
/// Returns `None` for a body without a coding, and for an empty one.
///
/// # Errors
/// One of [`Flaw`]. The limit counts for the result of each coding.
pub(crate) fn decode<'h>(
    codings: impl Iterator<Item = &'h str>,
    body: &[u8],
    bounds: &mut Bounds<'_>,
) -> Result<Option<Vec<u8>>, Flaw> {
    let mut codings = codings.peekable();
    if codings.peek().is_none() || body.is_empty() {
        return Ok(None);
    }
    let names = codings.flat_map(|field| field.split(',')).map(|name| name.trim().to_ascii_lowercase());
    let mut names: Vec<String> = names.filter(|name| !matches!(name.as_str(), "" | "identity")).collect();
    if names.len() > MAX_CODINGS {
        return Err(Flaw::UnknownCoding(names.join(", ")));
    }
    let known = |name: &String| matches!(name.as_str(), "gzip" | "x-gzip" | "deflate");
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        return Err(Flaw::UnknownCoding(unknown.clone()));
    }
    let mut content = None;
    while let Some(name) = names.pop() {
        let packed = content.as_deref().unwrap_or(body);
        content = Some(match name.as_str() {
            "deflate" => match decompress(packed, Frame::Zlib, bounds) {
                // The standard has zlib's frame; some clients send the stream without it.
                Err(flaw @ Flaw::Broken(..)) => decompress(packed, Frame::Raw, bounds).map_err(|_| flaw)?,
                decoded => decoded?,
            },
            _ => decompress(packed, Frame::Gzip, bounds)?,
        });
    }
    Ok(content)
}

#[cfg(test)]
pub(crate) mod tests;
