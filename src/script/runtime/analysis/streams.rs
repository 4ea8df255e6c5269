//! Calls of `stream` and `sse`: unknown options, and functions with another number of parameters than one.

use super::calls::arguments;
use super::facts::{is_closure, shown};
use super::near::{did_you_mean, nearest};
use super::walk::Walker;
use rhai::{Dynamic, Expr, FnCallExpr, FnPtr, Map, Position, Stmt};
use std::collections::BTreeSet;

/// Options of `stream`.
pub(crate) const OF_STREAM: [&str; 5] = ["every", "mimetype", "content_type", "status", "headers"];
/// Options of `sse`, whose media type is that of events.
pub(crate) const OF_SSE: [&str; 3] = ["every", "status", "headers"];

impl Walker<'_> {
    pub(super) fn stream(&mut self, call: &FnCallExpr, at: Position) {
        let known: &[&str] = match call.name.as_str() {
            "stream" => &OF_STREAM,
            "sse" => &OF_SSE,
            _ => return,
        };
        if self.files().any(|facts| facts.has_function(&call.name)) {
            return;
        }
        if let Some(options) = call.args.get(1) {
            self.options(&call.name, options, known);
        }
        let Some((name, captured)) = call.args.first().and_then(|pieces| self.function_in(pieces)) else {
            return;
        };
        let counts: BTreeSet<usize> =
            self.facts.counts(&name).iter().filter_map(|count| count.checked_sub(captured)).collect();
        if counts.is_empty() || counts.contains(&1) {
            return;
        }
        let (function, write) = match is_closure(&name) {
            true => ("the closure".to_owned(), "`|n| ...`".to_owned()),
            false => (format!("`{}`", shown(&name)), format!("`fn {}(n) {{ ... }}`", shown(&name))),
        };
        let takes = arguments(&counts);
        let message = format!(
            "{} calls the function with the number of the piece, and {function} takes {takes}",
            call.name
        );
        self.warn(at, message, Some(format!("write {write}")));
    }

    fn options(&mut self, name: &str, options: &Expr, known: &[&str]) {
        let given: Vec<(String, Position)> = match options {
            Expr::Map(parts, _) => parts.0.iter().map(|(key, _)| (key.name.to_string(), key.pos)).collect(),
            Expr::DynamicConstant(value, at) => {
                let map = value.read_lock::<Map>();
                map.map(|map| map.keys().map(|key| (key.to_string(), *at)).collect()).unwrap_or_default()
            }
            _ => return,
        };
        for (key, at) in given.into_iter().filter(|(key, _)| !known.contains(&key.as_str())) {
            let message = format!("`{name}` has no option `{key}`: it takes {}", known.join(", "));
            self.warn(at, message, nearest(&key, known.iter().copied()).map(did_you_mean));
        }
    }

    /// Returns the name of the function that `pieces` names or defines, and the number of variables that it captures.
    fn function_in(&self, pieces: &Expr) -> Option<(String, usize)> {
        let named = |value: &Dynamic| Some(value.read_lock::<FnPtr>()?.fn_name().to_owned());
        let of_call = |call: &FnCallExpr| match (call.name.as_str(), call.args.as_slice()) {
            ("Fn", [Expr::StringConstant(name, _)]) => Some((name.to_string(), 0)),
            ("curry", [Expr::DynamicConstant(value, _), captured @ ..]) => {
                Some((named(value)?, captured.len()))
            }
            _ => None,
        };
        match pieces {
            Expr::DynamicConstant(value, _) => Some((named(value)?, 0)),
            Expr::Variable(variable, ..) => {
                let name = &variable.1;
                let is_variable = self.scopes.has(name) || self.sees_of_top_level(name);
                (!is_variable && variable.2.is_empty()).then(|| (name.to_string(), 0))
            }
            Expr::FnCall(call, _) => of_call(call),
            // Rhai shares the captured variables before it makes the closure.
            Expr::Stmt(block) => match block.statements() {
                [Stmt::Share(_), Stmt::FnCall(call, _)] => of_call(call),
                [Stmt::Share(_), Stmt::Expr(made)] => match &**made {
                    Expr::FnCall(call, _) => of_call(call),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{load, provision};

    #[test]
    fn a_wrong_stream_has_a_warning() {
        let mistakes: [(&str, &str, &str); 7] = [
            (
                "stream([], #{ evry: 1 })",
                "`stream` has no option `evry`: it takes every, mimetype, content_type, status, headers",
                "did you mean `every`?",
            ),
            (
                "sse([], #{ mimetype: item.id })",
                "`sse` has no option `mimetype`: it takes every, status, headers",
                "",
            ),
            (
                "stream(view)",
                "stream calls the function with the number of the piece, and `view` takes no argument",
                "write `fn view(n) { ... }`",
            ),
            (
                "stream(Fn(\"view\"))",
                "stream calls the function with the number of the piece, and `view` takes no argument",
                "write `fn view(n) { ... }`",
            ),
            (
                "sse(|| \"a\")",
                "sse calls the function with the number of the piece, and the closure takes no argument",
                "write `|n| ...`",
            ),
            (
                "stream(|a, b| item.id)",
                "stream calls the function with the number of the piece, and the closure takes 2 arguments",
                "write `|n| ...`",
            ),
            ("stream([], 1, 2)", "function `stream` takes 1 or 2 arguments, not 3", ""),
        ];
        for (line, message, hint) in mistakes {
            let warnings =
                load(&provision(line)).unwrap_or_else(|error| panic!("{line}: {}", error.report()));
            let found: Vec<(&str, &str)> = warnings
                .iter()
                .map(|warning| (&*warning.message, warning.hint.as_deref().unwrap_or_default()))
                .collect();
            assert_eq!(found, [(message, hint)], "{line}");
        }
    }
}
