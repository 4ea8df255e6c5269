//! Rules that load but match something else than the author meant: variables as other frameworks write them, and unknown
//! methods.

use super::near::{did_you_mean, nearest};
use crate::routing::method::METHODS;
use regex_lite::Regex;
use std::sync::LazyLock;

/// Methods of WebDAV and QUERY, which a rule may have beside those of HTTP.
const OF_WEBDAV: [&str; 10] =
    ["PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "REPORT", "SEARCH", "QUERY"];

/// `{id}`, or a whole segment `:id`.
static FOREIGN: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\{([A-Za-z_]\w*)(?::\w+)?\}|(?:^|/):([A-Za-z_]\w*)\??(?:/|$)").ok());

/// Returns the variable of `rule` in the syntax of another framework, and the rule in h1mock's syntax.
pub(crate) fn foreign_variable(rule: &str) -> Option<(String, String)> {
    let foreign = FOREIGN.as_ref()?;
    let found = foreign.captures(rule)?;
    let written = found.get(0)?.as_str().trim_matches('/').to_owned();
    let mut meant = rule.to_owned();
    // Each step replaces one variable, since neighbours share a slash.
    while let Some(found) = foreign.captures(&meant) {
        let name = found.get(1).or(found.get(2))?.as_str().to_owned();
        let all = found.get(0)?;
        let inside = all.as_str().trim_matches('/');
        let start = all.start() + all.as_str().find(inside)?;
        meant.replace_range(start..start + inside.len(), &format!("<{name}>"));
    }
    Some((written, meant))
}

/// Returns the hint that shows rule `meant`.
pub(crate) fn as_variable(meant: &str) -> String {
    format!("a variable is written `<name>`: `{meant}`")
}

/// Returns the hint for an unknown method that is similar to a known one.
pub(crate) fn meant_method(method: &str) -> Option<String> {
    let known = METHODS.iter().skip(1).chain(&OF_WEBDAV);
    if known.clone().any(|known| *known == method) {
        return None;
    }
    nearest(method, known.copied()).map(did_you_mean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_other_frameworks_are_known() {
        for (rule, expected) in [
            ("/x/{id}", Some(("{id}", "/x/<id>"))),
            ("/x/:id", Some((":id", "/x/<id>"))),
            ("/:a/:b/c/{d}", Some((":a", "/<a>/<b>/c/<d>"))),
            ("/x/{id:int}/y", Some(("{id:int}", "/x/<id>/y"))),
            ("/users/<int:id>", None),
            ("/v1/docs:batchGet", None),
            ("/time/12:30", None),
            ("/<any(a, b):kind>", None),
            ("/x/{}", None),
            ("/x/{a b}", None),
        ] {
            let expected = expected.map(|(written, meant)| (written.to_owned(), meant.to_owned()));
            assert_eq!(foreign_variable(rule), expected, "{rule}");
        }
    }

    #[test]
    fn only_a_method_that_is_similar_to_a_known_one_has_a_hint() {
        for (method, expected) in [
            ("GTE", Some("did you mean `GET`?")),
            ("PSOT", Some("did you mean `POST`?")),
            ("DELET", Some("did you mean `DELETE`?")),
            ("GET", None),
            ("PROPFIND", None),
            ("BREW", None),
        ] {
            assert_eq!(meant_method(method).as_deref(), expected, "{method}");
        }
        for known in METHODS.iter().chain(&OF_WEBDAV) {
            assert_eq!(meant_method(known), None);
        }
    }
}
