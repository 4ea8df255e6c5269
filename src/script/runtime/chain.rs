//! Which values the running chains of scripts (`store["a"].b.c()`) have read, so that a setter can tell what Rhai hands back
//! from what a script assigns.
//!
//! Rhai evaluates the arguments of a chain first, then looks up the variable that it begins with, then calls the getters from
//! left to right and the setters from right to left. Functions that are called meanwhile run on a deeper level.

use std::cell::{Cell, RefCell};

#[derive(Debug, Clone, Copy, PartialEq)]
struct Read {
    level: usize,
    /// Where the value lies that was read from.
    target: usize,
}

/// More reads than a chain can have: the depth of expressions is bounded.
const MOST: usize = 256;

thread_local! {
    /// In order of their levels.
    static READS: RefCell<Vec<Read>> = const { RefCell::new(Vec::new()) };
    /// The level of the last of them; most variables are looked up while there is none.
    static DEEPEST: Cell<usize> = const { Cell::new(0) };
}

/// A variable is looked up on `level`: the chains that were there have ended.
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

/// A getter, called on `level`, has read from `target`.
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

/// Whether a setter, called on `level`, is handed back what was read from `target`.
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
    fn a_setter_is_handed_back_what_its_own_chain_has_read() {
        begins(0);
        assert!(!was_read(1, 10));
        read(1, 10);
        read(1, 20);
        // A function that is called by a native of the chain.
        begins(2);
        read(3, 10);
        assert!(was_read(1, 20));
        assert!(!was_read(1, 20));
        assert!(was_read(1, 10));
        assert!(!was_read(1, 10));
    }

    #[test]
    fn a_chain_that_ended_is_forgotten() {
        read(1, 10);
        begins(0);
        assert!(!was_read(1, 10));
        (0..10 * MOST).for_each(|target| read(1, target));
        assert!(READS.with_borrow(Vec::len) <= MOST);
        begins(0);
    }
}
