//! Errors for misspelled properties and options, and for assignments to read-only ones. The callers pass the names.

use crate::script::runtime::analysis::near;
use rhai::EvalAltResult;

/// Builds the error ``` `request` has no property `arg`: did you mean `args`?```. `owner` is the subject of the sentence, and
/// `meant` is the suggestion.
pub(crate) fn unknown_property(owner: &str, name: &str, meant: Option<&str>) -> Box<EvalAltResult> {
    match meant {
        Some(known) => format!("{owner} has no property `{name}`: did you mean `{known}`?").into(),
        None => format!("{owner} has no property `{name}`").into(),
    }
}

/// Builds the error ``` `get_json` has no option `x`: it takes force, silent```, which lists all `names`.
pub(crate) fn unknown_option(function: &str, what: &str, name: &str, names: &[&str]) -> Box<EvalAltResult> {
    format!("`{function}` has no {what} `{name}`: it takes {}", names.join(", ")).into()
}

pub(crate) fn read_only(what: &str) -> Box<EvalAltResult> {
    format!("`{what}` is read-only: copy it to a variable to change the copy").into()
}

/// Returns the name out of `names` that `name` probably misspells.
pub(crate) fn nearest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let names: Vec<&str> = names.collect();
    let meant = near::nearest(name, names.iter().map(|known| known.trim_end_matches("()")))?;
    names.into_iter().find(|known| known.trim_end_matches("()") == meant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_gets_the_nearest_name_as_suggestion() {
        let names = ["args", "method", "user_agent", "get_json()"];
        let cases = [
            ("arg", Some("args")),
            ("methods", Some("method")),
            ("useragent", Some("user_agent")),
            ("get_jsn", Some("get_json()")),
            ("colour", None),
            ("", None),
        ];
        for (name, expected) in cases {
            assert_eq!(nearest(name, names.into_iter()), expected, "{name}");
        }
    }
}
