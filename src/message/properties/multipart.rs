//! Multipart bodies: any bytes, and bodies that are made of given parts.

use crate::message::form::{MAX_PARTS, parse, parts};

/// Checks that parts lie in the body, one behind the other, and that a body made of parts gives these parts.
pub fn multipart(data: &[u8]) {
    let Some(at) = data.iter().position(|byte| *byte == b'\n') else { return };
    let (head, body) = (String::from_utf8_lossy(&data[..at]), &data[at + 1..]);
    any_bytes(&format!("multipart/form-data; {head}"), body);
    any_bytes("multipart/form-data; boundary=b", body);
    made_of_parts(body);
}

fn any_bytes(content_type: &str, body: &[u8]) {
    let Ok(found) = parts(content_type, body) else { return };
    assert!(found.len() <= MAX_PARTS);
    let mut end = 0;
    for part in &found {
        assert!(end <= part.content.start && part.content.start <= part.content.end);
        end = part.content.end;
    }
    assert!(end <= body.len());
    let form = parse(content_type, body).expect("the same body was read");
    assert_eq!(form.files.len(), found.iter().filter(|part| part.filename.is_some()).count());
}

/// Makes a part of each piece between bytes 0xFF: a field, or a file if the piece begins with `f`.
fn made_of_parts(data: &[u8]) {
    let pieces: Vec<&[u8]> = data.split(|byte| *byte == 0xFF).collect();
    if pieces.len() > MAX_PARTS || data.windows(3).any(|window| window == b"--b") {
        return;
    }
    let mut body = Vec::new();
    for (number, piece) in pieces.iter().enumerate() {
        let file = if piece.starts_with(b"f") { "; filename=\"x\"" } else { "" };
        body.extend(
            format!("--b\r\nContent-Disposition: form-data; name=\"{number}\"{file}\r\n\r\n").bytes(),
        );
        body.extend_from_slice(piece);
        body.extend(b"\r\n");
    }
    body.extend(b"--b--\r\n");
    let found = parts("multipart/form-data; boundary=b", &body).expect("a body within the limits");
    assert_eq!(found.len(), pieces.len());
    for (number, (part, piece)) in found.iter().zip(&pieces).enumerate() {
        assert_eq!(&body[part.content.clone()], *piece);
        assert_eq!(
            (part.name.as_str(), part.filename.is_some()),
            (&*number.to_string(), piece.starts_with(b"f"))
        );
    }
}

#[test]
fn the_corpus_of_multipart_bodies_holds() {
    super::corpus_holds("multipart", multipart);
}
