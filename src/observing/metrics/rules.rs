//! The counters of all rules: of the provision that serves, and of earlier ones as long as there is room.
//!
//! Counters must not go back, so they outlive activations. If a rule has to make room, its counts are added to the label `other`.

use crate::observing::counters::{Key, RuleCounters};
use crate::system::lock::lock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Most rules with counters of their own. Further rules share counters.
const MOST_RULES: usize = 1_000;
/// Most series, which are pairs of method and status, of all rules together. Further pairs are counted under `other`.
const MOST_SERIES: usize = 1_000;
/// Most series of one rule.
const PER_RULE: usize = 8;
/// Most series under `none`, and under `other`.
const SHARED: usize = 64;

/// The label of requests that no rule served. It can't be a rule, which begins with a slash.
pub(super) const NONE: &str = "none";
/// The label of rules that share counters.
pub(super) const OTHER: &str = "other";

/// The identity of a rule across activations: its text, the methods that it lists, and its layer.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Identity {
    pub rule: String,
    /// Joined by commas.
    pub methods: String,
    /// The overlay; empty for a rule of the active provision.
    pub overlay: String,
}

pub(super) struct Rules {
    known: Mutex<Known>,
    /// How many series rules have claimed.
    series: AtomicUsize,
    none: RuleCounters,
    other: RuleCounters,
}

#[derive(Default)]
struct Known {
    /// Sorted by identity.
    rules: Vec<Row>,
    /// Number of the latest activation.
    activation: u64,
    /// Counters of rules that made room, as long as running requests may use them.
    leaving: Vec<Arc<RuleCounters>>,
}

struct Row {
    identity: Identity,
    counters: Arc<RuleCounters>,
    /// Number of the latest activation with this rule.
    activation: u64,
}

/// The sums of all rules with one label.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Sums {
    /// The text of the rule, [`NONE`] or [`OTHER`].
    pub label: String,
    /// Requests by method and status.
    pub requests: Vec<(Key, u64)>,
    /// Time that the requests took.
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
    /// Returns the counters of each rule of a provision that will serve beside the rules `kept`; `None` for rules that share counters.
    pub(super) fn adopt(&self, rules: &[Identity], kept: &[Identity]) -> Vec<Option<Arc<RuleCounters>>> {
        let mut known = lock(&self.known);
        let known = &mut *known;
        known.activation += 1;
        let activation = known.activation;
        let mut places = 0;
        for rule in kept {
            // A rule that shares counters has no row.
            if let Ok(at) = known.rules.binary_search_by(|row| row.identity.cmp(rule)) {
                known.rules[at].activation = activation;
                places += 1;
            }
        }
        let adopted = (places..).zip(rules).map(|(place, rule)| {
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

    /// Adds the counters that no request uses any more to `other`, and frees their series.
    fn settle(&self, known: &mut Known) {
        known.leaving.retain_mut(|counters| {
            // The other references belonged to provisions that no request uses any more.
            let done = Arc::get_mut(counters).is_some();
            if done {
                self.other.absorb(counters);
                self.series.fetch_sub(counters.claimed(), Ordering::Relaxed);
            }
            !done
        });
    }

    /// Counts a request with the counters of its rule, with those of no rule, or with the shared ones.
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

    /// Counts the error of a request that was counted before, with the same counters.
    pub(super) fn add_error(&self, served: bool, counters: Option<&RuleCounters>) {
        counters.unwrap_or(if served { &self.other } else { &self.none }).add_error();
    }

    /// Claims a series, if one is left.
    fn claim_series(&self) -> bool {
        let next = |series| (series < MOST_SERIES).then_some(series + 1);
        self.series.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_ok()
    }

    /// Returns the sums by label.
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
    /// Returns the row of `rule`, and adds it where it is missing.
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

/// The values of one request that are counted.
#[derive(Default)]
pub struct Counted<'r> {
    pub method: &'r str,
    pub target: &'r str,
    /// Status of the answer that is sent.
    pub status: u16,
    /// Time that a worker spent on the request.
    pub nanoseconds: u64,
    /// Whether a rule served the request.
    pub served: bool,
    /// The counters of that rule; `None` where it shares counters.
    pub counters: Option<&'r RuleCounters>,
    /// Whether neither a rule nor a hook served the request.
    pub unmatched: bool,
    /// The error that a script threw.
    pub error: Option<&'r str>,
}

/// Adds `counters` to the last of the sums if that has the same label, else as new sums. Labels come in order.
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
            .map(|number| Identity {
                rule: format!("/{prefix}{number}"),
                methods: "GET".to_owned(),
                ..Identity::default()
            })
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
        let first = rules.adopt(&both, &[]);
        get(&rules, first[0].as_deref(), 200);
        let second = rules.adopt(&both[..1], &[]);
        get(&rules, second[0].as_deref(), 500);
        get(&rules, first[1].as_deref(), 200);
        let sums = rules.sums();
        let read: Vec<_> =
            sums.iter().map(|sums| (sums.label.as_str(), sums.nanoseconds, sums.errors)).collect();
        assert_eq!(read, [("/a0", 10, 1), ("/a1", 5, 0)]);
        assert_eq!((requests_of(&sums, "/a0"), requests_of(&sums, "/a1")), (2, 1));
    }

    #[test]
    fn rules_with_the_same_text_and_other_methods_are_counted_apart_and_shown_together() {
        let rules = Rules::default();
        let identity = |methods: &str| Identity {
            rule: "/a".to_owned(),
            methods: methods.to_owned(),
            ..Identity::default()
        };
        let adopted = rules.adopt(&[identity("GET"), identity("POST")], &[]);
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
            let adopted = rules.adopt(&many, &[]);
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
    fn series_of_rules_that_have_left_are_free_for_the_next() {
        let rules = Rules::default();
        for round in 0..3 {
            let prefix = format!("r{round}-");
            let adopted = rules.adopt(&identities(&prefix, MOST_RULES), &[]);
            // Twice as many pairs as there are series.
            for counters in &adopted {
                get(&rules, counters.as_deref(), 200);
                get(&rules, counters.as_deref(), 500);
            }
            let sums = rules.sums();
            let own = sums.iter().filter(|sums| sums.label.contains(&prefix));
            assert_eq!(own.map(|sums| sums.requests.len()).sum::<usize>(), MOST_SERIES, "{prefix}");
        }
    }

    #[test]
    fn layers_that_stay_keep_their_counters_and_their_room() {
        let rules = Rules::default();
        let base = identities("base", MOST_RULES - 1);
        let first = rules.adopt(&base, &[]);
        for round in 0..3 {
            let overlay = format!("`o{round}`");
            let own =
                identities("base", 2).into_iter().map(|rule| Identity { overlay: overlay.clone(), ..rule });
            let own: Vec<Identity> = own.collect();
            let adopted = rules.adopt(&own, &base);
            assert!(
                adopted[0].is_some() && adopted[1].is_none(),
                "one rule has room beside those of the base"
            );
            get(&rules, adopted[0].as_deref(), 200);
            assert_eq!(first[0].as_ref().unwrap().total(), 0, "an overlay does not count for the base");
            // A reload of the base keeps those of the overlay.
            let reloaded = rules.adopt(&base[1..], &own);
            assert!(reloaded.iter().all(Option::is_some));
        }
        assert_eq!(requests_of(&rules.sums(), "/base0") + requests_of(&rules.sums(), OTHER), 3);
        assert!(lock(&rules.known).rules.len() <= MOST_RULES);
    }

    #[test]
    fn a_request_that_ends_after_its_rule_has_left_is_counted() {
        let rules = Rules::default();
        let old = rules.adopt(&identities("old", MOST_RULES), &[]);
        let new = rules.adopt(&identities("new", 1), &[]);
        get(&rules, old[7].as_deref(), 200);
        assert_eq!(requests_of(&rules.sums(), OTHER), 1);
        drop(old);
        get(&rules, new[0].as_deref(), 200);
        let sums = rules.sums();
        assert_eq!((total(&sums), requests_of(&sums, OTHER)), (2, 1));
        assert!(lock(&rules.known).leaving.is_empty());
    }
}
