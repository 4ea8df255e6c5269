//! The time of one load: processor time of its thread, from the first file that is compiled to the last warning. With any other
//! clock, a correct file might fail to load in a pod with a tenth of a processor, or on a busy machine.

use rustix::time::{ClockId, clock_gettime};
use std::cell::Cell;
use std::time::{Duration, Instant};

/// The limit of the load that runs on a thread.
#[derive(Clone, Copy)]
struct Watch {
    limit: Duration,
    /// Processor time of the thread at which the load has to end.
    end: Duration,
    /// The time before which the load can't be over, since a thread uses no more processor time than passes. A look at this
    /// clock costs 25 ns, at the other one 300.
    earliest: Instant,
}

thread_local! {
    static WATCH: Cell<Option<Watch>> = const { Cell::new(None) };
}

/// Restores the earlier value when it is dropped, also when a native panicked.
struct Restore(Option<Watch>);

impl Drop for Restore {
    fn drop(&mut self) {
        WATCH.set(self.0);
    }
}

/// Runs `load` with `limit` as its processor time.
pub(crate) fn run<T>(limit: Duration, load: impl FnOnce() -> T) -> T {
    let watch = Watch { limit, end: used() + limit, earliest: Instant::now() + limit };
    let _restore = Restore(WATCH.replace(Some(watch)));
    load()
}

/// Whether a load runs on this thread.
pub(super) fn runs() -> bool {
    WATCH.get().is_some()
}

/// Returns the limit of the load that runs, once it has taken longer.
pub(crate) fn over() -> Option<Duration> {
    let watch = WATCH.get()?;
    let now = Instant::now();
    if now < watch.earliest {
        return None;
    }
    let left = watch.end.saturating_sub(used());
    if left.is_zero() {
        return Some(watch.limit);
    }
    WATCH.set(Some(Watch { earliest: now + left, ..watch }));
    None
}

/// Returns the processor time that is left to the load that runs.
pub(super) fn left() -> Option<Duration> {
    Some(WATCH.get()?.end.saturating_sub(used()))
}

/// Returns the processor time of the thread.
pub(crate) fn used() -> Duration {
    let used = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(used.tv_sec.unsigned_abs(), u32::try_from(used.tv_nsec).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn only_processor_time_counts() {
        let limit = Duration::from_millis(20);
        run(limit, || {
            thread::sleep(2 * limit);
            assert_eq!(over(), None);
            let began = Instant::now();
            while over().is_none() {
                assert!(began.elapsed() < Duration::from_secs(60));
            }
            assert_eq!(over(), Some(limit));
        });
        assert_eq!((runs(), over()), (false, None));
    }
}
