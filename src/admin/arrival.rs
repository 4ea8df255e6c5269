//! `/app/v1/requests/wait`: an answer that comes when the requests did. Holds no thread.

use super::answer::json;
use super::object::Object;
use super::requests::{asked, failed};
use super::verify::{came, nearest, with_state, with_tally};
use super::{Call, OnGone, Respond};
use crate::message::answer::Answer;
use crate::observing::journal::Journal;
use crate::observing::journal::filter::parse::{DEFAULT_TIMEOUT, WAIT};
use crate::observing::journal::verify::{Expected, Tally};
use crate::observing::journal::waiting::Waited;
use std::time::Duration;

/// GET: 200 once so many requests came as were asked for, 408 when the time is over.
pub(super) fn get(call: &Call, respond: Respond, on_gone: OnGone) {
    let asked = match asked(call, WAIT) {
        Ok(asked) => asked,
        Err(answer) => return respond(answer.into()),
    };
    let (wanted, timeout) = (asked.count.unwrap_or(1), asked.timeout.unwrap_or(DEFAULT_TIMEOUT));
    let journal = call.admin.journal.clone();
    let then = move |waited, last| {
        // Without a look at any entry, all that have come.
        let last = if wanted == 0 { journal.last() } else { last };
        respond(answer(&journal, waited, last, (wanted, timeout)).into());
    };
    let waiters = call.admin.waiters.clone();
    let wait = waiters.wait(asked, wanted, timeout, Box::new(then));
    on_gone(Box::new(move || waiters.forget(wait)));
}

fn answer(journal: &Journal, waited: Waited, last: u64, (wanted, timeout): (u64, Duration)) -> Answer {
    let (status, result, tally, near) = match waited {
        Waited::Holds(tally) => (200, format!("success: {}", came(tally.count)), tally, Vec::new()),
        Waited::Late(tally, near) => {
            let within = if timeout.is_zero() { "so far".to_owned() } else { format!("within {timeout:?}") };
            let result = format!("failed: {}{}", late(&tally, wanted, &within), nearest(&near));
            (408, result, tally, near)
        }
        Waited::Stopping => return failed(journal, 503, "the process is stopping"),
        Waited::TooLong(error) => return failed(journal, 503, &error.to_string()),
    };
    let verdict = Expected::at_least(wanted).verdict(&tally);
    let bounds = Object::new().field("min", wanted).field("max", None::<u64>);
    let body = Object::new()
        .field("verdict", verdict.word())
        .field("result", result)
        .object("expected", Some(bounds));
    json(status, with_state(with_tally(body, &tally), journal, &near, last))
}

/// `1 of 3 requests came within 30s, 2 of which nothing is known`.
fn late(tally: &Tally, wanted: u64, within: &str) -> String {
    let what = if wanted == 1 { "request" } else { "requests" };
    format!("{} of {wanted} {what} came {within}{}", tally.count, tally.doubts())
}
