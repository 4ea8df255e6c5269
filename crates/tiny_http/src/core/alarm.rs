//! Waits of less than a millisecond, by a timerfd. epoll counts whole milliseconds (`epoll_pwait2`, Linux 5.11, doesn't, but
//! some sandboxes kill a process that calls it). Without this file an answer after a delay leaves 1.2 ms late at the median;
//! with it, 0.3 ms (ct/bench/delays.py on a busy machine with Linux 6.18).

use crate::clock::timespec;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime,
};
use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

/// A descriptor that becomes readable at a given time.
pub(crate) struct Alarm(OwnedFd);

impl Alarm {
    pub(crate) fn new() -> io::Result<Alarm> {
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        Ok(Alarm(timerfd_create(TimerfdClockId::Monotonic, flags)?))
    }

    pub(crate) fn descriptor(&self) -> &OwnedFd {
        &self.0
    }

    /// Sets the alarm for a timeout that epoll would round, and returns the timeout that is left for epoll. Whole milliseconds
    /// cost no further system call, and all deadlines are such.
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
