//! `/app/v1/requests/stream`: entries as server-sent events, as they are made. The journal's thread writes them; a client that
//! does not take them costs 64 KiB and no thread. What it has not taken waits in the journal; once that has dropped it, the client is
//! dropped.

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

/// Clients at a time: each costs the journal's thread some time.
const MOST: usize = 64;
/// Bytes that are written to a client at once.
const BATCH: usize = 64 << 10;
/// Entries that are looked at for a client at once.
const LOOKED_AT: usize = 1000;
/// How long entries are looked at for a client at once: patterns may take their time.
const SLICE: Duration = Duration::from_millis(1);
/// A client that has nothing to read for so long gets a comment, which shows both sides that the other is there.
const QUIET: Duration = Duration::from_secs(15);
/// Until a client is looked at again that has not taken all.
const AGAIN: Duration = Duration::from_millis(10);

/// Who follows the journal.
pub(crate) struct Streams {
    journal: Arc<Journal>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    clients: Vec<Client>,
    watch: Option<WatchId>,
    /// Each client has one from its request on, until it is gone.
    places: Arc<()>,
}

struct Client {
    sink: Box<dyn Sink>,
    asked: Asked,
    /// Number of the last entry that it was sent, or that it does not want.
    since: u64,
    written: Instant,
    /// It was not sent anything yet.
    fresh: bool,
    _place: Arc<()>,
}

/// What a look at a client came to.
#[derive(Debug, PartialEq, Eq)]
enum Look {
    /// It has all.
    Done,
    /// There is more for it, now.
    More,
    /// There is more for it, once it has taken what it was sent.
    Full,
    /// The journal has dropped what it was not sent yet.
    Late,
    /// It is gone, or the process stops.
    Gone,
}

/// GET: entries above `since`, or above `Last-Event-ID` where the client comes back; else those that are yet to come.
pub(super) fn get(call: &Call, respond: Respond, on_gone: OnGone) {
    let reply = follow(call).unwrap_or_else(Reply::from);
    let follows = reply.follow.is_some();
    respond(reply);
    if follows {
        // The next look at all clients finds this one gone.
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
        // Not an event; a client that comes back says it, also if it saw none.
        body: format!("id: {since}\n\n").into_bytes().into(),
        ..Answer::default()
    };
    let follow = (request.method() == "GET").then_some(follow);
    Ok(Reply { follow, ..Reply::from(answer) })
}

impl Streams {
    /// Of nobody yet.
    pub(crate) fn new(journal: &Arc<Journal>) -> Arc<Streams> {
        Arc::new(Streams { journal: journal.clone(), state: Mutex::default() })
    }

    /// A place for a client, where one is left.
    fn place(&self) -> Option<Arc<()>> {
        let state = lock(&self.state);
        (Arc::strong_count(&state.places) <= MOST).then(|| state.places.clone())
    }

    fn add(self: &Arc<Self>, sink: Box<dyn Sink>, asked: Asked, since: u64, place: Arc<()>) {
        let mut state = lock(&self.state);
        let written = Instant::now();
        state.clients.push(Client { sink, asked, since, written, fresh: true, _place: place });
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

    /// Has all clients looked at from time to time, while there are any.
    fn beat(self: &Arc<Self>, watch: WatchId) {
        let own = Arc::downgrade(self);
        let job = move || {
            let Some(own) = own.upgrade().filter(|own| lock(&own.state).watch == Some(watch)) else { return };
            own.journal.watch.wake();
            own.beat(watch);
        };
        self.journal.watch.after(QUIET / 2, Box::new(job));
    }

    /// Writes to all clients what they have not got.
    fn write(&self) {
        // Not under the lock: who comes meanwhile does not wait.
        let clients = std::mem::take(&mut lock(&self.state).clients);
        let (mut kept, mut more, mut full) = (Vec::with_capacity(clients.len()), false, false);
        for mut client in clients {
            let look = client.write(&self.journal, Instant::now());
            (more, full) = (more || look == Look::More, full || look == Look::Full);
            match look {
                Look::Done | Look::More | Look::Full => kept.push(client),
                Look::Gone => {}
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
            // What it has not been sent must not be gone when it has taken the rest.
            Some(1..) if journal.evicted(self.since) > 0 => Look::Late,
            Some(1..) if self.since < journal.last() => Look::Full,
            Some(1..) => Look::Done,
            Some(0) => self.add(journal, now),
        }
    }

    /// Sends what it has not got, as far as one go takes it.
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
}

#[cfg(test)]
mod tests;
