//! What one call of a script may use up: time, memory, depth. Looks at what the thread has allocated and at the clock as the
//! script runs. Knows nothing of requests and rules.
//!
//! A call over its budget is ended in two steps. Rhai's own end of a script (`on_progress`) can't be caught, but has lost the
//! place. So the next look at a variable fails first, which tells line and column; a script without variables, or one that
//! catches the error and goes on, is ended a few operations later.

use super::allocator::{self, ALLOCATED};
use super::load_time;
use rhai::{Dynamic, Engine, EvalAltResult, Position};
use rustix::time::{ClockId, clock_gettime};
use std::cell::{Cell, OnceCell};
use std::time::{Duration, Instant};

/// What a call of a script or of a native ends with: a value, or the error that ends the script.
pub(crate) type Fallible<T> = Result<T, Box<EvalAltResult>>;

/// Deepest nesting of calls. 64 of them take up to 2 MB of stack (rhai-findings, trap 6).
pub(crate) const MAX_CALLS: usize = 64;
/// Deepest nesting of expressions, at load.
pub(crate) const MAX_DEPTH: usize = 64;
/// Operations between two looks at the clock: a look costs 25 ns, an operation about as much.
const CLOCK_EVERY: u64 = 64;
/// Operations between two looks at a clock that costs 5 ns and moves every few milliseconds: a native of Rhai may take that long.
const COARSE_CLOCK_EVERY: u64 = 8;
/// By how much that clock may be late.
const LATE: Duration = Duration::from_millis(10);
/// Bytes that natives compare or copy between two looks at the clock.
const WORK: usize = 1 << 20;
/// A call that takes longer is worth waking another thread for what else is to do.
const LONG: Duration = Duration::from_micros(50);
/// A call that holds more than this part of its memory may have made a value that is so deep that dropping it touches as much of the
/// stack. Less is not worth a new thread: requests with bodies of a megabyte are common.
const DEEP: usize = 8;
/// Operations that a call over its budget may still take until it touches a variable.
const LAST_OPERATIONS: u32 = 64;

/// Time and memory of one call.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// Longest time that a call may run.
    pub time: Duration,
    /// Most bytes that a call may hold at once.
    pub memory: usize,
    /// Longest time that a load may take, of the processor: see `load_time`.
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
}

/// Ends the budget of the thread, also when a native panicked.
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
    /// Above so many bytes an operation has to be looked at: that of `DEEP`, then the ceiling; without a budget never, over the budget always.
    static ALARM: Cell<i64> = const { Cell::new(i64::MAX) };
    /// Whether a call of the thread may have touched much of its stack.
    static STACK_HAS_GROWN: Cell<bool> = const { Cell::new(false) };
    static DEADLINE: Cell<Option<Instant>> = const { Cell::new(None) };
    /// The same on the coarse clock.
    static COARSE_DEADLINE: Cell<Duration> = const { Cell::new(Duration::MAX) };
    /// Of the running call, or of the last one.
    static BUDGET: Cell<Budget> = const { Cell::new(Budget::DEFAULT) };
    /// What natives have done since they looked at the clock, in bytes.
    static WORKED: Cell<usize> = const { Cell::new(0) };
    /// Operations of the thread. Rhai's own count begins again in each closure that a native calls.
    static TICKS: Cell<u64> = const { Cell::new(0) };
    /// What the call ran out of, and for how many operations it has gone on since.
    static OVER: Cell<Option<(Limit, u32)>> = const { Cell::new(None) };
    /// When the running call takes long.
    static LONG_FROM: Cell<Option<Instant>> = const { Cell::new(None) };
    static WHEN_LONG: OnceCell<Box<dyn Fn()>> = const { OnceCell::new() };
}

/// Has `notice` called on this thread while a call takes longer than most, again and again. The first one stays.
pub(crate) fn when_long(notice: impl Fn() + 'static) {
    WHEN_LONG.with(|when| drop(when.set(Box::new(notice))));
}

/// Whether a call may have touched much of the stack of this thread, which keeps these pages until it ends. Its free memory goes
/// back to the system before it ends: nobody else would look for it.
pub(crate) fn stack_has_grown() -> bool {
    let grown = STACK_HAS_GROWN.get();
    if grown {
        allocator::collect();
    }
    grown
}

/// What a call can run out of. The numbers tag the values of its errors; scripts have no use for them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    Time = 29_001,
    Memory = 29_002,
    /// Of the load that the call belongs to.
    Load = 29_004,
    /// The same, where a script ran at that moment.
    LoadByScript = 29_005,
}

impl Limit {
    /// What the call has run out of that ended with the value `thrown`.
    pub fn from_thrown(thrown: &Dynamic) -> Option<Limit> {
        [Limit::Time, Limit::Memory, Limit::Load, Limit::LoadByScript]
            .into_iter()
            .find(|limit| *limit as i32 == thrown.tag())
    }
}

impl Budget {
    /// What a call over its budget throws: a text for scripts and people.
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

/// What is thrown once `what` has taken longer than `limit`, which a load has.
pub(super) fn out_of_load_time(what: &str, limit: Duration) -> Dynamic {
    let mut text: Dynamic =
        format!("{what} took longer than {} ms of processor time", limit.as_millis()).into();
    text.set_tag(Limit::Load as i32);
    text
}

/// Fails once the load that runs is out of time.
///
/// # Errors
/// Says how long a load may take.
pub(crate) fn check_load() -> Fallible<()> {
    match load_time::over() {
        Some(limit) => {
            Err(EvalAltResult::ErrorRuntime(out_of_load_time("loading", limit), Position::NONE).into())
        }
        None => Ok(()),
    }
}

/// Counts an operation: what the call has run out of, once it has to end at once.
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

/// Time since some moment, by a clock that is late by 10 ms at most.
fn coarse_now() -> Duration {
    let now = clock_gettime(ClockId::MonotonicCoarse);
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// Fails once the running call is over its budget; called before each native. Rhai can't interrupt one, and some take long: one
/// after the other they would add up.
///
/// # Errors
/// Says what the call ran out of.
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

/// Called after each native: looks at the clock after eight of them, or after as much [`work`]. What a native gives that stopped in the
/// middle ([`watched`]) is no result.
pub(super) fn end_native(result: Fallible<Dynamic>) -> Fallible<Dynamic> {
    begin_native()?;
    let worked = WORKED.get() + WORK / COARSE_CLOCK_EVERY as usize;
    WORKED.set(worked % WORK);
    if worked >= WORK {
        look_coarsely();
    }
    result
}

/// Fails once the running call is over its budget.
#[cold]
fn end() -> Fallible<()> {
    match OVER.get() {
        Some((limit, _)) if DEADLINE.get().is_some() => {
            Err(EvalAltResult::ErrorRuntime(BUDGET.get().thrown(limit), Position::NONE).into())
        }
        _ => Ok(()),
    }
}

/// Notes that a native is about to go through `bytes`.
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
    // Once the time is over, all that follows fails at once.
    WORKED.set(if outcome.is_ok() { 0 } else { WORK });
    outcome
}

/// Bytes of work that a step of a loop in a native is taken for.
pub(crate) const STEP: usize = 32;

/// The items, until the running call is over its time: for natives that go through long values. Whatever they have by then, they fail.
pub(crate) fn watched<I: IntoIterator>(items: I) -> impl Iterator<Item = I::Item> {
    items.into_iter().take_while(|_| work(STEP).is_ok())
}

/// Time that the running call still has, and the load that it belongs to; without a call, as much as one has by default.
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
    // A quarter more memory is what the stack is good for (`Budget::stack`).
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
            WHEN_LONG.with(|when| when.get().into_iter().for_each(|notice| notice()));
        }
        if DEADLINE.get().is_some_and(|deadline| now > deadline) {
            run_out(Limit::Time);
        } else if load_time::over().is_some() {
            run_out(Limit::LoadByScript);
        }
    }
    None
}

/// Notes it, and has every operation looked at from now on.
fn run_out(limit: Limit) {
    OVER.set(Some((limit, 0)));
    ALARM.set(i64::MIN);
}

/// Fails if the running call is over its budget or `level` calls deep; called for each look at a variable.
///
/// # Errors
/// Says what the call ran out of. Rhai adds the place.
pub(crate) fn check(level: usize) -> Fallible<()> {
    if level > MAX_CALLS {
        return Err(too_deep().into());
    }
    begin_native()
}

pub(crate) fn too_deep() -> String {
    format!("calls are nested deeper than {MAX_CALLS}")
}

/// Bytes that the running call may still allocate; without a call, as many as a call has by default.
pub(crate) fn room() -> usize {
    let left = CEILING.get().saturating_sub(ALLOCATED.get());
    match DEADLINE.get() {
        Some(_) => usize::try_from(left).unwrap_or(0),
        None => Budget::default().memory,
    }
}

/// Whether the running call is over its time; for natives that loop on their own (`store.update`).
pub(crate) fn time_is_up() -> bool {
    DEADLINE.get().is_some_and(|deadline| Instant::now() > deadline)
}

/// The error of a call that is over its time. Like that of Rhai itself, scripts can't catch it.
pub(crate) fn out_of_time() -> Box<EvalAltResult> {
    EvalAltResult::ErrorTerminated(BUDGET.get().thrown(Limit::Time), Position::NONE).into()
}

/// Runs `body`, whose time does not count as that of the running call.
pub(super) fn beside<T>(body: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let value = body();
    let took = began.elapsed();
    DEADLINE.set(DEADLINE.get().map(|deadline| deadline + took));
    COARSE_DEADLINE.set(COARSE_DEADLINE.get().saturating_add(took));
    value
}

/// Makes `engine` watch the budget of the thread that it runs on.
///
/// Rhai's own limits of sizes are not set: with one of them it measures what a native was called on after each call, all the way
/// down, so that n calls of `l.push(x)` cost n * n. Natives that make much out of little check before they allocate
/// (`size_limits`); of the rest, one operation makes at most a small multiple of what is there.
pub(crate) fn register(engine: &mut Engine, budget: Budget) {
    engine
        // Two more than `check` lets pass: Rhai's own error has no place.
        .set_max_call_levels(MAX_CALLS + 2)
        .set_max_expr_depths(MAX_DEPTH, MAX_DEPTH)
        .set_max_functions(10_000)
        .set_max_modules(256);
    engine.on_progress(move |_| Some(budget.thrown(operation(budget.memory)?)));
}

#[cfg(test)]
mod tests;
