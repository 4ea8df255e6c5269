//! Writes to values that a function can't change: top-level variables, of which each function has a copy, and the variables of
//! natives.

use super::near::nearest;
use super::walk::Walker;
use crate::script::runtime::frozen;
use rhai::{Dynamic, Expr, FnCallExpr, Position};

/// Natives that change their receiver.
const CHANGES: &str = "append chop clear crop dedup drain extend fill_with insert mixin pad pop push remove retain \
    reverse set setdefault shift sort splice truncate update";

impl Walker<'_> {
    /// Checks the left side of `=`, `+=` and the like.
    pub(super) fn assignment(&mut self, target: &Expr) {
        match target {
            Expr::Variable(variable, _, at) if variable.2.is_empty() => {
                self.assigned_variable(&variable.1, *at);
            }
            Expr::Dot(parts, ..) | Expr::Index(parts, ..) => {
                self.assigned_keys(&parts.rhs);
                if let Some((name, at)) = self.data_of_top_level(&parts.lhs)
                    && !calls(&parts.rhs)
                {
                    self.lost(&name, at);
                }
                self.expression(target);
            }
            other => self.expression(other),
        }
    }

    fn assigned_variable(&mut self, name: &str, at: Position) {
        if self.is_hidden(name) {
            return self.hidden(name, at);
        }
        if self.scopes.has(name) {
            return;
        }
        if self.is_of_top_level(name) {
            return self.lost(name, at);
        }
        let (message, hint) = if self.world.catalogue.global(name).is_some() {
            let hint = format!("give your variable another name: `let my_{name} = ...`");
            (format!("`{name}` is h1mock's and can't be assigned to"), hint)
        } else if self.files().any(|facts| facts.has_function(name)) {
            let hint = format!("declare a variable: `let {name} = ...`");
            (format!("`{name}` is a function and can't be assigned to"), hint)
        } else {
            let hint = match nearest(name, self.scopes.variables()) {
                Some(near) => {
                    format!("did you mean `{near}`? A new variable is declared: `let {name} = ...`")
                }
                None => format!("declare it: `let {name} = ...`"),
            };
            (format!("no variable `{name}`"), hint)
        };
        self.warn(at, message, Some(hint));
    }

    /// Keeps the names of assigned properties, which are keys of maps.
    fn assigned_keys(&mut self, target: &Expr) {
        match target {
            Expr::Property(property, _) => {
                self.keys.insert(property.2.to_string());
            }
            Expr::StringConstant(key, _) => {
                self.keys.insert(key.to_string());
            }
            Expr::Dot(parts, ..) | Expr::Index(parts, ..) => {
                self.assigned_keys(&parts.lhs);
                self.assigned_keys(&parts.rhs);
            }
            _ => {}
        }
    }

    /// Checks `DB.push(x)`: a chain that ends in a call of a native that changes its receiver.
    pub(super) fn changed(&mut self, first: &Expr, rest: &Expr) {
        let Some(call) = last_call(rest) else { return };
        if CHANGES.split(' ').any(|name| call.name == name)
            && let Some((name, at)) = self.data_of_top_level(first)
        {
            self.lost(&name, at);
        }
    }

    fn is_of_top_level(&self, name: &str) -> bool {
        self.in_function && self.facts.variables.contains(name)
    }

    /// Returns the name and the place of `expression`, if it is a top-level variable that a function sees and that holds plain
    /// data.
    fn data_of_top_level(&self, expression: &Expr) -> Option<(String, Position)> {
        let Expr::Variable(variable, _, at) = expression else { return None };
        let name = variable.1.as_str();
        if !variable.2.is_empty() || self.scopes.has(name) || !self.is_of_top_level(name) {
            return None;
        }
        // All copies of a handle such as `store.scope("a")` stand for the same values.
        let value = self.facts.loaded.as_ref().and_then(|file| file.constant(name))?;
        is_data(&value).then(|| (name.to_owned(), *at))
    }

    fn lost(&mut self, name: &str, at: Position) {
        let message = format!("a function can't change top-level variable `{name}`: the write is an error");
        let value = self.facts.loaded.as_ref().and_then(|file| file.constant(name));
        let instead = match value.is_some_and(|value| value.is_int()) {
            true => format!("store.incr(\"{name}\")"),
            false => format!("store[\"{name}\"] = ..."),
        };
        let hint =
            format!("keep in `store` what changes, as in `{instead}`, or copy it: `let copy = {name};`");
        self.warn(at, message, Some(hint));
    }
}

/// Whether `value` is a number, text, list or the like, and no handle.
pub(super) fn is_data(value: &Dynamic) -> bool {
    let plain = value.is_int() || value.is_float() || value.is_string() || value.is_bool() || value.is_blob();
    plain || frozen::is_list(value) || frozen::is_map(value)
}

/// Whether a chain calls a method on its way: the change then goes to the result of the call.
fn calls(rest: &Expr) -> bool {
    match rest {
        Expr::MethodCall(..) => true,
        Expr::Dot(parts, ..) | Expr::Index(parts, ..) => calls(&parts.lhs) || calls(&parts.rhs),
        _ => false,
    }
}

/// Returns the call at the end of a chain, if the chain has no other call.
fn last_call(rest: &Expr) -> Option<&FnCallExpr> {
    match rest {
        Expr::MethodCall(call, _) => Some(call),
        Expr::Dot(parts, ..) | Expr::Index(parts, ..) if !calls(&parts.lhs) => last_call(&parts.rhs),
        _ => None,
    }
}
