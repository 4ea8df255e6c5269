//! Views and hooks that are given as a text or as a call in place of a function. Only a load that fails reports them, since the
//! called function may return a function. The findings here add what to write instead.

use super::Finding;
use super::facts::shown;
use super::members::Receiver;
use super::walk::Walker;
use rhai::{Expr, FnCallExpr, Position};

/// Methods of `app` that take a rule and a view.
const OF_RULES: [&str; 7] = ["add_url_rule", "delete", "get", "patch", "post", "put", "route"];

impl Walker<'_> {
    pub(super) fn views(&mut self, receiver: &Receiver, call: &FnCallExpr, at: Position) {
        if receiver.path != "app" {
            return;
        }
        let is_rule = OF_RULES.contains(&call.name.as_str());
        // The function, and the text before it.
        let (what, before, others) = match (call.name.as_str(), call.args.as_slice()) {
            (_, [Expr::StringConstant(rule, _), others @ ..]) if is_rule => {
                ("view", format!("\"{rule}\", "), others)
            }
            (_, [_, others @ ..]) if is_rule => ("view", "\"/\", ".to_owned(), others),
            ("before_request" | "after_request", others) => ("hook", String::new(), others),
            ("errorhandler" | "register_error_handler", [Expr::IntegerConstant(code, _), others @ ..]) => {
                ("error handler", format!("{code}, "), others)
            }
            _ => return,
        };
        let write = |function: &str| format!("`app.{}({before}{function})`", call.name);
        let called = others.iter().find_map(|view| match view {
            Expr::FnCall(view, _) if !view.is_qualified() => {
                Some(shown(&view.name)).filter(|name| self.facts.has_function(name))
            }
            _ => None,
        });
        let (message, hint) = match (called, others) {
            (Some(name), _) => (
                format!("{what} `{name}()` is called here"),
                format!("name the {what} without calling it: {}", write(name)),
            ),
            (None, [text @ (Expr::StringConstant(..) | Expr::InterpolatedString(..))]) if is_rule => {
                let text = match text {
                    Expr::StringConstant(text, _) if text.len() <= 40 => text.as_str(),
                    _ => "...",
                };
                (
                    "a view is a function, not a text".to_owned(),
                    format!("a text is answered by a closure: {}", write(&format!("|| {text:?}"))),
                )
            }
            _ => return,
        };
        self.add(Finding { hint: Some(hint), only_if_fails: true, ..self.finding(at, message) });
    }
}
