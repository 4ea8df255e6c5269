//! `/app/v1/requests/stream`: new entries as server-sent events. An entry whose answer is a stream comes again when that ends, as an event
//! `ended` without an id: the ids of the others stay in order.
//!
//! The journal's thread writes them. A slow client costs 64 KiB and no thread: entries that it has not received wait in the
//! journal. Once the journal evicts one of them, the client is disconnected.

use super::requests::{asked, failed};
use super::{Call, OnGone, Respond};
use crate::chaos::Reply;
use crate::message::answer::Answer;
use crate::message::stream::{Follow, Sink};
use crate::observing::journal::filter::parse::{self, Asked, STREAM};
use crate::observing::journal::{Journal, WatchId};
use crate::system::lock::lock;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Maximum of clients: each costs the journal's thread some time.
const MOST: usize = 64;
/// Bytes that are written to a client in one turn.
const BATCH: usize = 64 << 10;
/// Entries that are compared with a client's filter in one turn.
const LOOKED_AT: usize = 1000;
/// Time of a client's turn: patterns may be slow.
const SLICE: Duration = Duration::from_millis(1);
/// After this time without an entry a client gets a comment, which shows both sides that the other one is there.
const QUIET: Duration = Duration::from_secs(15);
/// Pause before the next turn of a client that has not received everything yet.
const AGAIN: Duration = Duration::from_millis(10);

/// The clients that follow the journal.
pub(crate) struct Streams {
    journal: Arc<Journal>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    clients: Vec<Client>,
    watch: Option<WatchId>,
    /// Each client holds a clone, from its request until it is gone.
    places: Arc<()>,
}

struct Client {
    sink: Box<dyn Sink>,
    asked: Asked,
    /// Number of the last entry that was sent to it, or that its filter excludes.
    since: u64,
    /// Ends of streams that it was sent, or that its filter excludes.
    ended: u64,
    written: Instant,
    /// Whether nothing was sent to it yet.
    fresh: bool,
    _place: Arc<()>,
}

/// The result of a client's turn.
#[derive(Debug, PartialEq, Eq)]
enum Look {
    /// The client has received everything.
    Done,
    /// More entries can be sent now.
    More,
    /// More entries can be sent once the client has received the previous ones.
    Full,
    /// The journal has evicted an entry that the client has not received.
    Late,
    /// The client is gone, or the process stops.
    Gone,
}

/// GET: entries after `since`, or after `Last-Event-ID` where the client reconnects; else only new ones.
pub(super) fn get(call: &Call, respond: Respond, on_gone: OnGone) {
    let reply = follow(call).unwrap_or_else(Reply::from);
    let follows = reply.follow.is_some();
    respond(reply);
    if follows {
        // The next turn of all clients finds this one gone.
        let journal = call.admin.journal.clone();
        on_gone(Box::new(move || journal.watch.wake()));
    }
}

fn follow(call: &Call) -> Result<Reply, Answer> {
    let (admin, request, journal) = (call.admin, call.request, &call.admin.journal);
    let asked = asked(call, STREAM)?;
    let since = match request.header("last-event-id").filter(|id| !id.is_empty()) {
        Some(id) => parse::number(id, parse::MAX_NUMBER)
            .map_err(|why| failed(journal, 400, &format!("failed to parse header `Last-Event-ID`: {why}")))?,
        None => asked.since.unwrap_or_else(|| journal.last()),
    };
    let streams = admin.streams.clone();
    let Some(place) = streams.place() else {
        return Err(failed(journal, 503, &format!("{MOST} clients follow the journal already")));
    };
    let place = Mutex::new(Some(place));
    let follow = Follow(Arc::new(move |sink| {
        if let Some(place) = lock(&place).take() {
            streams.add(sink, asked.clone(), since, place);
        }
    }));
    let fields = [("Content-Type", "text/event-stream"), ("Cache-Control", "no-store")];
    let answer = Answer {
        status: 200,
        headers: fields.map(|(name, value)| (name.into(), value.into())).into(),
        // An id without an event: a client that reconnects sends the id back, even if it received no event.
        body: format!("id: {since}\n\n").into_bytes().into(),
        ..Answer::default()
    };
    let follow = (request.method() == "GET").then_some(follow);
    Ok(Reply { follow, ..Reply::from(answer) })
}

impl Streams {
    /// Starts without clients.
    pub(crate) fn new(journal: &Arc<Journal>) -> Arc<Streams> {
        Arc::new(Streams { journal: journal.clone(), state: Mutex::default() })
    }

    /// Reserves room for a client; `None` where [`MOST`] clients follow already.
    fn place(&self) -> Option<Arc<()>> {
        let state = lock(&self.state);
        (Arc::strong_count(&state.places) <= MOST).then(|| state.places.clone())
    }

    fn add(self: &Arc<Self>, sink: Box<dyn Sink>, asked: Asked, since: u64, place: Arc<()>) {
        let (ended, written) = (self.journal.ended_in_all(), Instant::now());
        let mut state = lock(&self.state);
        state.clients.push(Client { sink, asked, since, ended, written, fresh: true, _place: place });
        let mut first = None;
        if state.watch.is_none() {
            let own = Arc::downgrade(self);
            let listener = move || own.upgrade().into_iter().for_each(|own| own.write());
            first = Some(self.journal.watch.add(Box::new(listener)));
            state.watch = first;
        }
        drop(state);
        self.journal.watch.wake();
        first.into_iter().for_each(|watch| self.beat(watch));
    }

    /// Starts a turn of all clients from time to time, as long as there are any.
    fn beat(self: &Arc<Self>, watch: WatchId) {
        let own = Arc::downgrade(self);
        let job = move || {
            let Some(own) = own.upgrade().filter(|own| lock(&own.state).watch == Some(watch)) else { return };
            own.journal.watch.wake();
            own.beat(watch);
        };
        self.journal.watch.after(QUIET / 2, Box::new(job));
    }

    /// Gives each client its turn.
    fn write(&self) {
        // Without the lock, so that a new client need not wait.
        let clients = std::mem::take(&mut lock(&self.state).clients);
        let (mut kept, mut more, mut full) = (Vec::with_capacity(clients.len()), false, false);
        for mut client in clients {
            let look = client.write(&self.journal, Instant::now());
            (more, full) = (more || look == Look::More, full || look == Look::Full);
            match look {
                Look::Done | Look::More | Look::Full => kept.push(client),
                Look::Gone => client.sink.end(),
                Look::Late => {
                    log::info!("cut a client of the journal: entries that it did not take in time are gone");
                    client.sink.reset();
                }
            }
        }
        let mut state = lock(&self.state);
        kept.append(&mut state.clients);
        state.clients = kept;
        if state.clients.is_empty() {
            state.watch.take().into_iter().for_each(|watch| self.journal.watch.remove(watch));
        }
        drop(state);
        let journal = self.journal.clone();
        match (more, full) {
            (true, _) => journal.watch.wake(),
            (false, true) => self.journal.watch.after(AGAIN, Box::new(move || journal.watch.wake())),
            (false, false) => {}
        }
    }
}

impl Client {
    fn write(&mut self, journal: &Journal, now: Instant) -> Look {
        if journal.is_closed() {
            return Look::Gone;
        }
        match self.sink.waiting() {
            None => Look::Gone,
            // Entries that were not sent yet must still be there when the client has received the others.
            Some(1..) if journal.evicted(self.since) > 0 => Look::Late,
            Some(1..) if self.since < journal.last() || self.ended < journal.ended_in_all() => Look::Full,
            Some(1..) => Look::Done,
            Some(0) => self.add(journal, now),
        }
    }

    /// Sends the next entries, as many as fit into one turn.
    fn add(&mut self, journal: &Journal, now: Instant) -> Look {
        let (mut text, mut left, mut since) = (String::new(), LOOKED_AT, self.since);
        let mut full = false;
        let span = journal.read(self.since, &mut |entry| {
            (since, left) = (entry.number, left - 1);
            if self.asked.takes(entry) {
                text += &format!("id: {since}\ndata: {}\n\n", entry.to_json());
            }
            full = left == 0 || text.len() >= BATCH || now.elapsed() > SLICE;
            if full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let fresh = std::mem::take(&mut self.fresh);
        if span.evicted > 0 && !fresh {
            return Look::Late;
        }
        if span.evicted > 0 {
            text.insert_str(0, &format!("event: missed\ndata: {{\"missed\":{}}}\n\n", span.evicted));
        }
        self.since = if full { since } else { span.last.max(since) };
        full = self.add_ends(journal, &mut text, (left, now)) || full;
        if text.is_empty() && now.duration_since(self.written) >= QUIET {
            text = ":\n\n".to_owned();
        }
        if !text.is_empty() {
            self.written = now;
            if !self.sink.add(text.into_bytes()) {
                return Look::Gone;
            }
        }
        if full { Look::More } else { Look::Done }
    }

    /// Adds the entries whose streams have ended, each after its first event. Returns whether more are left.
    fn add_ends(
        &mut self,
        journal: &Journal,
        text: &mut String,
        (mut left, began): (usize, Instant),
    ) -> bool {
        while let Some(end) = journal.ended_after(self.ended).filter(|end| end.number <= self.since) {
            if left == 0 || text.len() >= BATCH || began.elapsed() > SLICE {
                return true;
            }
            if end.forgotten > 0 {
                *text += &format!("event: missed\ndata: {{\"missed\":0,\"ended\":{}}}\n\n", end.forgotten);
            }
            (self.ended, left) = (end.count, left - 1);
            if let Ok(entry) = journal.get(end.number)
                && self.asked.takes(&entry)
            {
                *text += &format!("event: ended\ndata: {}\n\n", entry.to_json());
            }
        }
        false
    }
}

#[cfg(test)]
mod tests;
