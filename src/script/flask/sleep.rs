//! `time.sleep(seconds)` and `sleep(seconds)`: they delay the answer, not the script. The next line of the script runs at once.

use crate::chaos::LONGEST;
use crate::script::python::clock::Time;
use crate::script::runtime::call;
use crate::script::runtime::natives::{Fallible, Natives, Receiver};
use crate::script::runtime::size_limits::{text_of, type_name};
use rhai::{Dynamic, EvalAltResult};
use std::time::Duration;

/// Maximum number of calls for one request. It ends scripts that sleep in a loop until something changes: sleeping does not pause
/// the script, so nothing would change.
const MOST_SLEEPS: u32 = 1000;

fn sleep(seconds: &Dynamic) -> Fallible<()> {
    let number = seconds.as_float().or_else(|_| seconds.as_int().map(|seconds| seconds as f64));
    let number = number.map_err(|kind| format!("sleep takes seconds, not {kind}"))?;
    let pause = Duration::try_from_secs_f64(number)
        .map_err(|_| format!("sleep takes seconds from 0 on, not {number}"))?;
    call::with(|call| -> Fallible<()> {
        call.sleeps += 1;
        if call.sleeps > MOST_SLEEPS {
            return Err(no_wait(&format!("sleep was called more than {MOST_SLEEPS} times")));
        }
        call.hold = prolong(call.hold, pause).map_err(|_| {
            no_wait(&format!("the sleeps of a request add up to {} s at most", LONGEST.as_secs()))
        })?;
        Ok(())
    })
    .unwrap_or(Ok(()))
}

/// Reads the seconds that `what` takes.
pub(super) fn seconds(what: &str, value: &Dynamic) -> Fallible<Duration> {
    seconds_within(what, value, LONGEST)
}

/// Reads the seconds that `what` takes, up to `longest`.
pub(super) fn seconds_within(what: &str, value: &Dynamic, longest: Duration) -> Fallible<Duration> {
    let number = value.as_float().or_else(|_| value.as_int().map(|seconds| seconds as f64));
    let time = number.ok().and_then(|number| Duration::try_from_secs_f64(number).ok());
    Ok(time.filter(|time| *time <= longest).ok_or_else(|| {
        let given = match value {
            _ if number.is_ok() => text_of(value, 80).into_owned(),
            _ if value.is_fnptr() => "a function".to_owned(),
            _ => format!("{} `{}`", type_name(value), text_of(value, 80)),
        };
        format!("{what} takes seconds from 0 to {}, not {given}", longest.as_secs())
    })?)
}

/// Builds the error for too many or too long sleeps: such a script probably waits in a loop for another request.
fn no_wait(why: &str) -> Box<EvalAltResult> {
    format!("{why}: it holds back the answer and does not pause the script, so a loop can't wait by it; to answer when another request has set a key of `store`, return `wait_for(\"key\", 10.0, |value| ...)`").into()
}

/// Adds `pause` to the delay `hold`.
///
/// # Errors
/// The sum is longer than [`LONGEST`].
pub(crate) fn prolong(hold: Duration, pause: Duration) -> Fallible<Duration> {
    let hold = hold.saturating_add(pause);
    if hold > LONGEST {
        return Err(format!("an answer can be held back for {} s at most", LONGEST.as_secs()).into());
    }
    Ok(hold)
}

/// Registers both names. Rhai's own `sleep` would stop the thread.
pub(crate) fn register(natives: &mut Natives) {
    natives
        .register_fn("sleep", |_: Receiver<Time>, seconds: Dynamic| sleep(&seconds))
        .register_fn("sleep", |seconds: i64| sleep(&Dynamic::from_int(seconds)))
        .register_fn("sleep", |seconds: f64| sleep(&Dynamic::from_float(seconds)));
}
