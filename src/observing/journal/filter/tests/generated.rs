//! Random conditions on random entries.

use super::*;
use crate::message::content_coding::tests::gzip;
use crate::message::json::read;
use crate::observing::journal::Kind;
use crate::routing::quoting::encode_query;
use fastrand::Rng;

/// A condition in each form in which it can be written.
pub(crate) struct Written {
    /// In a query.
    pub query: String,
    /// In JSON, as an object of its own.
    pub json: String,
    /// In `h1mock wait --for`, behind the `?`.
    pub wait: String,
}

/// A random value out of a few, so that conditions and entries often agree. Some values are invalid.
fn value(random: &mut Rng, key: &str) -> String {
    let words =
        ["a", "b", "1", "a b", "a+b", "a%20b", "é", "", "a=1", "a&b", "null", "{\"x\":1}", "x;y", "\"1\""];
    let some = |random: &mut Rng| random.choice(words).unwrap_or_default().to_owned();
    match key {
        "method" => random.choice(["GET", "POST", "get"]).unwrap_or_default().into(),
        "path" => {
            random.choice(["/", "/a", "/<x>", "/<int:x>", "/a?b=1", "/a b", "a"]).unwrap_or_default().into()
        }
        "target" => random.choice(["/", "/a?a=1", "/a?a=a+b&b=a%20b", "/a b"]).unwrap_or_default().into(),
        "status" => random.choice(["200", "201", "2xx", "4xx", "0", "99"]).unwrap_or_default().into(),
        "generation" => random.choice(["1", "2", "x"]).unwrap_or_default().into(),
        "forwarded" => random.choice(["true", "false", "x"]).unwrap_or_default().into(),
        "kind" => random.choice(["request", "callback", "all", "x"]).unwrap_or_default().into(),
        "cause" | "attempt" => random.choice(["1", "2", "1-", "x"]).unwrap_or_default().into(),
        _ => some(random),
    }
}

/// The key, its operator without the `=`, a name where the part has one, and a value.
type Condition = (&'static str, &'static str, Option<String>, Option<String>);

fn condition(random: &mut Rng) -> Condition {
    let key = random.choice(crate::observing::journal::filter::parse::PARTS).unwrap_or_default();
    let operator = random.choice(["", "!", "~", "!~"]).unwrap_or_default();
    let name = match key {
        "header" => random.choice(["X-A", "x-b", "X A"]),
        "query" | "form" | "cookie" | "baggage" => random.choice(["a", "b", "c", "a b"]),
        "part" => random.choice(["a", "b", "a;type", "b;filename", "a;content"]),
        "json" => random.choice(["", "/a", "/b", "/a/x", "a"]),
        _ => None,
    };
    let value = match random.u8(..4) {
        0 if name.is_some() => None,
        _ => Some(value(random, key)),
    };
    (key, operator, name.map(str::to_owned), value)
}

fn written(random: &mut Rng, (key, operator, name, value): &Condition) -> Written {
    let separator = if *key == "header" { ": " } else { "=" };
    let text = match (name, value) {
        (Some(name), Some(value)) => format!("{name}{separator}{value}"),
        (name, value) => name.clone().or(value.clone()).unwrap_or_default(),
    };
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let json = match (name, value) {
        // A query's text behind a pointer may mean a string or a value; an object says which. Multipart parts have objects of their own.
        (Some(name), Some(value)) if !matches!(*key, "json" | "part") && random.bool() => {
            format!("{{{}:{{{}:{}}}}}", quoted(&format!("{key}{operator}")), quoted(name), quoted(value))
        }
        _ => format!("{{{}:{}}}", quoted(&format!("{key}{operator}")), quoted(&text)),
    };
    Written {
        query: format!("{key}{operator}={}", encode_query(&text)),
        json,
        wait: format!("{key}{operator}={}", text.replace('%', "%25").replace('&', "%26")),
    }
}

/// A random condition, which may be invalid.
pub(crate) fn any(random: &mut Rng) -> Written {
    let condition = condition(random);
    written(random, &condition)
}

fn random_entry(random: &mut Rng) -> Entry {
    let line =
        random.choice(["GET /", "POST /a?a=1", "GET /a?a=a+b&b=a%20b&a=", "POST /1"]).unwrap_or_default();
    let multipart = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\na b\r\n--b\r\nContent-Disposition: form-data; \
        name=\"b\"; filename=\"a\"\r\nContent-Type: a\r\n\r\n1\r\n--b--\r\n";
    let (kind, body) = random
        .choice([
            ("application/x-www-form-urlencoded", "a=1&b=a+b&a=a"),
            ("multipart/form-data; boundary=b", multipart),
            ("application/json", r#"{"a":1,"b":"a b"}"#),
            ("application/json", r#"{"a":{"x":1},"b":null}"#),
            ("text/plain", "a"),
            ("text/plain", ""),
        ])
        .unwrap_or_default();
    let fields =
        [("X-A", "1"), ("x-b", "a b"), ("X-A", "a"), ("Cookie", "a=1; b=a b"), ("Baggage", "a=1,b=a%20b")];
    let mut fields: Vec<_> = fields.into_iter().filter(|_| random.bool()).collect();
    fields.push(("Content-Type", kind));
    let coding = random.choice(["", "", "gzip", "br"]).unwrap_or_default();
    if !coding.is_empty() {
        fields.push(("Content-Encoding", coding));
    }
    let mut made = entry(1, line, &fields, body);
    if coding == "gzip" && random.u8(..8) > 0 {
        made.body = gzip(body.as_bytes());
        made.body_length = made.body.len() as u64;
    }
    made.status = random.choice([0, 200, 201, 404]).unwrap_or_default();
    made.forwarded = random.bool().then(Default::default);
    if random.u8(..4) == 0 {
        made.kind = Kind::Callback { cause: random.u64(1..3), attempt: random.u32(1..3) };
    }
    if random.bool() { made } else { Entry { rule: None, endpoint: None, ..made } }
}

#[test]
fn a_query_and_json_give_the_same_filter() {
    let mut random = Rng::with_seed(16);
    let mut filters = 0;
    for _ in 0..5_000 {
        let Written { query: text, json: object, .. } = any(&mut random);
        let by_query = query(&text, LIST).ok();
        let by_json = json(&read(object.as_bytes()).unwrap(), LIST).ok();
        filters += usize::from(by_query.is_some());
        assert_eq!(format!("{by_query:?}"), format!("{by_json:?}"), "{text} {object}");
    }
    assert!(filters > 2_500, "{filters}");
}

#[test]
fn a_negated_condition_is_the_opposite_and_missing_text_leaves_both_open() {
    let mut random = Rng::with_seed(17);
    let (mut seen, mut opened) = ([0; 3], 0);
    for _ in 0..12_000 {
        let (key, operator, name, value) = condition(&mut random);
        let search = operator.trim_start_matches('!');
        let fits = |operator: &'static str, entry: &Entry| {
            let text = written(&mut Rng::with_seed(1), &(key, operator, name.clone(), value.clone())).query;
            Some((query(&text, LIST).ok()?.filter.fits(&Subject::new(entry)), text))
        };
        let mut entry = random_entry(&mut random);
        let is_of_callbacks = matches!(key, "cause" | "attempt");
        entry.kind = if is_of_callbacks { Kind::Callback { cause: 1, attempt: 1 } } else { Kind::Request };
        let negation = if search.is_empty() { "!" } else { "!~" };
        let plain_operator = if search.is_empty() { "" } else { "~" };
        let (Some((plain, text)), Some((negated, _))) =
            (fits(plain_operator, &entry), fits(negation, &entry))
        else {
            continue;
        };
        assert_eq!(negated, plain.not(), "{text} {entry:?}");
        seen[plain as usize] += 1;
        // With less of an entry, the result is the same or open.
        let kept = random.usize(..=entry.body.len());
        let partial = fits(plain_operator, &cut(entry.clone(), kept)).map(|(fit, _)| fit);
        assert!(
            plain == Fit::Open || partial == Some(plain) || partial == Some(Fit::Open),
            "{text} {kept} {entry:?}"
        );
        opened += usize::from(partial == Some(Fit::Open) && plain != Fit::Open);
    }
    assert!(seen.iter().all(|count| *count > 125) && opened > 125, "{seen:?} {opened}");
}

#[test]
fn conditions_that_contradict_one_another_never_hold_together() {
    let mut random = Rng::with_seed(18);
    let mut refused = 0;
    for _ in 0..5_000 {
        let [one, two] = [any(&mut random).query, any(&mut random).query];
        let (Ok(first), Ok(second)) = (query(&one, LIST), query(&two, LIST)) else { continue };
        let Err(error) = query(&format!("{one}&{two}"), LIST) else { continue };
        if error.to_string().contains("too large") {
            continue;
        }
        refused += 1;
        for _ in 0..10 {
            let entry = random_entry(&mut random);
            let subject = Subject::new(&entry);
            let both = first.filter.fits(&subject).and(second.filter.fits(&subject));
            assert!(both != Fit::Yes, "{one} {two}: {error} {entry:?}");
        }
    }
    assert!(refused > 25, "{refused}");
}
