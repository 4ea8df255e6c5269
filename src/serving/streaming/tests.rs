//! The driver with a client that takes each piece at once.

use super::*;
use crate::message::stream::Made;
use crate::serving::http::Reactor;
use crate::serving::pending::PendingBudget;

/// The calls of the driver, in order.
type Calls = Arc<Mutex<Vec<String>>>;

/// A client that takes each piece at once.
struct Fake(Calls);

impl Fake {
    fn note(&self, call: &str) {
        lock(&self.0).push(call.to_owned());
    }
}

impl Sink for Fake {
    fn waiting(&self) -> Option<usize> {
        Some(0)
    }

    fn add(&self, bytes: Vec<u8>) -> bool {
        self.note(&format!("add {}", String::from_utf8(bytes).unwrap()));
        true
    }

    fn when_taken(&self, _: Box<dyn FnOnce() + Send>) {
        self.note("wait");
    }

    fn end(&self) {
        self.note("end");
    }

    fn break_off(&self) {
        self.note("break");
    }

    fn spoil(&self) {
        self.note("spoil");
    }

    fn reset(&self) {
        self.note("reset");
    }
}

/// Calls a function for each piece.
struct Each<F>(F);

impl<F: FnMut() -> Made + Send> Pieces for Each<F> {
    fn next(&mut self) -> Made {
        (self.0)()
    }

    fn is_over(&self) -> bool {
        false
    }
}

fn made(hold: Duration, piece: Option<&str>) -> Made {
    Made { hold, piece: Ok(piece.map(|text| text.as_bytes().to_vec())) }
}

/// Returns a stream that has begun, without a server.
fn begun(streaming: &Arc<Streaming>, calls: &Calls, pieces: impl Pieces + 'static) -> Arc<Live> {
    let ended = calls.clone();
    let on_end: OnEnd = Box::new(move |ending| lock(&ended).push(ending.word().to_owned()));
    let work = Work {
        pieces: Some(Box::new(pieces)),
        due: Instant::now(),
        faults: StreamFaults::default(),
        planned: None,
        on_end: Some(on_end),
        permit: None,
        grown: 0,
    };
    streaming.open.fetch_add(1, Ordering::Relaxed);
    let live = Arc::new(Live {
        number: 7,
        epoch: 0,
        streaming: streaming.clone(),
        sink: Box::new(Fake(calls.clone())),
        every: Duration::ZERO,
        progress: Arc::default(),
        work: Mutex::new(work),
    });
    lock(&streaming.live).insert(7, live.clone());
    live
}

fn streaming() -> Arc<Streaming> {
    let timer = Timer::start(Reactor::new().unwrap()).unwrap();
    Streaming::new(timer, Weak::new(), Arc::default())
}

#[test]
fn a_stream_has_one_end_whatever_comes_first() {
    const HOUR: Duration = Duration::from_secs(3600);
    let calls = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let (streaming, noted) = (streaming(), Calls::default());
    let check = |name: &str, expected: &[&str], open: usize| {
        assert_eq!(*mem::take(&mut *lock(&noted)), calls(expected), "{name}");
        assert_eq!((streaming.open(), lock(&streaming.live).len()), (open, open), "{name}");
    };

    let live = begun(&streaming, &noted, Each(|| made(Duration::ZERO, Some("a"))));
    live.clone().make();
    check("a piece", &["add a", "wait"], 1);
    streaming.end_all(Ending::Reset);
    check("a reset of a later epoch", &[], 1);
    streaming.epoch.next();
    streaming.end_all(Ending::Reset);
    check("a reset", &["reset", "break"], 0);
    live.clone().plan(Instant::now());
    live.make();
    check("a job after the end", &[], 0);

    let live = begun(&streaming, &noted, Each(|| made(Duration::ZERO, None)));
    live.clone().make();
    live.end(Ending::Client, None);
    check("the last piece", &["complete", "end"], 0);

    let live = begun(&streaming, &noted, Each(|| made(HOUR, Some("late"))));
    live.clone().make();
    check("a piece that the timer holds", &[], 1);
    live.end(Ending::Client, None);
    check("the client leaves before it", &["client", "break"], 0);
    // Nothing on the timer keeps the stream in memory.
    assert_eq!(Arc::strong_count(&live), 1);

    let slot: Arc<Mutex<Weak<Live>>> = Arc::default();
    let own = slot.clone();
    let leaves = move || {
        lock(&own).upgrade().unwrap().end(Ending::Client, None);
        made(HOUR, Some("never"))
    };
    let live = begun(&streaming, &noted, Each(leaves));
    *lock(&slot) = Arc::downgrade(&live);
    live.clone().make();
    check("the client leaves while a worker makes a piece", &["client", "break"], 0);
    assert_eq!(Arc::strong_count(&live), 1);

    let live = begun(&streaming, &noted, Each(|| panic!("a native may panic")));
    live.clone().make();
    check("a panic", &["error", "break"], 0);
    assert_eq!(live.progress.now().error.as_deref(), Some("a native function panicked: see the log"));
    drop(live);

    let live = begun(&streaming, &noted, Each(|| made(Duration::ZERO, Some("a"))));
    streaming.end_all(Ending::Stop);
    live.make();
    check("a stop", &["stop", "break"], 0);
}

#[test]
fn a_reset_begins_delayed_streams_of_earlier_epochs_alone() {
    let (streaming, begun) = (streaming(), Calls::default());
    let hold = |epoch: u64| {
        let noted = begun.clone();
        let job = move || lock(&noted).push(format!("epoch {epoch}"));
        streaming.hold(streaming.timer.after(Duration::from_secs(3600), Box::new(job)), epoch);
    };
    hold(0);
    streaming.epoch.next();
    hold(1);
    streaming.end_all(Ending::Reset);
    assert_eq!((&**lock(&begun), streaming.open()), (&["epoch 0".to_owned()][..], 1));
    hold(0);
    assert_eq!((lock(&begun).len(), streaming.open()), (2, 1), "a delayed stream that comes late");
    streaming.end_all(Ending::Stop);
    assert_eq!((lock(&begun).len(), streaming.open()), (3, 0));
}

#[test]
fn a_piece_that_waits_counts_as_memory_until_it_is_sent() {
    const HOUR: Duration = Duration::from_secs(3600);
    let (streaming, noted) = (streaming(), Calls::default());
    let budget = PendingBudget::new(4000);
    let live = begun(&streaming, &noted, Each(|| made(HOUR, Some(&"x".repeat(2000)))));
    lock(&live.work).permit = budget.take(&Answer::default());
    live.clone().make();
    assert_eq!(lock(&live.work).permit.as_ref().map(Permit::bytes), Some(3024));
    let key = lock(&live.work).planned.unwrap();
    streaming.timer.take(key).unwrap()();
    assert_eq!(lock(&live.work).permit.as_ref().map(Permit::bytes), Some(1024));

    let other = budget.take_bytes(0);
    live.clone().make();
    let error = "too many bytes of answers wait here: over 4000 (--max-buffered)";
    assert_eq!(live.progress.now().error.as_deref(), Some(error));
    drop(other);
    let all = budget.take_bytes(4000 - 1024);
    assert!(all.is_some(), "an end frees the memory");
}

#[test]
fn only_the_client_and_long_delays_move_the_schedule() {
    let ms = Duration::from_millis;
    let due = Instant::now() + Duration::from_secs(3600);
    for (every, late, stall, expected) in [
        (200, 0, 0, 200),
        (200, 150, 0, 200),
        (200, 150, 190, 200),
        // The next piece is due before now, and leaves at once. The one after it is in time again.
        (200, 500, 0, 200),
        (200, 0, 700, 700),
        (200, 100, 700, 700),
        (200, 5000, 0, 4000),
        (200, 5000, 700, 4700),
        (0, 0, 0, 0),
        (0, 3000, 0, 2000),
    ] {
        let now = due + ms(late) + ms(stall);
        let next = next_due(due, ms(every), ms(stall), now);
        assert_eq!(next, due + ms(expected), "every {every}, late {late}, stall {stall}");
    }
}
