//! `request.authorization`: the parsed `Authorization` header (RFC 9110, section 11.6.2). It does not check passwords.

use crate::message::request::Request;
use crate::script::python::base64::PLAIN;
use base64::Engine;
use rhai::{Dynamic, Map};

/// Returns a map with `type` in lower case, or `()` where the header is missing or malformed. The other keys depend on the type:
/// `username` and `password` (basic), the parameters (digest), `token` (bearer and all others).
pub(super) fn read(request: &Request) -> Dynamic {
    request.header("authorization").and_then(parse).map_or(Dynamic::UNIT, Dynamic::from)
}

fn parse(header: &str) -> Option<Map> {
    let (kind, rest) = header.trim().split_once([' ', '\t'])?;
    let (kind, rest) = (kind.to_ascii_lowercase(), rest.trim());
    let mut map = match kind.as_str() {
        "basic" => {
            let decoded = String::from_utf8(PLAIN.decode(rest).ok()?).ok()?;
            let (username, password) = decoded.split_once(':')?;
            fields([("username", username), ("password", password)])
        }
        "digest" => fields(parameters(rest)),
        _ => fields([("token", rest)]),
    };
    map.insert("type".into(), kind.into());
    Some(map)
}

fn fields<'f>(fields: impl IntoIterator<Item = (&'f str, &'f str)>) -> Map {
    fields.into_iter().map(|(name, value)| (name.into(), value.into())).collect()
}

/// Splits `a="x, y", b=z` into pairs without quotes. Escaped quotes in values are not supported.
fn parameters(text: &str) -> Vec<(&str, &str)> {
    let mut pairs = Vec::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once('=') {
        let after = after.trim_start();
        let (value, end) = match after.strip_prefix('"').and_then(|quoted| quoted.split_once('"')) {
            Some((value, end)) => (value, end),
            None => after.split_at(after.find(',').unwrap_or(after.len())),
        };
        pairs.push((name.trim_matches([' ', '\t', ',']), value.trim()));
        rest = end;
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn display(header: &str) -> String {
        let request = Request::from_parts("GET", "/", [("Authorization", header)], Vec::new(), None, None);
        match read(&request).try_cast::<Map>() {
            Some(map) => map.iter().map(|(name, value)| format!("{name}={value};")).collect(),
            None => "()".to_owned(),
        }
    }

    #[test]
    fn each_scheme_has_its_own_keys() {
        let cases = [
            ("Basic dXNlcjpwYTpzcw==", "password=pa:ss;type=basic;username=user;"),
            ("basic   dXNlcjpwYTpzcw", "password=pa:ss;type=basic;username=user;"),
            ("Basic dXNlcg==", "()"),
            ("Basic *", "()"),
            ("Basic /w==", "()"),
            ("Bearer a.b-c=", "token=a.b-c=;type=bearer;"),
            ("Digest username=\"u, v\", nc=1 ,qop=auth", "nc=1;qop=auth;type=digest;username=u, v;"),
            ("Digest a=\"b", "a=\"b;type=digest;"),
            ("ApiKey k", "token=k;type=apikey;"),
            ("Bearer", "()"),
            ("", "()"),
        ];
        for (header, expected) in cases {
            assert_eq!(display(header), expected, "{header}");
        }
        assert!(read(&Request::default()).is_unit());
    }
}
