//! Sends streams: answers whose pieces a script makes one by one.
//!
//! A piece is made only when the kernel has the one before, so a slow client costs no memory. No thread waits in between: the
//! timer submits a job to the engine's queue when a piece is due, a mock worker makes the piece, and the engine says when the
//! client has room for more.

use crate::chaos::StreamFaults;
use crate::message::answer::Answer;
use crate::message::epoch::Epoch;
use crate::message::progress::{Ending, Progress};
use crate::message::stream::{Failure, Pieces, Sink, Stream};
use crate::observing::metrics::metrics;
use crate::serving::http::{self, Client, Incoming, Server};
use crate::serving::pending::Permit;
use crate::serving::refusal;
use crate::serving::timer::{Key, Timer};
use crate::system::lock::lock;
use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};
use std::{io, mem};

/// The streams that have not ended.
pub(crate) struct Streaming {
    timer: Timer,
    server: Weak<Server>,
    /// A reset ends the streams of earlier epochs.
    epoch: Arc<Epoch>,
    live: Mutex<HashMap<u64, Arc<Live>>>,
    next: AtomicU64,
    /// Number of streams that have begun and not ended. A stream counts before its client has a byte.
    open: AtomicUsize,
    /// Jobs of the timer that begin a stream, and the epoch of its request.
    held: Mutex<BTreeMap<Key, u64>>,
    /// The process stops and waits for no stream any more.
    stopped: AtomicBool,
}

/// Called with the end of a stream.
pub(crate) type OnEnd = Box<dyn FnOnce(Ending) + Send>;

/// A stream that has begun.
struct Live {
    number: u64,
    /// The epoch in which its request began.
    epoch: u64,
    streaming: Arc<Streaming>,
    sink: Box<dyn Sink>,
    every: Duration,
    progress: Arc<Progress>,
    work: Mutex<Work>,
}

struct Work {
    /// Makes the pieces; `None` while a worker makes one, and after the end.
    pieces: Option<Box<dyn Pieces>>,
    /// Time of the last piece by the schedule.
    due: Instant,
    faults: StreamFaults,
    /// The job of the timer that makes or sends the next piece.
    planned: Option<Key>,
    on_end: Option<OnEnd>,
    /// Memory that the stream holds.
    permit: Option<Permit>,
    /// Bytes in the permit by which the pieces have grown.
    grown: usize,
}

impl Work {
    /// Counts the bytes by which the pieces have grown, or returns the most bytes if they do not fit.
    fn count(&mut self, grown: usize) -> Result<(), usize> {
        let before = std::mem::replace(&mut self.grown, grown);
        match &mut self.permit {
            Some(permit) if grown > before => permit.add(grown - before),
            Some(permit) => {
                permit.release(before - grown);
                Ok(())
            }
            None => Ok(()),
        }
    }
}

/// Pause before a job is submitted again to a full queue.
const AGAIN: Duration = Duration::from_millis(1);

/// Longest delay of pieces by busy workers that is made up for. After a longer one the schedule moves, so that no burst follows.
const CATCH_UP: Duration = Duration::from_secs(1);

impl Streaming {
    /// Starts without streams. The workers of `server` make the pieces.
    pub(crate) fn new(timer: Timer, server: Weak<Server>, epoch: Arc<Epoch>) -> Arc<Streaming> {
        Arc::new(Streaming {
            timer,
            server,
            epoch,
            live: Mutex::default(),
            next: AtomicU64::new(0),
            open: AtomicUsize::new(0),
            held: Mutex::default(),
            stopped: AtomicBool::new(false),
        })
    }

    /// Returns the number of streams, with those that are delayed before their beginning.
    pub(crate) fn open(&self) -> usize {
        let held = lock(&self.held).range((Instant::now(), 0)..).count();
        self.open.load(Ordering::Relaxed) + held
    }

    /// Breaks streams off: with [`Ending::Stop`] all, also those that begin later, else those of earlier epochs.
    pub(crate) fn end_all(&self, ending: Ending) {
        if ending == Ending::Stop {
            self.stopped.store(true, Ordering::SeqCst);
        }
        // A stream that begins now sees that its time is over.
        let held: Vec<(Key, u64)> = lock(&self.held).iter().map(|(key, epoch)| (*key, *epoch)).collect();
        held.iter().filter(|(_, epoch)| self.over(*epoch).is_some()).for_each(|(key, _)| self.hurry(*key));
        let live: Vec<Arc<Live>> = lock(&self.live).values().cloned().collect();
        live.iter().filter(|live| self.over(live.epoch).is_some()).for_each(|live| live.end(ending, None));
    }

    /// Returns how a stream of `epoch` must end, if it may not go on.
    pub(super) fn over(&self, epoch: u64) -> Option<Ending> {
        match self.stopped.load(Ordering::SeqCst) {
            true => Some(Ending::Stop),
            false => (epoch != self.epoch.now()).then_some(Ending::Reset),
        }
    }

    /// Notes that job `key` of the timer begins a stream of `epoch`.
    pub(crate) fn hold(&self, key: Key, epoch: u64) {
        let mut held = lock(&self.held);
        *held = held.split_off(&(Instant::now(), 0));
        held.insert(key, epoch);
        drop(held);
        if self.over(epoch).is_some() {
            self.hurry(key);
        }
    }

    /// Runs job `key` of the timer now, if it has not begun.
    pub(crate) fn hurry(&self, key: Key) {
        lock(&self.held).remove(&key);
        self.timer.take(key).into_iter().for_each(|begin| begin());
    }

    /// Sends `answer` with the first piece of `stream`, and the others when they are due. The thread does not wait.
    ///
    /// # Errors
    /// The client is gone.
    pub(crate) fn start(
        self: &Arc<Self>,
        incoming: Incoming,
        answer: Answer,
        (mut stream, faults): (Stream, StreamFaults),
        close: bool,
        (mut permit, on_end): (Option<Permit>, OnEnd),
    ) -> io::Result<()> {
        let (every, epoch, progress) = (stream.every, stream.epoch, stream.progress.clone());
        let (client, first) = (incoming.client(), stream.first.take().unwrap_or_default());
        let (due, length) = (Instant::now(), first.len());
        // Before the client has the piece: it may look at the journal then.
        if !first.is_empty() && !client.as_ref().is_some_and(Client::has_left) && progress.piece(length) {
            metrics().stream_piece();
        }
        self.open.fetch_add(1, Ordering::Relaxed);
        let sent = http::begin(incoming, answer, first, close);
        let pieces = stream.take();
        let sink = match sent {
            Ok(sink) => sink,
            Err(error) => {
                pieces.into_iter().for_each(|pieces| self.drop_on_worker(pieces));
                progress.end(Ending::Client, None);
                self.ended(Ending::Client);
                on_end(Ending::Client);
                return Err(error);
            }
        };
        permit.iter_mut().for_each(|permit| permit.release(length));
        let work = Work { pieces, due, faults, planned: None, on_end: Some(on_end), permit, grown: 0 };
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (streaming, work) = (self.clone(), Mutex::new(work));
        let live = Arc::new(Live { number, epoch, streaming, sink, every, progress, work });
        lock(&self.live).insert(number, live.clone());
        // After the insertion: a reset or a stop that came before it has not seen this stream.
        if let Some(ending) = self.over(epoch) {
            live.end(ending, None);
        }
        if let Some(client) = client {
            let weak = Arc::downgrade(&live);
            client.on_gone(move || {
                weak.upgrade().into_iter().for_each(|live| live.end(Ending::Client, None));
            });
        }
        live.go_on();
        Ok(())
    }

    fn ended(&self, ending: Ending) {
        self.open.fetch_sub(1, Ordering::Relaxed);
        metrics().stream_ended(ending);
    }

    /// Drops values of a script on a worker: dropping them recurses, and only workers have a stack for that.
    fn drop_on_worker(self: &Arc<Self>, pieces: Box<dyn Pieces>) {
        // A process that stops has no workers to rely on, and gives all memory back anyway.
        match self.stopped.load(Ordering::SeqCst) {
            true => mem::forget(pieces),
            false => self.submit(Box::new(move || drop(pieces))),
        }
    }

    /// Gives `job` to a worker, later if too many jobs wait already.
    pub(crate) fn submit(self: &Arc<Self>, job: Box<dyn FnOnce() + Send>) {
        let Some(server) = self.server.upgrade() else { return mem::forget(job) };
        if let Err(job) = server.submit(job) {
            let streaming = self.clone();
            self.timer.after(AGAIN, Box::new(move || streaming.submit(job)));
        }
    }
}

impl Live {
    /// Plans the next piece, once the kernel has the last one, or ends the stream.
    fn go_on(self: &Arc<Self>) {
        if lock(&self.work).faults.cut_at(self.progress.pieces()).is_some() {
            return self.end(Ending::Chaos, None);
        }
        let is_over = lock(&self.work).pieces.as_ref().is_none_or(|pieces| pieces.is_over());
        if is_over {
            return self.end(Ending::Complete, None);
        }
        let (live, sent) = (self.clone(), Instant::now());
        self.sink.when_taken(Box::new(move || live.plan(sent)));
    }

    /// Plans the next piece. The kernel has the last one, which was sent at `sent`.
    fn plan(self: Arc<Self>, sent: Instant) {
        let wait = {
            let (mut work, now) = (lock(&self.work), Instant::now());
            let pause = self.every + work.faults.pause();
            work.due = next_due(work.due, pause, now - sent, now);
            work.due.saturating_duration_since(now)
        };
        self.after(wait, Live::make_on_worker);
    }

    /// Calls `then` after `time`, on the timer thread, or now. Not at all once the stream has ended.
    fn after(self: Arc<Self>, time: Duration, then: impl FnOnce(Arc<Live>) + Send + 'static) {
        if time.is_zero() {
            return then(self);
        }
        let live = self.clone();
        let mut work = lock(&self.work);
        if !self.progress.has_ended() {
            work.planned = Some(self.streaming.timer.after(time, Box::new(move || then(live))));
        }
    }

    fn make_on_worker(self: Arc<Self>) {
        let streaming = self.streaming.clone();
        streaming.submit(Box::new(move || self.make()));
    }

    /// Makes a piece and sends it.
    fn make(self: Arc<Self>) {
        let Some(mut pieces) = lock(&self.work).pieces.take() else { return };
        let made = catch_unwind(AssertUnwindSafe(|| pieces.next()));
        let full;
        {
            let mut work = lock(&self.work);
            if self.progress.has_ended() {
                // Dropping values of a script may take long.
                drop(work);
                return;
            }
            full = work.count(pieces.grown());
            work.pieces = Some(pieces);
            if let Ok(made) = &made {
                work.due += made.hold;
            }
        }
        if let Err(most) = full {
            return self.end_without_room(most);
        }
        match made.map(|made| (made.hold, made.piece)) {
            Ok((hold, Ok(Some(bytes)))) if hold.is_zero() => self.send(bytes),
            Ok((hold, Ok(Some(bytes)))) => self.send_later(hold, bytes),
            Ok((hold, Ok(None))) => self.after(hold, |live| live.end(Ending::Complete, None)),
            Ok((_, Err(Failure { error, .. }))) => self.end(Ending::Error, error),
            Err(_) => self.end(Ending::Error, Some("a native function panicked: see the log".into())),
        }
    }

    fn end_without_room(&self, most: usize) {
        let why = refusal::too_many_bytes(most);
        log::warn!("ended a stream: {why}");
        self.end(Ending::Error, Some(why.into()));
    }

    /// Sends a piece after `hold`. Until then the stream counts its memory, and then the engine.
    fn send_later(self: Arc<Self>, hold: Duration, bytes: Vec<u8>) {
        let space = bytes.capacity();
        let full = lock(&self.work).permit.as_mut().and_then(|permit| permit.add(space).err());
        if let Some(most) = full {
            return self.end_without_room(most);
        }
        self.after(hold, move |live| {
            lock(&live.work).permit.iter_mut().for_each(|permit| permit.release(space));
            live.send(bytes);
        });
    }

    fn send(self: Arc<Self>, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            // Before the client has the piece: it may look at the journal then.
            if !self.progress.piece(bytes.len()) {
                return;
            }
            metrics().stream_piece();
            if !self.sink.add(bytes) {
                return self.end(Ending::Client, None);
            }
        }
        self.go_on();
    }

    /// Ends the stream, unless it has ended already.
    fn end(&self, ending: Ending, error: Option<Box<str>>) {
        if !self.progress.end(ending, error) {
            return;
        }
        self.streaming.ended(ending);
        lock(&self.streaming.live).remove(&self.number);
        let (pieces, planned, on_end, permit, garbage) = {
            let mut work = lock(&self.work);
            let garbage = work.faults.cut_at(self.progress.pieces()).is_some_and(|cut| cut.garbage);
            (work.pieces.take(), work.planned.take(), work.on_end.take(), work.permit.take(), garbage)
        };
        drop(permit);
        planned.into_iter().for_each(|key| drop(self.streaming.timer.take(key)));
        pieces.into_iter().for_each(|pieces| self.streaming.drop_on_worker(pieces));
        // Before the client sees the end: it may look at the journal then.
        on_end.into_iter().for_each(|on_end| on_end(ending));
        match ending {
            Ending::Complete => self.sink.end(),
            Ending::Chaos if garbage => self.sink.spoil(),
            // The process ends before the client takes these bytes. Without a reset, a client without chunks would take that for the end.
            Ending::Stop if self.sink.waiting().is_some_and(|bytes| bytes > 0) => self.sink.reset(),
            _ => self.sink.break_off(),
        }
    }
}

/// Returns the time of the next piece by the schedule. The last one was due at `due`, and the client has taken it `stall` after it
/// was sent.
///
/// A client that takes a piece late moves the later ones. A worker that was late does not, up to [`CATCH_UP`].
fn next_due(due: Instant, every: Duration, stall: Duration, now: Instant) -> Instant {
    (due + every.max(stall)).max(now.checked_sub(CATCH_UP).unwrap_or(now))
}

#[cfg(test)]
mod tests;
