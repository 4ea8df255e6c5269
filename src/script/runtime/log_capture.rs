//! Captures the log lines of scripts that are only tried: a trial must leave no line in the log of the server.

use log::Level;
use std::cell::RefCell;

/// Most lines that are captured. Later ones are dropped.
const MOST_LINES: usize = 1_000;

thread_local! {
    /// The lines of the trial that runs on this thread.
    static LINES: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Runs `trial`. Returns its result and the lines that it would have logged: `INFO orders:12: paid`.
pub(crate) fn within<T>(trial: impl FnOnce() -> T) -> (T, Vec<String>) {
    /// Restores the outer state, also when a native panicked.
    struct Restore(Option<Vec<String>>);
    impl Drop for Restore {
        fn drop(&mut self) {
            let before = self.0.take();
            LINES.with(|lines| *lines.borrow_mut() = before);
        }
    }
    let restore = Restore(LINES.with(|lines| lines.borrow_mut().replace(Vec::new())));
    let result = trial();
    let lines = LINES.with(|lines| lines.borrow_mut().take()).unwrap_or_default();
    drop(restore);
    (result, lines)
}

/// Whether a trial runs on this thread.
pub(crate) fn is_on() -> bool {
    LINES.with(|lines| lines.borrow().is_some())
}

/// Captures a line. Returns false without a trial: the caller logs the line then.
pub(crate) fn take(level: Level, line: impl FnOnce() -> String) -> bool {
    LINES.with(|lines| match &mut *lines.borrow_mut() {
        None => false,
        Some(lines) => {
            if lines.len() < MOST_LINES {
                lines.push(format!("{level} {}", line()));
            }
            true
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_belong_to_the_innermost_trial_and_have_a_bound() {
        assert!(!is_on() && !take(Level::Info, || "none".to_owned()));
        let (inner, outer) = within(|| {
            take(Level::Info, || "before".to_owned());
            let (full, inner) = within(|| (0..2_000).all(|_| take(Level::Error, || "inside".to_owned())));
            assert!(full && is_on());
            take(Level::Warn, || "after".to_owned());
            inner
        });
        assert_eq!((inner.len(), &*inner[999]), (MOST_LINES, "ERROR inside"));
        assert_eq!(outer, ["INFO before", "WARN after"]);
        assert!(!is_on());
    }
}
