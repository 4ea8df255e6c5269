//! Views that are given as a text or as a call in place of a function. Only a load that fails reports them, since the called
//! function may return a function. The findings here add what to write instead.

use super::Finding;
use super::facts::shown;
use super::members::Receiver;
use super::walk::Walker;
use rhai::{Expr, FnCallExpr, Position};

const REGISTERING: [&str; 7] = ["add_url_rule", "delete", "get", "patch", "post", "put", "route"];

impl Walker<'_> {
    pub(super) fn views(&mut self, receiver: &Receiver, call: &FnCallExpr, at: Position) {
        if receiver.path != "app" || !REGISTERING.contains(&call.name.as_str()) {
            return;
        }
        let (rule, others) = match call.args.as_slice() {
            [Expr::StringConstant(rule, _), others @ ..] => (rule.as_str(), others),
            [_, others @ ..] => ("/", others),
            [] => return,
        };
        let write = |view: &str| format!("`app.{}(\"{rule}\", {view})`", call.name);
        let called = others.iter().find_map(|view| match view {
            Expr::FnCall(view, _) if !view.is_qualified() => {
                Some(shown(&view.name)).filter(|name| self.facts.has_function(name))
            }
            _ => None,
        });
        let (message, hint) = match (called, others) {
            (Some(name), _) => (
                format!("view `{name}()` is called here"),
                format!("name the view without calling it: {}", write(name)),
            ),
            (None, [text @ (Expr::StringConstant(..) | Expr::InterpolatedString(..))]) => {
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
