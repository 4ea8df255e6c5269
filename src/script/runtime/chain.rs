//! Values that the running chains of a script, such as `store["a"].b.c()`, have read.
//!
//! After the method call, Rhai calls the setter of each property in the chain with the value that its getter returned. With this
//! record, a setter can distinguish that from an assignment by the script.
//!
//! Rhai evaluates the arguments of a chain first, then looks up its first variable. Then it calls the getters from left to right
//! and the setters from right to left. Functions that are called meanwhile run on a deeper level.

use std::cell::{Cell, RefCell};

#[derive(Debug, Clone, Copy, PartialEq)]
struct Read {
    level: usize,
    /// Address of the value whose property was read.
    target: usize,
}

/// Maximum number of kept reads. A chain has fewer, since the depth of expressions is limited.
const MOST: usize = 256;

thread_local! {
    /// Sorted by level.
    static READS: RefCell<Vec<Read>> = const { RefCell::new(Vec::new()) };
    /// Level of the last read, or 0: most variables are looked up while there is no read.
    static DEEPEST: Cell<usize> = const { Cell::new(0) };
}

/// Notes that a variable is looked up on `level`: the chains on deeper levels have ended.
pub(crate) fn begins(level: usize) {
    if DEEPEST.get() > level {
        forget(level);
    }
}

#[cold]
fn forget(level: usize) {
    READS.with_borrow_mut(|reads| {
        while reads.last().is_some_and(|read| read.level > level) {
            reads.pop();
        }
        DEEPEST.set(reads.last().map_or(0, |read| read.level));
    });
}

/// Notes that a getter on `level` has read a property of `target`.
pub(crate) fn read(level: usize, target: usize) {
    begins(level);
    READS.with_borrow_mut(|reads| {
        if reads.len() == MOST {
            reads.drain(..MOST / 2);
        }
        reads.push(Read { level, target });
    });
    DEEPEST.set(level);
}

/// Whether the setter on `level` gets the value that a getter read from `target`. Forgets that read and later ones.
pub(crate) fn was_read(level: usize, target: usize) -> bool {
    begins(level);
    READS.with_borrow_mut(|reads| {
        let Some(place) = reads.iter().rposition(|read| *read == Read { level, target }) else {
            return false;
        };
        reads.truncate(place);
        DEEPEST.set(reads.last().map_or(0, |read| read.level));
        true
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setter_recognizes_only_reads_of_its_own_chain() {
        begins(0);
        assert!(!was_read(1, 10));
        read(1, 10);
        read(1, 20);
        // A function that a native of the chain calls.
        begins(2);
        read(3, 10);
        assert!(was_read(1, 20));
        assert!(!was_read(1, 20));
        assert!(was_read(1, 10));
        assert!(!was_read(1, 10));
    }

    #[test]
    fn the_reads_of_an_ended_chain_are_forgotten() {
        read(1, 10);
        begins(0);
        assert!(!was_read(1, 10));
        (0..10 * MOST).for_each(|target| read(1, target));
        assert!(READS.with_borrow(Vec::len) <= MOST);
        begins(0);
    }
}
