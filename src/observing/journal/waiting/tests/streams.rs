//! Waits for what streams do after they have begun.

use super::*;
use crate::message::progress::{Ending, Progress};
use crate::observing::journal::tests::enter_stream;

/// Enters a stream of which the journal hears.
fn begin(timed: &Timed, line: &str) -> Arc<Progress> {
    let (number, progress) = enter_stream(&timed.journal, line);
    let journal = timed.journal.clone();
    progress.listen(Box::new(move |last| journal.stream_moved(number, last)));
    timed.call_listeners();
    progress
}

#[test]
fn a_wait_ends_when_enough_streams_have_ended() {
    let timed = Timed::new();
    let waiters = unhurried(&timed);
    let streams: Vec<_> = (0..2).map(|_| begin(&timed, "GET /a")).collect();
    let ended = wait(&waiters, "path=/a&stream=ended&count=3", TIMEOUT);
    let begun = wait(&waiters, "path=/a&stream=begun&count=3", TIMEOUT);
    let failed = wait(&waiters, "path=/a&stream=error", TIMEOUT);
    timed.call_listeners();
    begin(&timed, "GET /b").end(Ending::Complete, None);
    let third = begin(&timed, "GET /a");
    assert_eq!(begun.try_recv().unwrap(), "holds [1, 2, 4] of 4");
    third.end(Ending::Complete, None);
    streams[1].end(Ending::Client, None);
    timed.call_listeners();
    assert!(ended.try_recv().is_err());
    streams[0].end(Ending::Complete, None);
    timed.call_listeners();
    assert_eq!(ended.try_recv().unwrap(), "holds [1, 2, 4] of 4");
    timed.run(TIMEOUT);
    assert_eq!(failed.try_recv().unwrap(), "late 0 lost 0 near [4, 2, 1] of 4");
    assert!(timed.nobody_listens());
}

#[test]
fn a_wait_for_pieces_sees_each_piece_and_others_do_not_pay_for_it() {
    let timed = Timed::new();
    let waiters = unhurried(&timed);
    let stream = begin(&timed, "GET /a");
    let open = wait(&waiters, "stream=open&count=2", TIMEOUT);
    timed.call_listeners();
    let moves = timed.journal.moves();
    stream.piece(1);
    assert_eq!(timed.journal.moves(), moves);
    let pieces = wait(&waiters, "pieces=3-", TIMEOUT);
    timed.call_listeners();
    stream.piece(1);
    timed.call_listeners();
    assert!(pieces.try_recv().is_err());
    stream.piece(1);
    timed.call_listeners();
    assert_eq!(pieces.try_recv().unwrap(), "holds [1] of 1");
    stream.piece(1);
    let moves = timed.journal.moves();
    stream.piece(1);
    assert_eq!(timed.journal.moves(), moves, "nobody asks any more");
    // A stream that has ended is open no more.
    stream.end(Ending::Complete, None);
    let second = begin(&timed, "GET /a");
    timed.call_listeners();
    assert!(open.try_recv().is_err());
    let third = begin(&timed, "GET /a");
    assert_eq!(open.try_recv().unwrap(), "holds [2, 3] of 3");
    drop((second, third));
}

#[test]
fn a_stream_that_is_evicted_while_it_goes_on_is_not_known() {
    let timed = Timed::new();
    let waiters = unhurried(&timed);
    let stream = begin(&timed, "GET /a");
    let waiting = wait(&waiters, "path=/a&stream=ended", TIMEOUT);
    timed.call_listeners();
    (0..2000).for_each(|_| timed.enter("GET /x"));
    timed.call_listeners();
    stream.end(Ending::Complete, None);
    timed.run(TIMEOUT);
    let found = waiting.try_recv().unwrap();
    assert!(found.starts_with("late 0 lost "), "{found}");
}

#[test]
fn rounds_through_many_streams_go_on_slice_by_slice() {
    let timed = Timed::new();
    // Slices that end with their first entry.
    let times = Times { slice: Duration::ZERO, last_look: TIMEOUT };
    let waiters = Waiters::with_times(&timed.journal, times);
    let streams: Vec<_> = (0..12).map(|_| begin(&timed, "GET /a")).collect();
    let waiting = wait(&waiters, "stream=complete&count=12", TIMEOUT);
    timed.call_listeners();
    streams.iter().for_each(|stream| _ = stream.end(Ending::Complete, None));
    timed.call_listeners();
    assert_eq!(waiting.try_recv().unwrap(), "holds [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] of 12");
}
