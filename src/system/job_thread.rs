//! A thread with a bounded queue, which runs its jobs one after the other.

use super::lock::lock;
use super::renewed_thread::{self, Next};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};

/// The queue of a thread that runs jobs.
pub(crate) struct JobThread<T>(SyncSender<T>);

impl<T: Send + 'static> JobThread<T> {
    /// Starts a thread called `name` with a stack of `stack` bytes and a queue of at most `most` jobs.
    ///
    /// The thread ends when its queue is dropped. A new thread replaces it after each job for which `grown` returns true, which means
    /// that the job used much of the stack.
    ///
    /// # Errors
    /// The system refuses a thread.
    pub(crate) fn start(
        name: &'static str,
        stack: usize,
        most: usize,
        grown: fn() -> bool,
        run: impl Fn(T) + Send + Sync + 'static,
    ) -> io::Result<JobThread<T>> {
        let (queue, jobs) = sync_channel(most);
        let jobs = Mutex::new(jobs);
        let work = move || {
            for job in lock(&jobs).iter() {
                guarded(|| run(job), name);
                if grown() {
                    return Next::Renew;
                }
            }
            Next::End
        };
        renewed_thread::start(name.to_owned(), stack, Arc::new(work))?;
        Ok(JobThread(queue))
    }

    /// Queues `job`. Returns it if the queue is full.
    pub(crate) fn submit(&self, job: T) -> Result<(), T> {
        self.0.try_send(job).map_err(|refused| match refused {
            TrySendError::Full(job) | TrySendError::Disconnected(job) => job,
        })
    }
}

/// Calls `run` and catches a panic, so that the thread continues. The log names the source of the panic by `what`.
pub(crate) fn guarded(run: impl FnOnce(), what: &str) {
    if catch_unwind(AssertUnwindSafe(run)).is_err() {
        log::error!("{what} panicked; the thread goes on");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Duration;

    #[test]
    fn jobs_run_in_order_after_a_panic_too_and_a_full_queue_returns_the_job() {
        let (done, ran) = mpsc::channel();
        let (open, gate) = mpsc::channel::<()>();
        let gate = Mutex::new(gate);
        let run = move |job: u32| {
            done.send(job).unwrap();
            assert_ne!(job, 2, "a job may panic");
            lock(&gate).recv().unwrap();
        };
        // Each job has a thread of its own.
        let thread = JobThread::start("a job", 128 << 10, 3, || true, run).unwrap();
        assert_eq!(thread.submit(1), Ok(()));
        assert_eq!(ran.recv_timeout(Duration::from_secs(10)), Ok(1));
        // Job 1 runs, three others wait.
        for job in [2, 3, 4] {
            assert_eq!(thread.submit(job), Ok(()));
        }
        assert_eq!(thread.submit(5), Err(5));
        for job in [2, 3, 4] {
            let _ = open.send(());
            assert_eq!(ran.recv_timeout(Duration::from_secs(10)), Ok(job));
        }
    }
}
