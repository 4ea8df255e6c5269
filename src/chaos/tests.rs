//! Entries of chaos and requests, without connections.

use super::*;
use crate::chaos::{Act, Breaking, Course, Cut, Delay, Dribble, Paths, StreamAct, Target};
use crate::message::stream::{Made, Pieces, Stream};
use fastrand::Rng;
use std::sync::Mutex;

fn entry(act: Act) -> Entry {
    Entry {
        target: Target::default(),
        act,
        probability: 1.0,
        times: None,
        until: None,
        given: Value::Null,
        size: 0,
        course: Mutex::new(Course { random: Rng::with_seed(1), hits: 0 }),
    }
}

fn delayed(ms: f64) -> Entry {
    entry(Act { delay: Some(Delay::Fixed(ms)), ..Act::default() })
}

fn broken(breaking: Breaking) -> Entry {
    entry(Act { breaking: Some(breaking), ..Act::default() })
}

fn request(path: &str) -> Request {
    Request::from_parts("GET", path, None::<(&str, &str)>, Vec::new(), None, None)
}

/// Returns the reply to a request of `path`, if `chaos` changes it.
fn struck(chaos: &Chaos, path: &str) -> Option<Reply> {
    let mut effect = chaos.strike(&request(path), "", None, false)?;
    let mut reply: Reply = effect.replacement.take().unwrap_or_else(|| Answer::text(200, "script")).into();
    effect.apply(&mut reply);
    Some(reply)
}

#[test]
fn delays_add_up_and_the_first_of_each_other_fault_counts() {
    let chaos = Chaos::default();
    let replacement = |status| Some(Answer { status, ..Answer::default() });
    let list = vec![
        delayed(100.0),
        broken(Breaking::Reset),
        delayed(50.0),
        broken(Breaking::Close),
        entry(Act { replacement: replacement(503), ..Act::default() }),
        entry(Act { replacement: replacement(500), ..Act::default() }),
    ];
    assert_eq!(chaos.set(list, true), Ok(vec![1, 2, 3, 4, 5, 6]));
    let reply = struck(&chaos, "/").unwrap();
    assert_eq!((reply.answer.status, reply.hold), (503, Duration::from_millis(150)));
    let injected = reply.injected.unwrap();
    assert_eq!(injected.breaking, Some(Breaking::Reset));
    let words = "delay 100 ms (chaos 1), fault reset (chaos 2), delay 50 ms (chaos 3), status 503 (chaos 5)";
    assert_eq!(injected.words, words);
    let dribbles = |chunks| entry(Act { dribble: Dribble::new(chunks, 9.0).ok(), ..Act::default() });
    chaos.set(vec![dribbles(2), dribbles(3)], true).unwrap();
    let injected = struck(&chaos, "/").unwrap().injected.unwrap();
    assert_eq!(injected.words, "dribble 2 chunks in 9 ms (chaos 7)");
    assert_eq!(injected.dribble.unwrap().chunks, 2);
}

#[test]
fn an_entry_replaces_faults_of_the_script_and_adds_to_its_delay() {
    let chaos = Chaos::default();
    let dribble = |chunks| Dribble::new(chunks, 9.0).unwrap();
    let dribbling = entry(Act { dribble: Some(dribble(2)), ..Act::default() });
    chaos.set(vec![broken(Breaking::Close), delayed(5.0), dribbling], true).unwrap();
    let mut reply = Reply::from(Answer::text(200, "x"));
    reply.dribble(dribble(3), "");
    reply.delay(Duration::from_millis(7), "");
    reply.break_off(Breaking::Reset, "");
    chaos.strike(&request("/"), "", None, false).unwrap().apply(&mut reply);
    assert_eq!(reply.hold, Duration::from_millis(12));
    let injected = reply.injected.unwrap();
    assert_eq!(injected.breaking, Some(Breaking::Close));
    assert_eq!(injected.dribble, Some(dribble(2)));
    let words = "dribble 3 chunks in 9 ms, delay 7 ms, fault reset, fault close (chaos 1), delay 5 ms (chaos 2), \
                 dribble 2 chunks in 9 ms (chaos 3)";
    assert_eq!(injected.words, words);
}

#[test]
fn an_entry_ends_by_times_and_time_and_then_costs_nothing() {
    let chaos = Chaos::default();
    assert!(!chaos.is_live());
    let twice = Entry { times: Some(2), ..delayed(1.0) };
    let now = Instant::now();
    let over = Entry { until: Some(now), ..delayed(1.0) };
    assert!(over.has_ended(now) && !over.has_ended(now - Duration::from_nanos(1)));
    chaos.set(vec![twice, over], true).unwrap();
    let hits: Vec<bool> = (0..4).map(|_| struck(&chaos, "/").is_some()).collect();
    assert_eq!(hits, [true, true, false, false]);
    assert!(!chaos.is_live());
    let shown: Vec<(u64, u64, bool)> =
        chaos.list().iter().map(|shown| (shown.id, shown.hits, shown.ended)).collect();
    assert_eq!(shown, [(1, 2, true), (2, 0, true)]);
    chaos.set(vec![delayed(1.0)], false).unwrap();
    assert!(chaos.is_live());
}

#[test]
fn a_seed_decides_which_requests_are_hit() {
    let pattern = |seed| -> Vec<bool> {
        let random = Rng::with_seed(seed);
        let half = Entry {
            probability: 0.5,
            course: Mutex::new(Course { random, hits: 0 }),
            ..broken(Breaking::Reset)
        };
        let chaos = Chaos::default();
        chaos.set(vec![half], true).unwrap();
        (0..1000).map(|_| struck(&chaos, "/").is_some()).collect()
    };
    let first = pattern(7);
    assert_eq!(first, pattern(7));
    assert_ne!(first, pattern(8));
    let hits = first.iter().filter(|hit| **hit).count();
    assert!((430..570).contains(&hits), "{hits}");
}

#[test]
fn a_probability_of_0_hits_no_request_and_of_1_each() {
    for (probability, hit) in [(0.0, false), (1.0, true)] {
        let chaos = Chaos::default();
        chaos.set(vec![Entry { probability, ..delayed(1.0) }], true).unwrap();
        assert!((0..1000).all(|_| struck(&chaos, "/").is_some() == hit), "{probability}");
    }
}

#[test]
fn entries_are_set_added_and_removed() {
    let chaos = Chaos::default();
    let ids = || chaos.list().iter().map(|shown| shown.id).collect::<Vec<_>>();
    assert_eq!(chaos.set(vec![delayed(1.0), delayed(2.0)], false), Ok(vec![1, 2]));
    assert_eq!(chaos.set(vec![delayed(3.0)], false), Ok(vec![3]));
    assert_eq!((chaos.remove(Some(2)), chaos.remove(Some(2)), ids()), (1, 0, vec![1, 3]));
    assert_eq!((chaos.set(vec![delayed(4.0)], true), ids()), (Ok(vec![4]), vec![4]));
    assert_eq!((chaos.remove(None), chaos.is_live(), ids()), (1, false, vec![]));
    assert_eq!(chaos.set(Vec::new(), true), Ok(vec![]));
    assert!(!chaos.is_live());
}

#[test]
fn entries_are_bounded_in_number_and_size() {
    let chaos = Chaos::default();
    let many = |count| (0..count).map(|_| delayed(1.0)).collect();
    assert_eq!(chaos.set(many(101), true).unwrap_err(), "101 entries are more than 100");
    chaos.set(many(100), true).unwrap();
    assert_eq!(chaos.set(many(1), false).unwrap_err(), "101 entries are more than 100");
    assert_eq!(chaos.set(many(1), true), Ok(vec![101]));
    let large = Entry { size: 1 << 20, ..delayed(1.0) };
    let one = Entry { size: 1, ..delayed(1.0) };
    chaos.set(vec![large], true).unwrap();
    let error = "entries of 1048577 bytes in all are more than 1048576";
    assert_eq!(chaos.set(vec![one], false).unwrap_err(), error);
    assert_eq!(chaos.list().len(), 1);
}

#[test]
fn an_entry_hits_only_requests_of_its_target() {
    let chaos = Chaos::default();
    let target = Target { path: Some(Paths::new("/a/<int:n>").unwrap()), ..Target::default() };
    chaos.set(vec![Entry { target, ..delayed(1.0) }], true).unwrap();
    assert!(struck(&chaos, "/a/7").is_some() && struck(&chaos, "/a/b").is_none());
    assert_eq!(chaos.list()[0].hits, 1);
}

/// Pieces that end at once. The flag is set when they are dropped.
struct NoPieces(Arc<AtomicBool>);

impl Pieces for NoPieces {
    fn next(&mut self) -> Made {
        Made { hold: Duration::ZERO, piece: Ok(None) }
    }

    fn is_over(&self) -> bool {
        true
    }
}

impl Drop for NoPieces {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Returns a reply with a stream that has a first piece, and a flag that is set when its pieces are dropped.
fn streamed() -> (Reply, Arc<AtomicBool>) {
    let dropped = Arc::default();
    let mut stream = Stream::new(Duration::ZERO, 0, NoPieces(Arc::clone(&dropped)));
    stream.first = Some(b"first".to_vec());
    (Reply { stream: Some(stream.into()), ..Reply::from(Answer::text(200, "")) }, dropped)
}

fn for_streams(delay: Option<f64>, after: Option<u64>) -> Entry {
    let cut = after.map(|after| Cut { after, garbage: false });
    entry(Act { stream: Some(StreamAct { delay: delay.map(Delay::Fixed), cut }), ..Act::default() })
}

/// Returns what a request of `method` makes of `reply`.
fn settled(chaos: &Chaos, method: &str, mut reply: Reply) -> Reply {
    let request = Request::from_parts(method, "/", None::<(&str, &str)>, Vec::new(), None, None);
    if let Some(effect) = chaos.strike(&request, "", None, false) {
        effect.apply(&mut reply);
    }
    reply.settle_stream(method != "HEAD");
    reply
}

fn hits(chaos: &Chaos) -> Vec<u64> {
    chaos.list().iter().map(|shown| shown.hits).collect()
}

#[test]
fn faults_of_streams_add_up_and_the_first_cut_counts() {
    let chaos = Chaos::default();
    let mixed = Entry {
        act: Act { delay: Some(Delay::Fixed(7.0)), ..for_streams(Some(5.0), Some(2)).act },
        ..delayed(0.0)
    };
    chaos.set(vec![for_streams(Some(50.0), None), mixed, for_streams(None, Some(9))], true).unwrap();
    let (mut reply, _) = streamed();
    reply
        .inject()
        .stream
        .add(&for_streams(Some(1.0), Some(1)).act.stream.unwrap(), Rng::with_seed(1), "")
        .unwrap();
    let reply = settled(&chaos, "GET", reply);
    assert_eq!((reply.hold, hits(&chaos)), (Duration::from_millis(7), vec![1, 1, 1]));
    let mut injected = reply.injected.unwrap();
    assert_eq!(
        injected.words,
        "delay 7 ms (chaos 2), stream delay 1 ms, stream break after 1, stream delay 50 ms (chaos 1), \
         stream delay 5 ms, stream break after 2 (chaos 2)"
    );
    assert_eq!(injected.stream.pause(), Duration::from_millis(56));
    assert_eq!((injected.stream.cut_at(1), injected.stream.cut_at(2).is_some()), (None, true));
}

#[test]
fn an_entry_for_streams_counts_streams_alone() {
    let chaos = Chaos::default();
    let twice = Entry { times: Some(2), ..for_streams(None, Some(0)) };
    chaos.set(vec![twice], true).unwrap();
    let whole = Reply::from(Answer::text(200, "x"));
    let empty = || Reply { answer: Answer { status: 204, ..Answer::default() }, ..streamed().0 };
    let mut reset = streamed().0;
    reset.break_off(Breaking::Reset, "");
    for (method, reply, words) in [
        ("GET", whole, None),
        ("HEAD", streamed().0, None),
        ("GET", empty(), None),
        ("GET", reset, Some("fault reset")),
    ] {
        let reply = settled(&chaos, method, reply);
        assert_eq!(reply.injected.as_ref().map(|injected| injected.words.as_str()), words, "{method}");
    }
    assert_eq!(hits(&chaos), [0]);
    for count in [1, 2, 2] {
        settled(&chaos, "GET", streamed().0);
        assert_eq!(hits(&chaos), [count]);
    }
}

#[test]
fn the_pieces_of_a_stream_that_does_not_leave_are_dropped_at_once() {
    let chaos = Chaos::default();
    let with = |breaking: &str| {
        let (mut reply, dropped) = streamed();
        reply.break_off(Breaking::named(breaking).unwrap(), "");
        (reply, dropped)
    };
    for (method, (reply, dropped), streams, words) in [
        ("GET", streamed(), true, ""),
        ("HEAD", streamed(), false, ""),
        ("GET", with("reset"), false, "fault reset"),
        ("GET", with("close"), false, "fault close"),
        ("GET", with("garbage"), false, "fault garbage"),
        ("GET", with("partial"), true, "fault partial"),
        ("HEAD", with("partial"), false, "fault partial"),
    ] {
        let reply = settled(&chaos, method, reply);
        assert_eq!(dropped.load(Ordering::Relaxed), !streams, "{method} {words}");
        let total =
            reply.injected.as_ref().and_then(|injected| injected.breaking).is_some_and(Breaking::is_total);
        assert_eq!(reply.stream.is_none(), total, "{method} {words}");
        let injected = reply.injected.unwrap_or_default();
        assert_eq!(injected.words, words, "{method}");
        assert_eq!(injected.stream.cut_at(1).is_some(), words == "fault partial" && method == "GET");
    }
}

#[test]
fn a_stream_does_not_dribble_and_is_cut_before_its_first_piece() {
    let chaos = Chaos::default();
    let dribble = entry(Act { dribble: Dribble::new(5, 9.0).ok(), ..Act::default() });
    chaos.set(vec![dribble, for_streams(None, Some(0))], true).unwrap();
    let reply = settled(&chaos, "GET", streamed().0);
    assert_eq!(reply.stream.unwrap().first, None);
    let injected = reply.injected.unwrap();
    assert_eq!(injected.dribble, None);
    let words = "dribble 5 chunks in 9 ms (chaos 1), no dribble of a stream, stream break after 0 (chaos 2)";
    assert_eq!(injected.words, words);
}
