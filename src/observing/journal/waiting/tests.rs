//! Waits for requests of a journal whose timer runs when a test says so.

mod streams;

use super::*;
use crate::message::answer::Answer;
use crate::message::epoch::Epoch;
use crate::message::request::Request;
use crate::observing::journal::codec::DECODED;
use crate::observing::journal::filter::parse::{WAIT, query};
use crate::observing::journal::tests::enter_body;
use std::sync::mpsc::{self, Receiver};

type Job = Box<dyn FnOnce() + Send>;

/// A journal, and the jobs that its timer has to run.
struct Timed {
    journal: Arc<Journal>,
    jobs: Arc<Mutex<Vec<(Duration, Job)>>>,
}

impl Timed {
    fn new() -> Timed {
        Timed::of(Journal::new(BUDGET, BUDGET).unwrap())
    }

    fn of(journal: Journal) -> Timed {
        let journal = Arc::new(journal);
        let jobs = Arc::<Mutex<Vec<(Duration, Job)>>>::default();
        let timer = jobs.clone();
        journal.watch.set_timer(Box::new(move |delay, job| lock(&timer).push((delay, job))));
        Timed { journal, jobs }
    }

    fn enter(&self, line: &str) {
        enter_body(&self.journal, line, "");
    }

    /// Runs the first job that is due after at most `delay`. Returns whether there was such a job.
    fn run_one(&self, delay: Duration) -> bool {
        let mut jobs = lock(&self.jobs);
        let Some(at) = jobs.iter().position(|(due, _)| *due <= delay) else { return false };
        let (_, job) = jobs.remove(at);
        drop(jobs);
        job();
        true
    }

    /// Runs the jobs that are due after at most `delay`.
    fn run(&self, delay: Duration) {
        while self.run_one(delay) {}
    }

    /// Runs the jobs that call the listeners.
    fn call_listeners(&self) {
        self.run(Duration::from_millis(1));
    }

    fn nobody_listens(&self) -> bool {
        self.journal.watch.listening() == 0
    }
}

const BUDGET: usize = 16 << 10;
const TIMEOUT: Duration = Duration::from_secs(30);

/// Waits whose looks are never cut short, however slow the machine is: one look shows all entries.
fn unhurried(timed: &Timed) -> Arc<Waiters> {
    Waiters::with_times(&timed.journal, Times { slice: TIMEOUT, last_look: TIMEOUT })
}

fn wait(waiters: &Arc<Waiters>, text: &str, timeout: Duration) -> Receiver<String> {
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
fn a_wait_for_requests_that_came_already_ends_at_once() {
    let timed = Timed::new();
    let waiters = unhurried(&timed);
    for line in ["GET /a", "GET /b", "GET /b"] {
        timed.enter(line);
    }
    let table = [
        ("path=/b&count=2", TIMEOUT, "holds [2, 3] of 3"),
        ("path=/b", TIMEOUT, "holds [2] of 2"),
        ("count=0", TIMEOUT, "holds [] of 3"),
        ("path=/b&since=2&count=2", Duration::ZERO, "late 1 lost 0 near [] of 3"),
    ];
    for (filter, timeout, expected) in table {
        let waiting = wait(&waiters, filter, timeout);
        timed.call_listeners();
        assert_eq!(waiting.try_recv().unwrap(), expected, "{filter}");
        assert!(timed.nobody_listens());
    }
}

#[test]
fn a_wait_counts_from_a_reset_on() {
    let epoch = Arc::<Epoch>::default();
    let resets: [&dyn Fn(&Journal); 2] = [&|journal| _ = journal.clear(), &|_| _ = epoch.next()];
    // Enters a request of the present epoch.
    let enter = |timed: &Timed| {
        let request = Request::refused("GET /a", None, ([127, 0, 0, 1], 1).into());
        timed.journal.record_refused(request, "why", &Answer::default());
    };
    for reset in resets {
        let timed = Timed::of(Journal::new(BUDGET, BUDGET).unwrap().of_epoch(&epoch));
        let waiters = unhurried(&timed);
        let [waiting, late] = ["path=/a&count=2", "path=/a&count=3"].map(|f| wait(&waiters, f, TIMEOUT));
        enter(&timed);
        timed.call_listeners();
        reset(&timed.journal);
        enter(&timed);
        timed.call_listeners();
        assert!(waiting.try_recv().is_err());
        enter(&timed);
        timed.call_listeners();
        assert_eq!(waiting.try_recv().unwrap(), "holds [2, 3] of 3");
        // The wait times out before it has looked again after the reset.
        reset(&timed.journal);
        enter(&timed);
        timed.run(TIMEOUT);
        assert_eq!(late.try_recv().unwrap(), "late 1 lost 0 near [] of 4");
    }
}

#[test]
fn a_wait_that_is_given_up_drops_its_callback() {
    let timed = Timed::new();
    let waiters = unhurried(&timed);
    let held = Arc::new(());
    let (then, asked) = (held.clone(), query("path=/a", WAIT).unwrap());
    let id = waiters.wait(asked, 1, TIMEOUT, Box::new(move |_, _| drop(then)));
    assert_eq!(Arc::strong_count(&held), 2);
    waiters.forget(id);
    assert_eq!(Arc::strong_count(&held), 1);
    assert!(timed.nobody_listens() && lock(&waiters.state).waiting.is_empty());
    timed.enter("GET /a");
    timed.run(TIMEOUT);
    waiters.forget(id);
}

#[test]
fn the_first_look_is_part_of_the_time() {
    let timed = Timed::new();
    (0..5).for_each(|_| timed.enter("GET /a"));
    // Slices that end with their first entry.
    let times = Times { slice: Duration::ZERO, last_look: Duration::ZERO };
    let waiters = Waiters::with_times(&timed.journal, times);
    let [waiting, once] = [TIMEOUT, Duration::ZERO].map(|timeout| wait(&waiters, "path=/a&count=9", timeout));
    assert!(timed.run_one(Duration::ZERO) && waiting.try_recv().is_err());
    let expired = {
        let mut jobs = lock(&timed.jobs);
        let (expired, rest): (Vec<_>, Vec<_>) = jobs.drain(..).partition(|(due, _)| !due.is_zero());
        *jobs = rest;
        expired
    };
    expired.into_iter().for_each(|(_, job)| job());
    assert_eq!(waiting.try_recv().unwrap(), "late 1 lost 4 near [] of 5");
    assert_eq!(once.try_recv().unwrap(), "TooLong(TooLong) 0");
}

#[test]
fn a_wait_ends_with_the_request_that_makes_it_hold() {
    let timed = Timed::new();
    let waiters = unhurried(&timed);
    timed.enter("GET /a");
    let waiting = wait(&waiters, "path=/a&count=3", TIMEOUT);
    timed.enter("GET /a");
    timed.call_listeners();
    timed.enter("GET /b");
    timed.call_listeners();
    assert!(waiting.try_recv().is_err());
    timed.enter("GET /a");
    timed.call_listeners();
    assert_eq!(waiting.try_recv().unwrap(), "holds [1, 2, 4] of 4");
    assert!(timed.nobody_listens());
    timed.run(TIMEOUT);
    assert!(waiting.try_recv().is_err());
}

#[test]
fn a_wait_listens_before_its_first_look() {
    let timed = Timed::new();
    let waiters = unhurried(&timed);
    timed.enter("GET /a");
    let waiting = wait(&waiters, "path=/a&count=2", TIMEOUT);
    assert_eq!(timed.journal.watch.listening(), 1);
    timed.enter("GET /a");
    // The first job of all is that look: it sees the request that came before it.
    assert!(timed.run_one(Duration::ZERO));
    assert_eq!(waiting.try_recv().unwrap(), "holds [1, 2] of 2");
}

#[test]
fn a_look_that_was_cut_short_is_followed_by_another() {
    let timed = Timed::new();
    // Slices that end with their first entry.
    let times = Times { slice: Duration::ZERO, last_look: TIMEOUT };
    let waiters = Waiters::with_times(&timed.journal, times);
    (0..20).for_each(|_| timed.enter("GET /a"));
    let waiting = ["count=20", "count=7", "path=/a&count=20"].map(|filter| wait(&waiters, filter, TIMEOUT));
    timed.call_listeners();
    assert_eq!(waiting[1].try_recv().unwrap(), "holds [1, 2, 3, 4, 5, 6, 7] of 7");
    for index in [0, 2] {
        assert!(waiting[index].try_recv().unwrap().ends_with("of 20"), "{index}");
    }
}

#[test]
fn entries_that_were_evicted_between_two_looks_count_as_lost() {
    let timed = Timed::new();
    let waiters = unhurried(&timed);
    let waiting = wait(&waiters, "path=/a&count=2", TIMEOUT);
    let from_2 = wait(&waiters, "path=/a&since=2", TIMEOUT);
    timed.enter("GET /b");
    timed.call_listeners();
    (0..2000).for_each(|_| timed.enter("GET /x"));
    let first = timed.journal.stats().first;
    timed.call_listeners();
    timed.enter("GET /a");
    timed.call_listeners();
    assert_eq!(from_2.try_recv().unwrap(), "holds [2002] of 2002");
    // Only the entries before the first one that is left are lost.
    timed.run(TIMEOUT);
    let expected = format!("late 1 lost {} near ", first - 2);
    let found = waiting.try_recv().unwrap();
    assert!(first > 100 && found.starts_with(&expected), "{found}, not {expected}");
}

#[test]
fn entries_that_the_last_look_had_no_time_for_count_as_lost() {
    let timed = Timed::new();
    let times = Times { slice: Duration::ZERO, last_look: Duration::ZERO };
    let waiters = Waiters::with_times(&timed.journal, times);
    let waiting = wait(&waiters, "path=/b", TIMEOUT);
    (0..3).for_each(|_| timed.enter("GET /a"));
    timed.journal.clear();
    (0..4).for_each(|_| timed.enter("GET /a"));
    // The time is over before the first look.
    let (_, expire) = lock(&timed.jobs).extract_if(.., |(due, _)| *due == TIMEOUT).next().unwrap();
    expire();
    assert_eq!(waiting.try_recv().unwrap(), "late 0 lost 4 near [7, 6, 5] of 7");
}

#[test]
fn each_entry_is_read_once_for_all_waits() {
    let timed = Timed::new();
    let waiters = unhurried(&timed);
    let waiting: Vec<_> =
        (0..50).map(|n| wait(&waiters, &format!("path=/a&count={}", n % 5 + 1), TIMEOUT)).collect();
    timed.call_listeners();
    assert_eq!(timed.journal.watch.listening(), 1);
    for _ in 0..5 {
        timed.enter("GET /a");
        timed.call_listeners();
    }
    for (n, waiting) in waiting.iter().enumerate() {
        let expected = format!("of {}", n % 5 + 1);
        assert!(waiting.try_recv().unwrap().ends_with(&expected), "{n}");
    }
    assert_eq!(DECODED.get(), 5);
}

#[test]
fn a_wait_that_times_out_reports_what_came() {
    let timed = Timed::new();
    let waiters = unhurried(&timed);
    let waiting = wait(&waiters, "path=/a&count=3", TIMEOUT);
    for line in ["GET /x", "GET /a", "GET /b"] {
        timed.enter(line);
    }
    timed.call_listeners();
    // These two are evicted before the next look.
    (0..2).for_each(|_| timed.enter("GET /a"));
    (0..1000).for_each(|_| timed.enter("GET /x"));
    timed.run(TIMEOUT);
    let lost = timed.journal.stats().first - 4;
    let expected = format!("late 1 lost {lost} near [1005, 1004, 1003] of 1005");
    assert!(lost > 2);
    assert_eq!(waiting.try_recv().unwrap(), expected);
    let waiting = wait(&waiters, "path=/xy&since=1004", TIMEOUT);
    timed.run(TIMEOUT);
    assert_eq!(waiting.try_recv().unwrap(), "late 0 lost 0 near [1005] of 1005");
    assert!(timed.nobody_listens());
}

#[test]
fn deleted_entries_do_not_count_as_lost() {
    let timed = Timed::new();
    let waiters = unhurried(&timed);
    let waiting = wait(&waiters, "path=/a", TIMEOUT);
    timed.enter("GET /b");
    timed.journal.clear();
    timed.enter("GET /b");
    timed.call_listeners();
    timed.run(TIMEOUT);
    assert_eq!(waiting.try_recv().unwrap(), "late 0 lost 0 near [2] of 2");
}

#[test]
fn a_wait_ends_when_the_process_stops() {
    let timed = Timed::new();
    let waiters = unhurried(&timed);
    let waiting = wait(&waiters, "path=/a", TIMEOUT);
    timed.journal.close();
    timed.call_listeners();
    assert_eq!(waiting.try_recv().unwrap(), "Stopping 0");
    timed.run(TIMEOUT);
    assert!(waiting.try_recv().is_err());
}
