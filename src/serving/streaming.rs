//! Sends streams: answers whose pieces a script makes one by one.
//!
//! A piece is made only when the kernel has the one before, so a slow client costs no memory. No thread waits in between: the
//! timer submits a job to the engine's queue when a piece is due, a mock worker makes the piece, and the engine says when the
//! client has room for more.

use crate::message::answer::Answer;
use crate::message::progress::{Ending, Progress};
use crate::message::stream::{Failure, Pieces, Sink, Stream};
use crate::serving::http::{self, Incoming, Server};
use crate::serving::pending::Permit;
use crate::serving::timer::Timer;
use crate::system::lock::lock;
use std::collections::HashMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

/// The streams that have begun and not ended.
pub(crate) struct Streaming {
    timer: Timer,
    server: Weak<Server>,
    live: Mutex<HashMap<u64, Arc<Live>>>,
    next: AtomicU64,
}

/// Called with the end of a stream, and whether the client has all of it.
pub(crate) type OnEnd = Box<dyn FnOnce(Ending) + Send>;

/// A stream that has begun.
struct Live {
    number: u64,
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
    on_end: Option<OnEnd>,
    /// Memory that the stream holds.
    permit: Option<Permit>,
}

/// Pause before a job is submitted again to a full queue.
const AGAIN: Duration = Duration::from_millis(1);

impl Streaming {
    /// Starts without streams. The workers of `server` make the pieces.
    pub(crate) fn new(timer: Timer, server: Weak<Server>) -> Arc<Streaming> {
        Arc::new(Streaming { timer, server, live: Mutex::default(), next: AtomicU64::new(0) })
    }

    /// Returns the number of streams.
    #[expect(dead_code, reason = "the metrics read it next")]
    pub(crate) fn open(&self) -> usize {
        lock(&self.live).len()
    }

    /// Breaks all streams off.
    pub(crate) fn end_all(&self, ending: Ending) {
        let live: Vec<Arc<Live>> = lock(&self.live).values().cloned().collect();
        live.iter().for_each(|live| live.end(ending, None));
    }

    /// Sends `answer` with the first piece of `stream`, and the others when they are due. The thread does not wait.
    ///
    /// # Errors
    /// The client is gone.
    pub(crate) fn start(
        self: &Arc<Self>,
        incoming: Incoming,
        answer: Answer,
        stream: Stream,
        close: bool,
        (permit, on_end): (Option<Permit>, OnEnd),
    ) -> io::Result<()> {
        let (every, progress) = (stream.every, stream.progress.clone());
        let (client, first) = (incoming.client(), stream.first.clone().unwrap_or_default());
        // Before the client has the piece: it may look at the journal then.
        if !first.is_empty() {
            progress.piece(first.len());
        }
        let sink = match http::begin(incoming, answer, first, close) {
            Ok(sink) => sink,
            Err(error) => {
                stream.take().into_iter().for_each(|pieces| self.drop_on_worker(pieces));
                progress.end(Ending::Client, None);
                on_end(Ending::Client);
                return Err(error);
            }
        };
        let pieces = stream.take();
        let work = Work { pieces, due: Instant::now(), on_end: Some(on_end), permit };
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (streaming, work) = (self.clone(), Mutex::new(work));
        let live = Arc::new(Live { number, streaming, sink, every, progress, work });
        lock(&self.live).insert(number, live.clone());
        if let Some(client) = client {
            let weak = Arc::downgrade(&live);
            client.on_gone(move || {
                weak.upgrade().into_iter().for_each(|live| live.end(Ending::Client, None));
            });
        }
        live.go_on();
        Ok(())
    }

    /// Drops values of a script on a worker: dropping them recurses, and only workers have a stack for that.
    fn drop_on_worker(self: &Arc<Self>, pieces: Box<dyn Pieces>) {
        self.submit(Box::new(move || drop(pieces)));
    }

    /// Gives `job` to a worker, later if too many jobs wait already.
    pub(crate) fn submit(self: &Arc<Self>, job: Box<dyn FnOnce() + Send>) {
        let Some(server) = self.server.upgrade() else { return };
        if let Err(job) = server.submit(job) {
            let streaming = self.clone();
            self.timer.after(AGAIN, Box::new(move || streaming.submit(job)));
        }
    }
}

impl Live {
    /// Plans the next piece, once the kernel has the last one, or ends the stream.
    fn go_on(self: &Arc<Self>) {
        let is_over = lock(&self.work).pieces.as_ref().is_none_or(|pieces| pieces.is_over());
        if is_over {
            return self.end(Ending::Complete, None);
        }
        let live = self.clone();
        self.sink.when_taken(Box::new(move || live.plan()));
    }

    fn plan(self: Arc<Self>) {
        let now = Instant::now();
        let wait = {
            let mut work = lock(&self.work);
            // A piece that the client took late moves the later ones. A worker that was late does not.
            work.due = (work.due + self.every).max(now);
            work.due - now
        };
        self.after(wait, |live| live.make_on_worker());
    }

    /// Calls `then` after `time`, on the timer thread, or now.
    fn after(self: Arc<Self>, time: Duration, then: impl FnOnce(Arc<Live>) + Send + 'static) {
        if time.is_zero() {
            return then(self);
        }
        let streaming = self.streaming.clone();
        streaming.timer.after(time, Box::new(move || then(self)));
    }

    fn make_on_worker(self: Arc<Self>) {
        let streaming = self.streaming.clone();
        streaming.submit(Box::new(move || self.make()));
    }

    /// Makes a piece and sends it.
    fn make(self: Arc<Self>) {
        let Some(mut pieces) = lock(&self.work).pieces.take() else { return };
        let made = catch_unwind(AssertUnwindSafe(|| pieces.next()));
        {
            let mut work = lock(&self.work);
            if self.progress.has_ended() {
                drop(work);
                return;
            }
            work.pieces = Some(pieces);
            if let Ok(made) = &made {
                work.due += made.hold;
            }
        }
        match made.map(|made| (made.hold, made.piece)) {
            Ok((hold, Ok(Some(bytes)))) => self.after(hold, |live| live.send(bytes)),
            Ok((hold, Ok(None))) => self.after(hold, |live| live.end(Ending::Complete, None)),
            Ok((_, Err(Failure { error, .. }))) => self.end(Ending::Error, Some(error)),
            Err(_) => self.end(Ending::Error, Some("a native function panicked: see the log".into())),
        }
    }

    fn send(self: Arc<Self>, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            // Before the client has the piece: it may look at the journal then.
            self.progress.piece(bytes.len());
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
        lock(&self.streaming.live).remove(&self.number);
        let (pieces, on_end, permit) = {
            let mut work = lock(&self.work);
            (work.pieces.take(), work.on_end.take(), work.permit.take())
        };
        drop(permit);
        pieces.into_iter().for_each(|pieces| self.streaming.drop_on_worker(pieces));
        // Before the client sees the end: it may look at the journal then.
        on_end.into_iter().for_each(|on_end| on_end(ending));
        match ending {
            Ending::Complete => self.sink.end(),
            _ => self.sink.break_off(),
        }
    }
}
