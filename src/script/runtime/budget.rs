//! Limits of one script call: time, memory, depth. While a script runs, they are checked against the clock and the allocator.
//!
//! A call over its budget is ended in two steps. Rhai's own way to end a script (`on_progress`) can't be caught by the script, but
//! its error has no line. So first the next access to a variable fails: that error has line and column. A script without
//! variables, or one that catches the error and continues, is ended by `on_progress` a few operations later.

use super::allocator::{self, ALLOCATED};
use super::load_time;
use rhai::{Dynamic, Engine, EvalAltResult, Position};
use rustix::time::{ClockId, clock_gettime};
use std::cell::{Cell, OnceCell};
use std::time::{Duration, Instant};

/// The result of a script call or a native: a value, or the error that ends the script.
pub(crate) type Fallible<T> = Result<T, Box<EvalAltResult>>;

/// Maximum nesting of calls. 64 nested calls take up to 2 MB of stack.
pub(crate) const MAX_CALLS: usize = 64;
/// Maximum nesting of expressions, checked when a file is compiled.
pub(crate) const MAX_DEPTH: usize = 64;
/// Operations between two readings of the clock. A reading costs 25 ns, an operation about as much.
const CLOCK_EVERY: u64 = 64;
/// Operations between two readings of the coarse clock, which cost 5 ns each. It advances every few milliseconds; a single native of
/// Rhai may take that long.
const COARSE_CLOCK_EVERY: u64 = 8;
/// Maximum delay of the coarse clock.
const LATE: Duration = Duration::from_millis(10);
/// Bytes that natives compare or copy between two readings of the clock.
const WORK: usize = 1 << 20;
/// A call that takes longer than this calls the function of [`when_long`], which wakes another worker.
const LONG: Duration = Duration::from_micros(50);
/// A call that holds more than this fraction of its memory may have built a deeply nested value, and dropping that touches about
/// as much of the stack. Below it a new thread is not worthwhile: requests with bodies of a megabyte are common.
const DEEP: usize = 8;
/// Operations that a call over its budget may still run until it accesses a variable.
const LAST_OPERATIONS: u32 = 64;

/// Limits for time and memory.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// Maximum duration of a call.
    pub time: Duration,
    /// Maximum number of bytes that a call may hold at once.
    pub memory: usize,
    /// Maximum processor time of a load: see `load_time`.
    pub load: Duration,
}

impl Default for Budget {
    fn default() -> Self {
        Budget::DEFAULT
    }
}

impl Budget {
    const DEFAULT: Budget =
        Budget { time: Duration::from_secs(2), memory: 32 << 20, load: Duration::from_secs(5) };

    /// Returns the stack size, in bytes, of a thread that runs scripts under this budget.
    ///
    /// Rhai drops values by recursion: a chain of closures, each holding the last one, takes 120 bytes of heap and 150 of
    /// stack for each link (700 in debug builds). Every value that fits into the memory of a call must fit onto the stack when it is
    /// dropped. Otherwise a script of three lines ends the process. Only stack pages that are touched count as memory.
    pub fn stack(&self) -> usize {
        let per_byte = if cfg!(debug_assertions) { 8 } else { 2 };
        (4 << 20) + self.memory * per_byte
    }

    /// Runs `call` under this budget. Inside of another `run` the outer budget continues.
    pub fn run<T>(&self, call: impl FnOnce() -> T) -> T {
        if DEADLINE.get().is_some() {
            return call();
        }
        let now = Instant::now();
        DEADLINE.set(Some(now + self.time));
        COARSE_DEADLINE.set(coarse_now() + self.time + LATE);
        BUDGET.set(*self);
        LONG_FROM.set(Some(now + LONG));
        CEILING.set(ALLOCATED.get() + i64::try_from(self.memory).unwrap_or(i64::MAX / 2));
        ALARM.set(CEILING.get().min(ALLOCATED.get() + (self.memory / DEEP) as i64));
        OVER.set(None);
        let _end = End;
        call()
    }

    /// Returns the error value of a call that exceeded `limit`: a text.
    fn thrown(&self, limit: Limit) -> Dynamic {
        let mut text: Dynamic = match limit {
            Limit::Time => format!("the script ran longer than {} ms", self.time.as_millis()).into(),
            Limit::Memory => format!("the script used more than {} bytes", self.memory).into(),
            Limit::Load | Limit::LoadByScript => out_of_load_time("loading", self.load),
        };
        text.set_tag(limit as i32);
        text
    }
}

/// Ends the budget of the thread when it is dropped, also when a native panicked.
struct End;

impl Drop for End {
    fn drop(&mut self) {
        DEADLINE.set(None);
        COARSE_DEADLINE.set(Duration::MAX);
        ALARM.set(i64::MAX);
    }
}

thread_local! {
    static CEILING: Cell<i64> = const { Cell::new(i64::MAX) };
    /// When more bytes than this are allocated, an operation calls [`look`]. First the value is that of `DEEP`, then the ceiling. It is
    /// `i64::MAX` without a budget and `i64::MIN` over the budget.
    static ALARM: Cell<i64> = const { Cell::new(i64::MAX) };
    /// Whether a call of the thread may have touched much of its stack: see [`stack_has_grown`].
    static STACK_HAS_GROWN: Cell<bool> = const { Cell::new(false) };
    static DEADLINE: Cell<Option<Instant>> = const { Cell::new(None) };
    /// The deadline on the coarse clock.
    static COARSE_DEADLINE: Cell<Duration> = const { Cell::new(Duration::MAX) };
    /// Budget of the running call, or of the last one.
    static BUDGET: Cell<Budget> = const { Cell::new(Budget::DEFAULT) };
    /// Work of natives since the last reading of the clock, in bytes.
    static WORKED: Cell<usize> = const { Cell::new(0) };
    /// Number of operations on this thread. Rhai's own counter restarts in each closure that a native calls.
    static TICKS: Cell<u64> = const { Cell::new(0) };
    /// The limit that the call exceeded, and the number of operations since then.
    static OVER: Cell<Option<(Limit, u32)>> = const { Cell::new(None) };
    /// From this moment on, the running call takes long ([`LONG`]).
    static LONG_FROM: Cell<Option<Instant>> = const { Cell::new(None) };
    static WHEN_LONG: OnceCell<Box<dyn Fn()>> = const { OnceCell::new() };
}

/// Sets the function that this thread calls repeatedly while a call takes longer than [`LONG`]. Only the first call of `when_long`
/// has an effect.
pub(crate) fn when_long(notice: impl Fn() + 'static) {
    WHEN_LONG.with(|when| drop(when.set(Box::new(notice))));
}

/// Calls the function of [`when_long`]: this thread is about to wait.
pub(crate) fn waits() {
    WHEN_LONG.with(|when| when.get().into_iter().for_each(|notice| notice()));
}

/// Whether a call may have touched much of the stack of this thread: the pages stay in memory until the thread ends.
///
/// If so, it also returns the free heap memory of the thread to the system, since the caller will end the thread.
pub(crate) fn stack_has_grown() -> bool {
    let grown = STACK_HAS_GROWN.get();
    if grown {
        allocator::collect();
    }
    grown
}

/// Returns the bytes that this thread has allocated and not freed. Only the difference of two calls has a meaning.
pub(crate) fn allocated() -> i64 {
    ALLOCATED.get()
}

/// A limit that a call can exceed. The error values carry the number as Rhai's tag, which scripts don't use.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    Time = 29_001,
    Memory = 29_002,
    /// Processor time of the load that the call belongs to.
    Load = 29_004,
    /// The same limit, exceeded while a script ran.
    LoadByScript = 29_005,
}

impl Limit {
    /// Returns the limit that the error value `thrown` reports.
    pub fn from_thrown(thrown: &Dynamic) -> Option<Limit> {
        [Limit::Time, Limit::Memory, Limit::Load, Limit::LoadByScript]
            .into_iter()
            .find(|limit| *limit as i32 == thrown.tag())
    }
}

/// Returns the error value of a load where `what` took longer than `limit`.
pub(super) fn out_of_load_time(what: &str, limit: Duration) -> Dynamic {
    let mut text: Dynamic =
        format!("{what} took longer than {} ms of processor time", limit.as_millis()).into();
    text.set_tag(Limit::Load as i32);
    text
}

/// Checks the processor time of the running load.
///
/// # Errors
/// The load took longer than its limit.
pub(crate) fn check_load() -> Fallible<()> {
    match load_time::over() {
        Some(limit) => {
            Err(EvalAltResult::ErrorRuntime(out_of_load_time("loading", limit), Position::NONE).into())
        }
        None => Ok(()),
    }
}

/// Counts an operation. Returns the exceeded limit where the call must end at once.
fn operation(memory: usize) -> Option<Limit> {
    let ticks = TICKS.get().wrapping_add(1);
    TICKS.set(ticks);
    if ALLOCATED.get() > ALARM.get() || ticks.is_multiple_of(CLOCK_EVERY) {
        return look(memory, ticks);
    }
    if ticks.is_multiple_of(COARSE_CLOCK_EVERY) {
        look_coarsely();
    }
    None
}

/// Returns the time of the coarse clock, which is at most [`LATE`] behind.
fn coarse_now() -> Duration {
    let now = clock_gettime(ClockId::MonotonicCoarse);
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// Checks the budget before each native. Rhai can't interrupt a native, and the times of several long ones would add up.
///
/// # Errors
/// The call is over its budget; the text names the limit.
pub(super) fn begin_native() -> Fallible<()> {
    if OVER.get().is_some() { end() } else { Ok(()) }
}

/// Looks at the clock.
#[inline(never)]
fn look_coarsely() {
    let deadline = COARSE_DEADLINE.get();
    if deadline < Duration::MAX && OVER.get().is_none() && coarse_now() > deadline {
        run_out(Limit::Time);
    }
}

/// Checks the budget after each native. Reads the clock after eight natives, or after as much [`work`].
///
/// # Errors
/// The call is over its budget. The result of the native is dropped: it may be incomplete ([`watched`]).
pub(super) fn end_native(result: Fallible<Dynamic>) -> Fallible<Dynamic> {
    begin_native()?;
    let worked = WORKED.get() + WORK / COARSE_CLOCK_EVERY as usize;
    WORKED.set(worked % WORK);
    if worked >= WORK {
        look_coarsely();
    }
    result
}

/// Returns the error of a call that is over its budget.
#[cold]
fn end() -> Fallible<()> {
    match OVER.get() {
        Some((limit, _)) if DEADLINE.get().is_some() => {
            Err(EvalAltResult::ErrorRuntime(BUDGET.get().thrown(limit), Position::NONE).into())
        }
        _ => Ok(()),
    }
}

/// Counts `bytes` that a native is about to process, and reads the clock after every [`WORK`] of them.
///
/// # Errors
/// The call is over its time.
pub(crate) fn work(bytes: usize) -> Fallible<()> {
    let worked = WORKED.get().saturating_add(bytes);
    if worked < WORK {
        WORKED.set(worked);
        return Ok(());
    }
    if OVER.get().is_none() && time_is_up() {
        run_out(Limit::Time);
    }
    let outcome = end();
    // Over the time, the next call of `work` fails at once.
    WORKED.set(if outcome.is_ok() { 0 } else { WORK });
    outcome
}

/// Work of one step of a loop in a native, in bytes.
pub(crate) const STEP: usize = 32;

/// Iterates over `items` until the running call is over its time, for natives that process long values. [`end_native`] then turns
/// their incomplete result into an error.
pub(crate) fn watched<I: IntoIterator>(items: I) -> impl Iterator<Item = I::Item> {
    items.into_iter().take_while(|_| work(STEP).is_ok())
}

/// Returns the time that is left to the running call and its load. Without a call it is the default of a call.
pub(crate) fn time_left() -> Duration {
    let left = |deadline: Instant| deadline.saturating_duration_since(Instant::now());
    let of_call = DEADLINE.get().map_or(Budget::DEFAULT.time, left);
    load_time::left().map_or(of_call, |of_load| of_call.min(of_load))
}

#[cold]
fn look(memory: usize, ticks: u64) -> Option<Limit> {
    DEADLINE.get()?;
    if ALLOCATED.get() > ALARM.get() && OVER.get().is_none() {
        STACK_HAS_GROWN.set(true);
        ALARM.set(CEILING.get());
    }
    let above = ALLOCATED.get() - CEILING.get();
    // The stack of the thread suffices for a quarter more memory (`Budget::stack`).
    let too_much = above > i64::try_from(memory / 4).unwrap_or(i64::MAX);
    if let Some((limit, since)) = OVER.get() {
        OVER.set(Some((limit, since + 1)));
        return (since >= LAST_OPERATIONS || too_much).then_some(limit);
    }
    if above > 0 {
        run_out(Limit::Memory);
        return too_much.then_some(Limit::Memory);
    } else if ticks.is_multiple_of(CLOCK_EVERY) {
        let now = Instant::now();
        if LONG_FROM.get().is_some_and(|long| now > long) {
            waits();
        }
        if DEADLINE.get().is_some_and(|deadline| now > deadline) {
            run_out(Limit::Time);
        } else if load_time::over().is_some() {
            run_out(Limit::LoadByScript);
        }
    }
    None
}

/// Notes the exceeded limit. From now on every operation calls [`look`].
fn run_out(limit: Limit) {
    OVER.set(Some((limit, 0)));
    ALARM.set(i64::MIN);
}

/// Checks the budget and the nesting of calls at each access to a variable.
///
/// # Errors
/// The call is over its budget or nested too deep. Rhai adds line and column to the error.
pub(crate) fn check(level: usize) -> Fallible<()> {
    if level > MAX_CALLS {
        return Err(too_deep().into());
    }
    begin_native()
}

pub(crate) fn too_deep() -> String {
    format!("calls are nested deeper than {MAX_CALLS}")
}

/// Returns the number of bytes that the running call may still allocate. Without a call it is the default of a call.
pub(crate) fn room() -> usize {
    let left = CEILING.get().saturating_sub(ALLOCATED.get());
    match DEADLINE.get() {
        Some(_) => usize::try_from(left).unwrap_or(0),
        None => Budget::default().memory,
    }
}

/// Whether the running call is over its time. Natives with loops, such as `store.update`, call this function.
pub(crate) fn time_is_up() -> bool {
    DEADLINE.get().is_some_and(|deadline| Instant::now() > deadline)
}

/// Returns the error of a call that is over its time. Scripts can't catch it, like Rhai's own.
pub(crate) fn out_of_time() -> Box<EvalAltResult> {
    EvalAltResult::ErrorTerminated(BUDGET.get().thrown(Limit::Time), Position::NONE).into()
}

/// Runs `body` without counting its time for the running call.
pub(super) fn beside<T>(body: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let value = body();
    let took = began.elapsed();
    DEADLINE.set(DEADLINE.get().map(|deadline| deadline + took));
    COARSE_DEADLINE.set(COARSE_DEADLINE.get().saturating_add(took));
    value
}

/// Makes `engine` check the budget of the thread that it runs on.
///
/// Rhai's own size limits are not used. With them Rhai measures the receiver of each native after the call, with all nested
/// values, so n calls of `l.push(x)` cost n * n. Natives that can build large values check the size before they allocate
/// (`size_limits`). Any other operation at most multiplies the size of its operands by a small factor.
pub(crate) fn register(engine: &mut Engine, budget: Budget) {
    engine
        // Two more than `check` allows, so that its error comes first: Rhai's own has no line.
        .set_max_call_levels(MAX_CALLS + 2)
        .set_max_expr_depths(MAX_DEPTH, MAX_DEPTH)
        .set_max_functions(10_000)
        .set_max_modules(256);
    engine.on_progress(move |_| Some(budget.thrown(operation(budget.memory)?)));
}

#[cfg(test)]
mod tests;
