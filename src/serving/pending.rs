//! Memory budget for delayed answers, for requests that wait (`wait_for`), for streams, and for callbacks.

use crate::message::answer::Answer;
use crate::message::stream::Stream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes that an answer takes beside its own: its request, and its job on the timer.
const EACH: usize = 1 << 10;

/// The memory of all answers that wait for their time or are sent slowly.
#[derive(Debug)]
pub(crate) struct PendingBudget {
    /// Most bytes of all answers together.
    pub most: usize,
    bytes: AtomicUsize,
    answers: AtomicUsize,
}

/// Memory of one answer; dropping the permit frees it.
#[derive(Debug)]
pub(crate) struct Permit {
    budget: Arc<PendingBudget>,
    bytes: usize,
    /// 1 for an answer that is held back; 0 for a stream and for a callback, which have counts of their own.
    answers: usize,
}

impl PendingBudget {
    /// Starts an empty budget of `most` bytes.
    pub(crate) fn new(most: usize) -> Arc<PendingBudget> {
        Arc::new(PendingBudget { most, bytes: AtomicUsize::new(0), answers: AtomicUsize::new(0) })
    }

    /// Reserves memory for `answer`; `None` if the budget is used up.
    pub(crate) fn take(self: &Arc<Self>, answer: &Answer) -> Option<Permit> {
        self.reserve(space(answer), 1)
    }

    /// Reserves memory for a request of `bytes` that waits.
    pub(crate) fn take_bytes(self: &Arc<Self>, bytes: usize) -> Option<Permit> {
        self.reserve(EACH + bytes, 1)
    }

    /// Reserves memory for a stream that begins with `answer`; `None` if the budget is used up.
    pub(crate) fn take_for_stream(self: &Arc<Self>, answer: &Answer, stream: &Stream) -> Option<Permit> {
        let first = stream.first.as_ref().map_or(0, Vec::len);
        self.reserve(space(answer) + stream.space + first, 0)
    }

    /// Reserves memory for a callback of `bytes`.
    ///
    /// # Errors
    /// `too many bytes of answers and callbacks wait: over 8388608 (--max-buffered)`
    pub(crate) fn take_for_callback(self: &Arc<Self>, bytes: usize) -> Result<Permit, String> {
        self.reserve(bytes, 0).ok_or_else(|| {
            format!("too many bytes of answers and callbacks wait: over {} (--max-buffered)", self.most)
        })
    }

    fn reserve(self: &Arc<Self>, bytes: usize, answers: usize) -> Option<Permit> {
        self.count(bytes).ok()?;
        self.answers.fetch_add(answers, Ordering::Relaxed);
        Some(Permit { budget: self.clone(), bytes, answers })
    }

    /// Counts `bytes` more, or returns the most bytes if they do not fit.
    fn count(&self, bytes: usize) -> Result<(), usize> {
        let within = |taken: usize| taken.checked_add(bytes).filter(|taken| *taken <= self.most);
        let counted = self.bytes.fetch_update(Ordering::AcqRel, Ordering::Acquire, within);
        counted.map_or(Err(self.most), |_| Ok(()))
    }

    /// Returns the number of answers. Streams are not among them.
    pub(crate) fn now(&self) -> usize {
        self.answers.load(Ordering::Relaxed)
    }
}

/// Returns the bytes that an answer takes.
fn space(answer: &Answer) -> usize {
    let fields: usize = answer.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    EACH + fields + answer.body.space()
}

impl Permit {
    /// Reserves `bytes` more, or returns the most bytes of the budget if it is used up.
    pub(crate) fn add(&mut self, bytes: usize) -> Result<(), usize> {
        self.budget.count(bytes)?;
        self.bytes += bytes;
        Ok(())
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Frees `bytes` of the memory, which the engine counts from now on.
    pub(crate) fn release(&mut self, bytes: usize) {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        self.budget.bytes.fetch_sub(bytes, Ordering::AcqRel);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.budget.bytes.fetch_sub(self.bytes, Ordering::AcqRel);
        self.budget.answers.fetch_sub(self.answers, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::stream::{Made, Pieces};
    use std::time::Duration;

    #[test]
    fn a_permit_reserves_memory_until_it_is_dropped() {
        let pending = PendingBudget::new(3 * EACH);
        let small = Answer { body: vec![0; 10].into(), ..Answer::default() };
        let large = Answer { body: vec![0; EACH].into(), ..Answer::default() };
        let field = ("name".into(), "value".into());
        let with_field = Answer { headers: vec![field], ..Answer::default() };
        assert_eq!(pending.take(&with_field).map(|permit| permit.bytes), Some(EACH + 9));
        let first = pending.take(&small).unwrap();
        assert_eq!((pending.now(), pending.bytes.load(Ordering::Relaxed)), (1, EACH + 10));
        assert!(pending.take(&large).is_none(), "{pending:?}");
        let second = pending.take(&small);
        assert!(second.is_some() && pending.take(&small).is_none(), "{pending:?}");
        drop(first);
        assert!(pending.take(&large).is_none() && pending.take(&small).is_some());
        drop(second);
        assert_eq!((pending.now(), pending.bytes.load(Ordering::Relaxed)), (0, 0));
        assert!(pending.take(&large).is_some());
    }

    #[test]
    fn a_stream_counts_with_its_pieces_and_not_as_an_answer() {
        struct Empty;
        impl Pieces for Empty {
            fn next(&mut self) -> Made {
                Made { hold: Duration::ZERO, piece: Ok(None) }
            }

            fn is_over(&self) -> bool {
                true
            }
        }
        let pending = PendingBudget::new(3 * EACH);
        let mut stream = Stream::new(Duration::ZERO, 1000, Empty);
        stream.first = Some(vec![0; 24]);
        let mut permit = pending.take_for_stream(&Answer::default(), &stream).unwrap();
        assert_eq!((pending.now(), pending.bytes.load(Ordering::Relaxed)), (0, EACH + 1024));
        assert!(pending.take_for_stream(&Answer::default(), &stream).is_none());
        permit.release(24);
        assert_eq!(pending.bytes.load(Ordering::Relaxed), EACH + 1000);
        // A piece that waits for its time.
        assert_eq!([permit.add(EACH), permit.add(2 * EACH)], [Ok(()), Err(3 * EACH)]);
        assert_eq!(pending.bytes.load(Ordering::Relaxed), 2 * EACH + 1000);
        drop(permit);
        assert_eq!((pending.now(), pending.bytes.load(Ordering::Relaxed)), (0, 0));
    }

    #[test]
    fn permits_may_take_the_whole_budget() {
        for (most, fits) in [(EACH, true), (EACH - 1, false)] {
            assert_eq!(PendingBudget::new(most).take(&Answer::default()).is_some(), fits);
        }
    }
}
