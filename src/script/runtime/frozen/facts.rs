//! Facts about a value that are known without a walk through it. A frozen list or map collects the facts of its items when it
//! is made.

use super::{FrozenList, FrozenMap};
use crate::script::runtime::datetime;
use crate::script::runtime::large_int::LargeInt;
use rhai::{Array, Blob, Dynamic, ImmutableString, Map};

/// The facts about a value and everything in it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Facts {
    /// Whether the value is only data, so that it may outlive its request. A function would outlive its provision.
    pub is_plain: bool,
    /// Levels of lists and maps: 0 for a text or number.
    pub depth: u32,
    /// Estimated memory. A part that the value has twice counts twice, as in its JSON. The number does not depend on other
    /// owners of a part.
    pub bytes: usize,
}

/// Bytes of a place for a value.
const PLACE: usize = size_of::<Dynamic>();
/// Bytes of a text beside its letters.
const TEXT: usize = 40;
/// Bytes of a list or map without its items.
const CONTAINER: usize = 112;
/// Bytes of a key of a map beside its letters.
const KEY: usize = 56;
/// Bytes of a date, or of a blob beside its bytes.
const OTHER: usize = 32;

impl Facts {
    const fn of_bytes(bytes: usize) -> Facts {
        Facts { is_plain: true, depth: 0, bytes: PLACE + bytes }
    }

    /// Returns the facts of an empty list or map.
    pub(super) const fn of_container() -> Facts {
        Facts { depth: 1, ..Facts::of_bytes(CONTAINER) }
    }

    pub(super) fn of_items<'v>(items: impl Iterator<Item = &'v Dynamic>) -> Facts {
        let mut facts = Facts::of_container();
        items.for_each(|item| facts.add(Facts::of(item)));
        facts
    }

    pub(super) fn of_pairs<'v>(pairs: impl Iterator<Item = (&'v str, &'v Dynamic)>) -> Facts {
        let mut facts = Facts::of_container();
        for (key, value) in pairs {
            facts.add(Facts::of(value));
            facts.bytes = facts.bytes.saturating_add(KEY + key.len());
        }
        facts
    }

    /// Adds the facts of an item of a list or of a value of a map.
    pub(super) fn add(&mut self, item: Facts) {
        self.is_plain &= item.is_plain;
        self.depth = self.depth.max(item.depth.saturating_add(1));
        // A list that has another one twice, which has a third one twice, and so on, would exceed any number.
        self.bytes = self.bytes.saturating_add(item.bytes);
    }

    pub(crate) fn of(value: &Dynamic) -> Facts {
        if value.is_int() || value.is_bool() || value.is_float() || value.is_unit() || value.is_char() {
            return Facts::of_bytes(0);
        }
        if let Some(text) = value.read_lock::<ImmutableString>() {
            return Facts::of_bytes(TEXT + text.len());
        }
        if let Some(list) = value.read_lock::<FrozenList>() {
            return list.facts;
        }
        if let Some(map) = value.read_lock::<FrozenMap>() {
            return map.0.facts;
        }
        Facts::of_rare(value)
    }

    fn of_rare(value: &Dynamic) -> Facts {
        if let Some(list) = value.read_lock::<Array>() {
            return Facts::of_items(list.iter());
        }
        if let Some(map) = value.read_lock::<Map>() {
            return Facts::of_pairs(map.iter().map(|(key, value)| (key.as_str(), value)));
        }
        if let Some(bytes) = value.read_lock::<Blob>() {
            return Facts::of_bytes(OTHER + bytes.len());
        }
        if let Some(number) = value.read_lock::<LargeInt>() {
            return Facts::of_bytes(OTHER + TEXT + number.as_str().len());
        }
        Facts { is_plain: datetime::type_name(value).is_some(), ..Facts::of_bytes(OTHER) }
    }
}
