//! What to write instead where a script failed while it ran: habits from Python, JavaScript and Flask, told by the error.

use super::habit;
use super::kind::Kind;
use super::missing;
use crate::script::runtime::budget::Limit;

/// A hint for a fault of this kind.
pub(super) fn hint(kind: &Kind) -> Option<String> {
    let hint = match kind {
        Kind::NoFunction(signature) => missing::signature(signature)?,
        Kind::NoVariable(name) => missing::variable(name).or_else(|| habit::name(name))?,
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
        // `syntax` and `tail` have the hints for these, by the source.
        Kind::Syntax | Kind::ReturnedNothing | Kind::Other => return None,
    };
    Some(hint.to_owned())
}
