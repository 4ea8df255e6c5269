//! Waits to the microsecond. epoll counts in milliseconds before Linux 5.11, and what is held back would leave up to one late.

use crate::clock::timespec;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime,
};
use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

/// Becomes readable at a time.
pub(crate) struct Alarm(OwnedFd);

impl Alarm {
    pub(crate) fn new() -> io::Result<Alarm> {
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        Ok(Alarm(timerfd_create(TimerfdClockId::Monotonic, flags)?))
    }

    pub(crate) fn descriptor(&self) -> &OwnedFd {
        &self.0
    }

    /// Takes over a timeout that epoll would round; gives what is left to epoll. Whole milliseconds, as all deadlines are, cost
    /// no further call.
    pub(crate) fn take_over(&self, timeout: Option<Duration>) -> Option<Duration> {
        let Some(exact) = timeout.filter(|time| !time.subsec_nanos().is_multiple_of(1_000_000)) else {
            return timeout;
        };
        let once = Itimerspec { it_interval: timespec(Duration::ZERO), it_value: timespec(exact) };
        match timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &once) {
            Ok(_) => None,
            Err(_) => timeout,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_milliseconds_are_left_to_epoll() {
        let alarm = Alarm::new().unwrap();
        let micros = Duration::from_micros;
        for (timeout, left) in [
            (None, None),
            (Some(micros(0)), Some(micros(0))),
            (Some(micros(3000)), Some(micros(3000))),
            (Some(micros(3001)), None),
            (Some(micros(1)), None),
        ] {
            assert_eq!(alarm.take_over(timeout), left);
        }
    }
}
