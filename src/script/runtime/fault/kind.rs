//! The kind of an error of Rhai, on which its hint depends.

use super::habit;
use crate::script::runtime::budget::Limit;
use rhai::{EvalAltResult, Position};

#[derive(Debug, Clone, Default, PartialEq)]
pub enum Kind {
    Syntax,
    /// A call of a function that does not exist. Its signature is `name (type, type)`.
    NoFunction(String),
    NoVariable(String),
    /// A property or an item of `()`.
    OfNothing,
    /// A property or an item of `()` that is set.
    SetInNothing,
    /// An item of a map by a key that is no text.
    ByNoText,
    /// A condition that is neither true nor false.
    NoBoolean,
    /// A `for` loop over a value that has no items.
    NotIterable,
    OverBudget(Limit),
    /// A closure uses the variable with which the running chain of methods begins.
    InUse,
    /// A view that returned `()`.
    ReturnedNothing,
    #[default]
    Other,
}

impl Kind {
    /// Returns the hint for a fault of this kind.
    pub(super) fn hint(&self) -> Option<String> {
        let hint = match self {
            Kind::NoFunction(signature) => habit::signature(signature)?,
            Kind::NoVariable(name) => habit::variable(name).or_else(|| habit::name(name))?,
            Kind::OfNothing => "where a value may be `()`, write `?.` or `?[`: `x?.name ?? \"none\"`",
            Kind::SetInNothing => {
                "begin with a map, `#{}`; in `store` give each value a key of its own: `store[\"order:\" + id] = order`"
            }
            Kind::ByNoText => "the keys of a map are texts: `map[\"\" + id]`",
            Kind::NoBoolean => "write `bool(x)` for Python's truth, or compare, as in `x != ()`",
            Kind::NotIterable => "a map is walked by its keys: `for key in map.keys()`",
            Kind::InUse => {
                "a closure can't use the variable that the chain before it begins with: put that part into a variable of its \
                 own, as in `let keys = m.keys(); keys.map(|k| m[k])`"
            }
            Kind::OverBudget(Limit::Time) => "end the loop, or raise --script-timeout",
            Kind::OverBudget(Limit::Load) => {
                "put data into a file for `read_json`, functions into files for `import`, or raise --load-time"
            }
            Kind::OverBudget(Limit::LoadByScript) => "end the loop, or raise --load-time",
            Kind::OverBudget(Limit::Memory) => "build less at once, or raise --script-memory",
            // `syntax` and `tail` find the hints for these in the source.
            Kind::Syntax | Kind::ReturnedNothing | Kind::Other => return None,
        };
        Some(hint.to_owned())
    }

    /// Whether the fault is that a value is `()`.
    pub(crate) fn is_of_nothing(&self) -> bool {
        match self {
            Kind::OfNothing => true,
            Kind::NoFunction(signature) => signature.contains("(()") || signature.contains(", ()"),
            _ => false,
        }
    }
}

/// The error of a view that returned `()`. It has no place, since no statement threw it.
pub(crate) const RETURNED_NOTHING: &str =
    "the view function returned nothing: return a text, a map, a list or make_response(...)";

impl From<&EvalAltResult> for Kind {
    fn from(error: &EvalAltResult) -> Kind {
        match error {
            EvalAltResult::ErrorParsing(..) => Kind::Syntax,
            EvalAltResult::ErrorFunctionNotFound(signature, _) => Kind::NoFunction(signature.clone()),
            EvalAltResult::ErrorVariableNotFound(name, _) => Kind::NoVariable(name.clone()),
            // Rhai gives the type only as a text.
            EvalAltResult::ErrorDotExpr(text, _) if text.contains("is not registered for type '()'") => {
                if text.contains("a setter is") {
                    Kind::SetInNothing
                } else {
                    Kind::OfNothing
                }
            }
            EvalAltResult::ErrorIndexingType(types, _) if types.starts_with("() [") => {
                if types.contains("] = ") { Kind::SetInNothing } else { Kind::OfNothing }
            }
            EvalAltResult::ErrorIndexingType(types, _) if types.starts_with("map [") => Kind::ByNoText,
            EvalAltResult::ErrorFor(..) => Kind::NotIterable,
            EvalAltResult::ErrorDataRace(..) => Kind::InUse,
            EvalAltResult::ErrorMismatchDataType(wanted, ..) if wanted == "bool" => Kind::NoBoolean,
            EvalAltResult::ErrorRuntime(thrown, Position::NONE)
                if thrown.as_immutable_string_ref().is_ok_and(|text| *text == RETURNED_NOTHING) =>
            {
                Kind::ReturnedNothing
            }
            EvalAltResult::ErrorRuntime(thrown, _) | EvalAltResult::ErrorTerminated(thrown, _) => {
                Limit::from_thrown(thrown).map_or(Kind::Other, Kind::OverBudget)
            }
            _ => Kind::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script;
    use crate::script::runtime::budget::Budget;
    use std::time::Duration;

    #[test]
    fn the_kind_depends_on_the_error_and_not_on_its_text() {
        let budget = Budget { time: Duration::from_millis(50), memory: 1 << 20, ..Budget::default() };
        let engine = script::engine(budget);
        for (script, kind) in [
            ("loop {}", Kind::OverBudget(Limit::Time)),
            ("let n = 1; loop { n += 1; }", Kind::OverBudget(Limit::Time)),
            ("let a = [1]; loop { a += a; }", Kind::OverBudget(Limit::Memory)),
            ("throw \"the script ran longer than 50 ms\"", Kind::Other),
            ("let x = ;", Kind::Syntax),
            ("let n = 1.5; for x in n {}", Kind::NotIterable),
            ("let n = 1.5; if n { 1 } else { 2 }", Kind::NoBoolean),
            ("let m = #{ a: 1 }; m.keys().map(|k| m[k])", Kind::InUse),
            ("nobody", Kind::NoVariable("nobody".to_owned())),
            ("let x = (); x.name", Kind::OfNothing),
            ("let x = (); x.name = 1", Kind::SetInNothing),
            ("let x = (); x[\"name\"]", Kind::OfNothing),
            ("let x = (); x[0] = 1", Kind::SetInNothing),
            ("let x = 1; x.name", Kind::Other),
        ] {
            let error = budget.run(|| engine.run(script)).unwrap_err();
            assert_eq!(Kind::from(&*error), kind, "{script}");
        }
    }
}
