//! What is known of a value without going through it: a frozen list or map has the facts of all that is in it since it was made.

use super::{FrozenList, FrozenMap};
use crate::script::runtime::datetime;
use crate::script::runtime::large_int::LargeInt;
use rhai::{Array, Blob, Dynamic, ImmutableString, Map};

/// The facts of one value, with all that is in it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Facts {
    /// It is data through and through, so that it may outlive its request. A function would outlive its provision.
    pub is_plain: bool,
    /// Levels of lists and maps: 0 for a text or number.
    pub depth: u32,
    /// Memory by estimate. What is in it twice counts twice, as in its JSON: the number is the same whoever else has a part of it.
    pub bytes: usize,
}

/// What a place for a value takes.
const PLACE: usize = size_of::<Dynamic>();
/// What a text takes beside its bytes.
const TEXT: usize = 40;
/// What a list or map takes without its items.
const CONTAINER: usize = 112;
/// What a key of a map takes beside its bytes.
const KEY: usize = 56;
/// What a date takes, or a blob beside its bytes.
const OTHER: usize = 32;

impl Facts {
    const fn of_bytes(bytes: usize) -> Facts {
        Facts { is_plain: true, depth: 0, bytes: PLACE + bytes }
    }

    /// Of an empty list or map.
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

    /// Counts in an item of a list or a value of a map.
    pub(super) fn add(&mut self, item: Facts) {
        self.is_plain &= item.is_plain;
        self.depth = self.depth.max(item.depth.saturating_add(1));
        // A list that has another twice, which has a third one twice, is beyond any number.
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
            return list.facts();
        }
        if let Some(map) = value.read_lock::<FrozenMap>() {
            return map.facts();
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
