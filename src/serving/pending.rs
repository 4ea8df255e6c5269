//! Memory budget for delayed answers, and for requests that wait (`wait_for`).

use crate::message::answer::Answer;
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
}

impl PendingBudget {
    /// Starts an empty budget of `most` bytes.
    pub(crate) fn new(most: usize) -> Arc<PendingBudget> {
        Arc::new(PendingBudget { most, bytes: AtomicUsize::new(0), answers: AtomicUsize::new(0) })
    }

    /// Reserves memory for `answer`; `None` if the budget is used up.
    pub(crate) fn take(self: &Arc<Self>, answer: &Answer) -> Option<Permit> {
        let fields: usize = answer.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        self.take_bytes(fields + answer.body.space())
    }

    /// Reserves memory for something of `bytes` bytes that waits.
    pub(crate) fn take_bytes(self: &Arc<Self>, bytes: usize) -> Option<Permit> {
        let bytes = EACH + bytes;
        let within = |taken: usize| taken.checked_add(bytes).filter(|taken| *taken <= self.most);
        self.bytes.fetch_update(Ordering::AcqRel, Ordering::Acquire, within).ok()?;
        self.answers.fetch_add(1, Ordering::Relaxed);
        Some(Permit { budget: self.clone(), bytes })
    }

    /// Returns the number of answers.
    pub(crate) fn now(&self) -> usize {
        self.answers.load(Ordering::Relaxed)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.budget.bytes.fetch_sub(self.bytes, Ordering::AcqRel);
        self.budget.answers.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn permits_may_take_the_whole_budget() {
        for (most, fits) in [(EACH, true), (EACH - 1, false)] {
            assert_eq!(PendingBudget::new(most).take(&Answer::default()).is_some(), fits);
        }
    }
}
