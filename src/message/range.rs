//! The `Range` header (RFC 9110, section 14): its ranges, and the bytes of a content that they select.

use std::ops::Range;

/// Most ranges that one answer has. A request for more gets the whole content: it is an attack or a mistake (RFC 9110, 17.15).
pub(crate) const MOST: usize = 64;

/// The ranges of a header, before the length of the content is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ranges {
    /// The unit in lower case, mostly `bytes`.
    pub units: String,
    pub ranges: Vec<Spec>,
}

/// One range of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spec {
    /// `5-9`: the positions of the first and of the last byte; `5-` has no last one.
    From(u64, Option<u64>),
    /// `-5`: the last bytes.
    Suffix(u64),
}

/// The bytes that a header selects of a content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Selected {
    /// The header does not count: it is malformed, has another unit, or asks for too much.
    All,
    /// None of its ranges lies within the content.
    Nothing,
    /// These ranges, in the order of the header; at least one.
    Ranges(Vec<Range<u64>>),
}

impl Spec {
    fn parse(text: &str) -> Option<Spec> {
        let (first, last) = text.split_once('-')?;
        let (first, last) = (first.trim(), last.trim());
        if first.is_empty() {
            return Some(Spec::Suffix(number(last)?));
        }
        let (first, last) = (number(first)?, if last.is_empty() { None } else { Some(number(last)?) });
        last.is_none_or(|last| first <= last).then_some(Spec::From(first, last))
    }

    /// Returns the bytes of a content of `length` bytes; `None` if there are none.
    pub(crate) fn within(self, length: u64) -> Option<Range<u64>> {
        let range = match self {
            Spec::From(first, last) => first..last.map_or(length, |last| last.saturating_add(1).min(length)),
            Spec::Suffix(count) => length.saturating_sub(count)..length,
        };
        (!range.is_empty()).then_some(range)
    }
}

/// Parses digits. A number beyond 64 bits is as good as the largest one.
fn number(digits: &str) -> Option<u64> {
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().unwrap_or(u64::MAX))
}

impl Ranges {
    /// Parses the value of a `Range` header: `bytes=0-499,-500`. Returns `None` if it is malformed.
    pub(crate) fn parse(text: &str) -> Option<Ranges> {
        let (units, list) = text.split_once('=')?;
        let items = list.split(',').map(str::trim).filter(|item| !item.is_empty());
        let ranges = items.map(Spec::parse).collect::<Option<Vec<Spec>>>()?;
        let units = units.trim().to_ascii_lowercase();
        (!ranges.is_empty() && !units.is_empty()).then_some(Ranges { units, ranges })
    }
}

/// Returns the bytes that the header `text` selects of a content of `length` bytes.
///
/// More than [`MOST`] ranges, and ranges that overlap so far that they are longer than the content, select all of it: such a
/// request must not cost more than one without ranges. An empty content has no ranges, as in Werkzeug.
pub(crate) fn parse(text: &str, length: u64) -> Selected {
    let Some(asked) = Ranges::parse(text).filter(|asked| asked.units == "bytes" && length > 0) else {
        return Selected::All;
    };
    if asked.ranges.len() > MOST {
        return Selected::All;
    }
    let ranges: Vec<Range<u64>> = asked.ranges.iter().filter_map(|spec| spec.within(length)).collect();
    let total: u128 = ranges.iter().map(|range| u128::from(range.end - range.start)).sum();
    match ranges.len() {
        0 => Selected::Nothing,
        _ if total > u128::from(length) => Selected::All,
        _ => Selected::Ranges(ranges),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Columns: the header; the ranges of 10 bytes, or `all` or `nothing`.
    #[test]
    fn a_header_selects_bytes_or_does_not_count() {
        let many = |count: usize| format!("bytes={}", vec!["0-0"; count].join(","));
        let table = [
            ("bytes=0-4", "0..5"),
            ("bytes=5-", "5..10"),
            ("bytes=-3", "7..10"),
            ("bytes=-10", "0..10"),
            ("bytes=-11", "0..10"),
            ("bytes=0-0", "0..1"),
            ("bytes=9-9", "9..10"),
            ("bytes=9-10", "9..10"),
            ("bytes=0-99999999999999999999999", "0..10"),
            ("bytes=-99999999999999999999999", "0..10"),
            ("BYTES = 0-1", "0..2"),
            ("bytes=0 - 1", "0..2"),
            ("bytes=0-1,4-5", "0..2 4..6"),
            ("bytes= 4-5 ,\t0-1,,", "4..6 0..2"),
            ("bytes=0-1,20-30", "0..2"),
            ("bytes=-1,0-1", "9..10 0..2"),
            ("bytes=0-4,3-7", "0..5 3..8"),
            ("bytes=0-9,0-0", "all"),
            ("bytes=0-,-1", "all"),
            ("bytes=10-", "nothing"),
            ("bytes=10-11,12-", "nothing"),
            ("bytes=-0", "nothing"),
            ("bytes=99999999999999999999999-", "nothing"),
            ("bytes=5-4", "all"),
            ("bytes=0-1,5-4", "all"),
            ("bytes=", "all"),
            ("bytes=,", "all"),
            ("bytes=-", "all"),
            ("bytes=a-b", "all"),
            ("bytes=+1-2", "all"),
            ("bytes=0--1", "all"),
            ("bytes=1", "all"),
            ("bytes 0-1", "all"),
            ("=0-1", "all"),
            ("items=0-1", "all"),
            ("", "all"),
            ("bytes=0-1,bytes=3-4", "all"),
            (&many(10), &["0..1"; 10].join(" ")),
            (&many(11), "all"),
        ];
        for (header, expected) in table {
            let shown = match parse(header, 10) {
                Selected::All => "all".to_owned(),
                Selected::Nothing => "nothing".to_owned(),
                Selected::Ranges(ranges) => {
                    ranges.iter().map(|range| format!("{range:?}")).collect::<Vec<_>>().join(" ")
                }
            };
            assert_eq!(shown, expected, "{header}");
        }
        assert_eq!(parse("bytes=0-1", 0), Selected::All);
        assert!(matches!(parse(&many(MOST), 1 << 20), Selected::Ranges(ranges) if ranges.len() == MOST));
        assert_eq!(parse(&many(MOST + 1), 1 << 20), Selected::All);
        assert!(
            matches!(parse("bytes=0-", u64::MAX), Selected::Ranges(ranges) if ranges[0] == (0..u64::MAX))
        );
        assert_eq!(parse("bytes=0-,0-", u64::MAX), Selected::All);
    }

    #[test]
    fn selected_bytes_lie_within_the_content_and_are_no_longer() {
        let mut random = fastrand::Rng::with_seed(18);
        let pieces = ["bytes", "=", "0", "7", "99", "-", ",", " ", "18446744073709551615", "x"];
        for _ in 0..20_000 {
            let text: String =
                (0..random.usize(..12)).map(|_| pieces[random.usize(..pieces.len())]).collect();
            let text = if random.bool() { format!("bytes={text}") } else { text };
            let length = [0, 1, 10, u64::MAX][random.usize(..4)];
            if let Selected::Ranges(ranges) = parse(&text, length) {
                let inside = |range: &Range<u64>| range.start < range.end && range.end <= length;
                let total: u128 = ranges.iter().map(|range| u128::from(range.end - range.start)).sum();
                assert!(ranges.iter().all(inside) && total <= u128::from(length), "{text} {ranges:?}");
                assert!((1..=MOST).contains(&ranges.len()), "{text}");
            }
        }
    }
}
