//! Signals: those that stop the server, and those that must not end it.

use crate::serving::start_error::StartError;
use rustix::process::Signal;
use signal_hook::consts::{
    SIGALRM, SIGHUP, SIGINT, SIGIO, SIGPROF, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGVTALRM, SIGXCPU, SIGXFSZ,
};
use signal_hook::iterator::Signals;
use signal_hook::low_level::signal_name;
use std::fs;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

/// They stop the server with drain, grace and report. SIGXCPU says that the processor time of `ulimit -t` is over.
const STOPPING: [i32; 5] = [SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGXCPU];

/// They would end the process at once, and mean nothing to this server: a line in the log tells that they came.
const IGNORED: [i32; 8] =
    [SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, Signal::POWER.as_raw(), Signal::STKFLT.as_raw()];

/// Real-time signals that the C library has not taken for itself; they are ignored too.
const REAL_TIME: std::ops::RangeInclusive<i32> = 35..=64;

/// Gives the signals that stop the server, as they come, and a sender for what may come in their place (`POST /app/v1/quit`).
///
/// A write beyond `ulimit -f` comes as SIGXFSZ as well; handled, it is an error of that write alone.
pub(crate) fn receive() -> Result<(Sender<i32>, Receiver<i32>), StartError> {
    let failed = |error| StartError::System("handle signals", error);
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    // `nohup`, and a shell for what runs in the background, have these ignored.
    let wanted = |signal: &i32| !matches!(*signal, SIGHUP | SIGQUIT) || !is_ignored(&status, *signal);
    let stopping = STOPPING.into_iter().filter(wanted);
    let mut signals = Signals::new(stopping.chain(IGNORED).chain([SIGXFSZ])).map_err(failed)?;
    // What runs the program may keep some for itself, as valgrind does: these don't come.
    REAL_TIME.for_each(|signal| _ = signals.add_signal(signal));
    let (send, receive) = mpsc::channel();
    let forwarded = send.clone();
    let forward = move || {
        for signal in signals.forever() {
            match signal {
                SIGXFSZ => {}
                signal if !STOPPING.contains(&signal) => ignore(signal),
                signal if forwarded.send(signal).is_err() => break,
                _ => {}
            }
        }
    };
    thread::Builder::new().name("signals".to_owned()).stack_size(128 << 10).spawn(forward).map_err(failed)?;
    Ok((send, receive))
}

fn ignore(signal: i32) {
    let name = match signal {
        signal if signal == Signal::POWER.as_raw() => "SIGPWR".to_owned(),
        signal if signal == Signal::STKFLT.as_raw() => "SIGSTKFLT".to_owned(),
        signal => signal_name(signal).map_or_else(|| format!("signal {signal}"), str::to_owned),
    };
    log::warn!("ignored {name}: SIGTERM, SIGINT, SIGQUIT or SIGHUP stops the server");
}

/// Whether `signal` was ignored when the process began, by its `/proc/self/status`.
fn is_ignored(status: &str, signal: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal - 1) & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_read_from_the_status() {
        let status = "SigBlk:\t0000000000000001\nSigIgn:\t0000000000001001\nSigCgt:\t0000000000000004\n";
        for (signal, ignored) in [(SIGHUP, true), (13, true), (SIGINT, false), (SIGQUIT, false), (64, false)]
        {
            assert_eq!(is_ignored(status, signal), ignored, "{signal}");
        }
        assert!(!is_ignored("", SIGHUP));
        // The standard library has this one ignored from the start.
        assert!(is_ignored(&fs::read_to_string("/proc/self/status").unwrap(), 13));
    }
}
