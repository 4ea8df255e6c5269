//! Passes the rest of a body from another server on to the client, with the faults of a stream.

use crate::chaos::StreamFaults;
use crate::message::progress::{Ending, Progress};
use crate::message::stream::Sink;
use crate::observing::access_log::{AccessLog, Line};
use crate::serving::timer::Timer;
use crate::system::lock::lock;
use std::sync::{Arc, Mutex};

/// The sink of an answer whose body comes from another server. Each part of the body counts as a piece of a stream, so faults of
/// streams delay the parts, or cut the answer off. Dropping the sink writes the line of the access log.
pub(super) struct Relayed {
    pub sink: Box<dyn Sink>,
    pub progress: Arc<Progress>,
    pub faults: Mutex<StreamFaults>,
    pub timer: Timer,
    pub access: AccessLog,
    pub line: Option<Line>,
    pub status: u16,
}

impl Relayed {
    /// Ends the answer if its cut is due. False if it is over.
    pub(super) fn goes_on(&self) -> bool {
        let Some(cut) = lock(&self.faults).cut_at(self.progress.pieces()) else { return true };
        // Before the client sees the end: it may look at the journal then.
        self.progress.end(Ending::Chaos, None);
        if cut.garbage {
            self.sink.spoil()
        } else {
            self.sink.break_off()
        }
        false
    }
}

impl Sink for Relayed {
    fn waiting(&self) -> Option<usize> {
        self.sink.waiting()
    }

    fn add(&self, bytes: Vec<u8>) -> bool {
        self.sink.add(bytes) && self.goes_on()
    }

    fn when_taken(&self, then: Box<dyn FnOnce() + Send>) {
        let pause = lock(&self.faults).pause();
        let timer = self.timer.clone();
        self.sink.when_taken(match pause.is_zero() {
            true => then,
            false => Box::new(move || _ = timer.after(pause, then)),
        });
    }

    fn end(&self) {
        self.sink.end();
    }

    fn end_with(&self, trailers: &[(String, String)]) {
        self.sink.end_with(trailers);
    }

    fn break_off(&self) {
        self.sink.break_off();
    }

    fn spoil(&self) {
        self.sink.spoil();
    }

    fn reset(&self) {
        self.sink.reset();
    }
}

impl Drop for Relayed {
    fn drop(&mut self) {
        if let Some(line) = &self.line {
            self.access.write_stream(line, self.status, &self.progress.now());
        }
    }
}
