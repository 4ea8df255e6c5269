//! The counters of all rules: those of the present provision, and those of earlier ones while there is room. They outlive
//! activations, for counters must not go back; what makes room goes on counting under `other`.

use crate::tally::{Key, Tally};
use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Rules with counters of their own; further ones share.
const MOST_RULES: usize = 1_000;
/// Pairs of method and status that all rules together are counted by; further ones are counted under `other`.
const MOST_SERIES: usize = 1_000;
/// Such pairs of one rule.
const PER_RULE: usize = 8;
/// Such pairs of requests that no rule served, and of those that share.
const SHARED: usize = 64;

/// The label of requests that no rule served. Rules begin with a slash.
pub const NONE: &str = "none";
/// The label of what shares its counters.
pub const OTHER: &str = "other";

/// A rule by what tells it apart: its text, and the methods that it lists.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// The rule as registered.
    pub rule: String,
    /// Its methods, joined by commas.
    pub methods: String,
}

/// Counters of rules.
pub struct Rules {
    known: Mutex<Known>,
    /// Pairs that were claimed by rules.
    series: AtomicUsize,
    none: Tally,
    other: Tally,
}

#[derive(Default)]
struct Known {
    rules: BTreeMap<Identity, Arc<Tally>>,
    /// Of rules that made room, while requests may still be counted with them.
    leaving: Vec<Arc<Tally>>,
}

/// What was counted of all rules with one label.
#[derive(Debug, Default, PartialEq)]
pub struct Sums {
    /// Requests by method and status.
    pub requests: BTreeMap<Key, u64>,
    /// Time of scripts.
    pub nanoseconds: u64,
    /// Requests whose script failed.
    pub errors: u64,
}

impl Default for Rules {
    fn default() -> Self {
        Rules {
            known: Mutex::default(),
            series: AtomicUsize::new(0),
            none: Tally::new(SHARED),
            other: Tally::new(SHARED),
        }
    }
}

impl Rules {
    /// The counters of each of these rules, which are about to serve; `None` for those that share.
    pub fn adopt(&self, rules: &[Identity]) -> Vec<Option<Arc<Tally>>> {
        let mut known = self.open();
        let kept: HashSet<&Identity> = rules.iter().take(MOST_RULES).collect();
        let new = kept.iter().filter(|rule| !known.rules.contains_key(**rule)).count();
        if known.rules.len() + new > MOST_RULES {
            let (staying, leaving) =
                std::mem::take(&mut known.rules).into_iter().partition(|(rule, _)| kept.contains(rule));
            known.rules = staying;
            known.leaving.extend(BTreeMap::into_values(leaving));
        }
        self.settle(&mut known);
        let mut tally = |rule: &Identity| {
            let fresh = || Arc::new(Tally::new(PER_RULE));
            kept.contains(rule).then(|| known.rules.entry(rule.clone()).or_insert_with(fresh).clone())
        };
        rules.iter().map(&mut tally).collect()
    }

    /// Takes in the counters that nobody counts with any more.
    fn settle(&self, known: &mut Known) {
        known.leaving.retain_mut(|tally| {
            // All other references were in provisions that are gone.
            let done = Arc::get_mut(tally).is_some();
            if done {
                self.other.absorb(tally);
                self.series.fetch_sub(tally.claimed(), Ordering::Relaxed);
            }
            !done
        });
    }

    /// Counts a request: with `own` counters, with those of no rule at all, or with those that are shared.
    pub fn count(&self, own: Option<&Tally>, served: bool, request: &Counted) {
        let none = if served { &self.other } else { &self.none };
        let tally = own.unwrap_or(none);
        let room =
            || own.is_none() || self.series.fetch_add(1, Ordering::Relaxed) < MOST_SERIES || self.give_back();
        if !tally.count(request.method, request.status, room) {
            self.other.count(request.method, request.status, || true);
        }
        if request.nanoseconds > 0 {
            tally.add_time(request.nanoseconds);
        }
        if request.failed {
            tally.add_error();
        }
    }

    /// There was no room for one more.
    fn give_back(&self) -> bool {
        self.series.fetch_sub(1, Ordering::Relaxed);
        false
    }

    /// What was counted, by label.
    pub fn sums(&self) -> BTreeMap<String, Sums> {
        let mut known = self.open();
        self.settle(&mut known);
        let mut all: BTreeMap<String, Sums> = BTreeMap::new();
        for (identity, tally) in &known.rules {
            add(&mut all, &identity.rule, tally);
        }
        add(&mut all, NONE, &self.none);
        for tally in known.leaving.iter().map(Arc::as_ref).chain([&self.other]) {
            add(&mut all, OTHER, tally);
        }
        all
    }

    fn open(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What there is to count of one request.
pub struct Counted<'r> {
    /// As sent.
    pub method: &'r str,
    /// Of its answer.
    pub status: u16,
    /// Time of its scripts; 0 where none ran.
    pub nanoseconds: u64,
    /// Whether a script failed.
    pub failed: bool,
}

fn add(all: &mut BTreeMap<String, Sums>, label: &str, tally: &Tally) {
    let requests = tally.requests();
    if requests.is_empty() && tally.nanoseconds() == 0 && tally.errors() == 0 {
        return;
    }
    let sums = all.entry(label.to_owned()).or_default();
    for (key, count) in requests {
        *sums.requests.entry(key).or_default() += count;
    }
    sums.nanoseconds += tally.nanoseconds();
    sums.errors += tally.errors();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identities(prefix: &str, count: usize) -> Vec<Identity> {
        (0..count)
            .map(|number| Identity { rule: format!("/{prefix}{number}"), methods: "GET".to_owned() })
            .collect()
    }

    fn get(rules: &Rules, own: Option<&Tally>, status: u16) {
        rules.count(own, true, &Counted { method: "GET", status, nanoseconds: 5, failed: status == 500 });
    }

    fn total(sums: &BTreeMap<String, Sums>) -> u64 {
        sums.values().flat_map(|sums| sums.requests.values()).sum()
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
        let of = |label: &str| {
            let sums = &sums[label];
            (sums.requests.values().sum::<u64>(), sums.nanoseconds, sums.errors)
        };
        assert_eq!((of("/a0"), of("/a1")), ((2, 10, 1), (1, 5, 0)));
        assert_eq!(sums.len(), 2);
    }

    #[test]
    fn rules_of_one_text_and_other_methods_are_told_apart_and_shown_together() {
        let rules = Rules::default();
        let identity = |methods: &str| Identity { rule: "/a".to_owned(), methods: methods.to_owned() };
        let tallies = rules.adopt(&[identity("GET"), identity("POST")]);
        get(&rules, tallies[0].as_deref(), 200);
        get(&rules, tallies[1].as_deref(), 200);
        assert_eq!(tallies.iter().flatten().map(|tally| tally.total()).collect::<Vec<_>>(), [1, 1]);
        assert_eq!(rules.sums()["/a"].requests.values().collect::<Vec<_>>(), [&2]);
    }

    #[test]
    fn labels_are_bounded_and_no_request_is_lost() {
        let rules = Rules::default();
        let mut counted = 0;
        for round in 0..5 {
            let many = identities(&format!("r{round}-"), MOST_RULES + 100);
            let tallies = rules.adopt(&many);
            assert_eq!(tallies.iter().filter(|tally| tally.is_none()).count(), 100);
            for tally in &tallies {
                for status in [200, 201, 500] {
                    get(&rules, tally.as_deref(), status);
                    counted += 1;
                }
            }
            let sums = rules.sums();
            let series: usize = sums.values().map(|sums| sums.requests.len()).sum();
            assert!(series <= MOST_SERIES + SHARED && sums.len() <= MOST_RULES + 1, "{series}");
            assert_eq!(total(&sums), counted);
        }
        let errors: u64 = rules.sums().values().map(|sums| sums.errors).sum();
        assert_eq!(errors, counted / 3);
    }

    #[test]
    fn a_request_that_ends_after_its_rule_has_left_is_counted() {
        let rules = Rules::default();
        let old = rules.adopt(&identities("old", MOST_RULES));
        let new = rules.adopt(&identities("new", 1));
        get(&rules, old[7].as_deref(), 200);
        assert_eq!(rules.sums()[OTHER].requests.values().sum::<u64>(), 1);
        drop(old);
        get(&rules, new[0].as_deref(), 200);
        let sums = rules.sums();
        assert_eq!((total(&sums), sums[OTHER].requests.values().sum::<u64>()), (2, 1));
        assert!(rules.open().leaving.is_empty());
    }
}
