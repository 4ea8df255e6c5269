//! Requests that the engine refuses, in the words of each listener, with the flag that would let them in.

use crate::admin;
use crate::message::answer::Answer;
use crate::observing::access_log::AccessLog;
use crate::observing::journal::Journal;
use crate::observing::metrics::metrics;
use crate::script::runtime::http_error::HttpError;
use crate::serving::http::{Limits, Refuse, Refused};
use std::sync::Arc;

/// Pages of the mock: those of `abort`. Each goes to the journal with what is known of its request; of a connection that was one
/// too many, nothing is.
pub fn of_mock(limits: &Limits, access: AccessLog, journal: Arc<Journal>) -> Refuse {
    let limits = *limits;
    Box::new(move |refused| {
        let why = told("mock", refused, &limits, access);
        let page = HttpError { description: why.clone(), ..HttpError::new(refused.status) }.page();
        if refused.status != 503 || !refused.request_line.is_empty() {
            journal.record_refused(refused.request_line, refused.peer, &why, &page);
        }
        page
    })
}

/// Pages of the admin interface: its JSON.
pub fn of_admin(limits: &Limits, access: AccessLog) -> Refuse {
    let limits = *limits;
    Box::new(move |refused| admin::failed(refused.status, &told("admin", refused, &limits, access)))
}

/// The answer in place of one that was to wait and found no room.
pub fn of_held(most: usize) -> Answer {
    let description = format!("too many bytes of answers wait here: over {most} (--max-buffered)");
    HttpError { description, ..HttpError::new(503) }.page()
}

/// Counts it, and says why in the access log too.
fn told(listener: &'static str, refused: &Refused<'_>, limits: &Limits, access: AccessLog) -> String {
    metrics().refused(listener, refused.status);
    let why = words(listener, refused, limits);
    access.write_refused(listener, refused.request_line, refused.peer, refused.status, &why);
    why
}

fn words(listener: &str, refused: &Refused<'_>, limits: &Limits) -> String {
    let why = refused.why;
    match refused.status {
        408 if why.contains("head") => format!("{why}: {} ms (--head-timeout)", limits.head_time.as_millis()),
        408 => format!("{why}: {} ms (--body-timeout)", limits.body_time.as_millis()),
        413 => format!("the body of the request is longer than {} bytes (--max-body)", limits.body),
        414 => format!("{why}: over {} bytes (--max-head)", limits.head),
        431 if why.contains("many") => format!("{why}: over {} (--max-headers)", limits.headers),
        431 => format!("{why}: over {} bytes (--max-head)", limits.head),
        // The admin listener has a share of the open files, the mock what they leave at most.
        503 if why.contains("connections") && listener == "admin" => {
            format!("{why}: {} (ulimit -n)", limits.connections)
        }
        503 if why.contains("connections") => {
            format!("{why}: {} (--max-connections, ulimit -n)", limits.connections)
        }
        503 => format!("{why}: over {} (--max-buffered)", limits.buffered),
        _ => why.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Settings;
    use crate::serving::limits::EffectiveLimits;

    #[test]
    fn names_the_limit_and_its_flag() {
        let settings = Settings { max_buffered: Some(1 << 20), ..Settings::default() };
        let limits = Limits { connections: 7, ..EffectiveLimits::by_system(&settings).mock };
        let cases = [
            (400, "the request has no Host field", "the request has no Host field"),
            (
                408,
                "the head of the request took too long",
                "the head of the request took too long: 10000 ms (--head-timeout)",
            ),
            (
                408,
                "the body of the request took too long",
                "the body of the request took too long: 30000 ms (--body-timeout)",
            ),
            (413, "too long", "the body of the request is longer than 8388608 bytes (--max-body)"),
            (
                414,
                "the request line is too long",
                "the request line is too long: over 65536 bytes (--max-head)",
            ),
            (431, "the head is too long", "the head is too long: over 65536 bytes (--max-head)"),
            (
                431,
                "the request has too many header fields",
                "the request has too many header fields: over 128 (--max-headers)",
            ),
            (
                503,
                "too many connections are open",
                "too many connections are open: 7 (--max-connections, ulimit -n)",
            ),
            (
                503,
                "too many bytes of requests wait here",
                "too many bytes of requests wait here: over 1048576 (--max-buffered)",
            ),
        ];
        for (status, why, expected) in cases {
            let peer = ([127, 0, 0, 1], 1).into();
            let refused = Refused { status, why, request_line: "", peer };
            assert_eq!(words("mock", &refused, &limits), expected);
        }
    }
}
