//! The items of a list that grows at its end while other references keep it as it was. A copy shares all nodes. The next item
//! costs a copy of the nodes on the way to the end, with at most [`WIDTH`] entries each.

use rhai::Dynamic;
use std::sync::Arc;

const BITS: u32 = 4;

/// Most entries of a node. Narrow nodes are cheap to copy, wide ones quick to read: 100,000 items take five levels.
const WIDTH: usize = 1 << BITS;

#[derive(Debug)]
enum Node {
    Items(Vec<Dynamic>),
    Nodes(Vec<Arc<Node>>),
}

#[derive(Debug, Clone)]
pub(super) struct Tree {
    root: Arc<Node>,
    /// Levels of nodes above the items.
    levels: u32,
    len: usize,
}

impl Clone for Node {
    /// Copies a node with room for one more entry, since a copy is made to add an item.
    fn clone(&self) -> Self {
        match self {
            Node::Items(items) => Node::Items(with_room(items)),
            Node::Nodes(nodes) => Node::Nodes(with_room(nodes)),
        }
    }
}

fn with_room<T: Clone>(entries: &[T]) -> Vec<T> {
    let mut copy = Vec::with_capacity((entries.len() + 1).next_power_of_two().min(WIDTH));
    copy.extend_from_slice(entries);
    copy
}

/// Returns the index of the entry that leads to `place`, in a node of this level.
fn entry(place: usize, level: u32) -> usize {
    (place >> (BITS * level)) & (WIDTH - 1)
}

impl Node {
    fn new(level: u32) -> Self {
        if level == 0 { Node::Items(Vec::new()) } else { Node::Nodes(Vec::new()) }
    }

    fn push(&mut self, item: Dynamic, place: usize, level: u32) {
        match self {
            Node::Items(items) => items.push(item),
            Node::Nodes(nodes) => {
                let (entry, below) = (entry(place, level), level - 1);
                if entry == nodes.len() {
                    nodes.push(Arc::new(Node::new(below)));
                }
                Arc::make_mut(&mut nodes[entry]).push(item, place, below);
            }
        }
    }
}

impl Tree {
    pub(super) fn new() -> Self {
        Self { root: Arc::new(Node::new(0)), levels: 0, len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn get(&self, place: usize) -> Option<&Dynamic> {
        let (mut node, mut level) = (&self.root, self.levels);
        loop {
            match &**node {
                Node::Items(items) => return items.get(entry(place, 0)).filter(|_| place < self.len),
                Node::Nodes(nodes) => node = nodes.get(entry(place, level))?,
            }
            level -= 1;
        }
    }

    pub(super) fn push(&mut self, item: Dynamic) {
        if self.len == WIDTH << (BITS * self.levels) {
            self.root = Arc::new(Node::Nodes(vec![self.root.clone()]));
            self.levels += 1;
        }
        Arc::make_mut(&mut self.root).push(item, self.len, self.levels);
        self.len += 1;
    }

    /// Whether both are the same list, not only an equal one.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.root, &other.root) && self.len == other.len
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(tree: &Tree) -> Vec<i64> {
        (0..tree.len()).map(|place| tree.get(place).unwrap().as_int().unwrap()).collect()
    }

    #[test]
    fn each_item_stays_at_its_place_while_levels_are_added() {
        let mut tree = Tree::new();
        for place in 0..5_000_i64 {
            assert!(tree.get(tree.len()).is_none());
            tree.push(place.into());
        }
        assert_eq!(items(&tree), (0..5_000).collect::<Vec<_>>());
        assert!(tree.get(5_000).is_none() && tree.get(1 << 40).is_none());
    }

    /// Tries each length, so also those at which a node is full.
    #[test]
    fn a_list_and_its_copy_grow_independently() {
        let mut tree = Tree::new();
        for length in 0..600_i64 {
            let (mut one, mut other) = (tree.clone(), tree.clone());
            assert!(one.is(&other));
            one.push((-1).into());
            other.push((-2).into());
            other.push((-3).into());
            assert!(!one.is(&other) && !one.is(&tree));
            let expected = |more: &[i64]| (0..length).chain(more.iter().copied()).collect::<Vec<_>>();
            assert_eq!(items(&tree), expected(&[]));
            assert_eq!(items(&one), expected(&[-1]));
            assert_eq!(items(&other), expected(&[-2, -3]));
            tree.push(length.into());
        }
    }
}
