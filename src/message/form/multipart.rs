//! `multipart/form-data` (RFC 7578), as lenient as Werkzeug 2.0.3: any line break will do, preamble and epilogue are ignored, a
//! body without its end counts as empty. The parser passes over the body once and copies no contents.

use super::{FormError, MAX_PART_HEADERS, MAX_PARTS, Pairs, Part, options};
use std::ops::Range;

/// Limit of a boundary in bytes; RFC 2046 allows 70 characters.
const MAX_BOUNDARY: usize = 256;

/// Returns the named parts of `body`, fields and files, in their order; none if the body is malformed.
///
/// # Errors
/// The body exceeds a limit of [`super`].
pub(super) fn parts(options: &Pairs, body: &[u8]) -> Result<Vec<Part>, FormError> {
    let boundary = options::get(options, "boundary").unwrap_or_default();
    read(boundary, body).or_else(|stop| match stop {
        Stop::Refused(error) => Err(error),
        Stop::Malformed(why) => {
            log::debug!("dropped a malformed multipart body: {why}");
            Ok(Vec::new())
        }
    })
}

/// The reason why parsing ended early.
enum Stop {
    Refused(FormError),
    Malformed(&'static str),
}

/// A line `--boundary` or `--boundary--`, including the line break before it.
struct Delimiter {
    start: usize,
    end: usize,
    is_last: bool,
}

fn read(boundary: &str, body: &[u8]) -> Result<Vec<Part>, Stop> {
    if boundary.is_empty() || boundary.len() > MAX_BOUNDARY {
        return Err(Stop::Malformed("the content type has no usable boundary"));
    }
    let marker = [b"--", boundary.as_bytes()].concat();
    let missing = Stop::Malformed("a boundary is missing");
    let Some(mut delimiter) = next_delimiter(body, 0, &marker, true) else { return Err(missing) };
    let (mut parts, mut count) = (Vec::new(), 0);
    while !delimiter.is_last {
        count += 1;
        if count > MAX_PARTS {
            return Err(Stop::Refused(FormError::TooManyParts));
        }
        let (headers, start) = read_headers(body, delimiter.end)?;
        let Some(next) = next_delimiter(body, start, &marker, false) else { return Err(missing) };
        parts.extend(part(headers, start..next.start)?);
        delimiter = next;
    }
    Ok(parts)
}

/// Makes a part from its headers; `None` for a part without a name, which a script could not read.
fn part(headers: Pairs, content: Range<usize>) -> Result<Option<Part>, Stop> {
    let disposition = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-disposition"));
    let Some((_, disposition)) = disposition else {
        return Err(Stop::Malformed("a part has no `Content-Disposition`"));
    };
    let (_, options) = options::parse(disposition);
    let Some(name) = options::get(&options, "name").map(str::to_owned) else { return Ok(None) };
    let filename = options::get(&options, "filename").map(str::to_owned);
    Ok(Some(Part { name, filename, headers, content }))
}

/// Parses the header fields of the part that begins at `from`. Returns them and the start of the content.
fn read_headers(body: &[u8], from: usize) -> Result<(Pairs, usize), Stop> {
    let window = &body[from..body.len().min(from + MAX_PART_HEADERS)];
    let blank = (0..window.len()).find_map(|at| Some((at, blank_line(&window[at..])?)));
    let Some((len, blank)) = blank else {
        return Err(match body.len() - from > MAX_PART_HEADERS {
            true => Stop::Refused(FormError::HeadersTooLong),
            false => Stop::Malformed("a part has no end of its headers"),
        });
    };
    let mut headers = Pairs::new();
    let text = String::from_utf8_lossy(&window[..len]);
    for line in text.split(['\r', '\n']) {
        if line.starts_with([' ', '\t'])
            && let Some((_, value)) = headers.last_mut()
        {
            let more = line.trim();
            if !value.is_empty() && !more.is_empty() {
                value.push(' ');
            }
            value.push_str(more);
        } else if !line.trim().is_empty() {
            let Some((name, value)) = line.split_once(':') else {
                return Err(Stop::Malformed("a header of a part has no colon"));
            };
            headers.push((name.trim().to_owned(), value.trim().to_owned()));
        }
    }
    Ok((headers, from + len + blank))
}

/// Returns the length of the two line breaks that `text` starts with.
fn blank_line(text: &[u8]) -> Option<usize> {
    [&b"\r\n\r\n"[..], b"\n\n", b"\r\r"].iter().find(|blank| text.starts_with(blank)).map(|blank| blank.len())
}

/// Finds the next delimiter at or after `from`. Only the first one of a body may lack a line break before it.
fn next_delimiter(body: &[u8], from: usize, marker: &[u8], is_first: bool) -> Option<Delimiter> {
    let mut at = from;
    loop {
        at += find(&body[at..], marker)?;
        let before = line_break_before(&body[from..at]);
        if (is_first || before > 0)
            && let Some((len, is_last)) = delimiter_end(&body[at + marker.len()..])
        {
            return Some(Delimiter { start: at - before, end: at + marker.len() + len, is_last });
        }
        at += 1;
    }
}

/// Returns the length of the line after the boundary, and whether the boundary is the closing one.
fn delimiter_end(text: &[u8]) -> Option<(usize, bool)> {
    let dashes = if text.starts_with(b"--") { 2 } else { 0 };
    let is_blank = |b: &u8| matches!(b, b' ' | b'\t' | 0x0b | 0x0c);
    let line = dashes + text[dashes..].iter().take_while(|b| is_blank(b)).count();
    let line_break = match &text[line..] {
        [b'\r', b'\n', ..] => 2,
        [b'\r' | b'\n', ..] => 1,
        _ => 0,
    };
    (dashes > 0 || line_break > 0).then_some((line + line_break, dashes > 0))
}

fn line_break_before(text: &[u8]) -> usize {
    match text {
        [.., b'\r', b'\n'] => 2,
        [.., b'\r' | b'\n'] => 1,
        _ => 0,
    }
}

/// Finds `needle`, which starts with `-`, in `text`. Jumps from dash to dash: most of a body has none.
fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += text.get(at..)?.iter().position(|b| *b == b'-')?;
        if text[at..].starts_with(needle) {
            return Some(at);
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests;
