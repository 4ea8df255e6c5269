//! The entries of chaos, and their effect on one request. They survive activations.

use super::entry::Entry;
use super::reply::Reply;
use super::stream_faults::{StreamAct, StreamFaults};
use crate::message::answer::Answer;
use crate::message::request::Request;
use crate::routing::rule::Rule;
use fastrand::Rng;
use serde_json::Value;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

/// Most entries at a time. Each request is compared with all of them.
const MOST_ENTRIES: usize = 100;
/// Most bytes of the JSON of all entries.
const MOST_BYTES: usize = 1 << 20;

/// The entries of chaos that are set.
#[derive(Debug, Default)]
pub struct Chaos {
    /// Whether an entry may still be live. If not, a request does not look at the entries.
    live: AtomicBool,
    entries: RwLock<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    last: u64,
    /// The entries with their numbers, from 1.
    list: Vec<(u64, Arc<Entry>)>,
}

/// An entry as lists show it.
#[derive(Debug, PartialEq)]
pub struct Listed {
    pub id: u64,
    /// The JSON that was sent.
    pub given: Value,
    /// Number of requests that the entry was applied to.
    pub hits: u64,
    pub ended: bool,
}

#[derive(Debug, Default)]
pub struct ChaosEffect {
    /// The answer in place of the script's.
    pub replacement: Option<Answer>,
    /// A reply that carries delays and faults. Its answer is not used.
    carrier: Reply,
    /// The entries for streams. Those for streams alone are drawn once the answer is a stream; the others have their generator.
    streams: Vec<(u64, Arc<Entry>, Option<Rng>)>,
}

impl Chaos {
    /// Whether requests have to be compared with the entries.
    pub fn is_live(&self) -> bool {
        self.live.load(Ordering::Relaxed)
    }

    /// Adds `entries` and returns their numbers. With `replace`, removes all earlier entries.
    ///
    /// # Errors
    /// The entries are too many or too large. Nothing changes then.
    pub fn set(&self, entries: Vec<Entry>, replace: bool) -> Result<Vec<u64>, String> {
        let mut all = self.change();
        let kept = if replace { &[] } else { &all.list[..] };
        let count = kept.len() + entries.len();
        if count > MOST_ENTRIES {
            return Err(format!("{count} entries are more than {MOST_ENTRIES}"));
        }
        let bytes: usize =
            kept.iter().map(|(_, entry)| &**entry).chain(&entries).map(|entry| entry.size).sum();
        if bytes > MOST_BYTES {
            return Err(format!("entries of {bytes} bytes in all are more than {MOST_BYTES}"));
        }
        if replace {
            all.list.clear();
        }
        let first = all.last + 1;
        all.last += entries.len() as u64;
        all.list.extend((first..).zip(entries.into_iter().map(Arc::new)));
        self.live.store(!all.list.is_empty(), Ordering::Relaxed);
        Ok((first..=all.last).collect())
    }

    /// Removes all entries, or the entry with that number. Returns how many were removed.
    pub fn remove(&self, id: Option<u64>) -> usize {
        let mut all = self.change();
        let before = all.list.len();
        all.list.retain(|(own, _)| id.is_some_and(|id| id != *own));
        self.live.store(!all.list.is_empty(), Ordering::Relaxed);
        before - all.list.len()
    }

    /// Returns all entries in their order.
    pub fn list(&self) -> Vec<Listed> {
        let now = Instant::now();
        let show = |(id, entry): &(u64, Arc<Entry>)| {
            let ended = entry.has_ended(now);
            Listed { id: *id, given: entry.given.clone(), hits: entry.course().hits, ended }
        };
        self.look().list.iter().map(show).collect()
    }

    /// Returns the effect of the entries on `request`, which `rule` of `overlay` serves; an empty name is the active provision. A
    /// `preflight` of a browser belongs to the request that follows it, so only entries that name a method apply to it.
    ///
    /// All entries for the request are applied. Their delays add up. If several entries set the same fault, the first counts.
    #[cold]
    pub fn strike(
        &self,
        request: &Request,
        overlay: &str,
        rule: Option<&Rule>,
        preflight: bool,
    ) -> Option<Box<ChaosEffect>> {
        let all = self.look();
        let (now, mut live) = (Instant::now(), false);
        let mut found: Option<Box<ChaosEffect>> = None;
        for (id, entry) in &all.list {
            if entry.has_ended(now) {
                continue;
            }
            live = true;
            if (!preflight || entry.target.method.is_some())
                && entry.target.overlay.as_deref().is_none_or(|own| own == overlay)
                && entry.target.fits(request.method(), request.path(), rule)
            {
                // HEAD has no pieces.
                let streams = entry.act.stream.is_some() && request.method() != "HEAD";
                if !entry.is_for_streams() {
                    let Some((hold, random)) = entry.strikes() else { continue };
                    let effect = found.get_or_insert_default();
                    effect.take(*id, entry, hold);
                    effect.streams.extend(streams.then(|| (*id, entry.clone(), Some(random))));
                } else if streams {
                    found.get_or_insert_default().streams.push((*id, entry.clone(), None));
                }
            }
        }
        if !live {
            // No other thread can add an entry now: it would need the lock that is held here.
            self.live.store(false, Ordering::Relaxed);
        }
        found
    }

    fn look(&self) -> RwLockReadGuard<'_, Entries> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self) -> RwLockWriteGuard<'_, Entries> {
        self.entries.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ChaosEffect {
    /// Adds the effect of one entry.
    fn take(&mut self, id: u64, entry: &Entry, hold: Duration) {
        let (act, by) = (&entry.act, format!(" (chaos {id})"));
        if act.delay.is_some() {
            self.carrier.delay(hold, &by);
        }
        if let (Some(replacement), None) = (&act.replacement, &self.replacement) {
            self.replacement = Some(replacement.clone());
            self.carrier.inject().note(format_args!("status {}{by}", replacement.status));
        }
        let so_far = self.carrier.inject();
        let (dribbles, breaks) = (so_far.dribble.is_some(), so_far.breaking.is_some());
        if let Some(dribble) = act.dribble.filter(|_| !dribbles) {
            self.carrier.dribble(dribble, &by);
        }
        if let Some(breaking) = act.breaking.filter(|_| !breaks) {
            self.carrier.break_off(breaking, &by);
        }
    }

    /// Applies the effect to `reply`. Delays add to those of the script; other faults replace the script's.
    pub fn apply(self, reply: &mut Reply) {
        reply.hold_longer(self.carrier.hold);
        if let Some(more) = self.carrier.injected {
            let injected = reply.inject();
            injected.dribble = more.dribble.or(injected.dribble);
            injected.breaking = more.breaking.or(injected.breaking);
            injected.note(format_args!("{}", more.words));
        }
        if !self.streams.is_empty() && reply.sends_stream() {
            let faults = stream_faults(&self.streams);
            reply.inject().stream.merge(faults);
        }
    }
}

/// Returns the faults that `entries` have for a stream. Draws the entries that are for streams alone.
fn stream_faults(entries: &[(u64, Arc<Entry>, Option<Rng>)]) -> StreamFaults {
    let mut faults = StreamFaults::default();
    for (id, entry, random) in entries {
        let random = random.clone().or_else(|| entry.strikes().map(|(_, random)| random));
        if let (Some(random), Some(act)) = (random, &entry.act.stream) {
            // The first cut counts, as of the other faults.
            let cut = act.cut.filter(|_| !faults.has_cut());
            // Never too many: there are as few entries.
            let _ = faults.add(&StreamAct { cut, ..*act }, random, &format!(" (chaos {id})"));
        }
    }
    faults
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
