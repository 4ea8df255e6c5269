//! The rules that are closest to a request which none served, in the entries of an answer. To find them is to go through all rules,
//! 1.5 ms where they are 10,000: so only for what is shown, once for each different request, and for a few of these in one answer.
//! Knows no journal.

use super::Provisioning;
use crate::observing::journal::entry::Entry;
use serde_json::Value;

/// Different requests that are compared with the rules for one answer. A test that asks why nothing matched has a handful; a crawler
/// that tries 10,000 paths must not hold a worker for seconds. Of the others each is compared when it is asked for alone.
const MOST: usize = 20;

/// What the closest rules of a request depend on.
#[derive(PartialEq, Eq)]
pub struct Missed {
    generation: u64,
    method: String,
    path: String,
}

impl Missed {
    /// Of a request that was compared with rules, and that none served: not one that the engine refused, which has no generation.
    pub fn of(entry: &Entry) -> Option<Missed> {
        let (method, path) = (&entry.method, &entry.path);
        let missed = entry.unmatched.is_some() && entry.generation > 0;
        missed.then(|| Missed { generation: entry.generation, method: method.clone(), path: path.clone() })
    }
}

/// What was found for one answer.
#[derive(Default)]
pub struct Closest(Vec<(Missed, Value)>);

impl Closest {
    /// The closest rules of a request, each with what differs; null where its rules serve no more, or where too many others were
    /// asked for before.
    pub fn of(&mut self, activation: &impl Provisioning, missed: Missed) -> &Value {
        let known = self.0.iter().position(|(known, _)| *known == missed);
        let at = match known {
            Some(at) => at,
            None if self.0.len() >= MOST => return &Value::Null,
            None => {
                let rules = activation.closest(missed.generation, &missed.method, &missed.path);
                self.0.push((missed, rules.into()));
                self.0.len() - 1
            }
        };
        &self.0[at].1
    }
}
