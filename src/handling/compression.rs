//! Compresses complete answers: those of `r.compress()`, and with `--compress` all answers of text. A HEAD request has the same
//! headers as its GET, since its body is made, too.

use crate::chaos::Reply;
use crate::message::answer::Answer;
use crate::message::content_coding::{Bounds, choose, compress as pack};
use crate::message::request::Request;

/// Least bytes of a body that `--compress` compresses: less fits into one packet anyway. flask-compress has the same limit.
const LEAST: u64 = 500;
/// Most bytes of a body that is compressed. A worker is busy for 0.2 s then.
const MOST: u64 = 8 << 20;
/// Longest body that is compressed at zlib's usual level. Longer ones take the fastest level.
const LARGE: usize = 1 << 20;
const USUAL: u8 = 6;
const FASTEST: u8 = 1;

/// Media types of text outside of `text/`, `+json` and `+xml`.
const TEXTS: [&str; 8] = [
    "application/json",
    "application/javascript",
    "application/x-javascript",
    "application/ecmascript",
    "application/xml",
    "application/yaml",
    "application/x-ndjson",
    "application/graphql",
];

/// Compresses the answer of `reply` if the client accepts that: `reply` asks for it, or `all` answers of text are compressed.
///
/// An answer that could have been compressed says so in `Vary`, also where the client accepts no coding.
pub(super) fn compress(reply: &mut Reply, request: &Request, all: bool) {
    let asked = reply.compress;
    if !asked && (!all || reply.forwarded) {
        return;
    }
    let is_whole = reply.follow.is_none() && reply.source.is_none() && !reply.is_streamed();
    let answer = &mut reply.answer;
    if !is_whole || !may_be_coded(answer) || !(asked || all && is_worthwhile(answer)) {
        return;
    }
    vary(answer);
    let accepted = request.header_joined("accept-encoding", ",");
    let Some(coding) = accepted.and_then(|accepted| choose(&accepted)) else { return };
    if answer.status == 304 {
        return weaken(answer);
    }
    let Ok(body) = answer.body.read() else { return };
    let level = if body.len() > LARGE { FASTEST } else { USUAL };
    let most = if asked { usize::MAX } else { body.len() };
    let mut bounds = Bounds { most, go_on: &mut |_| true };
    let Ok(packed) = pack(&body, coding.frame(), level, &mut bounds) else { return };
    answer.body = packed.into();
    for name in ["Content-Length", "Accept-Ranges"] {
        answer.remove_header(name);
    }
    answer.set_header("Content-Encoding", coding.name());
    weaken(answer);
}

/// Whether a coding can be applied: there is a whole body, and it has none yet. A 304 stands for such an answer.
fn may_be_coded(answer: &Answer) -> bool {
    let has_body = !matches!(answer.status, 204..=206 | 304) && (1..=MOST).contains(&answer.body.len());
    (has_body || answer.status == 304)
        && ["content-encoding", "content-range"].into_iter().all(|name| answer.header(name).is_none())
}

/// Whether `--compress` means the answer.
fn is_worthwhile(answer: &Answer) -> bool {
    let mimetype = answer.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default();
    let mimetype = mimetype.trim().to_ascii_lowercase();
    // A 304 mostly has no type: it may stand for a text, and a weak tag fits any other content, too.
    let is_text = answer.status == 304 && mimetype.is_empty()
        || mimetype.starts_with("text/")
        || mimetype.ends_with("+json")
        || mimetype.ends_with("+xml")
        || TEXTS.contains(&mimetype.as_str());
    let is_fixed = has(answer, "cache-control", "no-transform");
    is_text && !is_fixed && (answer.status == 304 || answer.body.len() >= LEAST)
}

/// Whether a header that is a list has this item, in any case.
fn has(answer: &Answer, name: &str, item: &str) -> bool {
    let fields = answer.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
    fields.flat_map(|(_, value)| value.split(',')).any(|value| value.trim().eq_ignore_ascii_case(item))
}

/// Adds `Accept-Encoding` to `Vary`.
fn vary(answer: &mut Answer) {
    if has(answer, "vary", "accept-encoding") || has(answer, "vary", "*") {
        return;
    }
    match answer.headers.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case("vary")) {
        Some((_, value)) if !value.trim().is_empty() => value.to_mut().push_str(", Accept-Encoding"),
        _ => answer.set_header("Vary", "Accept-Encoding"),
    }
}

/// Makes a strong `ETag` weak: the bytes of the answer are others than without the coding (RFC 9110, 8.8.1).
fn weaken(answer: &mut Answer) {
    if let Some(tag) = answer.header("etag").filter(|tag| tag.starts_with('"')) {
        let weak = format!("W/{tag}");
        answer.set_header("ETag", weak);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::answer::{HTML, JSON};
    use crate::message::content_coding::{Frame, decompress};

    fn compressed(
        mut answer: Answer,
        headers: &[(&'static str, &'static str)],
        accepted: &str,
        asked: bool,
    ) -> Answer {
        answer.headers.extend(headers.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        let mut reply = Reply { compress: asked, ..Reply::from(answer) };
        let fields = (!accepted.is_empty()).then_some(("Accept-Encoding", accepted));
        let request = Request::from_parts("GET", "/", fields, Vec::new(), None, None);
        compress(&mut reply, &request, !asked);
        reply.answer
    }

    fn content(answer: &Answer) -> Vec<u8> {
        let frame = match answer.header("content-encoding") {
            None => return answer.body.bytes().to_vec(),
            Some("gzip") => Frame::Gzip,
            Some(_) => Frame::Zlib,
        };
        decompress(answer.body.bytes(), frame, &mut Bounds { most: usize::MAX, go_on: &mut |_| true })
            .unwrap()
    }

    #[test]
    fn the_client_chooses_the_coding_and_vary_says_so() {
        let text = "hello ".repeat(100);
        for (accepted, coding) in [
            ("gzip", Some("gzip")),
            ("deflate", Some("deflate")),
            ("br", None),
            ("gzip;q=0", None),
            ("", None),
        ] {
            for asked in [true, false] {
                let answer = compressed(Answer::html(200, text.as_str()), &[], accepted, asked);
                assert_eq!(answer.header("content-encoding"), coding, "{accepted}");
                assert_eq!(answer.header("vary"), Some("Accept-Encoding"), "{accepted}");
                assert_eq!(content(&answer), text.as_bytes(), "{accepted}");
            }
        }
    }

    #[test]
    fn vary_is_merged_and_etags_are_weakened() {
        let text = || Answer::html(200, "hello ".repeat(100));
        for (given, name, expected) in [
            (("Vary", "Origin"), "vary", Some("Origin, Accept-Encoding")),
            (("vary", "Origin, ACCEPT-encoding"), "vary", Some("Origin, ACCEPT-encoding")),
            (("Vary", "*"), "vary", Some("*")),
            (("Vary", ""), "vary", Some("Accept-Encoding")),
            (("ETag", "\"a\""), "etag", Some("W/\"a\"")),
            (("ETag", "W/\"a\""), "etag", Some("W/\"a\"")),
            (("ETag", "a"), "etag", Some("a")),
            (("Content-Length", "600"), "content-length", None),
            (("Accept-Ranges", "bytes"), "accept-ranges", None),
        ] {
            let answer = compressed(text(), &[given], "gzip", false);
            assert_eq!(answer.header(name), expected, "{given:?}");
            assert_eq!(answer.header("content-encoding"), Some("gzip"), "{given:?}");
        }
        let plain = compressed(text(), &[("ETag", "\"a\"")], "br", false);
        assert_eq!(plain.header("etag"), Some("\"a\""));
        for (mimetype, asked) in [(HTML, true), (HTML, false), ("", false)] {
            let unchanged = Answer::new(304, mimetype, "");
            let unchanged = compressed(unchanged, &[("ETag", "\"a\"")], "gzip", asked);
            assert_eq!(
                (unchanged.header("etag"), unchanged.header("vary")),
                (Some("W/\"a\""), Some("Accept-Encoding"))
            );
            assert_eq!(unchanged.header("content-encoding"), None);
        }
    }

    /// Columns: status, media type, bytes, another header; whether `r.compress()` and `--compress` compress the answer.
    #[test]
    fn some_answers_are_left_as_they_are() {
        let none = ("X", "y");
        for (status, mimetype, bytes, header, by_script, by_flag) in [
            (200, HTML, 500, none, true, true),
            (200, HTML, 499, none, true, false),
            (200, HTML, 1, none, true, false),
            (200, HTML, 0, none, false, false),
            (404, JSON, 500, none, true, true),
            (200, "Application/Problem+JSON; a=b", 500, none, true, true),
            (200, "image/svg+xml", 500, none, true, true),
            (200, "application/javascript", 500, none, true, true),
            (200, "image/png", 500, none, true, false),
            (200, "application/octet-stream", 500, none, true, false),
            (200, "", 500, none, true, false),
            (204, HTML, 500, none, false, false),
            (205, HTML, 500, none, false, false),
            (206, HTML, 500, none, false, false),
            (200, HTML, 500, ("Content-Range", "bytes 0-499/900"), false, false),
            (200, HTML, 500, ("content-encoding", "br"), false, false),
            (200, HTML, 500, ("Cache-Control", "public, No-Transform"), true, false),
            (200, HTML, MOST, none, true, true),
            (200, HTML, MOST + 1, none, false, false),
        ] {
            for (asked, expected) in [(true, by_script), (false, by_flag)] {
                let body = vec![b'a'; usize::try_from(bytes).unwrap()];
                let answer = compressed(Answer::new(status, mimetype, body), &[header], "gzip", asked);
                let coded = answer.header("content-encoding") == Some("gzip");
                assert_eq!(coded, expected, "{status} {mimetype} {bytes} {header:?} {asked}");
                assert_eq!(
                    answer.header("vary").is_some(),
                    expected,
                    "{status} {mimetype} {bytes} {header:?}"
                );
            }
        }
    }

    #[test]
    fn a_body_that_would_grow_is_compressed_for_the_script_alone() {
        let mut random = fastrand::Rng::with_seed(1);
        let noise: Vec<u8> = (0..600).map(|_| random.u8(..)).collect();
        for (asked, coding) in [(true, Some("gzip")), (false, None)] {
            let answer = compressed(Answer::html(200, noise.clone()), &[], "gzip", asked);
            assert_eq!((answer.header("content-encoding"), content(&answer) == noise), (coding, true));
        }
    }
}
