//! The memory of the variables that a function has captured.

use super::frozen::{Facts, FrozenList, FrozenMap};
use super::size_limits::MAX_DEPTH;
use rhai::{Array, Blob, Dynamic, FnPtr, ImmutableString, Map};

/// Returns the bytes of the variables that `function` has captured. The walk ends beyond `most` bytes: captured variables can
/// contain themselves.
pub(super) fn bytes(function: &FnPtr, most: usize) -> usize {
    let mut walk = Walk { bytes: 0, most };
    walk.items(function.curry().iter(), 0);
    walk.bytes
}

struct Walk {
    bytes: usize,
    most: usize,
}

impl Walk {
    fn items<'v>(&mut self, items: impl Iterator<Item = &'v Dynamic>, depth: usize) {
        for item in items {
            if self.bytes > self.most || depth > MAX_DEPTH {
                return;
            }
            self.value(item, depth);
        }
    }

    fn value(&mut self, value: &Dynamic, depth: usize) {
        self.bytes += size_of::<Dynamic>();
        if let Some(text) = value.read_lock::<ImmutableString>() {
            self.bytes += text.len();
        } else if let Some(list) = value.read_lock::<Array>() {
            self.items(list.iter(), depth + 1);
        } else if let Some(map) = value.read_lock::<Map>() {
            self.bytes += map.keys().map(|key| key.len()).sum::<usize>();
            self.items(map.values(), depth + 1);
        } else if let Some(bytes) = value.read_lock::<Blob>() {
            self.bytes += bytes.len();
        } else if let Some(function) = value.read_lock::<FnPtr>() {
            self.items(function.curry().iter(), depth + 1);
        } else if value.is::<FrozenList>() || value.is::<FrozenMap>() {
            self.bytes = self.bytes.saturating_add(Facts::of(value).bytes);
        }
    }
}
