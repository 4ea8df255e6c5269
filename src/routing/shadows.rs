//! Rules that never serve, since another rule takes all their requests.

use super::rule::Rule;
use std::collections::HashMap;

/// The rules of a table by their shape, each in the order of matching.
#[derive(Default)]
pub(crate) struct Shapes(HashMap<String, Vec<usize>>);

impl Shapes {
    /// Adds rule `index` behind the others.
    pub(super) fn add(&mut self, index: usize, rule: &Rule) {
        self.0.entry(rule.shape()).or_default().push(index);
    }

    /// Returns the rule among `rules` that comes before `rule` in the same table and serves its requests: one of the same or the widest
    /// shape.
    pub(super) fn earlier(&self, rules: &[Rule], rule: &Rule) -> Option<usize> {
        self.winner(rules, rule, &[rule.shape(), rule.widest_shape()])
    }

    /// Returns the rule among `rules`, which all come before `rule`, that serves its requests. Also finds a rule of a wider shape, which
    /// would come later in the same table: `/a/<name>`, `/a/<path:rest>` or `/<path:all>` for `/a/<int:id>`.
    pub(crate) fn before(&self, rules: &[Rule], rule: &Rule) -> Option<usize> {
        let widest = rule.shape_by(|converter| match converter.spans_segments() {
            true => converter.to_string(),
            false => "string".to_owned(),
        });
        let mut shapes = vec![rule.shape(), rule.widest_shape()];
        // The converter `path` takes the rest from any slash on. A host is before the first one.
        let slashes = widest.match_indices('/').filter(|(at, _)| at + 1 < widest.len());
        shapes.extend(slashes.map(|(at, _)| format!("{}/<path>", &widest[..at])));
        shapes.push(widest);
        self.winner(rules, rule, &shapes)
    }

    /// If several rules share the methods of `rule`, returns the one that serves the first method.
    fn winner(&self, rules: &[Rule], rule: &Rule, shapes: &[String]) -> Option<usize> {
        let mut found: Vec<usize> =
            shapes.iter().filter_map(|shape| self.0.get(shape)).flatten().copied().collect();
        found.dedup();
        let winner = |method| {
            found.iter().copied().find(|&winner| {
                let winner = &rules[winner];
                winner.serves(method) && winner.covers(rule)
            })
        };
        let winners: Option<Vec<usize>> = rule.listed_methods().into_iter().map(winner).collect();
        winners?.first().copied()
    }
}
