//! One attempt of a callback, on a thread that may wait.

use super::queue::Item;
use super::{Callbacks, Planned, count_cancelled};
use crate::http_client::{self, ClientError, Reply};
use crate::message::answer::Fields;
use crate::message::http_date;
use crate::message::request::Request;
use crate::observing::journal::{Begun, Exchange, Kind};
use crate::observing::metrics::{Called, metrics};

use crate::outgoing::{Callback, Outgoing};
use crate::system::lock::lock;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Longest pause before a retry, whatever the options and `Retry-After` say.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// The result of an attempt: the answer, or the reason why there is none.
type Sent = Result<Reply, String>;

impl Callbacks {
    /// Sends a callback, enters the attempt in the journal, and plans the next one if this one failed.
    pub(super) fn attempt(self: &Arc<Self>, item: Item) {
        let _running = Running(self.clone());
        let (begun, since) = (self.journal.begin(), Instant::now());
        let sent = send(&item.callback, self.outgoing);
        let took = u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let record = begun.map(|begun| Record::new((begun, took), &item, &sent));
        let (result, first) = (result(&sent), item.attempt == 1);
        let pause = pause(&sent, &item);
        metrics().called(result, first, pause.is_none());
        if pause.is_none() && result != Called::Ok {
            warn(&item, &sent);
        }
        // Planned before the entry can be seen: a test that has seen it may advance its clock.
        let planned = pause.and_then(|pause| self.plan_retry(item, pause));
        record.into_iter().for_each(|record| record.enter(self));
        drop(planned);
    }

    fn plan_retry(self: &Arc<Self>, item: Item, pause: Duration) -> Option<Planned> {
        if item.caller.epoch < self.epoch.now() {
            count_cancelled(&[item]);
            return None;
        }
        let Item { callback, caller, attempt, .. } = item;
        Some(self.hold([(pause, (callback, attempt + 1))].into_iter(), &caller))
    }
}

/// Makes room for the next attempt when this one has ended, also by a panic.
struct Running(Arc<Callbacks>);

impl Drop for Running {
    fn drop(&mut self) {
        lock(&self.0.state).running -= 1;
        self.0.look();
    }
}

/// Most bytes of an answer to a callback: receivers of webhooks answer little, and several threads may read at a time.
const MOST_ANSWER: usize = 1 << 20;

fn send(callback: &Callback, outgoing: &Outgoing) -> Sent {
    let Callback { url, timeout, .. } = callback;
    let deadline = Instant::now() + *timeout;
    let addresses = outgoing.addresses(&url.host, url.port, deadline)?;
    let headers = fields(callback);
    let timeout = deadline.saturating_duration_since(Instant::now());
    let request = request(callback, &headers);
    let sent = http_client::Request { addresses: &addresses, timeout, ..request }.send_within(MOST_ANSWER);
    sent.map_err(|mut error| {
        // The option, not what the lookup has left of it.
        if let ClientError::Late { timeout, .. } | ClientError::ConnectLate { timeout, .. } = &mut error {
            *timeout = callback.timeout;
        }
        error.to_string()
    })
}

fn fields(callback: &Callback) -> Vec<(&str, Option<&str>)> {
    callback.headers.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect()
}

fn request<'c>(callback: &'c Callback, headers: &'c [(&str, Option<&str>)]) -> http_client::Request<'c> {
    let Callback { method, url, body, timeout, .. } = callback;
    http_client::Request { method, url, headers, body: body.as_deref(), addresses: &[], timeout: *timeout }
}

fn result(sent: &Sent) -> Called {
    match sent {
        Ok(reply) if reply.status < 400 => Called::Ok,
        Ok(_) => Called::Status,
        Err(_) => Called::Error,
    }
}

/// Returns the time before the next attempt; `None` if this one was the last.
fn pause(sent: &Sent, item: &Item) -> Option<Duration> {
    let may_pass = |reply: &Reply| reply.status >= 500 || matches!(reply.status, 408 | 429);
    if item.attempt > item.callback.retries || sent.as_ref().is_ok_and(|reply| !may_pass(reply)) {
        return None;
    }
    let doubled = 2_u32.saturating_pow(item.attempt - 1);
    let backoff = item.callback.backoff.saturating_mul(doubled);
    let asked = sent.as_ref().ok().and_then(|reply| retry_after(reply.header("Retry-After")?));
    Some(backoff.max(asked.unwrap_or_default()).min(LONGEST_PAUSE))
}

/// Reads `Retry-After`: seconds, or a date (RFC 9110, section 10.2.3).
fn retry_after(value: &str) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = Duration::from_secs(http_date::parse(value)?.try_into().ok()?);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    Some(date.saturating_sub(now))
}

fn warn(item: &Item, sent: &Sent) {
    let Callback { method, url, .. } = &item.callback;
    let why = match sent {
        Ok(reply) => format!("it was answered {}", reply.status_text()),
        Err(error) => error.clone(),
    };
    let attempts =
        if item.attempt == 1 { String::new() } else { format!(" after {} attempts", item.attempt) };
    log::warn!("callback {method} {url} failed{attempts}: {why}");
}

/// An entry of the journal.
struct Record {
    begun: Begun,
    took: u64,
    request: Request,
    kind: Kind,
    generation: u64,
    overlay: Option<String>,
    status: u16,
    headers: Fields,
    body: Vec<u8>,
    error: Option<String>,
}

impl Record {
    fn new((begun, took): (Begun, u64), item: &Item, sent: &Sent) -> Record {
        let (callback, caller) = (&item.callback, &item.caller);
        let head = request(callback, &fields(callback)).head().unwrap_or_default();
        let sent_fields = head.lines().skip(1).filter_map(|line| line.split_once(": "));
        let body = callback.body.clone().unwrap_or_default();
        let (method, target) = (&callback.method, &callback.url.target);
        let mut request = Request::from_parts(method, target, sent_fields, body, None, None);
        request.epoch = caller.epoch;
        let answer = sent.as_ref().ok();
        let field = |(name, value): &(String, String)| (name.clone().into(), value.clone().into());
        Record {
            begun,
            took,
            request,
            kind: Kind::Callback { cause: caller.entry, attempt: item.attempt },
            generation: caller.generation,
            overlay: caller.overlay.clone(),
            status: answer.map_or(0, |reply| reply.status),
            headers: answer.map_or_else(Vec::new, |reply| reply.headers.iter().map(field).collect()),
            body: answer.map_or_else(Vec::new, |reply| reply.body.clone()),
            error: sent.as_ref().err().cloned(),
        }
    }

    fn enter(&self, callbacks: &Callbacks) {
        callbacks.journal.record(&Exchange {
            begun: self.begun,
            took: self.took,
            generation: self.generation,
            overlay: self.overlay.as_deref(),
            request: &self.request,
            rule: None,
            unmatched: None,
            status: self.status,
            answer_headers: &self.headers,
            answer_body: &self.body,
            answer_length: self.body.len() as u64,
            error: self.error.as_deref(),
            fault: None,
            stream: None,
            forwarded: None,
            kind: self.kind,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let seconds = |value| retry_after(value).map(|pause| pause.as_secs());
        assert_eq!(["0", " 120 ", "-1", "soon", ""].map(seconds), [Some(0), Some(120), None, None, None]);
        assert_eq!(seconds("Sun, 06 Nov 1994 08:49:37 GMT"), Some(0));
        let in_a_minute = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 60;
        let date = http_date::write(in_a_minute.try_into().unwrap()).unwrap();
        assert!(seconds(&date).is_some_and(|pause| (50..=60).contains(&pause)), "{date}");
    }
}
