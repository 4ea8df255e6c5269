//! The `baggage` header (W3C Baggage): members that services pass on from request to request.

use crate::routing::method::is_token;
use percent_encoding::percent_decode_str;

/// Parses names and values of the members of all `baggage` fields, in order; a name may repeat. Values are percent-decoded, with
/// invalid UTF-8 replaced. Properties and malformed members are left out.
pub(crate) fn members(fields: impl IntoIterator<Item = impl AsRef<str>>) -> Vec<(String, String)> {
    let mut members = Vec::new();
    fields.into_iter().for_each(|field| members.extend(field.as_ref().split(',').filter_map(member)));
    members
}

/// Parses `key=value;property`, with blanks around each part.
fn member(text: &str) -> Option<(String, String)> {
    let pair = text.split(';').next().unwrap_or_default();
    let (key, value) = pair.split_once('=')?;
    let key = key.trim_matches(BLANKS);
    // The text is split before it is decoded: a decoded value may contain a comma or an equals sign.
    let value = percent_decode_str(value.trim_matches(BLANKS)).decode_utf8_lossy();
    is_token(key).then(|| (key.to_owned(), value.into_owned()))
}

/// Optional white space of HTTP (RFC 9110, section 5.6.3).
const BLANKS: [char; 2] = [' ', '\t'];

#[cfg(test)]
mod tests {
    use super::members;

    #[test]
    fn fields_are_read_as_the_recommendation_says() {
        let table: &[(&[&str], &str)] = &[
            (&[], ""),
            (&[""], ""),
            (&["test=a"], "test=a"),
            (&["a=1,b=2"], "a=1 b=2"),
            (&["a=1", "b=2,a=3"], "a=1 b=2 a=3"),
            (&[" a \t=\t 1 ; p = 2 ; q , b=2;p"], "a=1 b=2"),
            (&["a=x%20y%2C%3D%25,b=%C3%A9"], "a=x y,=% b=\u{e9}"),
            (&["a=%FF%2"], "a=\u{fffd}%2"),
            (&["a=1+1,b=a=b"], "a=1+1 b=a=b"),
            // Names are not decoded: `%` is an ordinary character in them.
            (&["a%20b=1"], "a%20b=1"),
            (&["a=,=1,b,a b=1,\u{e9}=1,,;p=1"], "a="),
        ];
        for (fields, expected) in table {
            let pairs = members(fields.iter().copied());
            let shown: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
            assert_eq!(shown.join(" "), *expected, "{fields:?}");
        }
    }
}
