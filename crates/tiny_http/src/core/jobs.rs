//! Jobs of the program for the workers. A worker that waits for a request runs a job meanwhile; a busy pool takes requests and
//! jobs in turn.

use crate::lock::lock;
use rustix::event::{EventfdFlags, eventfd};
use rustix::io::write;
use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// A task for a worker, such as making the next piece of an answer.
pub type Job = Box<dyn FnOnce() + Send>;

/// The jobs that no worker has taken yet, in the order of their arrival.
pub(crate) struct Jobs {
    waiting: Mutex<VecDeque<Job>>,
    /// Most jobs that wait.
    most: usize,
    /// A job waits. Most looks find none, and need no lock.
    any: AtomicBool,
    /// A request was taken since the last job.
    turn: AtomicBool,
    /// Ends the wait of a worker. epoll reports each write once, so nothing has to read it.
    pub wake: OwnedFd,
}

impl Jobs {
    pub(crate) fn new(most: usize) -> io::Result<Jobs> {
        let wake = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let (waiting, any, turn) = (Mutex::default(), AtomicBool::new(false), AtomicBool::new(true));
        Ok(Jobs { waiting, most, any, turn, wake })
    }

    /// Adds a job at the end of the queue, or returns it if the queue is full.
    pub(crate) fn submit(&self, job: Job) -> Result<(), Job> {
        let mut waiting = lock(&self.waiting);
        if waiting.len() >= self.most {
            return Err(job);
        }
        let first = waiting.is_empty();
        waiting.push_back(job);
        self.any.store(true, Ordering::Release);
        drop(waiting);
        if first {
            // The write fails only if the counter is full. Then epoll has an event to report anyway.
            let _ = write(&self.wake, &1_u64.to_ne_bytes());
        }
        Ok(())
    }

    pub(crate) fn any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// Takes the first job if the last one was followed by a look for requests.
    pub(crate) fn pop_in_turn(&self) -> Option<Job> {
        if self.any() && self.turn.swap(false, Ordering::AcqRel) { self.pop() } else { None }
    }

    /// Takes the first job.
    pub(crate) fn pop(&self) -> Option<Job> {
        if !self.any() {
            return None;
        }
        let mut waiting = lock(&self.waiting);
        let first = waiting.pop_front();
        self.any.store(!waiting.is_empty(), Ordering::Release);
        first
    }

    /// Notes that a worker has looked for requests.
    pub(crate) fn has_looked(&self) {
        self.turn.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;

    #[test]
    fn jobs_are_taken_in_order_and_the_queue_has_a_bound() {
        let (jobs, ran) = (Jobs::new(2).unwrap(), Arc::new(Mutex::new(Vec::new())));
        let submit = |number: usize| {
            let ran = ran.clone();
            jobs.submit(Box::new(move || lock(&ran).push(number))).is_ok()
        };
        assert!(jobs.pop().is_none() && !jobs.any());
        assert_eq!([submit(1), submit(2), submit(3)], [true, true, false]);
        jobs.pop().unwrap()();
        assert!(submit(4) && jobs.any());
        std::iter::from_fn(|| jobs.pop()).for_each(|job| job());
        assert_eq!(*lock(&ran), [1, 2, 4]);
        assert!(!jobs.any());
    }

    #[test]
    fn jobs_and_requests_are_taken_in_turn() {
        let (jobs, ran) = (Jobs::new(9).unwrap(), Arc::new(AtomicUsize::new(0)));
        for _ in 0..3 {
            let ran = ran.clone();
            assert!(jobs.submit(Box::new(move || _ = ran.fetch_add(1, Ordering::Relaxed))).is_ok());
        }
        assert!(jobs.pop_in_turn().is_some());
        assert!(jobs.pop_in_turn().is_none(), "a request comes first");
        jobs.has_looked();
        assert!(jobs.pop_in_turn().is_some());
    }
}
