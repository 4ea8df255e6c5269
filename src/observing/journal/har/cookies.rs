//! The cookies of requests and answers in the form of HAR 1.2: `Cookie` has names and values, `Set-Cookie` has attributes too.

use super::super::entry::Entry;
use super::super::json::{object, rfc3339};
use crate::message::cookie;
use chrono::DateTime;
use serde_json::Value;

/// Returns the cookies that the request sent, as scripts see them.
pub(super) fn sent(entry: &Entry) -> Value {
    let fields: Vec<&str> = values(&entry.headers, "cookie").collect();
    let cookies = cookie::parse(&fields.join("; ")).into_iter();
    cookies.map(|(name, value)| object(&mut [("name", name.into()), ("value", value.into())])).collect()
}

/// Returns the cookies that the answer set.
pub(super) fn set(entry: &Entry) -> Value {
    values(&entry.answer_headers, "set-cookie").filter_map(|line| parse(line, entry.time)).collect()
}

fn values<'h>(headers: &'h [(String, String)], name: &str) -> impl Iterator<Item = &'h str> {
    headers.iter().filter(move |(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// Parses the value of a `Set-Cookie` field as browsers do (RFC 6265, section 5.2); `None` without a name. The answer left at `time`, in
/// microseconds since 1970.
fn parse(line: &str, time: u64) -> Option<Value> {
    let end = pair_end(line);
    let (name, value) = cookie::parse(&line[..end]).into_iter().next()?;
    let mut cookie = object(&mut [
        ("name", name.into()),
        ("value", value.into()),
        ("httpOnly", false.into()),
        ("secure", false.into()),
    ]);
    let mut max_age = None;
    for attribute in line[end..].split(';').map(str::trim) {
        let (name, value) = attribute.split_once('=').unwrap_or((attribute, ""));
        let (name, value) = (name.trim_end().to_ascii_lowercase(), value.trim_start());
        match name.as_str() {
            "path" => cookie["path"] = value.into(),
            "domain" => cookie["domain"] = value.into(),
            "secure" => cookie["secure"] = true.into(),
            "httponly" => cookie["httpOnly"] = true.into(),
            "samesite" => cookie["sameSite"] = value.into(),
            "max-age" => max_age = value.parse::<i64>().ok(),
            "expires" => {
                let date = DateTime::parse_from_rfc2822(value);
                // The form of Netscape has dashes: `Wed, 21-Oct-2015 07:28:00 GMT`.
                let date = date.or_else(|_| DateTime::parse_from_rfc2822(&value.replace('-', " ")));
                let date = date.ok().and_then(|date| u64::try_from(date.timestamp_micros()).ok());
                date.into_iter().for_each(|date| cookie["expires"] = rfc3339(date).into());
            }
            _ => {}
        }
    }
    // `Max-Age` counts more than `Expires` (RFC 6265, section 4.1.2.2).
    if let Some(seconds) = max_age {
        let end = time.saturating_add_signed(seconds.max(0).saturating_mul(1_000_000));
        cookie["expires"] = rfc3339(end).into();
    }
    Some(cookie)
}

/// Returns where name and value end: at the first `;` outside of quotes, since Flask quotes a value that has one.
fn pair_end(line: &str) -> usize {
    let (mut quoted, mut escaped) = (false, false);
    let end = line.bytes().position(|byte| {
        quoted ^= byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        byte == b';' && !quoted
    });
    end.or_else(|| line.find(';')).unwrap_or(line.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn attributes_of_an_answers_cookie_are_fields() {
        let plain = |name: &str, value: &str| json!({ "name": name, "value": value, "httpOnly": false, "secure": false });
        let with = |more: Value| {
            let mut cookie = plain("a", "1");
            more.as_object().unwrap().iter().for_each(|(key, value)| cookie[key] = value.clone());
            Some(cookie)
        };
        let date = "2015-10-21T07:28:00.000000Z";
        let cases = [
            ("a=1", with(json!({}))),
            ("a=1; Path=/x; Domain=example.org", with(json!({ "path": "/x", "domain": "example.org" }))),
            (
                "a=1;secure ; HTTPONLY;SameSite=Lax; Partitioned",
                with(json!({ "secure": true, "httpOnly": true, "sameSite": "Lax" })),
            ),
            ("a=1; Expires=Wed, 21 Oct 2015 07:28:00 GMT", with(json!({ "expires": date }))),
            ("a=1; Expires=Wed, 21-Oct-2015 07:28:00 GMT", with(json!({ "expires": date }))),
            ("a=1; Expires=soon; Max-Age=x", with(json!({}))),
            (
                "a=1; Max-Age=60; Expires=Wed, 21 Oct 2015 07:28:00 GMT",
                with(json!({ "expires": "1970-01-01T00:01:02.000000Z" })),
            ),
            ("a=1; Max-Age=-1", with(json!({ "expires": "1970-01-01T00:00:02.000000Z" }))),
            (
                "k=\"\\303\\251; \\\"\"; Path=/",
                Some(json!({
                    "name": "k", "value": "\u{e9}; \"", "httpOnly": false, "secure": false, "path": "/",
                })),
            ),
            (
                "k=\"x; Secure",
                Some(json!({ "name": "k", "value": "\"x", "httpOnly": false, "secure": true })),
            ),
            ("k", Some(plain("k", ""))),
            ("", None),
            ("; Path=/", None),
        ];
        for (line, expected) in cases {
            assert_eq!(parse(line, 2_000_000), expected, "{line}");
        }
    }

    #[test]
    fn any_text_is_read_without_a_panic() {
        let pieces =
            ["a", "=", ";", "\"", "\\", " ", "\u{e9}", "Max-Age=", "9223372036854775807", "Expires=", "-1"];
        let mut random = fastrand::Rng::with_seed(13);
        for _ in 0..20_000 {
            let line: String = (0..random.usize(..12)).filter_map(|_| random.choice(pieces)).collect();
            let _ = parse(&line, u64::MAX / 2);
        }
    }
}
