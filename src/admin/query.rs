//! What a query string asks of the journal. Knows no entries.

use crate::form;
use crate::journal::entry::Entry;
use std::sync::Arc;

/// Whether an entry is meant.
pub type Filter = Arc<dyn Fn(&Entry) -> bool + Send + Sync>;

/// What JSON clients hold in a signed integer, as the document says.
const MAX_NUMBER: u64 = i64::MAX as u64;

/// Most entries of one answer.
pub const MAX_LIMIT: u64 = 10_000;

/// What was asked.
#[derive(Clone, Default)]
pub struct Asked {
    /// Entries with a number above this.
    pub since: Option<u64>,
    /// At most so many.
    pub limit: Option<u64>,
    /// Of them those that this takes; all, where there is none.
    pub filter: Option<Filter>,
}

impl Asked {
    /// Whether `entry` is meant.
    pub fn takes(&self, entry: &Entry) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter(entry))
    }
}

/// Reads `since=7&limit=10`.
///
/// # Errors
/// Says what is wrong with which parameter.
pub fn parse(query: &str) -> Result<Asked, String> {
    let mut asked = Asked::default();
    for (name, value) in form::urlencoded(query.as_bytes()) {
        match name.as_str() {
            "since" => asked.since = Some(number(&name, &value, MAX_NUMBER)?),
            "limit" => asked.limit = Some(number(&name, &value, MAX_LIMIT)?),
            _ => return Err(format!("query parameter `{}` is unknown", name.escape_debug())),
        }
    }
    Ok(asked)
}

/// A number from 0 to `most`.
///
/// # Errors
/// It is none.
pub fn number(name: &str, text: &str, most: u64) -> Result<u64, String> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|number| digits && *number <= most);
    number.ok_or_else(|| {
        let text = text.escape_debug();
        format!("query parameter `{name}` is `{text}`: not a whole number from 0 to {most}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_and_what_is_wrong_is_named() {
        let read = |query| parse(query).map(|asked| (asked.since, asked.limit));
        for (query, since, limit) in [
            ("", None, None),
            ("since=0", Some(0), None),
            ("limit=10000&since=9223372036854775807", Some(MAX_NUMBER), Some(10_000)),
            ("%73ince=%37&", Some(7), None),
        ] {
            assert_eq!(read(query), Ok((since, limit)), "{query}");
        }
        for (query, error) in [
            ("limit=10001", "query parameter `limit` is `10001`: not a whole number from 0 to 10000"),
            ("since=", "query parameter `since` is ``: not a whole number from 0 to 9223372036854775807"),
            ("since=+1", "query parameter `since` is ` 1`: not a whole number from 0 to 9223372036854775807"),
            ("since=-1", "query parameter `since` is `-1`: not a whole number from 0 to 9223372036854775807"),
            ("a%00b=1", "query parameter `a\\0b` is unknown"),
        ] {
            assert_eq!(read(query), Err(error.to_owned()), "{query}");
        }
    }
}
