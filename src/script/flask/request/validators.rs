//! `request.if_match`, `if_none_match`, `if_range` and `range`: the values of conditional requests, as Werkzeug's types.

use crate::message::entity_tag::{EntityTags, unquote};
use crate::message::http_date;
use crate::message::range::{Ranges, Spec};
use crate::message::request::Request;
use crate::script::flask::content_range::ContentRange;
use crate::script::flask::header_date;
use crate::script::runtime::natives::Natives;
use rhai::{Array, Dynamic};
use std::sync::Arc;

/// The tags of `If-Match` or `If-None-Match`.
#[derive(Debug, Clone)]
struct ETags(Arc<EntityTags>);

/// `If-Range`: a tag, a date, or neither.
#[derive(Debug, Clone)]
struct IfRange(Option<String>);

#[derive(Debug, Clone)]
struct RangeHeader(Arc<Ranges>);

pub(super) fn tags(request: &Request, name: &str) -> Dynamic {
    let header = request.header_joined(name, ",");
    Dynamic::from(ETags(Arc::new(header.map(|header| EntityTags::parse(&header)).unwrap_or_default())))
}

pub(super) fn date(request: &Request, name: &str) -> Dynamic {
    header_date::read(request.header(name))
}

pub(super) fn if_range(request: &Request) -> Dynamic {
    Dynamic::from(IfRange(request.header("if-range").map(str::to_owned)))
}

pub(super) fn range(request: &Request) -> Dynamic {
    let ranges = request.header_joined("range", ",").and_then(|header| Ranges::parse(&header));
    ranges.map_or(Dynamic::UNIT, |ranges| Dynamic::from(RangeHeader(Arc::new(ranges))))
}

impl IfRange {
    fn date(&self) -> Option<&str> {
        self.0.as_deref().filter(|text| http_date::parse(text).is_some())
    }

    fn etag(&self) -> Option<&str> {
        let text = self.0.as_deref().filter(|text| !text.is_empty() && self.date().is_none())?;
        Some(unquote(text.trim()).0)
    }
}

fn number(number: u64) -> Dynamic {
    i64::try_from(number).unwrap_or(i64::MAX).into()
}

impl RangeHeader {
    /// Returns start and stop of each range, as Werkzeug has them: `5-9` is `[5, 10]`, `-5` is `[-5, ()]`.
    fn ranges(&self) -> Array {
        let pair = |spec: &Spec| match *spec {
            Spec::From(first, last) => {
                let stop = last.map_or(Dynamic::UNIT, |last| number(last.saturating_add(1)));
                Dynamic::from(vec![number(first), stop])
            }
            Spec::Suffix(count) => {
                let start = i64::try_from(count).map_or(i64::MIN, |count| -count);
                Dynamic::from(vec![start.into(), Dynamic::UNIT])
            }
        };
        self.0.ranges.iter().map(pair).collect()
    }

    /// Returns start and stop within a content of `length` bytes; `None` unless there is one range of bytes, and it fits.
    fn within(&self, length: i64) -> Option<(i64, i64)> {
        let [spec] = self.0.ranges[..] else { return None };
        let range = spec.within(u64::try_from(length).ok()?).filter(|_| self.0.units == "bytes")?;
        Some((i64::try_from(range.start).ok()?, i64::try_from(range.end).ok()?))
    }

    fn header(&self) -> String {
        let shown = |spec: &Spec| match *spec {
            Spec::From(first, Some(last)) => format!("{first}-{last}"),
            Spec::From(first, None) => format!("{first}-"),
            Spec::Suffix(count) => format!("-{count}"),
        };
        format!("{}={}", self.0.units, self.0.ranges.iter().map(shown).collect::<Vec<_>>().join(","))
    }
}

pub(super) fn register(natives: &mut Natives) {
    natives
        .register_type_with_name::<ETags>("ETags")
        .register_get("star_tag", |tags: &mut ETags| tags.0.star)
        .register_fn("contains", |tags: &mut ETags, tag: &str| tags.0.contains(tag))
        .register_fn("contains_weak", |tags: &mut ETags, tag: &str| tags.0.contains_weak(tag))
        .register_fn("contains_raw", |tags: &mut ETags, tag: &str| match unquote(tag) {
            (tag, true) => tags.0.contains_weak(tag),
            (tag, false) => tags.0.contains(tag),
        })
        .register_fn("is_weak", |tags: &mut ETags, tag: &str| tags.0.is_weak(tag))
        .register_fn("is_strong", |tags: &mut ETags, tag: &str| tags.0.is_strong(tag))
        .register_fn("is_empty", |tags: &mut ETags| tags.0.is_empty())
        .register_optional("as_set", false, |tags: &mut ETags, weak: bool| -> Array {
            let weak = tags.0.weak.iter().filter(|_| weak);
            tags.0.strong.iter().chain(weak).map(|tag| tag.into()).collect()
        })
        .register_type_with_name::<IfRange>("IfRange")
        .register_get("etag", |range: &mut IfRange| range.etag().map_or(Dynamic::UNIT, Into::into))
        .register_get("date", |range: &mut IfRange| header_date::read(range.date()))
        .register_type_with_name::<RangeHeader>("Range")
        .register_get("units", |range: &mut RangeHeader| range.0.units.clone())
        .register_get("ranges", |range: &mut RangeHeader| range.ranges())
        .register_fn("range_for_length", |range: &mut RangeHeader, length: i64| -> Dynamic {
            let found = range.within(length);
            found.map_or(Dynamic::UNIT, |(start, stop)| Dynamic::from_array(vec![start.into(), stop.into()]))
        })
        .register_fn("make_content_range", |range: &mut RangeHeader, length: i64| -> Dynamic {
            range
                .within(length)
                .map_or(Dynamic::UNIT, |found| Dynamic::from(ContentRange::new(found, length)))
        })
        .register_fn("to_content_range_header", |range: &mut RangeHeader, length: i64| -> Dynamic {
            range
                .within(length)
                .map_or(Dynamic::UNIT, |found| ContentRange::new(found, length).header().into())
        });
    for name in ["to_header", "to_string", "to_debug"] {
        natives
            .register_fn(name, |tags: &mut ETags| tags.0.header())
            .register_fn(name, |range: &mut IfRange| range.0.clone().unwrap_or_default())
            .register_fn(name, |range: &mut RangeHeader| range.header());
    }
}
