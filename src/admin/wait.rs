//! `/app/v1/wait`: waits until a generation serves. Holds no thread: the activation or the timer answers, whichever comes
//! first.

use super::answer::{failed, success_of};
use super::{Call, OnGone, Respond};
use crate::message::answer::Answer;
use crate::observing::journal::filter::parse::{DEFAULT_TIMEOUT, MAX_NUMBER, MAX_TIMEOUT};
use crate::system::lock::lock;
use percent_encoding::percent_decode_str;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// GET: 200 once the generation of the query serves, 408 after its timeout, 400 for bad numbers.
pub(super) fn get(call: &Call, respond: Respond, on_gone: OnGone) {
    let admin = call.admin;
    let (wanted, timeout) = match parse(call.request.query_string()) {
        Ok(parsed) => parsed,
        Err(reason) => return respond(failed(400, &reason).into()),
    };
    let pending = Pending(Arc::new(Mutex::new(Some(respond))));
    let served = pending.clone();
    let wait = admin.activation.active.on_generation(
        wanted,
        Box::new(move |generation| {
            served.answer(if generation >= wanted {
                success_of(200, &format!("generation {wanted} serves"), generation)
            } else {
                failed(503, &format!("generation {wanted} does not serve: the process is stopping"))
            });
        }),
    );
    if lock(&pending.0).is_none() {
        return;
    }
    let activation = Arc::clone(&admin.activation);
    let give_up = move |after: &str| {
        if pending.answer(failed(408, &format!("generation {wanted} does not serve {after}"))) {
            activation.active.forget(wait);
        }
    };
    let left = give_up.clone();
    on_gone(Box::new(move || left("before its client leaves")));
    let late = move || match timeout.is_zero() {
        true => give_up("yet"),
        false => give_up(&format!("after {timeout:?}")),
    };
    (admin.after)(timeout, Box::new(late));
}

/// A reply that the activation, the timer or the end of the connection may cause. Only the first of them sends it.
#[derive(Clone)]
struct Pending(Arc<Mutex<Option<Respond>>>);

impl Pending {
    /// Sends `answer` if none was sent yet; returns whether it did.
    fn answer(&self, answer: Answer) -> bool {
        // A variable, so that the lock is free again while the reply is written to a connection.
        let respond = lock(&self.0).take();
        respond.map(|respond| respond(answer.into())).is_some()
    }
}

/// Parses generation and timeout of a query string.
fn parse(query: &str) -> Result<(u64, Duration), String> {
    let generation = value(query, "generation").ok_or("query parameter `generation` is missing")?;
    let wanted = generation.parse().ok().filter(|wanted| *wanted <= MAX_NUMBER).ok_or_else(|| {
        format!("query parameter `generation` is `{generation}`: not a whole number from 0 to {MAX_NUMBER}")
    })?;
    let timeout = value(query, "timeout").map_or(Ok(DEFAULT_TIMEOUT), |text| {
        let seconds = text.parse().ok().filter(|seconds| (0.0..=MAX_TIMEOUT).contains(seconds));
        seconds.map(Duration::from_secs_f64).ok_or_else(|| {
            format!("query parameter `timeout` is `{text}`: not a number of seconds from 0 to {MAX_TIMEOUT}")
        })
    })?;
    Ok((wanted, timeout))
}

/// Returns the first value of a key, percent-decoded.
pub(super) fn value(query: &str, key: &str) -> Option<String> {
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let mut values = pairs.filter(|(name, _)| percent_decode_str(name).decode_utf8_lossy() == key);
    values.next().map(|(_, value)| percent_decode_str(value).decode_utf8_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_give_a_generation_and_a_timeout() {
        let second = Duration::from_secs(1);
        let table = [
            ("generation=7", 7, 30 * second),
            ("generation=0&timeout=0", 0, Duration::ZERO),
            ("timeout=600&generation=7", 7, 600 * second),
            ("generation=7&timeout=0.25", 7, second / 4),
            ("generation=7&timeout=1e1&x=%FF", 7, 10 * second),
            ("%67eneration=%37&generation=8", 7, 30 * second),
            ("generation=9223372036854775807", MAX_NUMBER, 30 * second),
        ];
        for (query, wanted, timeout) in table {
            assert_eq!(parse(query), Ok((wanted, timeout)), "{query}");
        }
    }

    #[test]
    fn bad_numbers_are_named() {
        let table = [
            ("", "query parameter `generation` is missing"),
            ("Generation=1", "query parameter `generation` is missing"),
            (
                "generation",
                "query parameter `generation` is ``: not a whole number from 0 to 9223372036854775807",
            ),
            (
                "generation=-1",
                "query parameter `generation` is `-1`: not a whole number from 0 to 9223372036854775807",
            ),
            (
                "generation=1.0",
                "query parameter `generation` is `1.0`: not a whole number from 0 to 9223372036854775807",
            ),
            (
                "generation=9223372036854775808",
                "query parameter `generation` is `9223372036854775808`: not a whole number from 0 to 9223372036854775807",
            ),
            (
                "generation=%FF",
                "query parameter `generation` is `\u{fffd}`: not a whole number from 0 to 9223372036854775807",
            ),
            (
                "generation=1&timeout=",
                "query parameter `timeout` is ``: not a number of seconds from 0 to 600",
            ),
            (
                "generation=1&timeout=-1",
                "query parameter `timeout` is `-1`: not a number of seconds from 0 to 600",
            ),
            (
                "generation=1&timeout=601",
                "query parameter `timeout` is `601`: not a number of seconds from 0 to 600",
            ),
            (
                "generation=1&timeout=nan",
                "query parameter `timeout` is `nan`: not a number of seconds from 0 to 600",
            ),
            (
                "generation=1&timeout=inf",
                "query parameter `timeout` is `inf`: not a number of seconds from 0 to 600",
            ),
        ];
        for (query, reason) in table {
            assert_eq!(parse(query), Err(reason.into()), "{query}");
        }
    }
}
