//! What answers take up that leave later, within a limit. Knows no timer and no connection.

use crate::message::answer::Answer;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What an answer takes up beside its bytes: its request, its place on the timer.
const EACH: usize = 1 << 10;

/// The answers that wait, or dribble.
#[derive(Debug)]
pub(crate) struct PendingBudget {
    most: usize,
    bytes: AtomicUsize,
    answers: AtomicUsize,
}

/// What one answer takes up, until it is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    budget: Arc<PendingBudget>,
    bytes: usize,
}

impl PendingBudget {
    /// None yet, `most` bytes at most.
    pub(crate) fn new(most: usize) -> Arc<PendingBudget> {
        Arc::new(PendingBudget { most, bytes: AtomicUsize::new(0), answers: AtomicUsize::new(0) })
    }

    pub(crate) fn take(self: &Arc<Self>, answer: &Answer) -> Option<Permit> {
        let fields: usize = answer.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        let bytes = EACH + fields + answer.body.space();
        let within = |taken: usize| taken.checked_add(bytes).filter(|taken| *taken <= self.most);
        self.bytes.fetch_update(Ordering::AcqRel, Ordering::Acquire, within).ok()?;
        self.answers.fetch_add(1, Ordering::Relaxed);
        Some(Permit { budget: self.clone(), bytes })
    }

    /// Bytes that all may take up.
    pub(crate) fn most(&self) -> usize {
        self.most
    }

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
    fn answers_take_up_room_until_they_have_left() {
        let pending = PendingBudget::new(3 * EACH);
        let small = Answer { body: vec![0; 10].into(), ..Answer::default() };
        let large = Answer { body: vec![0; EACH].into(), ..Answer::default() };
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
}
