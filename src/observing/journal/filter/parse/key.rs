//! The key of a condition with its operator: `header`, `header!`, `header~`, `header!~`. In a query, `=` follows.

use super::{Flaw, Names, PARTS, Spot};
use crate::system::spelling::nearest;
use crate::system::truncate::truncate;

/// Longest value that a hint repeats, in characters.
const EXCERPT: usize = 50;

#[derive(Debug, Clone, Copy)]
pub(super) struct Key<'k> {
    pub(super) name: &'k str,
    /// `~`: the value is a pattern.
    pub(super) search: bool,
    /// `!`: the condition is negated.
    pub(super) negated: bool,
}

/// The form in which a key is written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form<'v> {
    /// In a query, with this value.
    Query(&'v str),
    Json,
}

impl<'k> Key<'k> {
    /// Parses a key.
    ///
    /// # Errors
    /// The key is neither a part nor one of the numbers in `names`.
    pub(super) fn parse(text: &'k str, names: Names, form: Form) -> Result<Key<'k>, Flaw> {
        let (rest, search) = text.strip_suffix('~').map_or((text, false), |rest| (rest, true));
        let (name, negated) = rest.strip_suffix('!').map_or((rest, false), |rest| (rest, true));
        match is_known(name, names) {
            true => Ok(Key { name, search, negated }),
            false => Err(unknown(text, names, form)),
        }
    }

    /// Returns the operator as a query writes it.
    pub(super) fn operator(self) -> &'static str {
        match (self.negated, self.search) {
            (false, false) => "=",
            (false, true) => "~=",
            (true, false) => "!=",
            (true, true) => "!~=",
        }
    }
}

fn all(names: Names) -> impl Iterator<Item = &'static str> {
    PARTS.into_iter().chain(names.iter().copied())
}

fn is_known(name: &str, names: Names) -> bool {
    all(names).any(|known| known == name)
}

/// Returns the condition on a parameter of the request's query, for hints.
pub(super) fn of_the_query(key: &str, value: &str) -> String {
    format!("`query={key}={}`", truncate(value, EXCERPT, "..."))
}

fn unknown(key: &str, names: Names, form: Form) -> Flaw {
    let bare = key.trim_matches(|c: char| !c.is_alphanumeric());
    let hint = if is_known(bare, names) {
        let equals = if matches!(form, Form::Query(_)) { "=" } else { "" };
        match (key.contains('!'), key.contains('~')) {
            (true, true) => format!("did you mean `{bare}!~{equals}`?"),
            (true, false) => format!("did you mean `{bare}!{equals}`?"),
            (false, true) => format!("did you mean `{bare}~{equals}`?"),
            (false, false) => "operators are `=`, `!=`, `~=` and `!~=`".into(),
        }
    } else {
        let near = nearest(key, all(names));
        let known = || format!("known are {}", all(names).collect::<Vec<_>>().join(", "));
        match (near, form) {
            (Some(near), Form::Json) => format!("did you mean `{near}`?"),
            (None, Form::Json) => known(),
            (Some(near), Form::Query(value)) => format!(
                "did you mean `{near}`, or {} for a parameter of the request's query?",
                of_the_query(key, value)
            ),
            (None, Form::Query(value)) => format!(
                "for a parameter of the request's query write {}; {}",
                of_the_query(key, value),
                known()
            ),
        }
    };
    Flaw::new(Spot::Start, format!("unknown parameter `{key}`: {hint}"))
}
