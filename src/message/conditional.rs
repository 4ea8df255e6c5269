//! Conditional and partial answers: `If-Match`, `If-None-Match`, `If-Modified-Since`, `If-Unmodified-Since`, `Range` and
//! `If-Range` of a request change a finished answer (RFC 9110, sections 13 and 14).

use super::answer::Answer;
use super::entity_tag::{EntityTags, Tag, unquote};
use super::http_date;
use super::range::{self, Selected};
use super::request::Request;
use crate::directory::Content;
use std::ops::Range;

/// The ranges of a request lie beyond the content, which has this number of bytes: 416.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unsatisfiable(pub u64);

/// Whether the conditions of a request hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Holds,
    /// The client has the content already: 304.
    Unchanged,
    /// 412.
    Fails,
}

/// `ETag` and `Last-Modified` of an answer.
struct Validators<'a> {
    tag: Option<Tag<'a>>,
    modified: Option<i64>,
}

/// The headers that Werkzeug keeps away from a 304: they describe a body, and a 304 has none.
const OF_THE_BODY: [&str; 8] = [
    "allow",
    "content-encoding",
    "content-language",
    "content-length",
    "content-md5",
    "content-range",
    "content-type",
    "last-modified",
];

/// Makes `answer` what the conditions and the ranges of `request` ask for: 304, 412, 206, or the answer as it is.
///
/// Only answers of success to GET and HEAD change. Conditions count before ranges. Ranges count only for GET, only with
/// `ranges` and for the status 200.
pub(crate) fn apply(answer: &mut Answer, request: &Request, ranges: bool) -> Result<(), Unsatisfiable> {
    let method = request.method();
    if !matches!(method, "GET" | "HEAD") || !(200..300).contains(&answer.status) {
        return Ok(());
    }
    let validators = Validators {
        tag: answer.header("etag").map(unquote),
        modified: answer.header("last-modified").and_then(http_date::parse),
    };
    match validators.verdict(request) {
        Verdict::Fails => (answer.status, answer.reason) = (412, None),
        Verdict::Unchanged => {
            (answer.status, answer.reason) = (304, None);
            answer.headers.retain(|(name, _)| !OF_THE_BODY.iter().any(|of| name.eq_ignore_ascii_case(of)));
            answer.body = Content::default();
        }
        Verdict::Holds if ranges && method == "GET" && answer.status == 200 => {
            if let Some(header) = request.header_joined("range", ",")
                && request.header_joined("if-range", ",").is_none_or(|sent| validators.if_range(&sent))
            {
                return select(answer, &header);
            }
        }
        Verdict::Holds => {}
    }
    Ok(())
}

impl Validators<'_> {
    /// Evaluates the conditions in the order of RFC 9110, section 13.2.2.
    fn verdict(&self, request: &Request) -> Verdict {
        let tags = |name| {
            let tags = request.header_joined(name, ",").map(|value| EntityTags::parse(&value));
            tags.filter(|tags| !tags.is_empty())
        };
        let date = |name| request.header(name).and_then(http_date::parse);
        if let Some(tags) = tags("if-match") {
            let strong = self.tag.is_some_and(|(tag, weak)| !weak && tags.is_strong(tag));
            if !tags.star && !strong {
                return Verdict::Fails;
            }
        } else if date("if-unmodified-since")
            .zip(self.modified)
            .is_some_and(|(since, modified)| modified > since)
        {
            return Verdict::Fails;
        }
        let unchanged = match (tags("if-none-match"), self.tag) {
            (Some(tags), Some((tag, _))) => tags.contains_weak(tag),
            (Some(tags), None) if tags.star => true,
            // With `If-None-Match`, the date counts only for an answer without a tag, as in Werkzeug.
            _ => date("if-modified-since")
                .is_some_and(|since| self.modified.is_some_and(|modified| modified <= since)),
        };
        if unchanged { Verdict::Unchanged } else { Verdict::Holds }
    }

    /// Whether `If-Range` names the content of the answer: by its strong tag, or by its exact date (RFC 9110, section 13.1.5).
    fn if_range(&self, sent: &str) -> bool {
        match http_date::parse(sent) {
            Some(date) => self.modified == Some(date),
            None => self.tag.is_some_and(|(tag, weak)| !weak && unquote(sent.trim()) == (tag, false)),
        }
    }
}

/// Makes `answer` a 206 with the ranges that `header` selects.
fn select(answer: &mut Answer, header: &str) -> Result<(), Unsatisfiable> {
    let length = answer.body.len();
    let ranges = match range::parse(header, length) {
        Selected::All => return Ok(()),
        Selected::Nothing => return Err(Unsatisfiable(length)),
        Selected::Ranges(ranges) => ranges,
    };
    (answer.status, answer.reason) = (206, None);
    if let [range] = &ranges[..] {
        answer.set_header("Content-Range", content_range(range, length));
        answer.body = answer.body.part(range);
    } else {
        let boundary = boundary(&ranges, length);
        answer.body = parts(answer, &ranges, &boundary);
        answer.set_header("Content-Type", format!("multipart/byteranges; boundary={boundary}"));
    }
    Ok(())
}

/// Returns the line between parts. The same request has the same one each time, so that a repeated answer has the same bytes.
fn boundary(ranges: &[Range<u64>], length: u64) -> String {
    let mix = |sum: u64, at: u64| (sum.rotate_left(5) ^ at).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let seed = ranges.iter().flat_map(|range| [range.start, range.end]).fold(length, mix);
    let mut random = fastrand::Rng::with_seed(seed);
    format!("{:016x}{:016x}", random.u64(..), random.u64(..))
}

fn content_range(range: &Range<u64>, length: u64) -> String {
    format!("bytes {}-{}/{length}", range.start, range.end.saturating_sub(1))
}

/// Returns the body of `multipart/byteranges` (RFC 9110, section 14.6). Ranges of an open file are not read for it.
fn parts(answer: &Answer, ranges: &[Range<u64>], boundary: &str) -> Content {
    let kind =
        answer.header("content-type").map(|kind| format!("Content-Type: {kind}\r\n")).unwrap_or_default();
    let length = answer.body.len();
    let mut pieces = Vec::with_capacity(ranges.len() * 2 + 1);
    let mut line_end = "";
    for range in ranges {
        let fields = format!("{kind}Content-Range: {}\r\n\r\n", content_range(range, length));
        pieces.push(format!("{line_end}--{boundary}\r\n{fields}").into_bytes().into());
        pieces.push(answer.body.part(range));
        line_end = "\r\n";
    }
    pieces.push(format!("\r\n--{boundary}--\r\n").into_bytes().into());
    match &answer.body {
        // In one piece, the whole answer leaves in one write.
        Content::Bytes(_) => pieces.iter().flat_map(Content::bytes).copied().collect::<Vec<u8>>().into(),
        _ => Content::Parts(pieces),
    }
}

#[cfg(test)]
mod tests;
