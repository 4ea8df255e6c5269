//! Properties of the parser that the fuzz target checks, and unit tests with the inputs that it found. A property that does
//! not hold panics. A normal build leaves this file out.

use crate::limits::Limits;
use crate::parse::inbound::{Inbound, Message, Progress};

/// Returns the requests in `pieces`, and whether the client was refused in the end.
fn outcome<'p>(pieces: impl Iterator<Item = &'p [u8]>, limits: &Limits) -> (Vec<Message>, bool) {
    let (mut inbound, mut requests) = (Inbound::default(), Vec::new());
    for piece in pieces {
        let mut progress = inbound.take(piece, limits);
        while let Progress::Whole(message) = progress {
            requests.push(message);
            progress = inbound.take(&[], limits);
        }
        if matches!(progress, Progress::Refused(_)) {
            return (requests, true);
        }
        assert!(
            inbound.space() <= 4 * (limits.head + limits.body) + (256 << 10),
            "space {}",
            inbound.space()
        );
    }
    (requests, false)
}

/// Checks that any split of a stream gives the same requests. The first two bytes of `data` say where to cut the rest.
pub fn split(data: &[u8]) {
    let [step, shift, stream @ ..] = data else { return };
    let limits = Limits { head: 512, headers: 8, body: 256, ..Limits::default() };
    let whole = outcome([stream].into_iter(), &limits);
    for message in &whole.0 {
        check(message, &limits);
    }
    let (step, shift) = (usize::from(*step) % 64 + 1, usize::from(*shift).min(stream.len()));
    let (first, rest) = stream.split_at(shift);
    // If a line comes in pieces, its fault may be noticed only at its end.
    let end: &[u8] = if whole.1 { b"\r\n" } else { b"" };
    let pieces = outcome([first].into_iter().chain(rest.chunks(step)).chain([end]), &limits);
    assert_eq!(whole, pieces);
}

fn check(message: &Message, limits: &Limits) {
    assert!(message.body.len() <= limits.body);
    assert!(message.head.bytes.len() <= limits.head);
    assert!(message.head.fields.len() <= limits.headers);
    assert!(!message.head.target.contains([' ', '\r', '\n']));
    for (name, value) in message.head.fields() {
        assert!(crate::header::is_name(name) && crate::header::is_value(value));
        assert!(!value.starts_with(b" ") && !value.ends_with(b" "));
    }
}

#[test]
fn the_corpus_holds() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/requests");
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(files.len() >= 8, "{files:?}");
    for file in files {
        let mut data = std::fs::read(file).unwrap();
        for step in 0..64 {
            data[0] = step;
            split(&data);
        }
    }
}
