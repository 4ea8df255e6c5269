//! The journal as verifications and waits see it.

use super::entry::Entry;
use super::verify::Recorded;
use super::waiting::Watched;
use super::{Journal, WatchId};
use std::ops::ControlFlow;
use std::time::Duration;

impl Recorded for Journal {
    fn last(&self) -> u64 {
        Journal::last(self)
    }

    fn cleared(&self) -> u64 {
        let stats = self.stats();
        let first = if stats.entries == 0 { stats.last + 1 } else { stats.first };
        first - 1 - stats.evicted
    }

    fn read(&self, since: u64, each: &mut dyn FnMut(&Entry) -> ControlFlow<()>) {
        // What it misses shows in the numbers.
        Journal::read(self, since, each);
    }
}

impl Watched for Journal {
    type Watch = WatchId;

    fn listen(&self, listener: Box<dyn Fn() + Send + Sync>) -> WatchId {
        self.on_record(listener)
    }

    fn ignore(&self, watch: WatchId) {
        self.forget(watch);
    }

    fn after(&self, delay: Duration, job: Box<dyn FnOnce() + Send>) {
        Journal::after(self, delay, job);
    }

    fn is_closed(&self) -> bool {
        Journal::is_closed(self)
    }
}
