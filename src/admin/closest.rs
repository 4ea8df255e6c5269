//! The closest rules, for entries of requests that no rule served.
//!
//! Finding them compares the request with all rules: 1.5 ms for 10,000 rules. So only shown entries have them, each different
//! request is compared once, and an answer compares few requests.

use crate::handling::near_misses;
use crate::message::baggage::members;
use crate::observing::journal::entry::{Entry, find};
use crate::provisioning::activation::Activation;
use crate::provisioning::layers::Member;
use serde_json::Value;

/// Maximum of different requests that are compared with the rules for one answer. A test that asks why nothing matched has a
/// handful; a crawler that tries 10,000 paths must not occupy the thread `reads` for seconds. Any other entry shows its
/// closest rules when it is read alone.
const MOST: usize = 20;

/// The parts of a request on which its closest rules depend.
#[derive(PartialEq, Eq)]
pub(super) struct UnmatchedRequest {
    generation: u64,
    method: String,
    path: String,
    host: Option<String>,
    /// The members of `baggage`, which overlays may require.
    baggage: Vec<(String, String)>,
}

impl UnmatchedRequest {
    /// Returns the request of an entry that no rule served. A request that the engine refused has no generation and was
    /// compared with no rules: `None`.
    pub(super) fn from_entry(entry: &Entry) -> Option<UnmatchedRequest> {
        let Entry { generation, method, path, .. } = entry;
        (entry.unmatched.is_some() && *generation > 0).then(|| UnmatchedRequest {
            generation: *generation,
            method: method.clone(),
            path: path.clone(),
            host: find(&entry.headers, "host")
                .map(|host| host.strip_suffix(":80").unwrap_or(host).to_owned()),
            baggage: members(
                entry
                    .headers
                    .iter()
                    .filter(|(name, _)| name.eq_ignore_ascii_case("baggage"))
                    .map(|(_, value)| value.as_str()),
            ),
        })
    }

    /// Returns the closest rules, each with its differences; null where another generation serves by now.
    fn compare(&self, activation: &Activation) -> Value {
        let serving = activation.layers();
        if serving.generation != self.generation {
            return Value::Null;
        }
        let carries = |member: &Member| {
            self.baggage.iter().any(|(key, value)| *key == member.key && *value == member.value)
        };
        let overlays = serving.overlays_for(carries).map(|(_, overlay)| overlay);
        near_misses(&serving.base, overlays, &self.method, &self.path, self.host.as_deref()).into()
    }
}

/// The closest rules that were found for one answer.
#[derive(Default)]
pub(super) struct Closest(Vec<(UnmatchedRequest, Value)>);

impl Closest {
    /// Returns the closest rules of a request; null also where [`MOST`] other requests were compared before.
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

    /// Number of requests that were compared with the rules.
    #[cfg(test)]
    pub(super) fn compared(&self) -> usize {
        self.0.len()
    }
}
