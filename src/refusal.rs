//! Requests that the engine refuses, in the words of each listener, with the flag that would let them in.

use crate::admin;
use crate::engine::Refuse;
use crate::limits::Limits;
use crate::script::abort::HttpError;
use tiny_http::extension::Refused;

/// Pages of the mock: those of `abort`.
pub fn of_mock(limits: &Limits) -> Refuse {
    let limits = *limits;
    Box::new(move |refused| {
        let error = HttpError::new(refused.status);
        HttpError { description: words(refused, &limits), ..error }.page()
    })
}

/// Pages of the admin interface: its JSON.
pub fn of_admin(limits: &Limits) -> Refuse {
    let limits = *limits;
    Box::new(move |refused| admin::failed(refused.status, &words(refused, &limits)))
}

fn words(refused: &Refused<'_>, limits: &Limits) -> String {
    let why = refused.why;
    match refused.status {
        408 if why.contains("head") => format!("{why}: {} ms (--head-timeout)", limits.head_time.as_millis()),
        408 => format!("{why}: {} ms (--body-timeout)", limits.body_time.as_millis()),
        413 => format!("the body of the request is longer than {} bytes (--max-body)", limits.body),
        414 => format!("{why}: over {} bytes (--max-head)", limits.head),
        431 if why.contains("many") => format!("{why}: over {} (--max-headers)", limits.headers),
        431 => format!("{why}: over {} bytes (--max-head), or {} lines", limits.head, limits.headers),
        503 if why.contains("connections") => format!("{why}: {} (--max-connections)", limits.connections),
        503 => format!("{why}: over {} (--max-buffered)", limits.buffered),
        _ => why.to_owned(),
    }
}
