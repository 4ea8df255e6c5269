//! Variables that no scope has.

use super::Finding;
use super::facts::shown;
use super::near::{did_you_mean, nearest};
use super::walk::Walker;
use crate::script::runtime::fault::habit;
use rhai::{Namespace, Position};

impl Walker<'_> {
    pub(super) fn variable(&mut self, name: &str, namespace: &Namespace, at: Position) {
        if !namespace.is_empty() {
            return self.qualified_variable(namespace, name);
        }
        if self.has_enough() {
            return;
        }
        if self.is_hidden(name) {
            return self.hidden(name, at);
        }
        if self.knows_variable(name) {
            return;
        }
        let (message, hint) = (format!("no variable `{}`", shown(name)), self.meant_variable(name));
        self.add(Finding { hint, unless: Some(name.to_owned()), ..self.finding(at, message) });
    }

    /// Whether a closure mentions variable `name` of the function around it, and gets a function instead: where a function of this
    /// name stands above the closure, Rhai does not capture the variable.
    pub(super) fn is_hidden(&self, name: &str) -> bool {
        let (count, captured) = &self.around;
        let name = shown(name);
        self.scopes.is_among(name, *count)
            && self.facts.has_function(name)
            && !captured.iter().any(|captured| captured == name)
    }

    pub(super) fn hidden(&mut self, name: &str, at: Position) {
        let name = shown(name);
        let message = format!("`{name}` in this closure is the function, not the variable");
        self.warn(at, message, Some(format!("give the variable another name: `let my_{name} = ...`")));
    }

    fn knows_variable(&self, name: &str) -> bool {
        self.scopes.has(name)
            || self.sees_of_top_level(name)
            || self.world.catalogue.global(name).is_some()
            || self.files().any(|facts| facts.has_function(name))
    }

    /// Whether a function of this file sees `name` as a variable of the top level.
    pub(super) fn sees_of_top_level(&self, name: &str) -> bool {
        self.in_function && self.files().any(|facts| facts.variables.contains(name))
    }

    /// Returns this file, and for an imported file all others too: its functions may run where the functions of the others are
    /// visible.
    pub(super) fn files(&self) -> impl Iterator<Item = &super::Facts> {
        let others = self.world.facts.values().filter(|facts| facts.name != self.facts.name);
        std::iter::once(self.facts).chain(others.filter(|_| !self.facts.is_main))
    }

    fn meant_variable(&self, name: &str) -> Option<String> {
        if let Some(known) = habit::variable(name) {
            return Some(known.to_owned());
        }
        if self.scopes.import(name).is_some() {
            return Some(format!("`{name}` is an import: write `{name}::function(...)`"));
        }
        let of_file = self.facts.functions().map(|(name, _)| shown(name));
        let top_level = self.facts.variables.iter().map(String::as_str);
        let seen = self.scopes.variables().chain(of_file).chain(top_level);
        if let Some(meant) = nearest(shown(name), seen.chain(self.world.catalogue.globals())) {
            return Some(did_you_mean(meant));
        }
        (!self.world.catalogue.counts(name).is_empty()).then(|| {
            format!("`{name}` is a function of h1mock: call it, or wrap it in a closure, `|x| {name}(x)`")
        })
    }
}
