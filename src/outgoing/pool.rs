//! A pool of a few threads that may wait for the network. A thread starts when a job comes and none is free.

use crate::system::job_thread::guarded;
use crate::system::lock::lock;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

/// A job that may wait, up to its own deadline.
pub(crate) type Job = Box<dyn FnOnce() + Send>;

pub(crate) struct Pool {
    /// Of its threads.
    name: &'static str,
    most: usize,
    state: Mutex<State>,
    added: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    threads: usize,
    free: usize,
}

/// Most jobs that wait.
const MOST_WAITING: usize = 1_024;
/// Stack of a thread: a lookup of the C library takes the most.
const STACK: usize = 256 << 10;

impl Pool {
    pub(crate) fn new(name: &'static str, most: usize) -> Pool {
        Pool { name, most, state: Mutex::default(), added: Condvar::new() }
    }

    /// Returns the number of threads that may run at once.
    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// Adds a job. Returns it if the queue is full, or the system has no thread for it.
    pub(crate) fn submit(self: &Arc<Self>, job: Job) -> Result<(), Job> {
        let mut state = lock(&self.state);
        if state.waiting.len() >= MOST_WAITING {
            return Err(job);
        }
        state.waiting.push_back(job);
        if state.free >= state.waiting.len() || state.threads == self.most {
            self.added.notify_one();
            return Ok(());
        }
        let pool = self.clone();
        let name = format!("{}-{}", self.name, state.threads);
        match thread::Builder::new().name(name).stack_size(STACK).spawn(move || pool.run()) {
            Ok(_) => state.threads += 1,
            Err(_) if state.threads > 0 => {}
            Err(_) => return state.waiting.pop_back().map_or(Ok(()), Err),
        }
        Ok(())
    }

    fn run(&self) {
        loop {
            let mut state = lock(&self.state);
            state.free += 1;
            let waited = self.added.wait_while(state, |state| state.waiting.is_empty());
            state = waited.unwrap_or_else(PoisonError::into_inner);
            state.free -= 1;
            let job = state.waiting.pop_front();
            drop(state);
            job.into_iter().for_each(|job| guarded(job, "an outgoing request"));
        }
    }
}
