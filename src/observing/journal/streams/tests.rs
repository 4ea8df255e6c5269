use super::*;
use crate::message::answer::Answer;
use crate::observing::journal::tests::{enter, enter_stream};
use crate::observing::journal::{Journal, har};
use serde_json::{Value, json};

/// A journal with a stream of one piece for each of `endings`, and how each entry shows it.
fn streams_of(endings: &[Option<Ending>]) -> (Arc<Journal>, Vec<Arc<Progress>>) {
    let journal = Arc::new(Journal::new(64 << 10, 1 << 10).unwrap());
    let begin = |ending: &Option<Ending>| {
        let (number, progress) = enter_stream(&journal, "GET /s");
        let told = journal.clone();
        progress.listen(Box::new(move |last| told.stream_moved(number, last)));
        progress.piece(5);
        if let Some(ending) = ending {
            let error = (*ending == Ending::Error).then(|| "script error in provision `p`".into());
            progress.end(*ending, error);
        }
        progress
    };
    let all = endings.iter().map(begin).collect();
    (journal, all)
}

fn shown(journal: &Journal, number: u64) -> Value {
    journal.get(number).unwrap().to_json()
}

#[test]
fn a_state_is_decoded_as_it_was_as_far_as_there_is_room() {
    let state = State {
        pieces: 105,
        bytes: 1 << 40,
        times: (0..100).map(|n| n * n * 40_000).collect(),
        lasted: u32::MAX,
        ended: Some(Ending::Stop),
        error: Some("why".into()),
    };
    assert_eq!(decode(&encode(&state, 64 << 10)), Some(state.clone()));
    for ended in Ending::ALL.into_iter().map(Some).chain([None]) {
        let state = State { ended, error: None, ..State::default() };
        assert_eq!(decode(&encode(&state, 1 << 10)), Some(state));
    }
    let long = State { error: Some("\u{e9}".repeat(4000).into()), ..state };
    for room in [64, 300, 512, 4 << 10] {
        let bytes = encode(&long, room);
        let found = decode(&bytes).unwrap();
        assert!(bytes.len() <= room && found.pieces == 105 && found.ended == long.ended, "{room}");
        assert!(long.error.as_ref().unwrap().starts_with(&*found.error.unwrap()), "{room}");
        assert!(long.times.starts_with(&found.times), "{room}");
    }
    assert_eq!(decode(&[]), None);
}

#[test]
fn lists_are_bounded_and_forget_the_oldest_first() {
    let mut streams = Streams::new(40 * ROW * 3);
    assert_eq!(streams.used(), 0);
    let all: Vec<Arc<Progress>> = (0..5).map(|_| Arc::default()).collect();
    (1..).zip(&all).for_each(|(number, progress)| streams.add(number, progress));
    let known = |streams: &Streams| (1..=5).filter(|n| streams.open(*n).is_some()).collect::<Vec<_>>();
    assert_eq!(known(&streams), [3, 4, 5]);
    streams.end(4);
    streams.forget_before(4);
    assert_eq!((known(&streams), streams.used()), (vec![5], streams.size()));
    drop(all);
    assert!(known(&streams).is_empty());
    let after = |streams: &Streams, seen| {
        streams.ended_after(seen).map(|ended| (ended.number, ended.count, ended.forgotten))
    };
    assert_eq!(after(&streams, 0), Some((4, 1, 0)));
    (5..9).for_each(|number| streams.end(number));
    assert_eq!((after(&streams, 0), after(&streams, 3)), (Some((6, 3, 2)), Some((7, 4, 0))));
    assert_eq!((streams.ended_in_all(), after(&streams, 5)), (5, None));
    // Deleted streams are no loss; those that are forgotten later are.
    streams.clear();
    assert_eq!(after(&streams, 0), None);
    (9..13).for_each(|number| streams.end(number));
    assert_eq!((after(&streams, 0), after(&streams, 7)), (Some((10, 7, 1)), Some((11, 8, 0))));
}

#[test]
fn an_entry_shows_its_stream_as_it_goes_on_and_as_it_ended() {
    let (journal, streams) = streams_of(&[None, Some(Ending::Error), Some(Ending::Client)]);
    let open = shown(&journal, 1);
    assert_eq!(open["stream"], json!({ "pieces": 1, "bytes": 5, "times_ms": [0], "ended": null }));
    assert_eq!(
        (&open["answer_body_length"], &open["gone"], &open["error"]),
        (&json!(5), &json!([]), &json!(null))
    );
    streams[0].piece(7);
    assert_eq!(shown(&journal, 1)["stream"]["bytes"], 12);
    let failed = shown(&journal, 2);
    assert_eq!(
        (&failed["stream"]["ended"], &failed["error"]),
        (&json!("error"), &json!("script error in provision `p`"))
    );
    assert_eq!(shown(&journal, 3)["stream"]["ended"], "client");
    // A sender that forgets its stream leaves an entry of which no more is known.
    drop(streams);
    let forgotten = shown(&journal, 1);
    assert_eq!((&forgotten["stream"], &forgotten["gone"]), (&json!(null), &json!(["stream"])));
    assert_eq!(forgotten["answer_body_length"], json!(null));
    assert_eq!(shown(&journal, 3)["stream"]["pieces"], 1);
    enter(&journal, "GET /", b"", &Answer::text(200, "x"));
    assert!(shown(&journal, 4).as_object().unwrap().get("stream").is_none());
}

#[test]
fn an_archive_has_the_time_and_the_bytes_of_a_stream_and_how_it_ended() {
    let (journal, streams) = streams_of(&[Some(Ending::Complete), None]);
    let archived = |number| har::from_entry(&journal.get(number).unwrap()).unwrap();
    let (ended, open) = (archived(1), archived(2));
    assert_eq!(ended["response"]["comment"], "a stream: complete after 1 piece");
    assert_eq!(
        (&ended["response"]["content"]["size"], &ended["response"]["bodySize"]),
        (&json!(5), &json!(5))
    );
    assert_eq!(open["response"]["comment"], "a stream: open after 1 piece");
    drop(streams);
    let gone = archived(2);
    assert_eq!(gone["response"]["comment"], "a stream: no longer known");
    assert_eq!(
        (&gone["response"]["content"]["size"], &gone["response"]["bodySize"]),
        (&json!(-1), &json!(-1))
    );
}

#[test]
fn a_stream_outlives_its_entry_and_a_deletion() {
    let (journal, streams) = streams_of(&[None, None]);
    (0..5000).for_each(|_| enter(&journal, "GET /", b"", &Answer::default()));
    streams[0].piece(1);
    streams[0].end(Ending::Complete, None);
    let last = journal.last();
    assert!(journal.get(1).is_err() && shown(&journal, last)["gone"] == json!([]));
    journal.clear();
    streams[1].end(Ending::Reset, None);
    assert_eq!(journal.stats().entries, 0);
    let (number, _kept) = enter_stream(&journal, "GET /s");
    assert_eq!((number, shown(&journal, number)["stream"]["pieces"].clone()), (last + 1, json!(0)));
}

#[test]
fn ten_thousand_streams_stay_within_a_small_journal() {
    let budget = 64 << 10;
    let journal = Arc::new(Journal::new(budget, 1 << 10).unwrap());
    let mut open = VecDeque::new();
    for round in 0..10_000_u64 {
        let (number, progress) = enter_stream(&journal, "GET /s");
        assert!((0..3).all(|_| progress.piece(10)));
        open.push_back((number, progress));
        // More streams go on at a time than the journal follows.
        if open.len() > 200 {
            let (number, progress) = open.pop_front().unwrap();
            let error: Box<str> = "x".repeat(300).into();
            progress.end(Ending::Error, Some(error));
            journal.stream_moved(number, Some(&progress.now()));
        }
        if round % 50 == 0 {
            let stats = journal.stats();
            assert!(stats.bytes <= budget as u64, "{stats:?}");
        }
    }
    let (mut known, mut unknown, mut lines) = (0, 0, 0);
    journal.read(0, &mut |entry| {
        match &entry.stream {
            // A state is right, or not known.
            Some(state) => {
                assert_eq!((state.pieces, state.bytes), (3, 30));
                let goes_on = open.front().is_some_and(|(first, _)| entry.number >= *first);
                assert_eq!(state.ended.is_none(), goes_on, "{}", entry.number);
                known += 1;
            }
            None if entry.gone.headers => lines += 1,
            None => unknown += 1,
        }
        assert_eq!(entry.gone.stream, entry.stream.is_none());
        std::ops::ControlFlow::Continue(())
    });
    assert!(known > 20 && unknown > 5 && lines > 1000, "{known} {unknown} {lines}");
    // Other requests get the room back.
    (0..20_000).for_each(|_| enter(&journal, "GET /", b"", &Answer::default()));
    assert_eq!(shown(&journal, journal.last())["gone"], json!([]));
    assert!(journal.stats().bytes <= budget as u64);
}

#[test]
fn states_give_way_before_heads_where_both_need_room() {
    let journal = Journal::new(64 << 10, 1 << 10).unwrap();
    let state =
        State { ended: Some(Ending::Error), error: Some("e".repeat(2000).into()), ..State::default() };
    let numbers: Vec<u64> = (0..60).map(|_| enter_stream(&journal, "GET /s").0).collect();
    numbers.iter().for_each(|number| journal.stream_moved(*number, Some(&state)));
    let known = |number: &&u64| journal.get(**number).unwrap().stream.is_some();
    let kept = numbers.iter().filter(known).count();
    assert!(kept > 2 && kept < 60 && known(&numbers.last().unwrap()), "{kept}");
}

#[test]
fn the_newest_state_is_kept_however_long_it_is() {
    for budget in [8, 9, 13, 16, 21, 32, 40, 64].map(|kilobytes| kilobytes << 10) {
        let journal = Journal::new(budget, 1 << 10).unwrap();
        for length in (0..300).map(|n| n * 37 % 3000) {
            let (number, _kept) = enter_stream(&journal, "GET /s");
            let times = (0..100).map(|n| n * 30_000_000).collect();
            let error = Some("e".repeat(length).into());
            let state = State { pieces: 100, times, error, ended: Some(Ending::Error), ..State::default() };
            journal.stream_moved(number, Some(&state));
            let found = journal.get(number).unwrap().stream;
            assert_eq!(found.map(|found| found.pieces), Some(100), "{budget} {length}");
        }
    }
}
