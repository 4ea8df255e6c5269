//! Calls of functions: whether a function of that name and number of arguments exists.

use super::Finding;
use super::catalogue::Catalogue;
use super::facts::shown;
use super::near::{did_you_mean, nearest};
use super::walk::Walker;
use crate::script::runtime::fault::habit;
use rhai::{Expr, FnCallExpr, Position};
use std::collections::BTreeSet;

impl Walker<'_> {
    /// Checks a call without a receiver: `hello(1)`.
    pub(super) fn call(&mut self, call: &FnCallExpr, at: Position) {
        if call.is_qualified() {
            self.expressions(&call.args);
            return self.qualified_call(call, at);
        }
        if call.name == "!" && call.args.len() == 1 {
            return self.condition(&call.args[0]);
        }
        if self.captures(call) {
            return;
        }
        self.expressions(&call.args);
        if call.is_operator_call() {
            return;
        }
        match (call.name.as_str(), call.args.as_slice()) {
            ("Fn", [Expr::StringConstant(name, _)]) => self.named(name, at),
            ("is_def_fn" | "is_def_var", [Expr::StringConstant(name, _), ..]) => {
                self.keys.insert(name.to_string());
            }
            _ => {}
        }
        self.stream(call, at);
        self.called(&call.name, call.args.len(), at);
    }

    fn called(&mut self, name: &str, count: usize, at: Position) {
        let own: BTreeSet<usize> = self.files().flat_map(|facts| facts.counts(name)).collect();
        let counts: BTreeSet<usize> = own.union(&self.world.catalogue.counts(name)).copied().collect();
        if counts.contains(&count) || Catalogue::takes_any_number(name) && count > 0 {
            return;
        }
        if counts.is_empty() {
            return self.no_function(name, at);
        }
        // A function of the file comes before a native of the same name.
        let counts = if own.is_empty() { &counts } else { &own };
        self.warn(at, takes(shown(name), counts, count), None);
    }

    /// Checks `Fn("name")`, which may name a native.
    pub(super) fn named(&mut self, name: &str, at: Position) {
        let is_known = self.world.facts.values().any(|facts| facts.has_function(name));
        if !is_known && self.world.catalogue.counts(name).is_empty() {
            self.no_function(name, at);
        }
    }

    fn no_function(&mut self, name: &str, at: Position) {
        if self.has_enough() {
            return;
        }
        let (message, hint) = (format!("no function `{}`", shown(name)), self.meant_function(name));
        self.add(Finding { hint, unless: Some(name.to_owned()), ..self.finding(at, message) });
    }

    fn meant_function(&self, name: &str) -> Option<String> {
        if self.scopes.has(name) || self.sees_of_top_level(name) {
            return Some(format!(
                "`{name}` is a variable: the function in it is called by `{name}.call(...)`"
            ));
        }
        let has = |file: Option<&str>| file.and_then(|file| self.world.facts.get(file));
        let mut imports = self.scopes.imports();
        if let Some((import, _)) =
            imports.find(|(_, file)| has(*file).is_some_and(|facts| facts.has_function(name)))
        {
            return Some(format!("write `{import}::{}(...)`", shown(name)));
        }
        if let Some(known) = habit::function(name) {
            return Some(known.to_owned());
        }
        let own = self.files().flat_map(|facts| facts.functions().map(|(name, _)| shown(name)));
        nearest(shown(name), own.chain(self.world.catalogue.functions())).map(did_you_mean)
    }
}

/// Returns ``function `hello` takes 1 argument, not 2``.
pub(super) fn takes(name: &str, counts: &BTreeSet<usize>, given: usize) -> String {
    format!("function `{name}` takes {}, not {given}", arguments(counts))
}

/// Returns `no argument`, `1 argument`, `2 or 3 arguments`.
pub(crate) fn arguments(counts: &BTreeSet<usize>) -> String {
    let all: Vec<String> = counts.iter().map(usize::to_string).collect();
    match (all.as_slice(), counts.first()) {
        ([_], Some(0)) => "no argument".to_owned(),
        ([_], Some(1)) => "1 argument".to_owned(),
        ([rest @ .., last], _) if !rest.is_empty() => format!("{} or {last} arguments", rest.join(", ")),
        _ => format!("{} arguments", all.join(", ")),
    }
}
