//! The allocator of the program. It counts for each thread what the thread has allocated: the memory of a script's call.

#[cfg(target_env = "musl")]
use mimalloc::MiMalloc as Blocks;
/// The system's allocator; musl's is slow where threads share it.
#[cfg(not(target_env = "musl"))]
use std::alloc::System as Blocks;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

thread_local! {
    /// Bytes that this thread allocated, less those that it freed. May be below zero: what one thread allocates another frees.
    pub(super) static ALLOCATED: Cell<i64> = const { Cell::new(0) };
}

/// The allocator of the program, which counts what scripts allocate.
pub type Allocator = Counting<Blocks>;
/// As [`Allocator`].
pub const ALLOCATOR: Allocator = Counting(Blocks);

#[cfg(test)]
#[global_allocator]
static TESTED: Allocator = ALLOCATOR;

/// An allocator that counts for each thread what it hands out and takes back. Small blocks are those of `A`, large ones the
/// system's.
pub struct Counting<A>(pub A);

/// Memory that a thread has freed stays with the thread that allocated it until that one looks. Each round, all look.
static ROUND: AtomicU32 = AtomicU32::new(0);
static MUCH_FREED: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// The last round that this thread took part in.
    static SEEN: Cell<u32> = const { Cell::new(0) };
}

/// Tells that so much was freed, or is about to be, that the system should have it back.
pub(crate) fn much_is_freed() {
    MUCH_FREED.store(true, Ordering::Release);
}

/// Begins a round, if much was freed; tells whether it did.
pub(crate) fn begin_round() -> bool {
    let begins = MUCH_FREED.load(Ordering::Relaxed) && MUCH_FREED.swap(false, Ordering::AcqRel);
    if begins {
        ROUND.fetch_add(1, Ordering::AcqRel);
    }
    begins
}

/// Gives to the system what is free of this thread's memory, once a round.
pub(crate) fn give_back() {
    let round = ROUND.load(Ordering::Relaxed);
    if SEEN.replace(round) != round {
        collect();
    }
}

/// Gives to the system what is free of this thread's memory.
#[cfg(not(target_env = "musl"))]
pub(super) fn collect() {}

#[cfg(target_env = "musl")]
#[allow(unsafe_code)] // What mimalloc keeps only mimalloc can give back.
pub(super) fn collect() {
    unsafe extern "C" {
        fn mi_collect(force: bool);
    }
    // SAFETY: it may be called at any time, and works on the heap of the calling thread.
    unsafe { mi_collect(true) };
}

/// From this size on the system maps each block by itself, and has it back as soon as it is freed. mimalloc keeps such blocks for
/// each thread: bodies of 1 MB, of which eight were under way at once, took up 160 MB.
const LARGE: usize = 128 << 10;

fn count(bytes: usize, sign: i64) {
    // Layouts are at most isize::MAX, so the cast keeps the value. At thread exit there is nothing left to count for.
    let _ = ALLOCATED.try_with(|net| net.set(net.get().wrapping_add(sign * bytes as i64)));
}

// SAFETY: every call goes unchanged to `A` or to the system's allocator, whose contracts are the same; which one is told by the
// size, so that a block goes back to where it is from. Counting touches a constant-initialised `Cell` only, which neither
// allocates nor unwinds.
#[allow(unsafe_code)] // `GlobalAlloc` can't be implemented without, and only an allocator sees what a script allocates.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Counting<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 1);
        match layout.size() {
            LARGE.. => unsafe { System.alloc(layout) },
            _ => unsafe { self.0.alloc(layout) },
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 1);
        match layout.size() {
            LARGE.. => unsafe { System.alloc_zeroed(layout) },
            _ => unsafe { self.0.alloc_zeroed(layout) },
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(layout.size(), -1);
        match layout.size() {
            LARGE.. => unsafe { System.dealloc(block, layout) },
            _ => unsafe { self.0.dealloc(block, layout) },
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let (from, to) = (layout.size() >= LARGE, size >= LARGE);
        if from != to {
            // SAFETY: the caller promises that `size` with this alignment is a layout; the blocks are two, each as long as the copy.
            let new = unsafe { self.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
            if !new.is_null() {
                unsafe { new.copy_from_nonoverlapping(block, layout.size().min(size)) };
                unsafe { self.dealloc(block, layout) };
            }
            return new;
        }
        count(layout.size(), -1);
        count(size, 1);
        match to {
            true => unsafe { System.realloc(block, layout, size) },
            false => unsafe { self.0.realloc(block, layout, size) },
        }
    }
}
