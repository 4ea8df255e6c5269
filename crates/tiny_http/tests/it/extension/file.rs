//! Bodies that are files, or ranges of them between bytes: sent unchanged, with the given length, or broken off.

use super::Attended;
use std::fs::{self, File};
use std::sync::Arc;
use std::time::Duration;
use tiny_http::extension::{Answer, Body, Dribble, Limits};

const LENGTH: usize = (3 << 20) + 1;

#[test]
fn a_file_is_sent_up_to_its_length_and_a_shorter_one_breaks_the_connection() {
    let bytes: Vec<u8> = (0..LENGTH).map(|at| (at / 251) as u8).collect();
    let path = std::env::temp_dir().join(format!("tiny-http-file-{}", std::process::id()));
    fs::write(&path, &bytes).unwrap();
    let file = Arc::new(File::open(&path).unwrap());
    fs::remove_file(&path).unwrap();
    let server = Attended::start(Limits::default(), move |request| {
        let length = request.url()[1..].parse().unwrap();
        let _ = request.answer(Answer {
            status: 200,
            reason: None,
            fields: std::iter::empty::<(&[u8], &[u8])>(),
            body: Body::File(file.clone(), 0..length),
            close: false,
            dribble: None,
            chunked: false,
            halve: false,
        });
    });
    for length in [0, 1, 64 << 10, LENGTH - 1, LENGTH] {
        let mut client = server.get(&format!("/{length}"));
        let answer = client.answer(false).unwrap();
        assert!(answer.body == bytes[..length], "{length}: {}", answer.body.len());
        client.send(b"HEAD /5 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_eq!(client.answer(true).unwrap().values("content-length"), ["5"]);
        assert_eq!(client.answer(false).unwrap().body, bytes[..2]);
    }
    let end = server.get(&format!("/{}", LENGTH + 1)).answer(false).unwrap_err();
    assert_eq!(end, "within a body: Reset");
    server.pings();
}

#[test]
fn parts_are_sent_one_after_the_other_also_slice_by_slice_and_halved() {
    let path = std::env::temp_dir().join(format!("tiny-http-parts-{}", std::process::id()));
    fs::write(&path, b"0123456789").unwrap();
    let file = Arc::new(File::open(&path).unwrap());
    fs::remove_file(&path).unwrap();
    let server = Attended::start(Limits::default(), move |request| {
        let part = |range| Body::File(file.clone(), range);
        let inner = Body::Parts(vec![part(0..0), part(2..4), Body::Bytes(b"-".to_vec())]);
        let body =
            Body::Parts(vec![Body::Bytes(b"<".to_vec()), inner, part(7..10), Body::Bytes(b">".to_vec())]);
        let over = Duration::from_millis(5);
        let dribble = (request.url() == "/slices").then(|| Dribble { slices: 4, over, keep: Box::new(()) });
        let halve = request.url() == "/half";
        let fields = std::iter::empty::<(&[u8], &[u8])>();
        let _ = request.answer(Answer {
            status: 200,
            reason: None,
            fields,
            body,
            close: false,
            dribble,
            chunked: false,
            halve,
        });
    });
    for target in ["/all", "/slices"] {
        let mut client = server.get(target);
        let answer = client.answer(false).unwrap();
        assert_eq!(
            (&answer.body[..], answer.values("content-length")),
            (&b"<23-789>"[..], vec!["8"]),
            "{target}"
        );
    }
    assert_eq!(server.get("/half").answer(false).unwrap_err(), "within a body: Closed");
    server.pings();
}
