//! Compares two outcomes of the same request: the answer before a change, and the one after it.

use super::Outcome;
use crate::chaos::Reply;
use crate::message::answer::Fields;
use crate::message::json::{self, Json};
use crate::provisioning::provision::Provision;
use crate::system::truncate::truncate;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Bytes of a body that are compared. Bodies in memory are compared whole.
const COMPARED: usize = 1 << 20;
/// Characters of a text that are shown.
const SHOWN: usize = 120;

/// A value before and after the change.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Pair<T> {
    pub before: T,
    pub after: T,
}

/// The differences of two outcomes. A part that is the same is left out.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(crate) struct Differences {
    /// 0 where the connection is broken on purpose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Pair<u16>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Pair<Option<String>>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<Header>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
    /// Delays in milliseconds. A trial does not wait for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<Pair<f64>>,
    /// The injected faults in words, without their delays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Pair<Option<String>>>,
}

/// A header that differs: its values, joined; `null` without such a field.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Header {
    pub name: String,
    #[serde(flatten)]
    pub values: Pair<Option<String>>,
}

/// The first difference of two bodies.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Body {
    #[serde(flatten)]
    pub place: Place,
    /// The texts there; `null` without a value at that place.
    #[serde(flatten)]
    pub texts: Pair<Option<String>>,
}

/// The place of a difference.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Place {
    /// A JSON pointer (RFC 6901), where both bodies are JSON: `/items/0/id`.
    Json(String),
    /// The number of equal bytes before it.
    Position(usize),
}

impl<T: PartialEq> Pair<T> {
    /// Returns the pair if its values differ.
    pub(crate) fn of(before: T, after: T) -> Option<Pair<T>> {
        (before != after).then_some(Pair { before, after })
    }
}

impl Differences {
    /// Compares the replies of two outcomes.
    pub(crate) fn of(before: &Reply, after: &Reply) -> Differences {
        let (one, other) = (&before.answer, &after.answer);
        Differences {
            status: Pair::of(before.status_sent(), after.status_sent()),
            reason: Pair::of(one.reason.clone(), other.reason.clone()),
            headers: headers(&one.headers, &other.headers),
            body: if one.body == other.body {
                None
            } else {
                body(
                    &one.body.beginning(COMPARED),
                    &other.body.beginning(COMPARED),
                    one.body.len() != other.body.len(),
                )
            },
            hold: Pair::of(in_ms(before), in_ms(after)),
            fault: Pair::of(faults(before), faults(after)),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        *self == Differences::default()
    }
}

/// Returns the delay of a reply in milliseconds.
pub(crate) fn in_ms(reply: &Reply) -> f64 {
    reply.hold.as_micros() as f64 / 1000.0
}

/// Returns the faults of a reply in words: `dribble 5 chunks, fault reset`.
pub(crate) fn faults(reply: &Reply) -> Option<String> {
    let injected = reply.injected.as_ref()?;
    let dribble =
        injected.dribble.map(|dribble| format!("dribble {} chunks in {:?}", dribble.chunks, dribble.over));
    let breaking = injected.breaking.map(|breaking| format!("fault {}", breaking.name()));
    let stream = Some(injected.stream.words().to_owned()).filter(|words| !words.is_empty());
    let words: Vec<String> = dribble.into_iter().chain(breaking).chain(stream).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// Returns the headers whose values differ, by name. Names are equal in any case; the order of different names has no meaning.
fn headers(before: &Fields, after: &Fields) -> Vec<Header> {
    let mut named: BTreeMap<String, [Option<String>; 2]> = BTreeMap::new();
    for (side, fields) in [before, after].into_iter().enumerate() {
        for (name, value) in fields {
            let values = &mut named.entry(name.to_ascii_lowercase()).or_default()[side];
            *values = Some(match values.take() {
                Some(first) => format!("{first}, {value}"),
                None => value.clone().into_owned(),
            });
        }
    }
    let differs = |(name, [before, after]): (String, [Option<String>; 2])| {
        let shown = |value: Option<String>| value.map(|value| truncate(&value, SHOWN, "..."));
        (before != after)
            .then(|| Header { name, values: Pair { before: shown(before), after: shown(after) } })
    };
    named.into_iter().filter_map(differs).collect()
}

/// Returns the first difference of two bodies; `longer` says that their lengths differ, also where these beginnings are equal.
fn body(before: &[u8], after: &[u8], longer: bool) -> Option<Body> {
    if before.len() < COMPARED
        && after.len() < COMPARED
        && let (Ok(one), Ok(other)) = (json::read::<Json>(before), json::read::<Json>(after))
    {
        let mut pointer = String::new();
        if let Some(texts) = differ(&mut pointer, Some(&one), Some(&other)) {
            return Some(Body { place: Place::Json(pointer), texts });
        }
    }
    let same = before.iter().zip(after).take_while(|(one, other)| one == other).count();
    if same == before.len() && same == after.len() && !longer {
        return None;
    }
    let start = boundary(before, same);
    let text = |bytes: &[u8]| {
        let rest = &bytes[start..];
        let text = String::from_utf8_lossy(&rest[..rest.len().min(SHOWN * 4)]);
        Some(truncate(&text, SHOWN, "...")).filter(|text| !text.is_empty())
    };
    Some(Body { place: Place::Position(same), texts: Pair { before: text(before), after: text(after) } })
}

/// Returns the start of the UTF-8 character at `index`.
fn boundary(bytes: &[u8], index: usize) -> usize {
    let is_inside = |at: &usize| bytes.get(*at).is_some_and(|byte| byte & 0xc0 == 0x80);
    (index.saturating_sub(3)..=index).rev().find(|at| !is_inside(at)).unwrap_or(index)
}

/// Returns the first difference of two values, in the order of the first one. Moves `pointer` from their place to the difference.
fn differ(pointer: &mut String, before: Option<&Json>, after: Option<&Json>) -> Option<Pair<Option<String>>> {
    let mut inside = |step: &str, before: Option<&Json>, after: Option<&Json>| {
        let length = pointer.len();
        let _ = write!(pointer, "/{}", step.replace('~', "~0").replace('/', "~1"));
        let found = differ(pointer, before, after);
        if found.is_none() {
            pointer.truncate(length);
        }
        found
    };
    let text = |value: Option<&Json>| value.map(|value| truncate(&value.to_string(), SHOWN, "..."));
    match (before, after) {
        (Some(Json::List(one)), Some(Json::List(other))) => (0..one.len().max(other.len()))
            .find_map(|index| inside(&index.to_string(), one.get(index), other.get(index))),
        (Some(Json::Map(one)), Some(Json::Map(other))) => {
            let (first, second) = (by_key(one), by_key(other));
            let mut keys = one.iter().chain(other).map(|(key, _)| key.as_str());
            keys.find_map(|key| inside(key, first.get(key).copied(), second.get(key).copied()))
        }
        (Some(one), Some(other)) if one.same(other) => None,
        (before, after) => Some(Pair { before: text(before), after: text(after) }),
    }
}

/// Returns the members by their keys; of a key that repeats, the last value counts.
fn by_key(pairs: &[(String, Json)]) -> BTreeMap<&str, &Json> {
    pairs.iter().map(|(key, value)| (key.as_str(), value)).collect()
}

/// Returns the rule that served: its pattern, with the methods that were listed.
pub(crate) fn rule(provision: &Provision, outcome: &Outcome) -> Option<String> {
    outcome.rule.map(|index| provision.router.rules()[index].display().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chaos::{Breaking, Dribble};
    use crate::message::answer::Answer;
    use std::time::Duration;

    fn shown(before: &Reply, after: &Reply) -> String {
        serde_json::to_string(&Differences::of(before, after)).unwrap()
    }

    #[test]
    fn bodies_differ_at_a_json_pointer_or_at_a_position() {
        let long = format!("[\"{}\"]", "x".repeat(500));
        let cut = format!(r#"{{"json":"","before":"[\"{}...","after":"{{}}"}}"#, "x".repeat(118));
        for (before, after, expected) in [
            ("a", "a", None),
            (r#"{"a":1,"b":2}"#, r#"{"a":1,"b":2}"#, None),
            (
                r#"{"a":[1,{"b/c":2}]}"#,
                r#"{"a":[1,{"b/c":3}]}"#,
                Some(r#"{"json":"/a/1/b~1c","before":"2","after":"3"}"#),
            ),
            (r#"{"a":1}"#, r#"{"a":1,"b":null}"#, Some(r#"{"json":"/b","before":null,"after":"null"}"#)),
            (r#"{"a":1,"b":2}"#, r#"{"a":1}"#, Some(r#"{"json":"/b","before":"2","after":null}"#)),
            ("[1,2]", "[1]", Some(r#"{"json":"/1","before":"2","after":null}"#)),
            ("1", "\"1\"", Some(r#"{"json":"","before":"1","after":"\"1\""}"#)),
            // The same JSON in another form, and no JSON on one side.
            (r#"{"a":1}"#, r#"{"a": 1}"#, Some(r#"{"position":5,"before":"1}","after":" 1}"}"#)),
            (r#"{"a":1}"#, "nothing", Some(r#"{"position":0,"before":"{\"a\":1}","after":"nothing"}"#)),
            ("same", "same and more", Some(r#"{"position":4,"before":null,"after":" and more"}"#)),
            ("", "x", Some(r#"{"position":0,"before":null,"after":"x"}"#)),
            // The first byte of both letters is the same.
            ("a é", "a è", Some(r#"{"position":3,"before":"é","after":"è"}"#)),
            (long.as_str(), "{}", Some(cut.as_str())),
        ] {
            let [one, other] = [before, after].map(|body| Answer::text(200, body).into());
            let expected = expected.map_or("{}".to_owned(), |body| format!(r#"{{"body":{body}}}"#));
            assert_eq!(shown(&one, &other), expected, "{before} | {after}");
        }
    }

    #[test]
    fn headers_differ_by_name_with_all_values() {
        let with = |fields: &[(&'static str, &'static str)]| -> Reply {
            let headers = fields.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            Answer { status: 200, headers, ..Answer::default() }.into()
        };
        for (before, after, expected) in [
            (&[("A", "1"), ("B", "2")][..], &[("b", "2"), ("a", "1")][..], "{}"),
            (&[("A", "1")], &[], r#"{"headers":[{"name":"a","before":"1","after":null}]}"#),
            (
                &[("Set-Cookie", "a"), ("Set-Cookie", "b")],
                &[("Set-Cookie", "b"), ("Set-Cookie", "a")],
                r#"{"headers":[{"name":"set-cookie","before":"a, b","after":"b, a"}]}"#,
            ),
        ] {
            assert_eq!(shown(&with(before), &with(after)), expected);
        }
    }

    #[test]
    fn statuses_delays_and_faults_differ() {
        let plain = Reply::from(Answer::text(200, "x"));
        let mut slow = plain.clone();
        slow.delay(Duration::from_micros(1_500), "");
        assert_eq!(shown(&plain, &slow), r#"{"hold":{"before":0.0,"after":1.5}}"#);
        let mut broken = Reply::from(Answer { reason: Some("Odd".to_owned()), ..Answer::text(201, "x") });
        broken.dribble(Dribble::new(5, 1000.0).unwrap(), "");
        assert_eq!(
            shown(&plain, &broken),
            r#"{"status":{"before":200,"after":201},"reason":{"before":null,"after":"Odd"},"fault":{"before":null,"after":"dribble 5 chunks in 1s"}}"#
        );
        broken.break_off(Breaking::Reset, "");
        assert!(shown(&plain, &broken).contains(r#""status":{"before":200,"after":0}"#));
        assert!(Differences::of(&slow, &slow.clone()).is_empty());
    }
}
