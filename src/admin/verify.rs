//! `/app/v1/verify`: whether the requests came that should have. Knows no entries.

use super::Call;
use super::answer::json;
use super::object::Object;
use super::requests::{asked, failed, is_on};
use crate::message::answer::Answer;
use crate::message::json::{Json, read};
use crate::observing::journal::filter::Filter;
use crate::observing::journal::filter::parse::{self, Asked, SEQUENCE, VERIFY};
use crate::observing::journal::near::Near;
use crate::observing::journal::verify::{self, Expected, Tally, Verdict};
use crate::observing::journal::{Journal, sequence};

/// Most steps of a sequence.
const MAX_STEPS: usize = 100;

/// GET: counts what the query asks for. 200 whatever the verdict.
pub(super) fn get(call: &Call) -> Result<Answer, Answer> {
    counted(&call.admin.journal, &asked(call, VERIFY)?)
}

/// POST: the same as JSON, or `{"sequence": [...]}`, for which a list may stand by itself.
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
        value => counted(journal, &parse::json(&value, VERIFY).map_err(|error| bad(journal, &error))?),
    }
}

fn bad(journal: &Journal, error: &str) -> Answer {
    failed(journal, 400, error)
}

fn counted(journal: &Journal, asked: &Asked) -> Result<Answer, Answer> {
    let expected = Expected::new(asked.count, asked.min, asked.max)
        .map_err(|why| failed(journal, 400, &format!("failed to parse the numbers: {why}")))?;
    let outcome = verify::verify(journal, &asked.filter, asked.since.unwrap_or(0), expected)
        .map_err(|error| failed(journal, 503, &error.to_string()))?;
    let verify::Outcome { verdict, tally, near, last } = outcome;
    let bounds = Object::new().field("min", expected.min).field("max", expected.max);
    let body = Object::new()
        .field("verdict", verdict.word())
        .field("result", counted_result(verdict, &tally, expected, &near))
        .object("expected", Some(bounds));
    Ok(json(200, with_state(with_tally(body, &tally), journal, &near, last)))
}

/// What was counted.
pub(super) fn with_tally(body: Object, tally: &Tally) -> Object {
    body.field("count", tally.count)
        .field("numbers", tally.numbers.as_slice())
        .field("undecided", tally.open)
        .field("missed", tally.lost)
}

/// Near ones, and where the journal is.
pub(super) fn with_state(body: Object, journal: &Journal, near: &[Near], last: u64) -> Object {
    let stats = journal.stats();
    body.serialize("near", &near)
        .field("first", stats.first)
        .field("last", last)
        .field("evicted", stats.evicted)
}

/// The verdict in words, as assertions print it.
fn counted_result(verdict: Verdict, tally: &Tally, expected: Expected, near: &[Near]) -> String {
    let came = came(tally.count);
    match verdict {
        Verdict::Pass => format!("success: {came}"),
        Verdict::Fail => format!("failed: {came}, not {expected}{}", nearest(near)),
        Verdict::Unknown => {
            format!("failed: not known: {came}{}; expected: {expected}{}", tally.doubts(), nearest(near))
        }
    }
}

/// `3 requests came`.
pub(super) fn came(count: u64) -> String {
    format!("{count} {} came", if count == 1 { "request" } else { "requests" })
}

/// The first of those that come near, in words.
pub(super) fn nearest(near: &[Near]) -> String {
    near.first().map_or(String::new(), |near| format!("; nearest: {near}"))
}

/// Steps in order; what is beside them holds for all of them.
fn in_order(journal: &Journal, beside: &Json, steps: &Json) -> Result<Answer, Answer> {
    let common = parse::json(beside, SEQUENCE).map_err(|error| bad(journal, &error))?;
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
    let outcome = sequence::verify(journal, &steps, common.since.unwrap_or(0))
        .map_err(|error| failed(journal, 503, &error.to_string()))?;
    let verify::Outcome { verdict, tally, near, last } = outcome;
    let (taken, all) = (tally.numbers.len(), steps.len());
    let result = match verdict {
        Verdict::Pass => format!("success: {all} steps in order"),
        Verdict::Fail => format!("failed: step {} of {all} did not come{}", taken + 1, nearest(&near)),
        Verdict::Unknown => {
            format!(
                "failed: not known: step {} of {all} is not there{}{}",
                taken + 1,
                tally.doubts(),
                nearest(&near)
            )
        }
    };
    let body = Object::new()
        .field("verdict", verdict.word())
        .field("result", result)
        .object("expected", Some(Object::new().field("steps", all as u64)));
    Ok(json(200, with_state(with_tally(body, &tally), journal, &near, last)))
}
