//! The state of one exchange: what was sent, what has arrived, and the step that is left to do. It waits for nothing.

use super::answer::{Answer, fields, invalid};
use super::connection::{Connection, Moved};
use super::order::Order;
use super::upload::Upload;
use crate::message::stream::Sink;
use crate::message::upstream::{Unreachable, Upstream};
use crate::serving::pending::Permit;
use crate::serving::refusal::too_many_bytes;
use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::mem;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

/// Gets the answer, on a worker. It holds values of a script.
pub(crate) type Then = Box<dyn FnOnce(Result<Upstream, Unreachable>) + Send>;

#[derive(Default)]
pub(super) struct State {
    pub connection: Option<Arc<Connection>>,
    /// Addresses that were not tried yet.
    pub addresses: VecDeque<SocketAddr>,
    /// The connection served another exchange before.
    pub reused: bool,
    /// Bytes of head and body that the other server has.
    pub sent: usize,
    pub answer: Answer,
    /// The rest of the request's body, where the client still sends it.
    pub upload: Option<Upload>,
    pub then: Option<Then>,
    /// Takes the body; `None` before the answer to the client has begun.
    pub sink: Option<Arc<dyn Sink>>,
    /// A part of the answer is on its way to the client, which has not taken it yet.
    pub passing: bool,
    /// Memory of the exchange.
    pub permit: Option<Permit>,
    /// Bytes in the permit for what has arrived.
    pub counted: usize,
    /// Time at which the exchange is late; `None` while the client takes its time.
    pub deadline: Option<Instant>,
    pub done: bool,
}

/// The step that is left to do once the state is not locked any more.
pub(super) enum Step {
    Wait,
    /// The answer, or its beginning: then `rest` says how many bytes the body has, if that is known.
    Answer {
        then: Then,
        upstream: Upstream,
        rest: Option<Option<u64>>,
    },
    /// Bytes for the client; with its trailers where they are the last ones.
    Pass(Arc<dyn Sink>, Vec<u8>, Option<Vec<(String, String)>>),
}

/// Bodies of a known length up to this are passed on whole, so that journal and faults see all of them.
const SMALL: u64 = 64 << 10;
/// Bytes that are read before they are passed on.
const AT_ONCE: usize = 64 << 10;

impl State {
    /// Sends and reads as far as the socket allows. `reads` is false where the answer can't be there yet.
    ///
    /// # Errors
    /// The connection broke, or the answer is none.
    pub(super) fn step(
        &mut self,
        order: &Order,
        mut reads: bool,
        wake: &dyn Fn() -> Box<dyn FnOnce() + Send>,
    ) -> io::Result<Step> {
        let Some(connection) = self.connection.clone() else { return Ok(Step::Wait) };
        let (head, body) = (&order.head, order.body());
        while self.sent < order.len() {
            let rest = match self.sent.checked_sub(head.len()) {
                Some(at) => &body[at..],
                None => &head[self.sent..],
            };
            match connection.send(rest) {
                Ok(Moved::Bytes(count)) => self.sent += count,
                Ok(Moved::Nothing | Moved::End) => break,
                // A server that does not want the rest of a body answers, and may close its side.
                Err(_) if self.sent > 0 && reads => break,
                Err(error) => return Err(error),
            }
        }
        if self.sent == order.len()
            && let Some(upload) = &mut self.upload
        {
            match upload.send(&connection, wake) {
                Ok(moved) if moved && self.deadline.is_some() => {
                    self.deadline = Instant::now().checked_add(order.timeout);
                }
                Ok(_) => {}
                Err(error) if is_of_client(&error) => return Err(error),
                // As above. The answer may have come meanwhile.
                Err(_) => reads = !self.passing,
            }
        }
        if reads { self.read(order, &connection) } else { Ok(Step::Wait) }
    }

    fn read(&mut self, order: &Order, connection: &Connection) -> io::Result<Step> {
        loop {
            let answer = &mut self.answer;
            let moved = connection.receive(&mut |bytes| answer.take(bytes, order.request.method()))?;
            if matches!(moved, Moved::End) {
                answer.end()?;
            }
            let (is_whole, has_head, space) = (answer.is_done(), answer.head().is_some(), answer.space());
            self.count(space)?;
            if has_head || self.sink.is_some() {
                self.deadline = Instant::now().checked_add(order.timeout);
            }
            let dry = matches!(moved, Moved::Nothing);
            if (is_whole || dry || self.answer.body.len() >= AT_ONCE)
                && let Some(step) = self.ready(order)?
            {
                return Ok(step);
            }
            if dry {
                return Ok(Step::Wait);
            }
        }
    }

    /// Whether the other server has all of the request.
    pub(super) fn has_sent_all(&self, order: &Order) -> bool {
        self.sent == order.len() && self.upload.as_ref().is_none_or(Upload::is_done)
    }

    /// Counts the `space` in bytes that the answer holds.
    fn count(&mut self, space: usize) -> io::Result<()> {
        let before = mem::replace(&mut self.counted, space);
        let Some(permit) = &mut self.permit else { return Ok(()) };
        permit.release(before.saturating_sub(space));
        let added = permit.add(space.saturating_sub(before));
        added.map_err(|most| io::Error::new(ErrorKind::OutOfMemory, too_many_bytes(most)))
    }

    /// Returns the next step if there is something to pass on.
    fn ready(&mut self, order: &Order) -> io::Result<Option<Step>> {
        let done = self.answer.is_done();
        if let Some(sink) = &self.sink {
            let (sink, bytes) = (sink.clone(), mem::take(&mut self.answer.body));
            if !done && bytes.is_empty() {
                return Ok(None);
            }
            (self.passing, self.deadline) = (true, None);
            return Ok(Some(Step::Pass(sink, bytes, done.then(|| self.answer.trailers()))));
        }
        let Some(head) = self.answer.head() else { return Ok(None) };
        let length = head.all("content-length").next().and_then(|length| length.parse::<u64>().ok());
        if !done && !is_ready(order, self.answer.body.len(), length)? {
            return Ok(None);
        }
        let (Some(head), Some(then)) = (self.answer.take_head(), self.then.take()) else { return Ok(None) };
        let length = if head.all("transfer-encoding").next().is_some() { None } else { length };
        let (status, reason) = (head.status, head.reason.clone());
        let headers = fields(head, order.request.method());
        let body = mem::take(&mut self.answer.body);
        // Until the sink is there.
        (self.passing, self.deadline) = (true, None);
        let upstream = Upstream { status, reason, headers, body, relay: None };
        Ok(Some(Step::Answer { then, upstream, rest: (!done).then_some(length) }))
    }
}

/// Whether the client is the reason for an error of [`Upload::send`].
pub(super) fn is_of_client(error: &io::Error) -> bool {
    error.raw_os_error().is_none()
        && matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::NotConnected)
}

/// Whether an answer goes on to the client before all of it has arrived. `arrived` bytes of its body have, of `length`.
fn is_ready(order: &Order, arrived: usize, length: Option<u64>) -> io::Result<bool> {
    match order.whole {
        Some(most) if arrived > most || length.is_some_and(|length| length > most as u64) => {
            Err(invalid("its body is over --max-body, and `change` needs all of it"))
        }
        Some(_) => Ok(false),
        None => Ok(length.is_none_or(|length| length > SMALL)),
    }
}
