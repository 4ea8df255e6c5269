//! Places for mock workers that wait for another server. One worker always stays free, so that a mock whose scripts ask a slow
//! server, or the mock itself, still answers.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The result of a request of `requests.*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sent {
    Ok,
    Error,
    Timeout,
}

/// The places of all mock workers but one.
#[derive(Default)]
pub(crate) struct Slots {
    workers: AtomicUsize,
    waiting: AtomicUsize,
    count: OnceLock<fn(Sent)>,
}

/// A place, free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Slot<'s>(&'s AtomicUsize);

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Slots {
    /// Sets the number of mock workers.
    pub(crate) fn set_workers(&self, workers: usize) {
        self.workers.store(workers, Ordering::Release);
    }

    /// Sets the function that counts results. Only the first call has an effect.
    pub(crate) fn set_count(&self, count: fn(Sent)) {
        let _ = self.count.set(count);
    }

    /// Takes a place for the calling worker.
    ///
    /// # Errors
    /// There is none. The text says how to get one.
    pub(crate) fn take(&self) -> Result<Slot<'_>, String> {
        let workers = self.workers.load(Ordering::Acquire);
        let most = workers.saturating_sub(1);
        let one_more = |waiting: usize| (waiting < most).then_some(waiting + 1);
        match self.waiting.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more) {
            Ok(_) => Ok(Slot(&self.waiting)),
            Err(_) if most == 0 => Err("the only worker of the mock can't wait for another server: start h1mock with `--workers 2` or more".to_owned()),
            Err(_) => Err(format!("{most} of {workers} workers of the mock wait for other servers already, and one stays free: raise `--workers`, or take `forward`, for which no worker waits")),
        }
    }

    /// Counts the result of a request.
    pub(crate) fn count(&self, sent: Sent) {
        self.count.get().into_iter().for_each(|count| count(sent));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_workers_but_one_have_a_place() {
        let slots = Slots::default();
        slots.set_workers(3);
        let (first, second) = (slots.take().unwrap(), slots.take().unwrap());
        assert_eq!(
            slots.take().unwrap_err(),
            "2 of 3 workers of the mock wait for other servers already, and one stays free: raise `--workers`, or take `forward`, for which no worker waits"
        );
        drop(first);
        let third = slots.take().unwrap();
        assert!(slots.take().is_err());
        drop((second, third));
        assert_eq!(slots.waiting.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn the_only_worker_has_none() {
        for workers in [0, 1] {
            let slots = Slots::default();
            slots.set_workers(workers);
            let expected = "the only worker of the mock can't wait for another server: start h1mock with `--workers 2` or more";
            assert_eq!(slots.take().unwrap_err(), expected, "{workers}");
        }
    }
}
