//! `?replay=N` of a check: answers the last entries of the journal with a copy of the active provision and with the new one,
//! and compares the answers.
//!
//! Both handle an entry under the same conditions: the clock stands at the time of the entry, random numbers come from the same seed, and
//! each provision changes a copy of the same values of `store`. So only the provisions make a difference.

use super::Call;
use super::answer::failed;
use super::requests::before_latest;
use crate::handling::Outcome;
use crate::handling::differences::{self, Differences, Pair};
use crate::handling::trial::{self, Tried};
use crate::message::answer::Answer;
use crate::message::request::Request;
use crate::observing::journal::entry::Entry;
use crate::observing::journal::{Journal, Kind};
use crate::provisioning::activation::Activation;
use crate::provisioning::provision::Provision;
use crate::script::runtime::conditions::Conditions;
use crate::script::runtime::key_value_store::KeyValueStore;
use crate::simulation::{Clock, Dice, Reading, Simulation};
use serde::Serialize;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Most entries of a replay.
pub(super) const MOST_ENTRIES: u64 = 10_000;

/// Most rows in a list of the answer. The others are counted.
const MOST_ROWS: usize = 100;

/// The time of a replay. Entries that it does not reach are unknown.
const PATIENCE: Duration = Duration::from_secs(10);

/// The result of a replay.
#[derive(Default, Serialize)]
pub(super) struct Replay {
    /// The number of entries: `same`, `different` and `unknown` together.
    entries: u64,
    same: u64,
    different: u64,
    unknown: u64,
    /// Entries that the active provision answers with another status now than when they were recorded.
    recorded_otherwise: u64,
    differences: Vec<Different>,
    unknowns: Vec<Unknown>,
    /// Rows that were left out of the two lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    more: Option<u64>,
}

/// An entry that would be answered otherwise.
#[derive(Serialize)]
struct Different {
    number: u64,
    method: String,
    target: String,
    /// The rules that serve it, where they differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<Pair<Option<String>>>,
    #[serde(flatten)]
    differences: Differences,
    /// The URLs to which it is forwarded, where they differ; `null` where the provision itself answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    forwarded: Option<Pair<Option<String>>>,
    /// The errors of scripts, where they differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Pair<Option<String>>>,
    /// The recorded status, where the active provision answers with another one now.
    #[serde(skip_serializing_if = "Option::is_none")]
    recorded: Option<u16>,
}

/// An entry that can't be compared, and the reason.
#[derive(Serialize)]
struct Unknown {
    number: u64,
    method: Option<String>,
    target: Option<String>,
    why: String,
}

/// A provision with the values of `store` that it changes during the replay.
struct Side {
    provision: Arc<Provision>,
    values: Arc<KeyValueStore>,
}

/// Returns the conditions under which both provisions are loaded: the same time, and the same random numbers.
pub(super) fn conditions_of_load(activation: &Activation) -> Conditions {
    let (clock, dice) = activation.simulation().of_load();
    let dice = if dice.state().is_some() { dice } else { Dice::seeded(0).of_load() };
    Conditions { clock: Clock::frozen(clock.wall()), dice, ..Conditions::default() }
}

/// Replays the last `count` entries of the journal. Both provisions begin with the values that `store` has now, and handle the entries in
/// their order.
pub(super) fn run(
    call: &Call,
    (current, next): (&Provision, Arc<Provision>),
    loaded: &Conditions,
    count: u64,
) -> Result<Replay, Answer> {
    let (activation, journal) = (&call.admin.activation, &call.admin.journal);
    let copy = activation.copy_of(current, loaded).map_err(|error| {
        failed(
            409,
            &format!(
                "failed to replay: a copy of the active provision does not load: {error}: activate it again"
            ),
        )
    })?;
    let end = Instant::now() + PATIENCE;
    let values = activation.values_for(current, &next);
    let side = |provision, values| Side { provision, values: Arc::new(values) };
    let sides = [side(Arc::new(copy), values.copy()), side(next, values)];
    // After the copies: no request may be older than the values that it meets.
    let epoch = activation.epoch.now();
    let mut replay = Replay::default();
    let request = |entry: &Entry| {
        let mut request = request(entry);
        call.admin.reception.receive(&mut request, epoch);
        request
    };
    let (since, mut early) = latest(journal, count);
    journal.read(since, &mut |entry| {
        if entry.kind != Kind::Request {
            return ControlFlow::Continue(());
        }
        if early > 0 {
            early -= 1;
            return ControlFlow::Continue(());
        }
        let why = if Instant::now() > end {
            Some(format!("it was not reached within {PATIENCE:?}"))
        } else {
            unknown(entry)
        };
        match why {
            Some(why) => replay.skip(entry, why),
            None => replay.compare(entry, &request(entry), &sides, activation.simulation()),
        }
        ControlFlow::Continue(())
    });
    Ok(replay)
}

/// Returns a number after which there are the `count` latest requests, and how many of the requests after it are earlier ones.
fn latest(journal: &Journal, count: u64) -> (u64, u64) {
    let since = before_latest(journal, count);
    if journal.callbacks() == 0 {
        return (since, 0);
    }
    let mut requests = 0_u64;
    journal.read(since, &mut |entry| {
        requests += u64::from(entry.kind == Kind::Request);
        ControlFlow::Continue(())
    });
    (since, requests.saturating_sub(count))
}

/// Returns why `entry` can't be compared, if so. A replay asks the base alone.
fn unknown(entry: &Entry) -> Option<String> {
    let Entry { gone, body, body_length, .. } = entry;
    let is_chaos =
        |fault: &str| fault.split(", ").any(|part| part.contains("(chaos ") && !part.starts_with("delay"));
    if gone.headers {
        return Some("its headers were evicted (--journal-bytes)".to_owned());
    }
    if entry.is_refused() {
        return Some("the server refused it".to_owned());
    }
    if gone.body {
        return Some("its body was evicted (--journal-bytes)".to_owned());
    }
    if *body_length > body.len() as u64 {
        return Some(format!(
            "its body was cut after {} of {body_length} bytes (--journal-body)",
            body.len()
        ));
    }
    if let Some(overlay) = &entry.overlay {
        return Some(format!("overlay `{overlay}` answered it"));
    }
    entry.fault.as_deref().filter(|fault| is_chaos(fault)).map(|fault| format!("chaos answered it: {fault}"))
}

impl Replay {
    fn skip(&mut self, entry: &Entry, why: String) {
        self.entries += 1;
        self.unknown += 1;
        if self.unknowns.len() == MOST_ROWS {
            return self.leave_out();
        }
        let known = |gone: bool, text: &str| (!gone).then(|| text.to_owned());
        let (method, target) =
            (known(entry.gone.method, &entry.method), known(entry.gone.headers, &entry.target));
        self.unknowns.push(Unknown { number: entry.number, method, target, why });
    }

    fn leave_out(&mut self) {
        self.more = Some(self.more.unwrap_or(0) + 1);
    }

    /// Handles the request of `entry` with both sides, and compares the answers.
    fn compare(&mut self, entry: &Entry, request: &Request, sides: &[Side; 2], simulation: &Simulation) {
        // The time of the entry, as the clock that is set for such a request shows it.
        let (clock, _) = simulation.find(request);
        let arrival = Reading { wall: i128::from(entry.time) * 1_000, ..Reading::real() };
        let clock = Clock::frozen(clock.at(arrival).wall);
        let dice = || Dice::seeded(entry.number.cast_signed());
        let tried = [&sides[0], &sides[1]].map(|side| side.answer(request.clone(), &clock, dice()));
        let [before, after] = [&tried[0].outcome, &tried[1].outcome];
        let url = |outcome: &Outcome| outcome.forwarded.as_ref().map(|forwarded| forwarded.url.clone());
        let forwarded = Pair::of(url(before), url(after));
        if let (None, Some(url)) = (&forwarded, url(before)) {
            return self.skip(entry, format!("it is forwarded to `{url}`, and a replay sends nothing"));
        }
        let status = before.reply.status_sent();
        let recorded = (before.forwarded.is_none() && status != entry.status).then_some(entry.status);
        self.recorded_otherwise += u64::from(recorded.is_some());
        // The answer of another server is unknown.
        let mut differences = match forwarded {
            Some(_) => Differences::default(),
            None => Differences::of(&before.reply, &after.reply),
        };
        // The rest of the body is unknown.
        let is_cut = stops_within(&tried[0], &tried[1]) || stops_within(&tried[1], &tried[0]);
        if is_cut {
            differences.body = None;
        }
        let breaks = |tried: &Tried| tried.stream.as_ref().is_some_and(|stream| stream.breaks);
        if forwarded.is_none() && differences.is_empty() && breaks(&tried[0]) == breaks(&tried[1]) {
            match is_cut {
                true => {
                    self.skip(entry, "its stream goes on after the pieces that a replay makes".to_owned())
                }
                false => {
                    self.entries += 1;
                    self.same += 1;
                }
            }
            return;
        }
        self.entries += 1;
        self.different += 1;
        if self.differences.len() == MOST_ROWS {
            return self.leave_out();
        }
        let error = |outcome: &Outcome| outcome.error.as_deref().map(str::to_owned);
        let rule = |side: usize, outcome| differences::rule(&sides[side].provision, outcome);
        self.differences.push(Different {
            number: entry.number,
            method: entry.method.clone(),
            target: entry.target.clone(),
            rule: Pair::of(rule(0, before), rule(1, after)),
            differences,
            forwarded,
            error: Pair::of(error(before), error(after)),
            recorded,
        });
    }
}

impl Side {
    /// Handles a request. The answer's delay is not waited for.
    fn answer(&self, request: Request, clock: &Clock, dice: Dice) -> Tried {
        let conditions = Conditions {
            values: Some(self.values.clone()),
            clock: clock.clone(),
            dice,
            ..Conditions::default()
        };
        trial::attempt(&self.provision, &conditions, request)
    }
}

/// Whether the replay stopped a stream of `one` while it had the same pieces as `other`.
fn stops_within(one: &Tried, other: &Tried) -> bool {
    let body = |tried: &Tried| tried.outcome.reply.answer.body.read().unwrap_or_default();
    one.stream.as_ref().is_some_and(|stream| stream.cut) && body(other).starts_with(&body(one))
}

/// Returns the request of an entry.
fn request(entry: &Entry) -> Request {
    let Entry { method, target, headers, body, peer, .. } = entry;
    let fields = headers.iter().map(|(name, value)| (name, value));
    Request::from_parts(method, target, fields, body.clone(), *peer, None)
}
