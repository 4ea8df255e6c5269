//! Signals: some stop the server, the others must not end the process.

use crate::system::io_error::failed_to;
use rustix::process::Signal;
use signal_hook::consts::{
    SIGALRM, SIGHUP, SIGINT, SIGIO, SIGPROF, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGVTALRM, SIGXCPU, SIGXFSZ,
};
use signal_hook::iterator::Signals;
use signal_hook::low_level::signal_name;
use std::fs;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

/// Signals that stop the server, with drain, grace and report. SIGXCPU comes when the processor time of `ulimit -t` is over.
const STOPPING: [i32; 5] = [SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGXCPU];

/// Signals without a meaning for h1mock. Their default is to end the process, so each is handled by a line in the log.
const IGNORED: [i32; 8] =
    [SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, Signal::POWER.as_raw(), Signal::STKFLT.as_raw()];

/// Real-time signals, except those that the C library uses itself. h1mock ignores them too.
const REAL_TIME: std::ops::RangeInclusive<i32> = 35..=64;

/// Starts the thread `signals`. Returns a channel of the signals that stop the server, and its sender, which `POST /app/v1/quit` uses.
///
/// A write beyond `ulimit -f` raises SIGXFSZ. As the signal is handled, only that write fails, and the process goes on.
pub(crate) fn receive() -> Result<(Sender<i32>, Receiver<i32>), String> {
    let failed = failed_to("handle signals");
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    // `nohup` and background jobs of a shell start with SIGHUP or SIGQUIT ignored, and they must stay so.
    let wanted = |signal: &i32| !matches!(*signal, SIGHUP | SIGQUIT) || !is_ignored(&status, *signal);
    let stopping = STOPPING.into_iter().filter(wanted);
    let mut signals = Signals::new(stopping.chain(IGNORED).chain([SIGXFSZ])).map_err(&failed)?;
    // Errors are ignored: valgrind, for example, keeps some real-time signals for itself.
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
    thread::Builder::new()
        .name("signals".to_owned())
        .stack_size(128 << 10)
        .spawn(forward)
        .map_err(&failed)?;
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

/// Whether `signal` was ignored when the process began. `status` is the text of `/proc/self/status`.
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
        // The standard library ignores SIGPIPE from the start.
        assert!(is_ignored(&fs::read_to_string("/proc/self/status").unwrap(), 13));
    }
}
