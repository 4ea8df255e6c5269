//! The counters of all rules: those of the present provision, and those of earlier ones while there is room. They outlive
//! activations, for counters must not go back; what makes room goes on counting under `other`.

use crate::observing::counters::{Key, RuleCounters};
use crate::system::lock::lock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Rules with counters of their own; further ones share.
const MOST_RULES: usize = 1_000;
/// Pairs of method and status that all rules together are counted by; further ones are counted under `other`.
const MOST_SERIES: usize = 1_000;
/// Such pairs of one rule.
const PER_RULE: usize = 8;
/// Such pairs of requests that no rule served, and of those that share.
const SHARED: usize = 64;

/// The label of requests that no rule served. Rules begin with a slash.
pub(super) const NONE: &str = "none";
/// The label of what shares its counters.
pub(super) const OTHER: &str = "other";

/// A rule by what tells it apart: its text, and the methods that it lists.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Identity {
    pub rule: String,
    /// Its methods, joined by commas.
    pub methods: String,
}

pub(super) struct Rules {
    known: Mutex<Known>,
    /// Pairs that were claimed by rules.
    series: AtomicUsize,
    none: RuleCounters,
    other: RuleCounters,
}

#[derive(Default)]
struct Known {
    /// In the order of their identities.
    rules: Vec<Row>,
    /// Number of the last activation.
    activation: u64,
    /// Of rules that made room, while requests may still be counted with them.
    leaving: Vec<Arc<RuleCounters>>,
}

struct Row {
    identity: Identity,
    counters: Arc<RuleCounters>,
    /// The last activation with this rule.
    activation: u64,
}

/// What was counted of all rules with one label.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Sums {
    /// The text of the rules, [`NONE`] or [`OTHER`].
    pub label: String,
    /// Requests by method and status.
    pub requests: Vec<(Key, u64)>,
    /// Time of requests.
    pub nanoseconds: u64,
    /// Requests whose script failed.
    pub errors: u64,
}

impl Default for Rules {
    fn default() -> Self {
        Rules {
            known: Mutex::default(),
            series: AtomicUsize::new(0),
            none: RuleCounters::new(SHARED),
            other: RuleCounters::new(SHARED),
        }
    }
}

impl Rules {
    /// The counters of each of these rules, which are about to serve; `None` for those that share.
    pub(super) fn adopt(&self, rules: &[Identity]) -> Vec<Option<Arc<RuleCounters>>> {
        let mut known = lock(&self.known);
        let known = &mut *known;
        known.activation += 1;
        let activation = known.activation;
        let adopted = rules.iter().enumerate().map(|(place, rule)| {
            if place >= MOST_RULES {
                return None;
            }
            let row = known.row(rule);
            row.activation = activation;
            Some(row.counters.clone())
        });
        let adopted = adopted.collect();
        if known.rules.len() > MOST_RULES {
            let leaving = &mut known.leaving;
            known.rules.retain(|row| {
                let stays = row.activation == activation;
                if !stays {
                    leaving.push(row.counters.clone());
                }
                stays
            });
        }
        self.settle(known);
        adopted
    }

    /// Takes in the counters that nobody counts with any more.
    fn settle(&self, known: &mut Known) {
        known.leaving.retain_mut(|counters| {
            // All other references were in provisions that are gone.
            let done = Arc::get_mut(counters).is_some();
            if done {
                self.other.absorb(counters);
                self.series.fetch_sub(counters.claimed(), Ordering::Relaxed);
            }
            !done
        });
    }

    /// Counts a request: with its rule's own counters, with those of no rule at all, or with those that are shared.
    pub(super) fn count(&self, request: &Counted) {
        let none = if request.served { &self.other } else { &self.none };
        let own = request.counters;
        let counters = own.unwrap_or(none);
        let room = || own.is_none() || self.claim_series();
        if !counters.count(request.method, request.status, room) {
            self.other.count(request.method, request.status, || true);
        }
        counters.add_time(request.nanoseconds);
        if request.error.is_some() {
            counters.add_error();
        }
    }

    /// Takes one of the series, where there is one left.
    fn claim_series(&self) -> bool {
        let next = |series| (series < MOST_SERIES).then_some(series + 1);
        self.series.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_ok()
    }

    /// What was counted, by label.
    pub(super) fn sums(&self) -> Vec<Sums> {
        let mut known = lock(&self.known);
        self.settle(&mut known);
        let mut all: Vec<Sums> = Vec::new();
        for row in &known.rules {
            add(&mut all, &row.identity.rule, &row.counters);
        }
        add(&mut all, NONE, &self.none);
        for counters in known.leaving.iter().map(Arc::as_ref).chain([&self.other]) {
            add(&mut all, OTHER, counters);
        }
        all
    }
}

impl Known {
    /// The row of `rule`, a new one if need be.
    fn row(&mut self, rule: &Identity) -> &mut Row {
        let found = self.rules.binary_search_by(|row| row.identity.cmp(rule));
        let at = found.unwrap_or_else(|at| {
            let (identity, counters) = (rule.clone(), Arc::new(RuleCounters::new(PER_RULE)));
            self.rules.insert(at, Row { identity, counters, activation: 0 });
            at
        });
        &mut self.rules[at]
    }
}

/// What there is to count of one request.
#[derive(Default)]
pub struct Counted<'r> {
    /// As sent.
    pub method: &'r str,
    /// As sent.
    pub target: &'r str,
    /// Of its answer, as it is sent.
    pub status: u16,
    /// Time that the mock worked on it.
    pub nanoseconds: u64,
    /// Whether a rule served it.
    pub served: bool,
    /// The counters of that rule; `None` where it shares them.
    pub counters: Option<&'r RuleCounters>,
    /// Whether no rule served it, and no hook stood in.
    pub unmatched: bool,
    /// What a script threw.
    pub error: Option<&'r str>,
}

/// Adds to the last sums of all, where they have this label: labels come in order.
fn add(all: &mut Vec<Sums>, label: &str, counters: &RuleCounters) {
    let (requests, nanoseconds, errors) = (counters.requests(), counters.nanoseconds(), counters.errors());
    if requests.is_empty() && nanoseconds == 0 && errors == 0 {
        return;
    }
    if all.last().is_none_or(|last| last.label != label) {
        all.push(Sums { label: label.to_owned(), ..Sums::default() });
    }
    let Some(sums) = all.last_mut() else { return };
    for (key, count) in requests {
        match sums.requests.iter_mut().find(|(known, _)| *known == key) {
            Some((_, sum)) => *sum += count,
            None => sums.requests.push((key, count)),
        }
    }
    sums.nanoseconds += nanoseconds;
    sums.errors += errors;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identities(prefix: &str, count: usize) -> Vec<Identity> {
        (0..count)
            .map(|number| Identity { rule: format!("/{prefix}{number}"), methods: "GET".to_owned() })
            .collect()
    }

    fn get(rules: &Rules, own: Option<&RuleCounters>, status: u16) {
        let error = (status == 500).then_some("failed");
        let counted = Counted { method: "GET", status, nanoseconds: 5, error, ..Counted::default() };
        rules.count(&Counted { served: true, counters: own, ..counted });
    }

    fn total(sums: &[Sums]) -> u64 {
        sums.iter().flat_map(|sums| &sums.requests).map(|(_, count)| count).sum()
    }

    /// Requests of one label.
    fn requests_of(sums: &[Sums], label: &str) -> u64 {
        sums.iter().filter(|sums| sums.label == label).flat_map(|sums| &sums.requests).map(|(_, n)| n).sum()
    }

    #[test]
    fn counters_outlive_activations() {
        let rules = Rules::default();
        let both = identities("a", 2);
        let first = rules.adopt(&both);
        get(&rules, first[0].as_deref(), 200);
        let second = rules.adopt(&both[..1]);
        get(&rules, second[0].as_deref(), 500);
        get(&rules, first[1].as_deref(), 200);
        let sums = rules.sums();
        let read: Vec<_> =
            sums.iter().map(|sums| (sums.label.as_str(), sums.nanoseconds, sums.errors)).collect();
        assert_eq!(read, [("/a0", 10, 1), ("/a1", 5, 0)]);
        assert_eq!((requests_of(&sums, "/a0"), requests_of(&sums, "/a1")), (2, 1));
    }

    #[test]
    fn rules_of_one_text_and_other_methods_are_told_apart_and_shown_together() {
        let rules = Rules::default();
        let identity = |methods: &str| Identity { rule: "/a".to_owned(), methods: methods.to_owned() };
        let adopted = rules.adopt(&[identity("GET"), identity("POST")]);
        get(&rules, adopted[0].as_deref(), 200);
        get(&rules, adopted[1].as_deref(), 200);
        assert_eq!(adopted.iter().flatten().map(|counters| counters.total()).collect::<Vec<_>>(), [1, 1]);
        let sums = rules.sums();
        assert_eq!((sums.len(), sums[0].requests.len(), requests_of(&sums, "/a")), (1, 1, 2));
    }

    #[test]
    fn labels_are_bounded_and_no_request_is_lost() {
        let rules = Rules::default();
        let mut counted = 0;
        for round in 0..5 {
            let many = identities(&format!("r{round}-"), MOST_RULES + 100);
            let adopted = rules.adopt(&many);
            assert_eq!(adopted.iter().filter(|counters| counters.is_none()).count(), 100);
            for counters in &adopted {
                for status in [200, 201, 500] {
                    get(&rules, counters.as_deref(), status);
                    counted += 1;
                }
            }
            let sums = rules.sums();
            let series: usize = sums.iter().map(|sums| sums.requests.len()).sum();
            assert!(series <= MOST_SERIES + SHARED && sums.len() <= MOST_RULES + 1, "{series}");
            assert_eq!(total(&sums), counted);
        }
        let errors: u64 = rules.sums().iter().map(|sums| sums.errors).sum();
        assert_eq!(errors, counted / 3);
    }

    #[test]
    fn a_request_that_ends_after_its_rule_has_left_is_counted() {
        let rules = Rules::default();
        let old = rules.adopt(&identities("old", MOST_RULES));
        let new = rules.adopt(&identities("new", 1));
        get(&rules, old[7].as_deref(), 200);
        assert_eq!(requests_of(&rules.sums(), OTHER), 1);
        drop(old);
        get(&rules, new[0].as_deref(), 200);
        let sums = rules.sums();
        assert_eq!((total(&sums), requests_of(&sums, OTHER)), (2, 1));
        assert!(lock(&rules.known).leaving.is_empty());
    }
}
