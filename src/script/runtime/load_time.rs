//! The time of one load: processor time of its thread, from the first file that is compiled to the last warning. Any other
//! clock would refuse what loads elsewhere in a pod with a tenth of a processor, or beside busy neighbours.

use rustix::time::{ClockId, clock_gettime};
use std::cell::Cell;
use std::time::{Duration, Instant};

/// The load that runs on a thread.
#[derive(Clone, Copy)]
struct Watch {
    limit: Duration,
    /// Processor time of the thread at which the load has to end.
    end: Duration,
    /// Before this it need not: no thread uses more processor time than passes. A look at this clock costs 25 ns, one at the
    /// other 300.
    earliest: Instant,
}

thread_local! {
    static WATCH: Cell<Option<Watch>> = const { Cell::new(None) };
}

/// Puts back what was there before, also when a native panicked.
struct Restore(Option<Watch>);

impl Drop for Restore {
    fn drop(&mut self) {
        WATCH.set(self.0);
    }
}

/// Runs `load`, which may take `limit`.
pub(crate) fn run<T>(limit: Duration, load: impl FnOnce() -> T) -> T {
    let watch = Watch { limit, end: used() + limit, earliest: Instant::now() + limit };
    let _restore = Restore(WATCH.replace(Some(watch)));
    load()
}

/// Whether a load runs on this thread.
pub(super) fn runs() -> bool {
    WATCH.get().is_some()
}

/// The limit of the load that runs, once it has taken longer.
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

/// Processor time that is left to the load that runs.
pub(super) fn left() -> Option<Duration> {
    Some(WATCH.get()?.end.saturating_sub(used()))
}

/// Processor time of the thread.
fn used() -> Duration {
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
