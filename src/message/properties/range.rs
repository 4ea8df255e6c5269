//! `Range` and the conditions of a request, against a model with large numbers and against the rules of a 206.

use crate::message::answer::Answer;
use crate::message::conditional::{Unsatisfiable, apply};
use crate::message::range::{MOST, Selected, parse};
use crate::message::request::Request;

const CONTENT: &[u8] = b"The content of which the ranges are parts.";
/// Bytes around one part of `multipart/byteranges`, at most.
const FRAME: u64 = 300;

/// Checks that the header selects what the model selects. The first two bytes of `data` make the length of the content.
pub fn range(data: &[u8]) {
    let [high, low, header @ ..] = data else { return };
    let length = match high {
        255 => u64::MAX - 1 - u64::from(*low),
        _ => u64::from(*high % 4) * 256 + u64::from(*low),
    };
    let text = String::from_utf8_lossy(header);
    let selected = parse(&text, length);
    if let Selected::Ranges(ranges) = &selected {
        assert!(!ranges.is_empty() && ranges.len() <= MOST);
        assert!(ranges.iter().all(|range| range.start < range.end && range.end <= length));
        assert!(
            ranges.iter().map(|range| u128::from(range.end - range.start)).sum::<u128>()
                <= u128::from(length)
        );
    }
    assert_eq!(selected, model(&text, length), "{text:?} of {length}");
}

/// Selects bytes as RFC 9110, section 14.1.2, says. Numbers are clamped to more than any length.
fn model(text: &str, length: u64) -> Selected {
    let Some((unit, list)) = text.split_once('=') else { return Selected::All };
    let number = |digits: &str| -> Option<u128> {
        let digits = digits.trim();
        let is_number = !digits.is_empty() && digits.chars().all(|digit| digit.is_ascii_digit());
        let add = |sum: u128, digit: u8| (sum * 10 + u128::from(digit - b'0')).min(u128::from(u64::MAX));
        is_number.then(|| digits.bytes().fold(0, add))
    };
    let (mut ranges, mut count, mut total) = (Vec::new(), 0, 0);
    for item in list.split(',').map(str::trim).filter(|item| !item.is_empty()) {
        let Some((first, last)) = item.split_once('-') else { return Selected::All };
        let whole = u128::from(length);
        let (start, end) =
            match (number(first), number(last), first.trim().is_empty(), last.trim().is_empty()) {
                (Some(first), None, _, true) => (first, whole),
                (None, Some(suffix), true, _) => (whole - suffix.min(whole), whole),
                (Some(first), Some(last), ..) if first <= last => (first, whole.min(last + 1)),
                _ => return Selected::All,
            };
        count += 1;
        if start < end {
            total += end - start;
            ranges.push(start as u64..end as u64);
        }
    }
    let is_bytes = unit.trim().eq_ignore_ascii_case("bytes");
    if !is_bytes || length == 0 || count == 0 || count > MOST || total > u128::from(length) {
        return Selected::All;
    }
    if ranges.is_empty() { Selected::Nothing } else { Selected::Ranges(ranges) }
}

/// Checks an answer to a request with these lines as headers. The first byte of `data` chooses the validators of the answer.
pub fn conditional(data: &[u8]) {
    let [choice, lines @ ..] = data else { return };
    let text = String::from_utf8_lossy(lines);
    let headers =
        text.lines().filter_map(|line| line.split_once(':')).map(|(name, value)| (name, value.trim()));
    let method = if choice & 1 == 0 { "GET" } else { "HEAD" };
    let request = Request::from_parts(method, "/", headers, Vec::new(), None, None);
    let mut answer = Answer::text(200, CONTENT);
    if choice & 2 != 0 {
        answer.set_header("ETag", if choice & 4 == 0 { "\"v\"" } else { "W/\"v\"" });
    }
    if choice & 8 != 0 {
        answer.set_header("Last-Modified", "Mon, 01 Jan 2024 00:00:00 GMT");
    }
    let whole = CONTENT.len() as u64;
    if let Err(Unsatisfiable(length)) = apply(&mut answer, &request, choice & 16 == 0) {
        return assert_eq!((length, choice & 17), (whole, 0));
    }
    let body = answer.body.bytes();
    match answer.status {
        200 | 412 => assert_eq!(body, CONTENT),
        304 => assert!(body.is_empty() && answer.header("content-type").is_none()),
        206 => {
            assert_eq!(choice & 17, 0);
            match answer.header("content-range") {
                Some(range) => assert_eq!(body, named(range)),
                None => assert!(body.len() as u64 <= whole + FRAME * (MOST as u64 + 1)),
            }
        }
        other => panic!("status {other}"),
    }
}

/// Returns the part of the content that the value of `Content-Range` names.
fn named(range: &str) -> &'static [u8] {
    let (places, length) =
        range.strip_prefix("bytes ").and_then(|rest| rest.split_once('/')).expect("bytes a-b/n");
    let (first, last) = places.split_once('-').expect("two places");
    assert_eq!(length, CONTENT.len().to_string());
    &CONTENT[first.parse().expect("a number")..=last.parse().expect("a number")]
}

#[test]
fn the_corpus_of_ranges_holds() {
    super::corpus_holds("range", range);
    super::corpus_holds("conditional", conditional);
}
