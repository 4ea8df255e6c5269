use super::*;
use crate::observing::journal::tests::enter;

/// What a client was sent, and whether it takes it.
#[derive(Default)]
struct Told {
    text: String,
    waiting: Option<usize>,
    cut: bool,
}

struct Fake(Arc<Mutex<Told>>);

impl Sink for Fake {
    fn waiting(&self) -> Option<usize> {
        self.0.lock().unwrap().waiting
    }

    fn add(&self, bytes: Vec<u8>) -> bool {
        self.0.lock().unwrap().text += &String::from_utf8(bytes).unwrap();
        true
    }

    fn reset(self: Box<Self>) {
        self.0.lock().unwrap().cut = true;
    }
}

type Following = (Arc<Journal>, Arc<Streams>, Arc<Mutex<Told>>);

/// A client of a journal of 64 KiB that has `entries`.
fn following(entries: usize, since: u64) -> Following {
    let journal = Arc::new(Journal::new(64 << 10, 1 << 10).unwrap());
    (0..entries).for_each(|_| enter(&journal, "GET /", b"", &Answer::text(200, "x".repeat(1000))));
    let streams = Streams::new(&journal);
    let told = Arc::new(Mutex::new(Told { waiting: Some(0), ..Told::default() }));
    streams.add(Box::new(Fake(told.clone())), Asked::default(), since, streams.place().unwrap());
    (journal, streams, told)
}

/// Writes until the client has all. A go ends after `SLICE`, and sends one entry at least: no journal here has as many entries as
/// there are goes.
fn write_all(streams: &Streams) {
    (0..10_000).for_each(|_| streams.write());
}

fn count(told: &Mutex<Told>, what: &str) -> usize {
    told.lock().unwrap().text.matches(what).count()
}

#[test]
fn a_client_gets_what_it_has_not_got_once() {
    let (journal, streams, told) = following(3, 1);
    write_all(&streams);
    let text = told.lock().unwrap().text.clone();
    assert!(text.starts_with("id: 2\ndata: {\"answer_body\":\""), "{text}");
    assert!(text.contains("}\n\nid: 3\ndata: {") && text.ends_with("}\n\n"), "{text}");
    assert_eq!(count(&told, "id: "), 2);
    enter(&journal, "GET /", b"", &Answer::default());
    write_all(&streams);
    assert_eq!((count(&told, "id: "), count(&told, "id: 4\n")), (3, 1));
}

#[test]
fn a_client_that_comes_back_too_late_is_told_what_it_missed() {
    let (journal, streams, told) = following(5000, 10);
    write_all(&streams);
    let missed = journal.stats().first - 11;
    let expected = format!("event: missed\ndata: {{\"missed\":{missed}}}\n\nid: {}\n", missed + 11);
    assert!(told.lock().unwrap().text.starts_with(&expected));
    assert_eq!(count(&told, "id: ") as u64, 4990 - missed);
}

#[test]
fn a_client_that_does_not_read_is_sent_no_more_and_cut_when_it_is_overtaken() {
    let (journal, streams, told) = following(1, 0);
    streams.write();
    told.lock().unwrap().waiting = Some(1);
    let more = || enter(&journal, "GET /", b"", &Answer::text(200, "x".repeat(1000)));
    (0..10).for_each(|_| more());
    streams.write();
    assert_eq!((count(&told, "id: "), lock(&streams.state).clients.len()), (1, 1));
    // It has taken it, and gets the rest.
    told.lock().unwrap().waiting = Some(0);
    write_all(&streams);
    assert_eq!(count(&told, "id: "), 11);
    told.lock().unwrap().waiting = Some(1);
    (0..5000).for_each(|_| more());
    streams.write();
    assert!(told.lock().unwrap().cut && lock(&streams.state).clients.is_empty());
    let state = lock(&streams.state);
    assert_eq!((state.watch, Arc::strong_count(&state.places)), (None, 1));
}

#[test]
fn a_client_of_a_quiet_journal_gets_a_comment() {
    let (journal, streams, told) = following(0, 0);
    let began = lock(&streams.state).clients[0].written;
    let look = |time| lock(&streams.state).clients[0].write(&journal, began + time);
    assert_eq!(look(Duration::ZERO), Look::Done);
    assert_eq!(told.lock().unwrap().text, "");
    assert_eq!(look(QUIET), Look::Done);
    assert_eq!(told.lock().unwrap().text, ":\n\n");
    assert_eq!(look(QUIET + QUIET / 2), Look::Done);
    assert_eq!(told.lock().unwrap().text, ":\n\n");
}

#[test]
fn clients_that_are_gone_are_forgotten_and_a_stop_ends_all() {
    let (_journal, streams, told) = following(0, 0);
    told.lock().unwrap().waiting = None;
    streams.write();
    assert!(lock(&streams.state).clients.is_empty());
    let (journal, streams, told) = following(0, 0);
    journal.close();
    streams.write();
    assert!(lock(&streams.state).clients.is_empty() && !told.lock().unwrap().cut);
}

#[test]
fn filters_hold_for_streams() {
    let (journal, streams, told) = following(1, 0);
    enter(&journal, "POST /", b"", &Answer::default());
    enter(&journal, "GET /", b"", &Answer::default());
    lock(&streams.state).clients[0].asked = parse::query("method=GET", STREAM).unwrap();
    write_all(&streams);
    assert_eq!((count(&told, "id: 1\n"), count(&told, "id: 2\n"), count(&told, "id: 3\n")), (1, 0, 1));
    assert_eq!(lock(&streams.state).clients[0].since, journal.last());
}
