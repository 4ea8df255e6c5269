//! Limits of the sizes that one native call may reach. The budget is checked after a native has made its result, which is too
//! late for a result of terabytes. The natives pass their names for the error.

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

/// Most bytes of a text that a native makes out of less, and of a blob.
pub(crate) const MAX_TEXT: usize = 8 << 20;

/// Most items of a list that a native makes. With 16 bytes each, they take as much memory as the longest text.
pub(crate) const MAX_ITEMS: usize = MAX_TEXT / 16;

/// Bytes of a text up to which its parts do not count as work.
const SHORT: usize = 64 << 10;

/// Levels of nested lists and maps that natives follow.
pub(crate) const MAX_DEPTH: usize = 128;

/// A text under construction that can't grow beyond a limit.
#[derive(Debug)]
pub(crate) struct Text {
    written: String,
    limit: usize,
}

impl Text {
    /// Returns an empty text of at most `limit` bytes.
    pub(crate) fn with_limit(limit: usize) -> Self {
        Self { written: String::new(), limit }
    }

    /// Returns an empty text of at most [`MAX_TEXT`] bytes.
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

    /// Returns the text, with `...` in place of the part beyond the limit.
    pub(crate) fn truncated(mut self) -> ImmutableString {
        self.written.truncate(self.written.floor_char_boundary(self.limit.saturating_sub(3)));
        self.written.push_str("...");
        self.written.into()
    }
}

impl fmt::Write for Text {
    /// Writes the part that fits, so that a truncated text is as long as its limit. Fails once the call is out of time, since
    /// long texts are made of millions of parts.
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

/// Returns the name of a value's type without the path of its Rust module. Rhai has only a text of both.
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

/// Fails as `name` when the running call has no room for `bytes` more. This is for natives whose result is a small multiple of
/// their arguments.
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

/// Whether a walk through a value should end, `depth` levels down, since the call is out of time. Frozen values are shared: a
/// list that has another one twice, which has a third one twice, and so on, takes practically forever long before it is
/// [`MAX_DEPTH`] levels deep.
pub(crate) fn is_late(depth: usize) -> bool {
    depth > MAX_DEPTH / 8 && budget::time_is_up()
}

/// Ends the script when its time is up, in natives with loops, which Rhai can't interrupt.
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
