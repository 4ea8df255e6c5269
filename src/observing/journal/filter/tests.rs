//! Filters as queries, on entries.

mod bounds;
mod faults;
mod forms;
pub(crate) mod generated;

use super::condition::MAX_SEARCHED;
use super::parse::{LIST, VERIFY, WAIT, json, query};
use super::*;
use crate::observing::journal::entry::Entry;
use std::time::Duration;

/// An entry with a request line such as `POST /orders?x=1`, header fields, and a body.
pub(crate) fn entry(number: u64, line: &str, fields: &[(&str, &str)], body: &str) -> Entry {
    let (method, target) = line.split_once(' ').unwrap();
    Entry {
        number,
        generation: 2,
        method: method.into(),
        target: target.into(),
        path: target.split('?').next().unwrap().replace("%20", " "),
        headers: fields.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
        body: body.into(),
        body_length: body.len() as u64,
        rule: Some("/orders/<int:id>".into()),
        endpoint: Some("order".into()),
        status: 201,
        ..Entry::default()
    }
}

/// The same entry with only the first `kept` bytes of its body.
pub(crate) fn cut(mut entry: Entry, kept: usize) -> Entry {
    entry.body.truncate(kept);
    entry
}

fn fit(text: &str, entry: &Entry) -> Fit {
    query(text, LIST).unwrap_or_else(|error| panic!("{error}")).filter.fits(&Subject::new(entry))
}

fn order() -> Entry {
    let fields =
        [("X-Id", " a b "), ("x-id", "c"), ("Baggage", "run=t%201;p=1, other=2"), ("baggage", "user = u ")];
    let body = r#"{"id":7,"big":1e2,"name":"seven","text":"7","tags":["a",{"b/c":null}],"on":true}"#;
    entry(5, "POST /orders/17?page=2&q=a+b&page=3", &fields, body)
}

#[test]
fn cheap_conditions_are_looked_at_first_and_others_keep_their_order() {
    let filter = query("body~=x&json=/a&form=b&header=C&method=GET&path=/", LIST).unwrap().filter;
    let order: Vec<String> = filter.conditions().iter().map(|condition| condition.part.to_string()).collect();
    assert_eq!(order, ["method", "path", "header C", "json /a", "form b", "body"]);
}

#[test]
fn parts_are_compared_searched_and_looked_for() {
    let table = [
        ("", Fit::Yes),
        ("&&", Fit::Yes),
        ("method=POST", Fit::Yes),
        ("method~=^post$", Fit::No),
        ("method!=GET", Fit::Yes),
        ("method!=POST", Fit::No),
        ("method!~=^P", Fit::No),
        ("method~=^P.ST$", Fit::Yes),
        ("path=/orders/17", Fit::Yes),
        ("path=/orders/<int:id>", Fit::Yes),
        ("path=%2Forders%2F%3Cint%3Aid%3E", Fit::Yes),
        ("path=/orders/<int(max=16):id>", Fit::No),
        ("path=/orders/<id>/", Fit::No),
        ("path=/orders//17", Fit::No),
        ("path=/<path:all>", Fit::Yes),
        ("path!=/orders/<int:id>", Fit::No),
        ("path!=/orders", Fit::Yes),
        ("target=/orders/17?page=2%26q=a%2Bb%26page=3", Fit::Yes),
        ("target=/orders/17", Fit::No),
        ("target!=/orders/17", Fit::Yes),
        ("target~=[?]page=2%26", Fit::Yes),
        ("path~=/17", Fit::Yes),
        ("rule=/orders/<int:id>", Fit::Yes),
        ("rule=", Fit::No),
        ("rule!=", Fit::Yes),
        ("endpoint=order", Fit::Yes),
        ("endpoint~=^ord", Fit::Yes),
        ("status=201", Fit::Yes),
        ("status=2xx", Fit::Yes),
        ("status=4xx", Fit::No),
        ("status=200", Fit::No),
        ("status!=200", Fit::Yes),
        ("status!=2xx", Fit::No),
        ("status=2xx&status!=200", Fit::Yes),
        ("status!=200&status!=404", Fit::Yes),
        ("status~=^2", Fit::Yes),
        ("header=X-Id", Fit::Yes),
        ("header=x-none", Fit::No),
        ("header!=x-none", Fit::Yes),
        ("header!=X-Id", Fit::No),
        ("header!=X-Id: c", Fit::No),
        ("header!=X-Id: d", Fit::Yes),
        ("header!=X-None: c", Fit::Yes),
        ("header!~=X-Id: ^a", Fit::No),
        ("header!~=X-Id: ^b", Fit::Yes),
        ("header=X-Id: a=b:c", Fit::No),
        ("header=X-ID:a b", Fit::Yes),
        ("header=X-ID:%20c", Fit::Yes),
        ("header=X-ID:a", Fit::No),
        ("header~=x-id:^c", Fit::Yes),
        ("header=x-id:c&header=x-id:a+b", Fit::Yes),
        ("query=page", Fit::Yes),
        ("query=page=3", Fit::Yes),
        ("query=page=4", Fit::No),
        ("query!=page=4", Fit::Yes),
        ("query!=page=3", Fit::No),
        ("query!=page", Fit::No),
        ("query!=none", Fit::Yes),
        ("query=page=2&query=page=3", Fit::Yes),
        ("query=q=a b", Fit::Yes),
        ("query~=page=^[0-2]$", Fit::Yes),
        ("baggage=run=t 1", Fit::Yes),
        ("baggage=user=u", Fit::Yes),
        ("baggage=other", Fit::Yes),
        ("baggage=none", Fit::No),
        ("baggage!=none", Fit::Yes),
        ("baggage!=other=1", Fit::Yes),
        ("baggage=run=1", Fit::No),
        ("overlay=", Fit::Yes),
        ("overlay=busy", Fit::No),
        ("overlay!=busy", Fit::Yes),
        ("generation=2", Fit::Yes),
        ("generation=3", Fit::No),
        ("body~=\"seven\"", Fit::Yes),
        ("body~=eight", Fit::No),
        ("body={}", Fit::No),
        ("body!={}", Fit::Yes),
        ("body!~=seven", Fit::No),
        ("json=/id=7", Fit::Yes),
        ("json=/id=7.0", Fit::Yes),
        ("json=/id=8", Fit::No),
        ("json=/id", Fit::Yes),
        ("json!=/id", Fit::No),
        ("json!=/none", Fit::Yes),
        ("json!=/id=8", Fit::Yes),
        ("json!=/id=7", Fit::No),
        ("json!=/none=7", Fit::Yes),
        ("json!~=/name=^a", Fit::Yes),
        ("json=/id=\"7\"", Fit::No),
        ("json=/big=100", Fit::Yes),
        ("json=/text=7", Fit::Yes),
        ("json=/text=\"7\"", Fit::Yes),
        ("json=/name=seven", Fit::Yes),
        ("json=/on=true", Fit::Yes),
        ("json=/tags/0=a", Fit::Yes),
        ("json=/tags/1/b~1c=null", Fit::Yes),
        ("json=/tags/1/none=null", Fit::No),
        ("json=/tags=[\"a\",{\"b/c\":null}]", Fit::Yes),
        ("json~=/name=^se", Fit::Yes),
        ("json~=/id=^7$", Fit::Yes),
        ("json~=/tags=b/c", Fit::Yes),
        ("json~=/none=", Fit::No),
        ("since=9&limit=1", Fit::Yes),
    ];
    for (text, expected) in table {
        assert_eq!(fit(text, &order()), expected, "{text}");
    }
}

#[test]
fn a_request_without_a_rule_has_an_empty_one_and_a_broken_connection_status_0() {
    let lost = Entry { rule: None, endpoint: None, status: 0, ..entry(1, "GET /", &[], "no json") };
    for text in ["rule=", "endpoint=", "status=0", "body=no json"] {
        assert_eq!(fit(text, &lost), Fit::Yes, "{text}");
    }
    assert_eq!(fit("json==1", &lost), Fit::No);
    assert_eq!(fit("json==1", &entry(1, "GET /", &[], "1")), Fit::Yes);
}

#[test]
fn only_the_request_line_of_a_refused_request_is_known() {
    let whole = entry(1, "POST /orders?page=2", &[], "");
    let refused =
        Entry { generation: 0, unmatched: Some("too long".into()), rule: None, status: 413, ..whole };
    let table = [
        ("method=POST&path=/orders&target~=^/orders&status=413&rule=", Fit::Yes),
        ("path=/other&header=X-Trace", Fit::No),
        ("generation!=0&body!=x", Fit::No),
        ("header!=X-Trace", Fit::Open),
        ("header=X-Trace", Fit::Open),
        ("query=page", Fit::Open),
        ("cookie!=a", Fit::Open),
        ("baggage=a", Fit::Open),
        ("form!=a", Fit::Open),
        ("part=a", Fit::Open),
        ("json!=/a", Fit::Open),
        ("body=", Fit::Open),
    ];
    for (text, expected) in table {
        assert_eq!(fit(text, &refused), expected, "{text}");
    }
}

#[test]
fn a_truncated_body_leaves_conditions_open_that_depend_on_the_rest() {
    let table = [
        ("body=abcdef", Fit::Open),
        ("body=abcxef", Fit::Open),
        ("body=abcde", Fit::No),
        ("body=xbcdef", Fit::No),
        ("body!=abcdef", Fit::Open),
        ("body!=abcde", Fit::Yes),
        ("body!~=^ab", Fit::No),
        ("body!~=x", Fit::Open),
        ("json!=/a=1", Fit::Open),
        ("json!=/a", Fit::Open),
        ("body~=^ab", Fit::Yes),
        ("body~=abc$", Fit::Open),
        ("body~=bc", Fit::Open),
        ("body~=x", Fit::Open),
        ("json=/a=1", Fit::Open),
        ("method=GET&body~=x", Fit::Open),
        ("method=PUT&body~=x", Fit::No),
    ];
    for (text, expected) in table {
        assert_eq!(fit(text, &cut(entry(1, "GET /", &[], "abcdef"), 3)), expected, "{text}");
    }
    // An incomplete character at the end does not belong to the text.
    assert_eq!(fit("body~=a\u{fffd}", &cut(entry(1, "GET /", &[], "aaé"), 3)), Fit::Open);
    let long = entry(1, "GET /", &[], &"x".repeat(MAX_SEARCHED + 1));
    assert_eq!((fit("body~=y", &long), fit("body~=x", &long)), (Fit::Open, Fit::Yes));
}

#[test]
fn numbers_stand_beside_the_conditions() {
    let asked = query("since=3&limit=2&method=GET", LIST).unwrap();
    assert_eq!((asked.since, asked.limit, asked.filter.conditions().len()), (Some(3), Some(2), 1));
    let asked = query("min=1&max=2", VERIFY).unwrap();
    assert_eq!((asked.since, asked.count, asked.min, asked.max), (None, None, Some(1), Some(2)));
    let asked = query("count=3&timeout=.5", WAIT).unwrap();
    assert_eq!((asked.count, asked.timeout), (Some(3), Some(Duration::from_millis(500))));
    assert_eq!(query("", WAIT).unwrap().timeout, None);
}

#[test]
fn json_asks_the_same() {
    let fit = |text: &str| {
        let value = crate::message::json::read(text.as_bytes()).unwrap();
        json(&value, LIST).unwrap_or_else(|error| panic!("{error}")).filter.fits(&Subject::new(&order()))
    };
    let table = [
        ("{}", Fit::Yes),
        (r#"{"method":"POST","path":"/orders/<int:id>","status":201,"generation":2}"#, Fit::Yes),
        (r#"{"status":"2xx","body~":"seven"}"#, Fit::Yes),
        (r#"{"header":["X-Id:c","X-Id:a b"]}"#, Fit::Yes),
        (r#"{"header":{"X-Id":"c"},"query":{"page":2},"baggage":{"other":"2"}}"#, Fit::Yes),
        (r#"{"header~":{"X-Id":"^c$"}}"#, Fit::Yes),
        (r#"{"json":{"/id":7,"/name":"seven","/on":true,"/tags/1":{"b/c":null}}}"#, Fit::Yes),
        (r#"{"json":{"/text":7}}"#, Fit::No),
        (r#"{"json":{"/id":"7"}}"#, Fit::No),
        (r#"{"json":"/id=7","json~":{"/name":"^s"}}"#, Fit::Yes),
        (r#"{"method":[]}"#, Fit::Yes),
        (r#"{"query":{"page":["2",3]}}"#, Fit::Yes),
        (r#"{"query":{"page":["2","4"]}}"#, Fit::No),
        (r#"{"header!":"X-None","status!":[200,"4xx"]}"#, Fit::Yes),
        (r#"{"header!":{"X-Id":"c"}}"#, Fit::No),
        (r#"{"header!":{"X-None":"c","X-Id":["d","e"]}}"#, Fit::Yes),
        (r#"{"body!~":"seven"}"#, Fit::No),
        (r#"{"json!":{"/id":8,"/name":"six"}}"#, Fit::Yes),
        (r#"{"json!":["/none","/id=8"]}"#, Fit::Yes),
        (r#"{"json":{"/tags":["a",{"b/c":null}]}}"#, Fit::Yes),
        (r#"{"json~":{"/name":["^s","n$"]}}"#, Fit::Yes),
    ];
    for (text, expected) in table {
        assert_eq!(fit(text), expected, "{text}");
    }
}
