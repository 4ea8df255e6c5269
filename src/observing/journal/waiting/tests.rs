//! Waits against a journal in memory, whose timer runs when a test says so.

use super::*;
use crate::observing::journal::entry::Entry;
use crate::observing::journal::filter::parse::{WAIT, query};
use crate::observing::journal::filter::tests::entry;
use crate::observing::journal::verify::tests::Kept;
use std::collections::BTreeMap;
use std::sync::mpsc::{self, Receiver};

type Job = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Fake {
    kept: Mutex<Kept>,
    /// Numbers of the entries that were shown to somebody.
    shown: Mutex<Vec<u64>>,
    listeners: Mutex<BTreeMap<u64, Arc<dyn Fn() + Send + Sync>>>,
    jobs: Mutex<Vec<(Duration, Job)>>,
    closed: Mutex<bool>,
}

impl Recorded for Fake {
    fn last(&self) -> u64 {
        self.kept.lock().unwrap().last
    }

    fn cleared(&self) -> u64 {
        self.kept.lock().unwrap().cleared
    }

    fn read(&self, since: u64, each: &mut dyn FnMut(&Entry) -> ControlFlow<()>) {
        let entries = self.kept.lock().unwrap().entries.clone();
        let _ = entries.iter().filter(|entry| entry.number > since).try_for_each(|entry| {
            self.shown.lock().unwrap().push(entry.number);
            each(entry)
        });
    }
}

impl Watched for Fake {
    type Watch = u64;

    fn listen(&self, listener: Box<dyn Fn() + Send + Sync>) -> u64 {
        let mut listeners = self.listeners.lock().unwrap();
        let id = listeners.keys().next_back().copied().unwrap_or_default() + 1;
        listeners.insert(id, listener.into());
        id
    }

    fn ignore(&self, watch: u64) {
        assert!(self.listeners.lock().unwrap().remove(&watch).is_some());
    }

    fn after(&self, delay: Duration, job: Job) {
        self.jobs.lock().unwrap().push((delay, job));
    }

    fn is_closed(&self) -> bool {
        *self.closed.lock().unwrap()
    }
}

impl Fake {
    /// Enters a request without telling anybody.
    fn enter(&self, line: &str) {
        let mut kept = self.kept.lock().unwrap();
        kept.last += 1;
        let number = kept.last;
        kept.entries.push(entry(number, line, &[], ""));
    }

    fn tell(&self) {
        let listeners: Vec<_> = self.listeners.lock().unwrap().values().cloned().collect();
        listeners.iter().for_each(|listener| listener());
    }

    /// Runs the jobs that are due after `delay`.
    fn run(&self, delay: Duration) {
        loop {
            let mut jobs = self.jobs.lock().unwrap();
            let Some(at) = jobs.iter().position(|(due, _)| *due == delay) else { return };
            let (_, job) = jobs.remove(at);
            drop(jobs);
            job();
        }
    }

    fn evict(&self, count: usize) {
        self.kept.lock().unwrap().entries.drain(..count);
    }
}

const TIMEOUT: Duration = Duration::from_secs(30);

/// Waits whose looks are never cut short, however slow the machine is: one look sees all entries.
fn unhurried(journal: &Arc<Fake>) -> Arc<Waiters<Fake>> {
    Waiters::with_times(journal, Times { slice: TIMEOUT, last_look: TIMEOUT })
}

fn wait(waiters: &Arc<Waiters<Fake>>, text: &str, timeout: Duration) -> Receiver<String> {
    let (send, receive) = mpsc::channel();
    let asked = query(text, WAIT).unwrap();
    let wanted = asked.count.unwrap_or(1);
    let told = move |waited, last| {
        let text = match waited {
            Waited::Holds(tally) => format!("holds {:?} of {last}", tally.numbers),
            Waited::Late(tally, near) => {
                let near: Vec<u64> = near.iter().map(|near| near.number).collect();
                format!("late {} lost {} near {near:?} of {last}", tally.count, tally.lost)
            }
            other => format!("{other:?} {last}"),
        };
        send.send(text).unwrap();
    };
    waiters.wait(asked, wanted, timeout, Box::new(told));
    receive
}

#[test]
fn what_holds_already_is_answered_at_once() {
    let journal = Arc::new(Fake::default());
    let waiters = unhurried(&journal);
    for line in ["GET /a", "GET /b", "GET /b"] {
        journal.enter(line);
    }
    assert_eq!(wait(&waiters, "path=/b&count=2", TIMEOUT).try_recv().unwrap(), "holds [2, 3] of 3");
    assert_eq!(wait(&waiters, "path=/b", TIMEOUT).try_recv().unwrap(), "holds [2] of 2");
    assert_eq!(wait(&waiters, "count=0", TIMEOUT).try_recv().unwrap(), "holds [] of 0");
    let late = wait(&waiters, "path=/b&since=2&count=2", Duration::ZERO).try_recv().unwrap();
    assert_eq!(late, "late 1 lost 0 near [] of 3");
    assert!(journal.listeners.lock().unwrap().is_empty() && journal.jobs.lock().unwrap().is_empty());
}

#[test]
fn a_wait_ends_with_the_request_that_makes_it_hold() {
    let journal = Arc::new(Fake::default());
    let waiters = unhurried(&journal);
    journal.enter("GET /a");
    let waiting = wait(&waiters, "path=/a&count=3", TIMEOUT);
    // Nobody tells of this one: the look that follows the listener sees it.
    journal.enter("GET /a");
    journal.run(Duration::ZERO);
    journal.enter("GET /b");
    journal.tell();
    assert!(waiting.try_recv().is_err());
    journal.enter("GET /a");
    journal.tell();
    assert_eq!(waiting.try_recv().unwrap(), "holds [1, 2, 4] of 4");
    assert!(journal.listeners.lock().unwrap().is_empty());
    journal.run(TIMEOUT);
    assert!(waiting.try_recv().is_err());
}

#[test]
fn each_entry_is_read_once_for_all_who_wait() {
    let journal = Arc::new(Fake::default());
    let waiters = Waiters::of(&journal);
    let waiting: Vec<_> =
        (0..50).map(|n| wait(&waiters, &format!("path=/a&count={}", n % 5 + 1), TIMEOUT)).collect();
    journal.run(Duration::ZERO);
    assert_eq!(journal.listeners.lock().unwrap().len(), 1);
    for _ in 0..5 {
        journal.enter("GET /a");
        journal.tell();
        // Each of the slices that were cut short is followed by another.
        journal.run(Duration::ZERO);
    }
    for (n, waiting) in waiting.iter().enumerate() {
        let expected = format!("of {}", n % 5 + 1);
        assert!(waiting.try_recv().unwrap().ends_with(&expected), "{n}");
    }
    let shown = journal.shown.lock().unwrap();
    assert!(shown.is_sorted() && shown.len() < 50, "{shown:?}");
}

#[test]
fn a_wait_whose_time_is_over_tells_what_there_is() {
    let journal = Arc::new(Fake::default());
    let waiters = unhurried(&journal);
    let waiting = wait(&waiters, "path=/a&count=3", TIMEOUT);
    for line in ["GET /x", "GET /a", "GET /b"] {
        journal.enter(line);
    }
    journal.tell();
    // These two are gone before anybody could look.
    journal.enter("GET /a");
    journal.enter("GET /a");
    journal.evict(5);
    journal.enter("GET /a");
    journal.run(TIMEOUT);
    assert_eq!(waiting.try_recv().unwrap(), "late 2 lost 2 near [] of 6");
    let waiting = wait(&waiters, "path=/ab&since=5", TIMEOUT);
    journal.run(TIMEOUT);
    assert_eq!(waiting.try_recv().unwrap(), "late 0 lost 0 near [6] of 6");
    assert!(journal.listeners.lock().unwrap().is_empty());
}

#[test]
fn what_was_removed_on_purpose_is_not_missed() {
    let journal = Arc::new(Fake::default());
    let waiters = unhurried(&journal);
    let waiting = wait(&waiters, "path=/a", TIMEOUT);
    journal.enter("GET /b");
    journal.evict(1);
    journal.kept.lock().unwrap().cleared = 1;
    journal.enter("GET /b");
    journal.tell();
    journal.run(TIMEOUT);
    assert_eq!(waiting.try_recv().unwrap(), "late 0 lost 0 near [2] of 2");
}

#[test]
fn who_waits_when_the_process_stops_is_told() {
    let journal = Arc::new(Fake::default());
    let waiters = unhurried(&journal);
    let waiting = wait(&waiters, "path=/a", TIMEOUT);
    *journal.closed.lock().unwrap() = true;
    journal.tell();
    assert_eq!(waiting.try_recv().unwrap(), "Stopping 0");
    journal.run(TIMEOUT);
    assert!(waiting.try_recv().is_err());
}
