//! Sizes that one native call may not exceed. The allocator's count is looked at after a native has made its result, which is
//! too late for one of terabytes. Knows no topic: the natives bring their names for the error.

mod rendering;
mod repairs;
mod sorting;
mod texts;

pub(crate) use rendering::{full_text, text_of, write_value};
pub(crate) use sorting::sort_by;

use super::frozen::{is_list, is_map};
use super::large_int::LargeInt;
use super::{budget, datetime};
use crate::script::runtime::natives::{Fallible, Natives};
use rhai::{Array, Dynamic, EvalAltResult, ImmutableString};
use std::fmt;

/// Longest text in bytes that a native makes out of less, and most bytes of a blob.
pub(crate) const MAX_TEXT: usize = 8 << 20;

/// Most items of a list that a native makes: with 16 bytes for each, as much memory as the longest text.
pub(crate) const MAX_ITEMS: usize = MAX_TEXT / 16;

/// A text of at most so many bytes is made at once.
const SHORT: usize = 64 << 10;

/// Levels of nesting that natives follow into lists and maps before they give up.
pub(crate) const MAX_DEPTH: usize = 128;

/// A text under construction that refuses to grow beyond a limit.
#[derive(Debug)]
pub(crate) struct Text {
    written: String,
    limit: usize,
}

impl Text {
    /// An empty text of at most `limit` bytes.
    pub(crate) fn with_limit(limit: usize) -> Self {
        Self { written: String::new(), limit }
    }

    /// An empty text of at most [`MAX_TEXT`] bytes.
    pub(crate) fn new() -> Self {
        Self::with_limit(MAX_TEXT)
    }

    /// Appends `part`, or fails as `name` when the result would be too long.
    pub(crate) fn push(&mut self, name: &str, part: &str) -> Fallible<()> {
        fmt::Write::write_str(self, part).map_err(|_| too_long(name))
    }

    pub(crate) fn repeat(&mut self, name: &str, part: &str, count: usize) -> Fallible<()> {
        let whole = part.len().checked_mul(count).and_then(|added| added.checked_add(self.written.len()));
        if whole.is_none_or(|length| length > self.limit) {
            return Err(too_long(name));
        }
        self.written.push_str(&part.repeat(count));
        Ok(())
    }

    pub(crate) fn finish(self) -> ImmutableString {
        self.written.into()
    }

    /// What was written, followed by `...` in place of the rest; within the limit.
    pub(crate) fn truncated(mut self) -> ImmutableString {
        self.written.truncate(self.written.floor_char_boundary(self.limit.saturating_sub(3)));
        self.written.push_str("...");
        self.written.into()
    }
}

impl fmt::Write for Text {
    /// Writes what fits, so that a cut text is as long as it may be. Nothing once the call is over its time: long texts are made of
    /// millions of parts.
    fn write_str(&mut self, part: &str) -> fmt::Result {
        if self.limit > SHORT && budget::work(part.len() + budget::STEP).is_err() {
            return Err(fmt::Error);
        }
        let room = self.limit - self.written.len();
        if part.len() <= room {
            self.written.push_str(part);
            return Ok(());
        }
        self.written.push_str(&part[..part.floor_char_boundary(room)]);
        Err(fmt::Error)
    }
}

/// The name of a value's type without the path of its Rust module; Rhai has it as a text only.
pub(crate) fn type_name(value: &Dynamic) -> &str {
    match value {
        _ if is_list(value) => "array",
        _ if is_map(value) => "map",
        _ if value.is::<LargeInt>() => "large integer",
        _ => datetime::type_name(value).unwrap_or_else(|| {
            let name = value.type_name();
            name.rsplit("::").next().unwrap_or(name)
        }),
    }
}

pub(crate) fn too_long(name: &str) -> Box<EvalAltResult> {
    format!("{name}: the result is longer than {MAX_TEXT} bytes").into()
}

pub(crate) fn too_many(name: &str) -> Box<EvalAltResult> {
    format!("{name}: the result has more than {MAX_ITEMS} items").into()
}

/// Fails as `name` when the running call has no room for `bytes` more: for natives that make a small multiple of what they take.
pub(crate) fn fits(name: &str, bytes: usize) -> Fallible<()> {
    if bytes > budget::room() {
        return Err(format!("{name}: the result does not fit into the memory of the script").into());
    }
    Ok(())
}

/// Collects a list, or fails as `name` when it has too many items.
pub(crate) fn collect(name: &str, items: impl Iterator<Item = Dynamic>) -> Fallible<Array> {
    let list: Array = budget::watched(items).take(MAX_ITEMS + 1).collect();
    if list.len() > MAX_ITEMS { Err(too_many(name)) } else { Ok(list) }
}

/// Whether to give up going through a value, `depth` levels down. Frozen values are shared: one that has another twice, which has a
/// third one twice, is endless long before it is [`MAX_DEPTH`] deep.
pub(crate) fn is_late(depth: usize) -> bool {
    depth > MAX_DEPTH / 8 && budget::time_is_up()
}

/// Ends the script when its time is up; for natives that loop, which Rhai can't interrupt.
///
/// # Errors
/// The time is up.
pub(crate) fn check_time() -> Fallible<()> {
    if budget::time_is_up() { Err(budget::out_of_time()) } else { Ok(()) }
}

/// Replaces the natives of Rhai that may allocate without end or never return.
pub(crate) fn register(natives: &mut Natives) {
    rendering::register(natives);
    repairs::register(natives);
    sorting::register(natives);
    texts::register(natives);
}

#[cfg(test)]
mod tests;
