use super::*;
use crate::message::progress::Ending;
use crate::observing::journal::tests::{enter, enter_stream};

/// The text that a client was sent, and whether it reads it.
#[derive(Default)]
struct Received {
    text: String,
    waiting: Option<usize>,
    cut: bool,
}

struct Fake(Arc<Mutex<Received>>);

impl Sink for Fake {
    fn waiting(&self) -> Option<usize> {
        self.0.lock().unwrap().waiting
    }

    fn add(&self, bytes: Vec<u8>) -> bool {
        self.0.lock().unwrap().text += &String::from_utf8(bytes).unwrap();
        true
    }

    fn when_taken(&self, then: Box<dyn FnOnce() + Send>) {
        then();
    }

    fn end(&self) {}

    fn break_off(&self) {}

    fn spoil(&self) {}

    fn reset(&self) {
        self.0.lock().unwrap().cut = true;
    }
}

type Following = (Arc<Journal>, Arc<Streams>, Arc<Mutex<Received>>);

/// Starts a client of a journal of 64 KiB that has `entries`.
fn following(entries: usize, since: u64) -> Following {
    let journal = Arc::new(Journal::new(64 << 10, 1 << 10).unwrap());
    (0..entries).for_each(|_| enter(&journal, "GET /", b"", &Answer::text(200, "x".repeat(1000))));
    let streams = Streams::new(&journal);
    let received = Arc::new(Mutex::new(Received { waiting: Some(0), ..Received::default() }));
    streams.add(Box::new(Fake(received.clone())), Asked::default(), since, streams.place().unwrap());
    (journal, streams, received)
}

/// Gives the clients turns until they have everything. A turn ends after `SLICE` and sends at least one entry, and no journal
/// here has as many entries as there are turns.
fn write_all(streams: &Streams) {
    (0..10_000).for_each(|_| streams.write());
}

fn count(received: &Mutex<Received>, what: &str) -> usize {
    received.lock().unwrap().text.matches(what).count()
}

#[test]
fn a_client_gets_each_entry_once() {
    let (journal, streams, received) = following(3, 1);
    write_all(&streams);
    let text = received.lock().unwrap().text.clone();
    assert!(text.starts_with("id: 2\ndata: {\"answer_body\":\""), "{text}");
    assert!(text.contains("}\n\nid: 3\ndata: {") && text.ends_with("}\n\n"), "{text}");
    assert_eq!(count(&received, "id: "), 2);
    enter(&journal, "GET /", b"", &Answer::default());
    write_all(&streams);
    assert_eq!((count(&received, "id: "), count(&received, "id: 4\n")), (3, 1));
}

#[test]
fn a_client_that_comes_back_too_late_is_told_what_it_missed() {
    let (journal, streams, received) = following(5000, 10);
    write_all(&streams);
    let missed = journal.stats().first - 11;
    let expected = format!("event: missed\ndata: {{\"missed\":{missed}}}\n\nid: {}\n", missed + 11);
    assert!(received.lock().unwrap().text.starts_with(&expected));
    assert_eq!(count(&received, "id: ") as u64, 4990 - missed);
}

#[test]
fn a_client_that_does_not_read_is_sent_no_more_and_cut_when_it_is_overtaken() {
    let (journal, streams, received) = following(1, 0);
    streams.write();
    received.lock().unwrap().waiting = Some(1);
    let more = || enter(&journal, "GET /", b"", &Answer::text(200, "x".repeat(1000)));
    (0..10).for_each(|_| more());
    streams.write();
    assert_eq!((count(&received, "id: "), lock(&streams.state).clients.len()), (1, 1));
    // The client has read it, and gets the rest.
    received.lock().unwrap().waiting = Some(0);
    write_all(&streams);
    assert_eq!(count(&received, "id: "), 11);
    received.lock().unwrap().waiting = Some(1);
    (0..5000).for_each(|_| more());
    streams.write();
    assert!(received.lock().unwrap().cut && lock(&streams.state).clients.is_empty());
    let state = lock(&streams.state);
    assert_eq!((state.watch, Arc::strong_count(&state.places)), (None, 1));
}

#[test]
fn a_client_of_a_quiet_journal_gets_a_comment() {
    let (journal, streams, received) = following(0, 0);
    let began = lock(&streams.state).clients[0].written;
    let look = |time| lock(&streams.state).clients[0].write(&journal, began + time);
    assert_eq!(look(Duration::ZERO), Look::Done);
    assert_eq!(received.lock().unwrap().text, "");
    assert_eq!(look(QUIET), Look::Done);
    assert_eq!(received.lock().unwrap().text, ":\n\n");
    assert_eq!(look(QUIET + QUIET / 2), Look::Done);
    assert_eq!(received.lock().unwrap().text, ":\n\n");
}

#[test]
fn clients_that_are_gone_are_forgotten_and_a_stop_ends_all() {
    let (_journal, streams, received) = following(0, 0);
    received.lock().unwrap().waiting = None;
    streams.write();
    assert!(lock(&streams.state).clients.is_empty());
    let (journal, streams, received) = following(0, 0);
    journal.close();
    streams.write();
    assert!(lock(&streams.state).clients.is_empty() && !received.lock().unwrap().cut);
}

#[test]
fn filters_hold_for_streams() {
    let (journal, streams, received) = following(1, 0);
    enter(&journal, "POST /", b"", &Answer::default());
    enter(&journal, "GET /", b"", &Answer::default());
    lock(&streams.state).clients[0].asked = parse::query("method=GET", STREAM).unwrap();
    write_all(&streams);
    assert_eq!(
        (count(&received, "id: 1\n"), count(&received, "id: 2\n"), count(&received, "id: 3\n")),
        (1, 0, 1)
    );
    assert_eq!(lock(&streams.state).clients[0].since, journal.last());
}

#[test]
fn a_stream_comes_again_when_it_has_ended() {
    let (journal, streams, received) = following(0, 0);
    let all: Vec<_> = (0..3).map(|_| enter_stream(&journal, "GET /s")).collect();
    let end = |at: usize, ending| {
        let (number, progress) = &all[at];
        progress.end(ending, None);
        journal.stream_moved(*number, Some(&progress.now()));
    };
    // Its first event comes before, even where it has ended already.
    end(1, Ending::Client);
    write_all(&streams);
    let text = std::mem::take(&mut received.lock().unwrap().text);
    let events: Vec<&str> = text.split("\n\n").map(|event| event.split('\n').next().unwrap()).collect();
    assert_eq!(events, ["id: 1", "id: 2", "id: 3", "event: ended", ""]);
    assert!(text.contains("\"ended\":\"client\""), "{text}");
    lock(&streams.state).clients[0].asked = parse::query("stream=complete", STREAM).unwrap();
    end(0, Ending::Stop);
    end(2, Ending::Complete);
    write_all(&streams);
    let text = received.lock().unwrap().text.clone();
    assert!(text.starts_with("event: ended\ndata: {") && text.contains("\"number\":3,"), "{text}");
    assert_eq!(count(&received, "event: "), 1);
}

#[test]
fn ends_that_are_forgotten_are_counted() {
    let (journal, streams, received) = following(0, 0);
    for _ in 0..500 {
        let (number, progress) = enter_stream(&journal, "GET /s");
        progress.end(Ending::Complete, None);
        journal.stream_moved(number, Some(&progress.now()));
    }
    write_all(&streams);
    let (missed, ended) = (count(&received, "event: missed\n"), count(&received, "event: ended\n"));
    assert!(missed == 1 && ended > 10, "{missed} {ended}");
    let expected = format!("{{\"missed\":0,\"ended\":{}}}", 500 - ended);
    assert_eq!(count(&received, &expected), 1);
}
