//! Pages for requests that the engine refuses. Each names the limit that was exceeded, and the flag that raises it.

use crate::admin;
use crate::message::answer::Answer;
use crate::message::request::Request;
use crate::observing::access_log::AccessLog;
use crate::observing::journal::Journal;
use crate::observing::metrics::metrics;
use crate::provisioning::activation::Activation;
use crate::script::runtime::http_error::HttpError;
use crate::serving::http::{Limit, Limits, Reason, Refuse, Refused};
use std::sync::{Arc, Once, OnceLock};

/// The loaded provisions, once there are any: the listeners are bound before.
pub(crate) type Loaded = Arc<OnceLock<Arc<Activation>>>;

/// Returns a writer of the mock's pages, which look like those of `abort` and have the headers of CORS. Each refusal has an entry in
/// the journal. A connection above `--max-connections` has none, because no request of it was read.
pub(crate) fn mock_pages(
    limits: &Limits,
    access: AccessLog,
    journal: Arc<Journal>,
    loaded: Loaded,
) -> Refuse {
    let refusals = Refusals { listener: "mock", limits: *limits, access, warned: Once::new() };
    Box::new(move |refused| {
        let (status, why) = (refused.reason.status(), refusals.count(refused));
        let mut page = HttpError { description: why.clone(), ..HttpError::new(status) }.page();
        let request = Request::refused(refused.request_line, refused.origin, refused.peer);
        if let Some(loaded) = loaded.get() {
            loaded.current().add_cors(&request, &mut page);
        }
        if status != 503 || !refused.request_line.is_empty() {
            journal.record_refused(request, &why, &page);
        }
        page
    })
}

/// Returns a writer of the administrative port's pages, in JSON.
pub(crate) fn admin_pages(limits: &Limits, access: AccessLog) -> Refuse {
    let refusals = Refusals { listener: "admin", limits: *limits, access, warned: Once::new() };
    Box::new(move |refused| {
        let mut page = admin::failed(refused.reason.status(), &refusals.count(refused));
        admin::end_line(&mut page);
        page
    })
}

/// Returns the 503 that replaces a delayed answer when [`PendingBudget`](crate::serving::pending::PendingBudget) is used up.
pub(crate) fn no_room(most: usize) -> Answer {
    HttpError { description: too_many_bytes(most), ..HttpError::new(503) }.page()
}

/// Returns the reason of [`no_room`].
pub(crate) fn too_many_bytes(most: usize) -> String {
    format!("too many bytes of answers wait here: over {most} (--max-buffered)")
}

/// The refusals of one listener.
struct Refusals {
    listener: &'static str,
    limits: Limits,
    access: AccessLog,
    /// Whether a client has spoken another protocol.
    warned: Once,
}

impl Refusals {
    /// Counts a refusal, writes it to the access log, and returns its reason.
    ///
    /// A client of another protocol can't read its answer. So the first one has a line in the log also without `--verbose`.
    fn count(&self, refused: &Refused<'_>) -> String {
        let Refusals { listener, limits, access, warned } = self;
        let (status, peer) = (refused.reason.status(), refused.peer);
        metrics().refused(listener, status);
        let why = words(listener, refused.reason, limits);
        access.write_refused(listener, refused.request_line, peer, status, &why);
        if matches!(refused.reason, Reason::OtherProtocol(..)) && !access.is_on() {
            warned.call_once(|| log::warn!("{listener} refused a connection of {peer}: {status} {why}"));
        }
        why
    }
}

/// Returns the reason of a refusal, with the limit and its flag: `the request has too many header fields: over 128 (--max-headers)`.
fn words(listener: &str, reason: Reason, limits: &Limits) -> String {
    let text = reason.text();
    match reason.limit() {
        None => text.to_owned(),
        Some(Limit::Head) => format!("{text}: over {} bytes (--max-head)", limits.head),
        Some(Limit::Headers) => format!("{text}: over {} (--max-headers)", limits.headers),
        Some(Limit::Body) => {
            format!("the body of the request is longer than {} bytes (--max-body)", limits.body)
        }
        Some(Limit::HeadTime) => format!("{text}: {} ms (--head-timeout)", limits.head_time.as_millis()),
        Some(Limit::BodyTime) => format!("{text}: {} ms (--body-timeout)", limits.body_time.as_millis()),
        Some(Limit::Buffered) => format!("{text}: over {} (--max-buffered)", limits.buffered),
        // No flag sets the connections of the administrative port: it has a fixed share of the open files.
        Some(Limit::Connections) => {
            let flag = if listener == "admin" { "" } else { "--max-connections, " };
            format!("{text}: {} ({flag}ulimit -n)", limits.connections)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Settings;
    use crate::serving::limits::EffectiveLimits;

    #[test]
    fn a_refusal_names_the_limit_and_its_flag() {
        let settings = Settings { max_buffered: Some(1 << 20), ..Settings::default() };
        let limits = Limits { connections: 7, ..EffectiveLimits::by_system(&settings).unwrap().mock };
        let cases = [
            (Reason::Malformed("the request has no Host field"), "the request has no Host field"),
            (Reason::HeadTooSlow, "the head of the request took too long: 10000 ms (--head-timeout)"),
            (Reason::BodyTooSlow, "the body of the request took too long: 30000 ms (--body-timeout)"),
            (Reason::BodyTooLong, "the body of the request is longer than 8388608 bytes (--max-body)"),
            (Reason::LineTooLong, "the request line is too long: over 65536 bytes (--max-head)"),
            (Reason::HeadTooLong, "the head of the request is too long: over 65536 bytes (--max-head)"),
            (
                Reason::TrailersTooLong,
                "the trailers of the request are too long: over 65536 bytes (--max-head)",
            ),
            (Reason::TooManyFields, "the request has too many header fields: over 128 (--max-headers)"),
            (Reason::TooManyTrailers, "the request has too many trailers: over 128 (--max-headers)"),
            (Reason::TooManyConnections, "too many connections are open: 7 (--max-connections, ulimit -n)"),
            (
                Reason::TooManyBytes,
                "too many bytes of requests and answers wait here: over 1048576 (--max-buffered)",
            ),
        ];
        for (reason, expected) in cases {
            assert_eq!(words("mock", reason, &limits), expected);
        }
        let expected = "too many connections are open: 7 (ulimit -n)";
        assert_eq!(words("admin", Reason::TooManyConnections, &limits), expected);
    }
}
