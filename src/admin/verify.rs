//! `/app/v1/verify` and `/app/v1/requests/wait`: checks that the expected requests came, and waits for them. A wait holds no
//! thread.

use super::answer::{Object, json};
use super::requests::{asked, failed, is_on};
use super::{Call, OnGone, Respond};
use crate::message::answer::Answer;
use crate::message::json::{Json, read};
use crate::observing::journal::filter::parse::{self, Asked, DEFAULT_TIMEOUT, SEQUENCE, VERIFY, WAIT};
use crate::observing::journal::filter::{Filter, Kinds};
use crate::observing::journal::near::Near;
use crate::observing::journal::verify::{self, Expected, Outcome, Verdict};
use crate::observing::journal::waiting::Waited;
use crate::observing::journal::{Journal, sequence};
use std::time::Duration;

/// Maximum of steps in a sequence.
const MAX_STEPS: usize = 100;

/// GET: counts the requests that match the query; 200 whatever the verdict.
pub(super) fn get(call: &Call) -> Result<Answer, Answer> {
    counted(&call.admin.journal, &asked(call, VERIFY)?)
}

/// POST: the same question as JSON, or `{"sequence": [...]}`. A bare list is a sequence, too.
pub(super) fn post(call: &Call) -> Result<Answer, Answer> {
    let journal = &call.admin.journal;
    is_on(journal)?;
    let value: Json = read(&call.request.body)
        .map_err(|error| failed(journal, 400, &format!("failed to parse the body as JSON: {error}")))?;
    match value {
        Json::List(_) => in_order(journal, &Json::Map(Vec::new()), &value),
        Json::Map(mut members) if members.iter().any(|(name, _)| name == "sequence") => {
            let (mut steps, beside) =
                members.drain(..).partition::<Vec<_>, _>(|(name, _)| name == "sequence");
            let steps = steps.pop().map_or(Json::Null, |(_, steps)| steps);
            in_order(journal, &Json::Map(beside), &steps)
        }
        value => {
            counted(journal, &parse::json(&value, VERIFY).map_err(|error| failed(journal, 400, &error))?)
        }
    }
}

fn counted(journal: &Journal, asked: &Asked) -> Result<Answer, Answer> {
    let expected = Expected::new(asked.count, asked.min, asked.max)
        .map_err(|why| failed(journal, 400, &format!("failed to parse the numbers: {why}")))?;
    let counted = verify::verify(journal, &asked.filter, asked.since.unwrap_or(0), expected)
        .map_err(|error| failed(journal, 503, &error.to_string()))?;
    Ok(outcome(
        200,
        journal,
        bounds(expected),
        counted_result(asked.filter.kinds(), &counted, expected),
        &counted,
    ))
}

/// Answers with the outcome of a verification. `expected` becomes the member of that name.
fn outcome(status: u16, journal: &Journal, expected: Object, result: String, outcome: &Outcome) -> Answer {
    let Outcome { verdict, tally, near, last } = outcome;
    let stats = journal.stats();
    let body = Object::default()
        .field("verdict", verdict.word())
        .field("result", result)
        .object("expected", expected)
        .field("count", tally.count)
        .field("numbers", tally.numbers.as_slice())
        .field("undecided", tally.open)
        .field("missed", tally.lost)
        .serialize("near", near)
        .field("first", stats.first)
        .field("last", *last)
        .field("evicted", stats.evicted);
    json(status, body)
}

fn bounds(expected: Expected) -> Object {
    Object::default().field("min", expected.min).field("max", expected.max)
}

/// Returns the verdict in words, as assertions print it.
fn counted_result(
    kinds: Kinds,
    Outcome { verdict, tally, near, .. }: &Outcome,
    expected: Expected,
) -> String {
    let (came, nearest) = (kinds.came(tally.count), nearest(near));
    match verdict {
        Verdict::Pass => format!("success: {came}"),
        Verdict::Fail => format!("failed: {came}, not {expected}{nearest}"),
        Verdict::Unknown => {
            format!("failed: not known: {came}{}; expected: {expected}{nearest}", tally.doubts())
        }
    }
}

/// Returns the nearest of the requests that did not match: `; nearest: ...`.
fn nearest(near: &[Near]) -> String {
    near.first().map_or(String::new(), |near| format!("; nearest: {near}"))
}

/// Verifies `steps` in order. The filters in `beside` apply to each step.
fn in_order(journal: &Journal, beside: &Json, steps: &Json) -> Result<Answer, Answer> {
    let common = parse::json(beside, SEQUENCE).map_err(|error| failed(journal, 400, &error))?;
    let steps = steps.as_list().filter(|steps| (1..=MAX_STEPS).contains(&steps.len())).ok_or_else(|| {
        failed(journal, 400, &format!("failed to parse `sequence`: not a list of 1 to {MAX_STEPS} filters"))
    })?;
    let step = |(number, step): (usize, &Json)| {
        let asked = parse::json(step, &[]);
        asked.and_then(|asked| asked.filter.and(&common.filter)).map_err(|why| {
            failed(journal, 400, &format!("failed to parse step {number} of `sequence`: {why}"))
        })
    };
    let steps = (1..).zip(steps).map(step).collect::<Result<Vec<Filter>, Answer>>()?;
    let found = sequence::verify(journal, &steps, common.since.unwrap_or(0))
        .map_err(|error| failed(journal, 503, &error.to_string()))?;
    let (next, all, nearest) = (found.tally.numbers.len() + 1, steps.len(), nearest(&found.near));
    let result = match found.verdict {
        Verdict::Pass => format!("success: {all} steps in order"),
        Verdict::Fail => format!("failed: step {next} of {all} did not come{nearest}"),
        Verdict::Unknown => {
            format!("failed: not known: step {next} of {all} is not there{}{nearest}", found.tally.doubts())
        }
    };
    let expected = Object::default().field("steps", all as u64);
    Ok(outcome(200, journal, expected, result, &found))
}

/// GET /app/v1/requests/wait: 200 once the wanted number of requests came, 408 after the timeout.
pub(super) fn wait(call: &Call, respond: Respond, on_gone: OnGone) {
    let asked = match asked(call, WAIT) {
        Ok(asked) => asked,
        Err(answer) => return respond(answer.into()),
    };
    let (wanted, timeout) = (asked.count.unwrap_or(1), asked.timeout.unwrap_or(DEFAULT_TIMEOUT));
    let (journal, kinds) = (call.admin.journal.clone(), asked.filter.kinds());
    let then = move |waited, last| {
        // A wait for 0 requests has read no entry, and covers all that have come.
        let last = if wanted == 0 { journal.last() } else { last };
        respond(self::waited(&journal, waited, last, (wanted, kinds, timeout)).into());
    };
    let waiters = call.admin.waiters.clone();
    let wait = waiters.wait(asked, wanted, timeout, Box::new(then));
    on_gone(Box::new(move || waiters.forget(wait)));
}

fn waited(
    journal: &Journal,
    waited: Waited,
    last: u64,
    (wanted, kinds, timeout): (u64, Kinds, Duration),
) -> Answer {
    let (status, result, tally, near) = match waited {
        Waited::Holds(tally) => (200, format!("success: {}", kinds.came(tally.count)), tally, Vec::new()),
        Waited::Late(tally, near) => {
            let within = if timeout.is_zero() { "so far".to_owned() } else { format!("within {timeout:?}") };
            let came = format!("{} of {} {within}{}", tally.count, kinds.came(wanted), tally.doubts());
            let result = format!("failed: {came}{}", nearest(&near));
            (408, result, tally, near)
        }
        Waited::Stopping => return failed(journal, 503, "the process is stopping"),
        Waited::TooLong(error) => return failed(journal, 503, &error.to_string()),
    };
    let expected = Expected::at_least(wanted);
    let verdict = expected.verdict(&tally);
    outcome(status, journal, bounds(expected), result, &Outcome { verdict, tally, near, last })
}
