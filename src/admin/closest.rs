//! The rules that are closest to a request which none served, in the entries of an answer. To find them is to go through all rules,
//! 1.5 ms where they are 10,000: so only for what is shown, once for each different request, and for a few of these in one answer.
//! Knows no journal.

use crate::observing::journal::entry::Entry;
use crate::provisioning::activation::Activation;
use crate::routing::near_miss::Miss;
use serde_json::Value;

/// Different requests that are compared with the rules for one answer. A test that asks why nothing matched has a handful; a crawler
/// that tries 10,000 paths must not hold a worker for seconds. Of the others each is compared when it is asked for alone.
const MOST: usize = 20;

/// What the closest rules of a request depend on.
#[derive(PartialEq, Eq)]
pub(super) struct UnmatchedRequest {
    generation: u64,
    method: String,
    path: String,
    host: Option<String>,
}

impl UnmatchedRequest {
    /// Of a request that was compared with rules, and that none served: not one that the engine refused, which has no generation.
    pub(super) fn from_entry(entry: &Entry) -> Option<UnmatchedRequest> {
        let Entry { generation, method, path, .. } = entry;
        (entry.unmatched.is_some() && *generation > 0).then(|| UnmatchedRequest {
            generation: *generation,
            method: method.clone(),
            path: path.clone(),
            host: entry
                .headers
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case("host"))
                .map(|(_, host)| host.strip_suffix(":80").unwrap_or(host).to_owned()),
        })
    }

    /// The closest rules, each with what differs; null where the rules of its generation serve no more. Goes through all rules.
    fn compare(&self, activation: &Activation) -> Value {
        let serving = activation.current();
        if serving.generation != self.generation {
            return Value::Null;
        }
        let misses = serving.router.explain(&self.method, &self.path, self.host.as_deref());
        misses.iter().map(Miss::to_string).collect()
    }
}

/// What was found for one answer.
#[derive(Default)]
pub(super) struct Closest(Vec<(UnmatchedRequest, Value)>);

impl Closest {
    /// The closest rules of a request; null also where too many others were asked for before.
    pub(super) fn find(&mut self, activation: &Activation, request: UnmatchedRequest) -> &Value {
        let index = match self.0.iter().position(|(known, _)| *known == request) {
            Some(index) => index,
            None if self.0.len() >= MOST => return &Value::Null,
            None => {
                let rules = request.compare(activation);
                self.0.push((request, rules));
                self.0.len() - 1
            }
        };
        &self.0[index].1
    }

    /// How many requests were compared with the rules.
    #[cfg(test)]
    pub(super) fn compared(&self) -> usize {
        self.0.len()
    }
}
