//! What kind of fault an error of Rhai is, as far as a hint depends on it.

use crate::script::runtime::budget::Limit;
use rhai::{EvalAltResult, ImmutableString};

#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    Syntax,
    /// There is no function of this name for these types: `name (type, type)`.
    NoFunction(String),
    NoVariable(String),
    /// A condition that is neither true nor false.
    NoBoolean,
    /// A `for` loop over a value that has no items.
    NotIterable,
    OverBudget(Limit),
    /// A closure uses the variable that the running chain of methods begins with.
    InUse,
    /// A view that gave `()`.
    ReturnedNothing,
    Other,
}

/// The error of a view that gave `()`. It has no place: no statement threw it.
pub(crate) const RETURNED_NOTHING: &str =
    "the view function returned nothing: return a text, a map, a list or make_response(...)";

impl From<&EvalAltResult> for Kind {
    fn from(error: &EvalAltResult) -> Kind {
        match error {
            EvalAltResult::ErrorParsing(..) => Kind::Syntax,
            EvalAltResult::ErrorFunctionNotFound(signature, _) => Kind::NoFunction(signature.clone()),
            EvalAltResult::ErrorVariableNotFound(name, _) => Kind::NoVariable(name.clone()),
            EvalAltResult::ErrorFor(..) => Kind::NotIterable,
            EvalAltResult::ErrorDataRace(..) => Kind::InUse,
            EvalAltResult::ErrorMismatchDataType(wanted, ..) if wanted == "bool" => Kind::NoBoolean,
            EvalAltResult::ErrorRuntime(thrown, at)
                if at.is_none()
                    && thrown
                        .read_lock::<ImmutableString>()
                        .is_some_and(|text| *text == RETURNED_NOTHING) =>
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
    fn a_call_over_its_budget_is_known_by_its_error_and_not_by_its_text() {
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
        ] {
            let error = budget.run(|| engine.run(script)).unwrap_err();
            assert_eq!(Kind::from(&*error), kind, "{script}");
        }
    }
}
