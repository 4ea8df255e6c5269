//! `h1mock wait`: asks the admin interface until the conditions hold or the time is over.

use super::reason;
use crate::cli::Requests;
use crate::http_client::connection::{Deadline, get};
use crate::http_client::url::encoded;
use crate::http_client::{ClientError, Reply, Url};
use crate::routing::quoting::encode_query;
use serde_json::Value;
use std::fmt;
use std::thread;
use std::time::Duration;

/// First pause between two questions; it doubles up to [`LONGEST_PAUSE`].
const SHORTEST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);
/// Maximum of seconds for which the server is asked to hold one question; it refuses more than 600.
const HELD: u64 = 60;
/// Timeout of a question that the server answers at once.
const QUESTION: Duration = Duration::from_secs(5);

/// A condition to wait for.
pub(super) enum Condition<'a> {
    /// `/readyz` answers 200.
    Ready,
    /// This generation or a later one serves.
    Generation(u64),
    /// The provision with this name is active.
    Provision(&'a str),
    /// These requests came.
    Requests(&'a Requests),
}

impl fmt::Display for Condition<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Condition::Ready => write!(f, "readiness"),
            Condition::Generation(generation) => write!(f, "generation {generation}"),
            Condition::Provision(name) => write!(f, "provision `{name}`"),
            Condition::Requests(Requests { wanted, count, .. }) => {
                write!(f, "{count} request{} `{wanted}`", if *count == 1 { "" } else { "s" })
            }
        }
    }
}

/// The result of one question.
enum Turn {
    Holds,
    NotYet(String),
    Never(String),
}

/// The server that is asked, and the deadline.
pub(super) struct Wait<'a> {
    server: Url,
    token: Option<&'a str>,
    timeout: Duration,
    deadline: Deadline,
}

impl<'a> Wait<'a> {
    /// Starts the clock; `timeout` is for all conditions together.
    pub(super) fn start(server: Url, token: Option<&'a str>, timeout: Duration) -> Self {
        Wait { server, token, timeout, deadline: Deadline::after(timeout) }
    }

    /// Blocks until `condition` holds. Asks again where the server does not answer yet, or answers 408 or 5xx.
    ///
    /// # Errors
    /// One line with the last answer when the time is over; at once when asking again can't help (401, 404, no HTTP).
    pub(super) fn until(&self, condition: &Condition) -> Result<(), String> {
        let mut pause = SHORTEST_PAUSE;
        let mut last: Option<String> = None;
        loop {
            match self.ask(condition, last.is_some()) {
                Turn::Holds => return Ok(()),
                Turn::Never(cause) => return Err(format!("failed to wait for {condition}: {cause}")),
                Turn::NotYet(cause) => last = Some(cause).filter(|cause| !cause.is_empty()).or(last),
            }
            if self.deadline.left() <= pause {
                let last = last.unwrap_or_default();
                return Err(format!("failed to wait for {condition} within {:?}: {last}", self.timeout));
            }
            thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Asks once. If the deadline ends the question, an earlier question may have a better reason (`has_cause`): then the
    /// returned reason is empty.
    fn ask(&self, condition: &Condition, has_cause: bool) -> Turn {
        let remaining = self.deadline.left().max(Duration::from_millis(1));
        // Whole seconds, rounded down, so that the server's 408 comes before our own deadline.
        let seconds = remaining.as_secs().min(HELD);
        let (target, time) = match condition {
            Condition::Ready => ("/readyz".to_string(), remaining.min(QUESTION)),
            Condition::Generation(generation) => {
                (format!("/app/v1/wait?generation={generation}&timeout={seconds}"), remaining)
            }
            Condition::Requests(requests) => {
                (format!("/app/v1/requests/wait?timeout={seconds}&{}", query(requests)), remaining)
            }
            Condition::Provision(_) => ("/app/v1/provision".to_string(), remaining.min(QUESTION)),
        };
        match get(&self.server.with_target(target), self.token, time) {
            Ok(reply) => judge(condition, &reply),
            Err(ClientError::Late { .. }) if has_cause => Turn::NotYet(String::new()),
            Err(error) if error.may_pass() => Turn::NotYet(error.to_string()),
            Err(error) => Turn::Never(error.to_string()),
        }
    }
}

fn judge(condition: &Condition, reply: &Reply) -> Turn {
    match (reply.status, condition) {
        (200, Condition::Provision(name)) => {
            let Ok(ledger) = serde_json::from_slice::<Value>(&reply.body) else {
                return Turn::Never("the ledger is no JSON".to_string());
            };
            match ledger["active"]["name"].as_str() {
                Some(active) if active == *name => Turn::Holds,
                Some(active) => Turn::NotYet(format!("`{active}` is active")),
                None => Turn::NotYet("no provision is active".to_string()),
            }
        }
        (200, _) => Turn::Holds,
        (408 | 500..=599, _) => Turn::NotYet(reason(reply)),
        _ => Turn::Never(reason(reply)),
    }
}

/// Returns `POST /orders?status=2xx` as filters of the journal. The part behind the `?` has the form of filters already.
fn query(Requests { wanted, count, since }: &Requests) -> String {
    let words = wanted.split_once(' ').filter(|(method, _)| !method.starts_with('/'));
    let (method, target) = words.map_or((None, &**wanted), |(method, target)| (Some(method), target.trim()));
    let (path, filters) = target.split_once('?').unwrap_or((target, ""));
    let mut query = format!("count={count}&since={since}");
    if let Some(method) = method {
        query += &format!("&method={}", encode_query(method));
    }
    query += &format!("&path={}", encode_query(path));
    if !filters.is_empty() {
        // In a shell a plus means a plus, not the blank of a form.
        query += &format!("&{}", encoded(filters).replace('+', "%2B"));
    }
    query
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observing::journal::filter::{parse, tests::generated};

    #[test]
    fn requests_are_asked_for_by_filters() {
        let query = |wanted: &str| query(&Requests { wanted: wanted.into(), count: 2, since: 7 });
        let table = [
            ("/", "path=%2F"),
            ("POST /orders", "method=POST&path=%2Forders"),
            ("GET  /a b/<int:id>", "method=GET&path=%2Fa+b%2F%3Cint%3Aid%3E"),
            ("/a b", "path=%2Fa+b"),
            ("/a?status=2xx&body~=a+ b%26", "path=%2Fa&status=2xx&body~=a%2B%20b%26"),
        ];
        for (wanted, expected) in table {
            assert_eq!(query(wanted), format!("count=2&since=7&{expected}"), "{wanted}");
        }
    }

    #[test]
    fn filters_behind_a_path_are_those_of_a_query() {
        let mut random = fastrand::Rng::with_seed(19);
        for _ in 0..2_000 {
            let written = generated::any(&mut random);
            let requests = Requests { wanted: format!("/x?{}", written.wait), count: 1, since: 0 };
            let asked = |text: &str| parse::query(text, parse::WAIT).map(|asked| asked.filter).ok();
            let expected = asked(&format!("path=/x&{}", written.query));
            assert_eq!(
                format!("{:?}", asked(&query(&requests))),
                format!("{expected:?}"),
                "{} {}",
                written.query,
                written.wait
            );
        }
    }
}
