//! The timer thread: sends delayed answers, ends waits at their deadline, and turns the engine's reactor in between. No worker waits.

use crate::serving::http::Reactor;
use crate::system::job_thread::guarded;
use crate::system::lock::lock;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::{io, thread};

/// A job for the timer thread. It must be short and must not wait.
pub(crate) type Job = Box<dyn FnOnce() + Send>;

/// Identifies a job: the time when it is due, and a number to tell jobs of the same time apart.
pub(crate) type Key = (Instant, u64);

/// A handle to the timer thread.
#[derive(Clone)]
pub(crate) struct Timer(Arc<Shared>);

struct Shared {
    jobs: Mutex<Jobs>,
    reactor: Arc<Reactor>,
}

#[derive(Default)]
struct Jobs {
    due: BTreeMap<Key, Job>,
    next: u64,
}

impl Timer {
    /// Starts the thread. It ends with the process.
    pub(crate) fn start(reactor: Arc<Reactor>) -> io::Result<Timer> {
        let shared = Arc::new(Shared { jobs: Mutex::default(), reactor });
        let running = shared.clone();
        thread::Builder::new().name("timer".to_owned()).stack_size(512 << 10).spawn(move || running.run())?;
        Ok(Timer(shared))
    }

    /// Runs `job` on the timer thread after `delay`.
    pub(crate) fn after(&self, delay: Duration, job: Job) -> Key {
        let at = Instant::now() + delay;
        let mut jobs = lock(&self.0.jobs);
        let key = (at, jobs.next);
        jobs.next += 1;
        jobs.due.insert(key, job);
        let first = jobs.due.first_key_value().is_some_and(|(first, _)| *first == key);
        drop(jobs);
        if first {
            self.0.reactor.wake();
        }
        key
    }

    /// Removes a job that has not begun, and returns it.
    pub(crate) fn take(&self, key: Key) -> Option<Job> {
        lock(&self.0.jobs).due.remove(&key)
    }
}

impl Shared {
    fn run(&self) {
        loop {
            for job in (0..AT_ONCE).map_while(|_| self.due()) {
                guarded(job, "a job of the timer");
            }
            let next = lock(&self.jobs).due.first_key_value().map(|((at, _), _)| *at);
            let timeout = next.map(|at| at.saturating_duration_since(Instant::now()));
            guarded(|| self.reactor.turn(timeout), "the engine, on the timer,");
        }
    }

    /// Takes the first job, if it is due.
    fn due(&self) -> Option<Job> {
        let mut jobs = lock(&self.jobs);
        let first = jobs.due.first_entry().filter(|first| first.key().0 <= Instant::now())?;
        Some(first.remove())
    }
}

/// Jobs that run before the engine has its turn. With thousands of due jobs, the engine would otherwise wait for the last one.
const AT_ONCE: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn runs_jobs_when_they_are_due_and_in_order() {
        let timer = Timer::start(Reactor::new().unwrap()).unwrap();
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

    #[test]
    fn a_job_that_is_taken_back_does_not_run() {
        let timer = Timer::start(Reactor::new().unwrap()).unwrap();
        let (send, receive) = mpsc::channel();
        let keys: Vec<Key> = (0..3)
            .map(|number| {
                let send = send.clone();
                timer.after(Duration::from_millis(20), Box::new(move || send.send(number).unwrap()))
            })
            .collect();
        assert!(timer.take(keys[1]).is_some() && timer.take(keys[1]).is_none());
        drop(send);
        assert_eq!(receive.iter().collect::<Vec<_>>(), [0, 2]);
        assert!(timer.take(keys[0]).is_none());
    }
}
