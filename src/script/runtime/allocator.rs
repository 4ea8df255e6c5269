//! The allocator of the program. It counts the bytes that each thread has allocated, which limits the memory of a script call.

#[cfg(target_env = "musl")]
use mimalloc::MiMalloc as Blocks;
/// The allocator of small blocks: the system's, but mimalloc with musl, whose own is slow where threads share it.
#[cfg(not(target_env = "musl"))]
use std::alloc::System as Blocks;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

thread_local! {
    /// Bytes that this thread allocated, minus those that it freed. The number may be negative: a thread may free blocks of other threads.
    pub(super) static ALLOCATED: Cell<i64> = const { Cell::new(0) };
}

/// The type of [`ALLOCATOR`].
pub type Allocator = Counting<Blocks>;
/// The allocator of the program.
pub const ALLOCATOR: Allocator = Counting(Blocks);

#[cfg(test)]
#[global_allocator]
static TESTED: Allocator = ALLOCATOR;

/// An allocator that counts the allocated bytes of each thread. Small blocks are allocated by `A`, large ones by the system's
/// allocator.
pub struct Counting<A>(pub A);

/// Number of the current round. mimalloc returns free memory to the system only on the thread that allocated it. So in each round
/// every thread returns its own.
static ROUND: AtomicU32 = AtomicU32::new(0);
static MUCH_FREED: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// The last round that this thread took part in.
    static SEEN: Cell<u32> = const { Cell::new(0) };
}

/// Notes that enough memory is free, or soon will be, to return it to the system.
pub(crate) fn much_is_freed() {
    MUCH_FREED.store(true, Ordering::Release);
}

/// Begins a round if [`much_is_freed`] was called. Returns whether a round has begun.
pub(crate) fn begin_round() -> bool {
    let begins = MUCH_FREED.load(Ordering::Relaxed) && MUCH_FREED.swap(false, Ordering::AcqRel);
    if begins {
        ROUND.fetch_add(1, Ordering::AcqRel);
    }
    begins
}

/// Returns the free memory of this thread to the system, once a round.
pub(crate) fn give_back() {
    let round = ROUND.load(Ordering::Relaxed);
    if SEEN.replace(round) != round {
        collect();
    }
}

/// Returns the free memory of this thread to the system.
#[cfg(not(target_env = "musl"))]
pub(super) fn collect() {}

#[cfg(target_env = "musl")]
#[allow(unsafe_code)] // Only a function of mimalloc returns the memory that mimalloc keeps.
pub(super) fn collect() {
    unsafe extern "C" {
        fn mi_collect(force: bool);
    }
    // SAFETY: `mi_collect` may be called at any time, and works on the heap of the calling thread.
    unsafe { mi_collect(true) };
}

/// From this size on, blocks come from the system's allocator, which maps each of them separately and unmaps it when it is freed.
/// mimalloc keeps such blocks for each thread: eight concurrent bodies of 1 MB took 160 MB.
const LARGE: usize = 128 << 10;

fn count(bytes: usize, sign: i64) {
    // Layouts are at most isize::MAX, so the cast keeps the value. An error means that the thread is ending, so its count does not matter.
    let _ = ALLOCATED.try_with(|net| net.set(net.get().wrapping_add(sign * bytes as i64)));
}

// SAFETY: every call goes unchanged to `A` or to the system's allocator, whose contracts are the same. The size chooses between
// them, so a block is freed by the allocator that it came from. Counting touches only a constant-initialised `Cell`, which
// neither allocates nor unwinds.
#[allow(unsafe_code)] // `GlobalAlloc` is an unsafe trait, and only an allocator can count what a script allocates.
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
            // SAFETY: the caller promises that `size` with this alignment is a layout. Old and new block do not overlap, and both are at
            // least as long as the copy.
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
