//! Builds `Set-Cookie` header values (RFC 6265, section 4.1) from Flask's options.

use super::header_date::header_date;
use crate::message::http_date;
use crate::script::python::text::capitalized;
use crate::script::runtime::call;
use crate::script::runtime::natives::Fallible;
use crate::script::runtime::size_limits::full_text;
use crate::simulation::SECOND;
use rhai::{Dynamic, Map};

const OPTIONS: &[&str] = &["max_age", "expires", "path", "domain", "secure", "httponly", "samesite"];

/// Returns the value of a `Set-Cookie` header, for example `a=b; Path=/`.
///
/// # Errors
/// The name has characters that a cookie name can't have, or an option is unknown or of the wrong type.
pub(crate) fn set_cookie(name: &str, value: &str, options: &Map) -> Fallible<String> {
    let token = |byte: u8| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?={}".contains(&byte);
    if name.is_empty() || !name.bytes().all(token) {
        return Err(
            format!("cookie name `{}` has characters that cookies can't have", name.escape_debug()).into()
        );
    }
    if let Some(unknown) = options.keys().find(|key| !OPTIONS.contains(&key.as_str())) {
        return Err(
            format!("set_cookie: unknown option `{unknown}`: there are {}", OPTIONS.join(", ")).into()
        );
    }
    Ok(format!("{name}={}{}", quoted(value), attributes(options)?))
}

fn attributes(options: &Map) -> Fallible<String> {
    let text = |key: &str| {
        options.get(key).filter(|value| !value.is_unit()).map(|value| full_text(key, value)).transpose()
    };
    let on = |key: &str| options.get(key).and_then(|value| value.as_bool().ok()).unwrap_or(false);
    let mut line = String::new();
    if let Some(domain) = text("domain")? {
        line += &format!("; Domain={domain}");
    }
    let age = options.get("max_age").filter(|value| !value.is_unit()).map(|age| {
        age.as_int().map_err(|kind| format!("set_cookie: `max_age` is whole seconds, not {kind}"))
    });
    let age = age.transpose()?;
    let expires = options.get("expires").filter(|value| !value.is_unit());
    let expires = expires.map(|value| header_date("set_cookie: `expires`", value)).transpose()?;
    if let Some(expires) = expires.or_else(|| age.and_then(end)) {
        line += &format!("; Expires={expires}");
    }
    if let Some(age) = age {
        line += &format!("; Max-Age={age}");
    }
    for (key, attribute) in [("secure", "; Secure"), ("httponly", "; HttpOnly")] {
        if on(key) {
            line += attribute;
        }
    }
    line += &format!("; Path={}", text("path")?.unwrap_or_else(|| "/".to_owned()));
    if let Some(policy) = text("samesite")? {
        match policy.to_ascii_lowercase().as_str() {
            "strict" | "lax" | "none" => line += &format!("; SameSite={}", capitalized(&policy)),
            _ => return Err(format!("set_cookie: `samesite` is Strict, Lax or None, not `{policy}`").into()),
        }
    }
    Ok(line)
}

/// Returns the time at which a cookie of `age` seconds expires, as Werkzeug adds it for old clients. `None` outside of the calendar.
fn end(age: i64) -> Option<String> {
    let now = i64::try_from(call::now().div_euclid(SECOND)).ok()?;
    http_date::write(now.checked_add(age)?)
}

/// Returns the options with an expiry in the past, which makes the client delete the cookie.
pub(crate) fn expired(mut options: Map) -> Map {
    options.insert("max_age".into(), Dynamic::from_int(0));
    options.insert("expires".into(), Dynamic::from_int(0));
    options
}

/// Quotes a value that has characters outside of RFC 6265. Bytes that are not printable ASCII, `,` and `;` become octal escapes, as
/// in Python's `http.cookies`.
fn quoted(value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:/?@=<>()[]{}".contains(&byte);
    if value.bytes().all(plain) {
        return value.to_owned();
    }
    let mut text = String::from("\"");
    for byte in value.bytes() {
        match byte {
            b'"' | b'\\' => text.extend(['\\', char::from(byte)]),
            b',' | b';' => text += &format!("\\{byte:03o}"),
            0x20..=0x7e => text.push(char::from(byte)),
            _ => text += &format!("\\{byte:03o}"),
        }
    }
    text + "\""
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::runtime::call::Call;
    use crate::script::runtime::conditions::Conditions;
    use crate::simulation::Clock;
    use rhai::Engine;

    #[test]
    fn set_cookie_writes_each_option() {
        let cases = [
            ("#{}", "a=b; Path=/"),
            (
                "#{ max_age: 60, path: \"/x\" }",
                "a=b; Expires=Thu, 01 Jan 1970 00:01:07 GMT; Max-Age=60; Path=/x",
            ),
            (
                "#{ max_age: 60, expires: 5 }",
                "a=b; Expires=Thu, 01 Jan 1970 00:00:05 GMT; Max-Age=60; Path=/",
            ),
            ("#{ max_age: 999999999999 }", "a=b; Max-Age=999999999999; Path=/"),
            (
                "#{ secure: true, httponly: true, samesite: \"lax\" }",
                "a=b; Secure; HttpOnly; Path=/; SameSite=Lax",
            ),
            (
                "#{ expires: 0, domain: \"x.org\" }",
                "a=b; Domain=x.org; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/",
            ),
        ];
        for (options, line) in cases {
            let options: Map = Engine::new().eval(options).unwrap();
            let conditions = Conditions { clock: Clock::frozen(7 * SECOND), ..Conditions::default() };
            let call = Call { conditions, ..Call::default() };
            assert_eq!(call::within(call, || set_cookie("a", "b", &options)).0.unwrap(), line);
        }
    }

    #[test]
    fn set_cookie_refuses_bad_names_and_quotes_special_characters() {
        let error = set_cookie("a b", "", &Map::new()).unwrap_err().to_string();
        assert_eq!(error, "Runtime error: cookie name `a b` has characters that cookies can't have");
        for (value, line) in [
            ("x; y\"\n", "a=\"x\\073 y\\\"\\012\"; Path=/"),
            ("x,y", "a=\"x\\054y\"; Path=/"),
            ("\\\u{e9}", "a=\"\\\\\\303\\251\"; Path=/"),
            ("x=y/z", "a=x=y/z; Path=/"),
        ] {
            assert_eq!(set_cookie("a", value, &Map::new()).unwrap(), line);
        }
    }
}
