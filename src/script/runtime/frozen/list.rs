//! The frozen list, and read access to it and to Rhai's own list alike.

use super::facts::Facts;
use super::freeze;
use super::tree::Tree;
use rhai::{Array, Dynamic, DynamicReadLock};
use std::ops::{Index, Range};
use std::slice;
use std::sync::Arc;

/// A list that can't change. A list that is made at once is one block. A longer list that grows from it shares that block, and
/// has its further items in a [`Tree`]. So `list + [item]` costs the same for any length.
#[derive(Debug, Clone)]
pub(crate) struct FrozenList {
    base: Arc<Vec<Dynamic>>,
    more: Option<Tree>,
    pub(super) facts: Facts,
}

impl FrozenList {
    pub(crate) fn new(items: Vec<Dynamic>) -> Self {
        let facts = Facts::of_items(items.iter());
        Self { base: Arc::new(items), more: None, facts }
    }

    /// Adds `item` at the end. Other references to the list keep it as it was.
    pub(crate) fn push(&mut self, item: Dynamic) {
        let item = freeze(item);
        self.facts.add(Facts::of(&item));
        self.more.get_or_insert_with(Tree::new).push(item);
    }

    pub(crate) fn extend(&mut self, items: impl IntoIterator<Item = Dynamic>) {
        items.into_iter().for_each(|item| self.push(item));
    }

    pub(crate) fn len(&self) -> usize {
        self.base.len() + self.more.as_ref().map_or(0, Tree::len)
    }

    pub(crate) fn get(&self, place: usize) -> Option<&Dynamic> {
        match self.base.get(place) {
            Some(item) => Some(item),
            None => self.more.as_ref()?.get(place - self.base.len()),
        }
    }

    pub(crate) fn iter(&self) -> Items<'_> {
        Items { base: self.base.iter(), more: self.more.as_ref(), next: 0 }
    }

    pub(crate) fn thaw(&self) -> Array {
        self.iter().cloned().collect()
    }

    /// Returns a copy of the items at `places`, all of which must exist.
    pub(crate) fn slice(&self, places: Range<usize>) -> Array {
        places.filter_map(|place| self.get(place).cloned()).collect()
    }

    /// Whether both are the same list, not only an equal one.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.base, &other.base)
            && match (&self.more, &other.more) {
                (Some(one), Some(other)) => one.is(other),
                (one, other) => one.is_none() && other.is_none(),
            }
    }
}

/// The items of a list, in order.
pub(crate) struct Items<'l> {
    base: slice::Iter<'l, Dynamic>,
    more: Option<&'l Tree>,
    /// The next place in `more`.
    next: usize,
}

impl<'l> Items<'l> {
    /// Returns the items of a list of Rhai.
    pub(crate) fn of(list: &'l Array) -> Self {
        Items { base: list.iter(), more: None, next: 0 }
    }
}

impl<'l> Iterator for Items<'l> {
    type Item = &'l Dynamic;

    fn next(&mut self) -> Option<&'l Dynamic> {
        if let Some(item) = self.base.next() {
            return Some(item);
        }
        let item = self.more?.get(self.next)?;
        self.next += 1;
        Some(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.base.len() + self.more.map_or(0, |more| more.len() - self.next);
        (left, Some(left))
    }
}

impl ExactSizeIterator for Items<'_> {}

/// Read access to a list of either kind.
pub(crate) enum ListRef<'v> {
    Rhai(DynamicReadLock<'v, Array>),
    Frozen(DynamicReadLock<'v, FrozenList>),
}

/// Returns read access to `value`, where it is a list.
pub(crate) fn as_list(value: &Dynamic) -> Option<ListRef<'_>> {
    if let Some(list) = value.read_lock::<Array>() {
        return Some(ListRef::Rhai(list));
    }
    value.read_lock::<FrozenList>().map(ListRef::Frozen)
}

impl ListRef<'_> {
    pub(crate) fn len(&self) -> usize {
        match self {
            ListRef::Rhai(list) => list.len(),
            ListRef::Frozen(list) => list.len(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn get(&self, place: usize) -> Option<&Dynamic> {
        match self {
            ListRef::Rhai(list) => list.get(place),
            ListRef::Frozen(list) => list.get(place),
        }
    }

    pub(crate) fn iter(&self) -> Items<'_> {
        match self {
            ListRef::Rhai(list) => Items::of(list),
            ListRef::Frozen(list) => list.iter(),
        }
    }

    pub(crate) fn to_vec(&self) -> Array {
        self.iter().cloned().collect()
    }

    /// Returns both items, where the list has two.
    pub(crate) fn pair(&self) -> Option<(&Dynamic, &Dynamic)> {
        Some((self.get(0)?, self.get(1)?)).filter(|_| self.len() == 2)
    }
}

impl Index<usize> for ListRef<'_> {
    type Output = Dynamic;

    /// # Panics
    /// The list has no item at `place`.
    fn index(&self, place: usize) -> &Dynamic {
        self.get(place).expect("the place is below the length")
    }
}
