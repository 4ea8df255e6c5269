//! Writes a script value as JSON, up to a maximum length. `serde_json` writes numbers, and strings with characters to escape.

use super::float::python_float;
use super::style::Style;
use crate::script::runtime::datetime::{self, http_date};
use crate::script::runtime::frozen::{Items, as_list, as_map};
use crate::script::runtime::large_int::LargeInt;
use crate::script::runtime::multi_dict::to_dict;
use crate::script::runtime::names;
use crate::script::runtime::size_limits::{MAX_DEPTH, type_name};
use crate::system::truncate::beginning;
use rhai::{Dynamic, FnPtr, Map};
use std::io::{Error, Write};

/// Initial capacity in bytes. Most answers fit into it, so the buffer rarely grows.
const USUAL: usize = 128;

/// Writes `value` in `style`.
pub(super) fn write(value: &Dynamic, limit: usize, style: &Style) -> Result<Vec<u8>, String> {
    let mut writer =
        Writer { out: Bytes { written: Vec::with_capacity(USUAL.min(limit)), limit }, style, depth: 0 };
    match writer.value(value) {
        Ok(()) => Ok(writer.out.written),
        Err(Refusal { what, .. }) if what.is_empty() => {
            Err(format!("the result is longer than {limit} bytes"))
        }
        Err(Refusal { what, path }) if path.is_empty() => Err(what),
        Err(Refusal { what, path }) => Err(format!("at `{}`: {what}", path.concat().trim_start_matches('.'))),
    }
}

/// The reason why a value can't be written, and its path. An empty reason means that the JSON is too long.
struct Refusal {
    what: String,
    path: Vec<String>,
}

impl Refusal {
    fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), path: Vec::new() }
    }

    /// Adds the next outer step to the path.
    fn inside(mut self, step: impl FnOnce() -> String) -> Self {
        // The innermost 16 steps of a deep path are enough.
        if self.path.len() < 16 {
            self.path.insert(0, step());
        }
        self
    }
}

impl From<Error> for Refusal {
    fn from(_: Error) -> Self {
        Self::new("")
    }
}

impl From<serde_json::Error> for Refusal {
    fn from(_: serde_json::Error) -> Self {
        Self::new("")
    }
}

/// A buffer with a maximum length.
struct Bytes {
    written: Vec<u8>,
    limit: usize,
}

/// Up to this length a piece is copied eight bytes at a time. musl's `memcpy` uses an instruction whose start takes as long as the whole copy.
const SHORT: usize = 32;

impl Bytes {
    fn make_room(&mut self, more: usize) -> std::io::Result<()> {
        if more > self.limit - self.written.len() {
            return Err(Error::from(std::io::ErrorKind::StorageFull));
        }
        self.written.reserve(more);
        Ok(())
    }

    fn copy(&mut self, bytes: &[u8]) {
        if bytes.len() > SHORT {
            return self.written.extend_from_slice(bytes);
        }
        let (eights, rest) = bytes.as_chunks::<8>();
        eights.iter().for_each(|eight| self.written.extend_from_slice(eight));
        rest.iter().for_each(|byte| self.written.push(*byte));
    }

    /// Writes a text in quotes. It must not contain characters to escape.
    fn quote(&mut self, text: &str) -> std::io::Result<()> {
        self.make_room(text.len() + 2)?;
        self.written.push(b'"');
        self.copy(text.as_bytes());
        self.written.push(b'"');
        Ok(())
    }
}

impl Write for Bytes {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.make_room(bytes.len())?;
        self.copy(bytes);
        Ok(())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn entries(map: &Map) -> impl Iterator<Item = (&str, &Dynamic)> {
    map.iter().map(|(key, value)| (key.as_str(), value))
}

struct Writer<'a> {
    out: Bytes,
    style: &'a Style,
    depth: usize,
}

impl Writer<'_> {
    fn value(&mut self, value: &Dynamic) -> Result<(), Refusal> {
        // Checking the type first is cheaper than an attempt that fails.
        if value.is_string()
            && let Ok(text) = value.as_immutable_string_ref()
        {
            return self.text(&text);
        }
        if value.is_map()
            && let Ok(map) = value.as_map_ref()
        {
            return self.nested(|writer| writer.map(&mut entries(&map)));
        }
        if value.is_array()
            && let Ok(list) = value.as_array_ref()
        {
            return self.nested(|writer| writer.list(Items::of(&list)));
        }
        self.scalar(value)
    }

    fn scalar(&mut self, value: &Dynamic) -> Result<(), Refusal> {
        if value.is_unit() {
            return Ok(self.out.write_all(b"null")?);
        }
        if value.is_bool()
            && let Ok(flag) = value.as_bool()
        {
            return Ok(serde_json::to_writer(&mut self.out, &flag)?);
        }
        if value.is_int()
            && let Ok(number) = value.as_int()
        {
            return Ok(serde_json::to_writer(&mut self.out, &number)?);
        }
        if value.is_float()
            && let Ok(number) = value.as_float()
        {
            if !number.is_finite() {
                return Err(Refusal::new(format!("the number {number} has no JSON form")));
            }
            if self.style.python {
                return Ok(self.out.write_all(python_float(number).as_bytes())?);
            }
            return Ok(serde_json::to_writer(&mut self.out, &number)?);
        }
        if value.is_char()
            && let Ok(letter) = value.as_char()
        {
            return self.text(letter.encode_utf8(&mut [0; 4]));
        }
        if let Some(list) = as_list(value) {
            return self.nested(|writer| writer.list(list.iter()));
        }
        if let Some(map) = as_map(value) {
            return self.nested(|writer| writer.map(&mut map.iter()));
        }
        if let Some(number) = value.read_lock::<LargeInt>() {
            return Ok(self.out.write_all(number.as_str().as_bytes())?);
        }
        // Flask's `jsonify` writes datetimes and dates as HTTP dates; Python's `json` refuses them.
        if let Some(date) = http_date(value).filter(|_| !self.style.python) {
            return self.text(&date);
        }
        // `request.args` and similar dictionaries, as Flask's `jsonify` writes them.
        match to_dict(value) {
            Some(map) => self.nested(|writer| writer.map(&mut entries(&map))),
            None => Err(refusal_of(value)),
        }
    }

    fn text(&mut self, text: &str) -> Result<(), Refusal> {
        // Most texts have nothing to escape. This takes a third of the time of serde_json.
        if text.bytes().all(|byte| matches!(byte, b' ' | b'!' | b'#'..=b'[' | b']'..=b'~')) {
            return Ok(self.out.quote(text)?);
        }
        if !self.style.ascii || text.bytes().all(|byte| byte.is_ascii() && byte != 0x7F) {
            return Ok(serde_json::to_writer(&mut self.out, text)?);
        }
        // serde_json has escaped the other characters.
        for letter in serde_json::to_string(text)?.chars() {
            match letter {
                ' '..='~' => self.out.write_all(&[letter as u8])?,
                _ => {
                    for unit in letter.encode_utf16(&mut [0; 2]) {
                        write!(self.out, "\\u{unit:04x}")?;
                    }
                }
            }
        }
        Ok(())
    }

    fn nested(&mut self, body: impl FnOnce(&mut Self) -> Result<(), Refusal>) -> Result<(), Refusal> {
        if self.depth == MAX_DEPTH {
            return Err(Refusal::new(format!("nested more than {MAX_DEPTH} levels deep")));
        }
        self.depth += 1;
        let result = body(self);
        self.depth -= 1;
        result
    }

    fn list(&mut self, list: Items<'_>) -> Result<(), Refusal> {
        self.out.write_all(b"[")?;
        let is_empty = list.len() == 0;
        for (index, item) in list.enumerate() {
            self.separate(index > 0)?;
            self.value(item).map_err(|refusal| refusal.inside(|| format!("[{index}]")))?;
        }
        self.close(is_empty, b"]")
    }

    fn map(&mut self, map: &mut dyn Iterator<Item = (&str, &Dynamic)>) -> Result<(), Refusal> {
        if self.style.sorted {
            let mut entries: Vec<_> = map.collect();
            entries.sort_by_key(|(key, _)| *key);
            return self.entries(&mut entries.into_iter());
        }
        self.entries(map)
    }

    fn entries(&mut self, map: &mut dyn Iterator<Item = (&str, &Dynamic)>) -> Result<(), Refusal> {
        self.out.write_all(b"{")?;
        let mut empty = true;
        for (key, item) in map {
            self.separate(!empty)?;
            empty = false;
            self.text(key)?;
            self.out.write_all(self.style.key_separator.as_bytes())?;
            self.value(item).map_err(|refusal| refusal.inside(|| format!(".{}", beginning(key, 80))))?;
        }
        self.close(empty, b"}")
    }

    /// Begins an item: writes the separator unless it is the first one, and the line break.
    fn separate(&mut self, follows: bool) -> Result<(), Refusal> {
        if follows {
            self.out.write_all(self.style.item_separator.as_bytes())?;
        }
        self.line(self.depth)
    }

    fn close(&mut self, empty: bool, bracket: &[u8]) -> Result<(), Refusal> {
        if !empty {
            self.line(self.depth - 1)?;
        }
        Ok(self.out.write_all(bracket)?)
    }

    fn line(&mut self, depth: usize) -> Result<(), Refusal> {
        if let Some(indent) = &self.style.indent {
            self.out.write_all(b"\n")?;
            for _ in 0..depth {
                self.out.write_all(indent.as_bytes())?;
            }
        }
        Ok(())
    }
}

/// Returns the error for a value without a JSON form, with a suggestion.
fn refusal_of(value: &Dynamic) -> Refusal {
    if value.is_blob() {
        return Refusal::new("a blob has no JSON form: use `base64.b64encode(...)`, or `.decode()` for text");
    }
    if let Some(function) = value.read_lock::<FnPtr>() {
        let name = names::shown(function.fn_name());
        return Refusal::new(format!("the function `{name}` has no JSON form: call it"));
    }
    if let Some(name) = datetime::type_name(value) {
        let instead = match name {
            "timedelta" => ".total_seconds()",
            "timezone" => "str(...)",
            _ => ".isoformat()",
        };
        return Refusal::new(format!("a {name} has no JSON form: use `{instead}`"));
    }
    Refusal::new(format!("a value of type `{}` has no JSON form", type_name(value)))
}
