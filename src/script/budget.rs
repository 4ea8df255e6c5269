//! What one call of a script may use up: time and memory. Counts what the thread allocates, and ends the call at the next
//! operation over either limit; scripts can't catch that. Knows nothing of requests and rules.

use rhai::{Dynamic, Engine, ImmutableString};
use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::time::{Duration, Instant};

/// Longest text that a script may build, in bytes.
pub const MAX_TEXT: usize = 8 << 20;
/// Most items of an array, or bytes of a blob.
pub const MAX_ITEMS: usize = 8 << 20;
/// Most entries of a map.
pub const MAX_ENTRIES: usize = 1 << 20;
/// Deepest nesting of calls. 64 of them take up to 2 MB of stack (rhai-findings, trap 6).
pub const MAX_CALLS: usize = 64;
/// Deepest nesting of expressions, at load.
pub const MAX_DEPTH: usize = 64;
/// Operations between two looks at the clock: a look costs 25 ns, an operation about as much.
const CLOCK_EVERY: u64 = 64;

/// Time and memory of one call.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// Longest time that a call may run.
    pub time: Duration,
    /// Most bytes that a call may hold at once.
    pub memory: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Budget { time: Duration::from_secs(2), memory: 32 << 20 }
    }
}

impl Budget {
    /// Stack that a thread needs which runs scripts under this budget, in bytes.
    ///
    /// Rhai drops values by recursion: a chain of closures, each holding the last one, takes 120 bytes of heap and 150 of
    /// stack a link (700 in debug builds). Whatever fits into the memory of a call must fit onto the stack when it is
    /// dropped, or a script of three lines ends the process. Only pages that are touched count as memory.
    pub fn stack(&self) -> usize {
        let per_byte = if cfg!(debug_assertions) { 8 } else { 2 };
        (4 << 20) + self.memory * per_byte
    }

    /// Runs `call` under this budget; a budget that is running already goes on.
    pub fn run<T>(&self, call: impl FnOnce() -> T) -> T {
        if DEADLINE.get().is_some() {
            return call();
        }
        DEADLINE.set(Some(Instant::now() + self.time));
        CEILING.set(ALLOCATED.get() + i64::try_from(self.memory).unwrap_or(i64::MAX / 2));
        let _end = End;
        call()
    }
}

/// Ends the budget of the thread, also when a native panicked.
struct End;

impl Drop for End {
    fn drop(&mut self) {
        DEADLINE.set(None);
    }
}

thread_local! {
    /// Bytes that this thread allocated, less those that it freed. May be below zero: what one thread allocates another frees.
    static ALLOCATED: Cell<i64> = const { Cell::new(0) };
    static CEILING: Cell<i64> = const { Cell::new(i64::MAX) };
    static DEADLINE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Whether the running call is over its time; for natives that loop on their own (`store.update`).
pub fn time_is_up() -> bool {
    DEADLINE.get().is_some_and(|deadline| Instant::now() > deadline)
}

/// Makes `engine` watch the budget of the thread that it runs on.
pub fn register(engine: &mut Engine, budget: Budget) {
    engine
        .set_max_string_size(MAX_TEXT)
        .set_max_array_size(MAX_ITEMS)
        .set_max_map_size(MAX_ENTRIES)
        .set_max_call_levels(MAX_CALLS)
        .set_max_expr_depths(MAX_DEPTH, MAX_DEPTH)
        .set_max_functions(10_000)
        .set_max_modules(256);
    let too_long: ImmutableString = format!("the script ran longer than {} ms", budget.time.as_millis()).into();
    let too_large: ImmutableString = format!("the script used more than {} bytes", budget.memory).into();
    engine.on_progress(move |operations| {
        if ALLOCATED.get() > CEILING.get() && DEADLINE.get().is_some() {
            return Some(Dynamic::from(too_large.clone()));
        }
        (operations % CLOCK_EVERY == 0 && time_is_up()).then(|| Dynamic::from(too_long.clone()))
    });
}

/// An allocator that counts for each thread what `A` hands out and takes back.
pub struct Counting<A>(pub A);

fn count(bytes: usize, sign: i64) {
    // Layouts are at most isize::MAX, so the cast keeps the value. At thread exit there is nothing left to count for.
    let _ = ALLOCATED.try_with(|net| net.set(net.get().wrapping_add(sign * bytes as i64)));
}

// SAFETY: every call goes to `A` unchanged, whose contract is the same; counting touches a constant-initialised `Cell` only,
// which neither allocates nor unwinds.
#[allow(unsafe_code)] // `GlobalAlloc` can't be implemented without, and only an allocator sees what a script allocates.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Counting<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 1);
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 1);
        unsafe { self.0.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(layout.size(), -1);
        unsafe { self.0.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(layout.size(), -1);
        count(size, 1);
        unsafe { self.0.realloc(block, layout, size) }
    }
}
