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

    /// Returns the rule among `rules` that serves the requests of `rule`: one of the same or the widest shape. If several rules share
    /// the methods, it is the rule that serves the first method.
    pub(crate) fn winner(&self, rules: &[Rule], rule: &Rule) -> Option<usize> {
        let shape = rule.shape();
        let widest = Some(rule.widest_shape()).filter(|widest| *widest != shape);
        let shapes = [Some(&shape), widest.as_ref()].into_iter().flatten();
        let earlier: Vec<usize> = shapes.filter_map(|shape| self.0.get(shape)).flatten().copied().collect();
        let winner = |method| {
            earlier.iter().copied().find(|&winner| {
                let winner = &rules[winner];
                winner.serves(method) && winner.covers(rule)
            })
        };
        let winners: Option<Vec<usize>> = rule.listed_methods().into_iter().map(winner).collect();
        winners?.first().copied()
    }
}
