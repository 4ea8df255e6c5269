//! Methods and properties. Analysis knows the types of the handles of natives (`app`, `request`, `json`). Of a method of any
//! other value it only knows whether some type has a method of that name and number of arguments.

use super::catalogue::Catalogue;
use super::facts::shown;
use super::near::{did_you_mean, nearest};
use super::walk::Walker;
use super::writes::is_data;
use super::{Finding, World, calls};
use crate::script::runtime::fault::habit;
use rhai::{Dynamic, Expr, FnCallExpr, ImmutableString, Position};
use std::any::TypeId;
use std::collections::BTreeSet;

/// A value of a known type, and its path in the script (`urllib.parse`).
pub(super) struct Receiver {
    pub of: TypeId,
    pub path: String,
}

impl Walker<'_> {
    /// Returns the handle that `expression` names, if it names one.
    pub(super) fn receiver(&self, expression: &Expr) -> Option<Receiver> {
        let Expr::Variable(variable, ..) = expression else { return None };
        let (_, name, namespace, _) = &**variable;
        if !namespace.is_empty() || self.scopes.has(name) || self.sees_of_top_level(name) {
            return None;
        }
        let of = self.world.catalogue.global(name)?;
        Some(Receiver { of, path: name.to_string() })
    }

    /// Checks a property or method of `receiver`. Returns the value of the property where that is a handle too.
    pub(super) fn member(&mut self, receiver: Option<Receiver>, member: &Expr) -> Option<Receiver> {
        match member {
            Expr::Property(property, at) => self.property(receiver?, &property.2, *at),
            Expr::MethodCall(call, at) | Expr::FnCall(call, at) => {
                self.expressions(&call.args);
                self.method(receiver.as_ref(), call, *at);
                if let Some(receiver) = receiver {
                    self.views(&receiver, call, *at);
                }
                None
            }
            other => {
                self.expression(other);
                None
            }
        }
    }

    fn property(&mut self, receiver: Receiver, name: &str, at: Position) -> Option<Receiver> {
        let Receiver { of, path } = receiver;
        let (catalogue, full) = (self.world.catalogue, format!("{path}.{name}"));
        if catalogue.has_property(of, name) {
            return self.world.handle(&full).map(|of| Receiver { of, path: full });
        }
        if self.has_enough() {
            return None;
        }
        if catalogue.methods(of).any(|known| known == name) {
            let hint = format!("call it: `{full}(...)`");
            self.warn(at, format!("`{full}` is a method, not a property"), Some(hint));
        } else if catalogue.is_indexed(of) {
            if let Some(message) = self.world.unknown(&full) {
                self.warn(at, message, None);
            }
        } else {
            let known = catalogue.properties(of).chain(catalogue.methods(of));
            let hint = nearest(name, known).map(did_you_mean);
            self.warn(at, format!("`{path}` has no property `{name}`"), hint);
        }
        None
    }

    fn method(&mut self, receiver: Option<&Receiver>, call: &FnCallExpr, at: Position) {
        let (name, count) = (call.name.as_str(), call.args.len());
        if self.has_enough() || Catalogue::is_of_any_value(name) || self.is_of_scripts(name, count) {
            return;
        }
        let catalogue = self.world.catalogue;
        // Natives count the receiver as an argument.
        let natives = match receiver {
            Some(receiver) => catalogue.method_counts(receiver.of, name),
            None => catalogue.counts(name),
        };
        if natives.contains(&(count + 1)) {
            return;
        }
        let counts: BTreeSet<usize> = natives.iter().filter_map(|count| count.checked_sub(1)).collect();
        let (message, hint) = if self.facts.counts(name).contains(&(count + 1)) {
            let name = shown(name);
            let hint = format!(
                "write `{name}(x, ...)`: only functions without that parameter, which use `this`, are methods"
            );
            (format!("no method `{name}`: it is a function of this file"), Some(hint))
        } else if counts.is_empty() {
            let message = match receiver {
                Some(receiver) => format!("`{}` has no method `{name}`", receiver.path),
                None => format!("no method `{}`", shown(name)),
            };
            (message, self.meant_method(receiver, name))
        } else {
            let method = match receiver {
                Some(receiver) => format!("`{}.{name}`", receiver.path),
                None => format!("method `{name}`"),
            };
            (format!("{method} takes {}, not {count}", calls::arguments(&counts)), None)
        };
        // A map may have a function as a value of this key.
        let unless = receiver.is_none().then(|| name.to_owned());
        self.add(Finding { hint, unless, ..self.finding(at, message) });
    }

    /// Whether a script has such a method: a function that uses `this`, or has a type in front of its name.
    fn is_of_scripts(&self, name: &str, count: usize) -> bool {
        let is = |facts: &super::Facts| facts.counts(name).contains(&count) || facts.typed.contains(name);
        self.world.facts.values().any(is)
    }

    fn meant_method(&self, receiver: Option<&Receiver>, name: &str) -> Option<String> {
        let catalogue = self.world.catalogue;
        let Some(receiver) = receiver else {
            let mut known: Vec<&str> = catalogue.functions().collect();
            // A missing letter is a likelier mistake than one too many.
            known.sort_by_key(|known| std::cmp::Reverse(known.len()));
            return nearest(shown(name), known).map(did_you_mean);
        };
        let path = &receiver.path;
        if path == "app"
            && let Some(hint) = habit::method_of_app(name)
        {
            return Some(hint.to_owned());
        }
        if catalogue.has_property(receiver.of, name) {
            return Some(format!("it is a property: write `{path}.{name}` without parentheses"));
        }
        let methods = catalogue.methods(receiver.of);
        nearest(name, methods.chain(catalogue.properties(receiver.of))).map(did_you_mean)
    }
}

impl World<'_> {
    /// Returns the handle's own error for the unknown property at `path`; `None` where the property may exist.
    pub(super) fn unknown(&self, path: &str) -> Option<String> {
        let error = self.engine.eval::<Dynamic>(path).err()?;
        let rhai::EvalAltResult::ErrorRuntime(thrown, _) = error.unwrap_inner() else { return None };
        let text = thrown.read_lock::<ImmutableString>()?.to_string();
        ["has no property", "unknown name"].iter().any(|words| text.contains(words)).then_some(text)
    }

    /// Returns the type of the property at `path`, where that type has methods of its own, unlike a text, list or map.
    fn handle(&self, path: &str) -> Option<TypeId> {
        let value = self.engine.eval::<Dynamic>(path).ok()?;
        let of = value.type_id();
        let is_plain = is_data(&value) || value.is_unit() || value.is_char() || value.is_fnptr();
        (!is_plain && self.catalogue.methods(of).next().is_some()).then_some(of)
    }
}
