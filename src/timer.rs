//! The timer thread: answers that leave later, waits with a deadline. One thread for all of them; no worker waits.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{io, thread};

/// What is due at some time. Must be short, and must not wait.
pub type Job = Box<dyn FnOnce() + Send>;

/// A handle to the timer thread.
#[derive(Clone)]
pub struct Timer(Arc<Shared>);

struct Shared {
    jobs: Mutex<Jobs>,
    earlier: Condvar,
}

#[derive(Default)]
struct Jobs {
    due: BinaryHeap<Reverse<(Instant, u64)>>,
    jobs: std::collections::HashMap<u64, Job>,
    next: u64,
}

impl Timer {
    /// Starts the thread. It ends with the process.
    ///
    /// # Errors
    /// The system refuses a thread.
    pub fn start() -> io::Result<Timer> {
        let shared = Arc::new(Shared { jobs: Mutex::default(), earlier: Condvar::new() });
        let running = shared.clone();
        thread::Builder::new().name("timer".to_owned()).stack_size(512 << 10).spawn(move || running.run())?;
        Ok(Timer(shared))
    }

    /// Runs `job` on the timer thread after `delay`.
    pub fn after(&self, delay: Duration, job: Job) {
        let at = Instant::now() + delay;
        let mut jobs = self.0.open();
        let number = jobs.next;
        jobs.next += 1;
        jobs.jobs.insert(number, job);
        jobs.due.push(Reverse((at, number)));
        let first = jobs.due.peek().is_some_and(|Reverse((_, next))| *next == number);
        drop(jobs);
        if first {
            self.0.earlier.notify_one();
        }
    }
}

impl Shared {
    fn open(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        loop {
            let job = self.wait();
            if catch_unwind(AssertUnwindSafe(job)).is_err() {
                log::error!("a job of the timer panicked");
            }
        }
    }

    /// The next job, once it is due.
    fn wait(&self) -> Job {
        let mut jobs = self.open();
        loop {
            let now = Instant::now();
            jobs = match jobs.due.peek().copied() {
                None => self.earlier.wait(jobs).unwrap_or_else(PoisonError::into_inner),
                Some(Reverse((at, _))) if at > now => {
                    self.earlier.wait_timeout(jobs, at - now).unwrap_or_else(PoisonError::into_inner).0
                }
                Some(Reverse((_, number))) => {
                    jobs.due.pop();
                    match jobs.jobs.remove(&number) {
                        Some(job) => return job,
                        None => jobs,
                    }
                }
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn runs_jobs_when_they_are_due_and_in_order() {
        let timer = Timer::start().unwrap();
        let (send, receive) = mpsc::channel();
        let began = Instant::now();
        for pause in [30, 10, 20] {
            let send = send.clone();
            timer.after(Duration::from_millis(pause), Box::new(move || send.send(pause).unwrap()));
        }
        timer.after(Duration::ZERO, Box::new(|| panic!("a job may fail")));
        let order: Vec<u64> = receive.iter().take(3).collect();
        assert_eq!(order, [10, 20, 30]);
        assert!(began.elapsed() >= Duration::from_millis(30));
    }
}
