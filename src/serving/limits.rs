//! The limits of each listener, from the settings, or from the system where a setting is not given. The engine enforces them.

use crate::cli::Settings;
use crate::serving::http::Limits;
use crate::system::descriptors::{self, Descriptors};
use crate::system::memory;

/// Smallest default of `--max-buffered`: one body of the default `--max-body` fits.
const LEAST_BUFFERED: u64 = 8 << 20;

/// With fewer connections than this, the log has a warning.
const FEW: usize = 64;

/// The limits of both listeners. They differ in the number of connections and in the bytes in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EffectiveLimits {
    pub mock: Limits,
    pub admin: Limits,
}

impl EffectiveLimits {
    /// Raises the limit of open files, reads the memory of the cgroup, and divides both. Logs each setting that the system cannot meet.
    ///
    /// # Errors
    /// The limit of open files is below [`descriptors::LEAST`].
    pub(crate) fn by_system(settings: &Settings) -> Result<EffectiveLimits, String> {
        let open_files = descriptors::raise();
        if open_files < descriptors::LEAST as u64 {
            let least = descriptors::LEAST;
            return Err(format!(
                "the limit of {open_files} open files is too low: h1mock needs {least} (`ulimit -n {least}`, or in a container `--ulimit nofile={least}`)"
            ));
        }
        let (limits, warnings) = EffectiveLimits::divide(settings, open_files, memory::granted());
        for warning in warnings {
            log::warn!("{warning}");
        }
        let Limits { connections, buffered, .. } = limits.mock;
        log::debug!("the mock takes {connections} connections and buffers {buffered} bytes");
        Ok(limits)
    }

    /// Divides `open_files` and `memory` bytes. Returns the limits, and a line for each setting that they cannot meet.
    fn divide(settings: &Settings, open_files: u64, memory: Option<u64>) -> (EffectiveLimits, Vec<String>) {
        let descriptors = Descriptors::divide(open_files);
        let (asked, left) = (settings.max_connections, descriptors.mock);
        let connections = asked.unwrap_or(left).min(left);
        let mock = Limits {
            head: settings.max_head,
            headers: settings.max_headers,
            body: settings.max_body,
            connections,
            // A connection has one job at a time: the next piece of its answer, or the end of its wait.
            jobs: connections,
            requests: settings.max_requests,
            buffered: settings.max_buffered.unwrap_or_else(|| share(memory)),
            head_time: settings.head_timeout,
            body_time: settings.body_timeout,
            idle_time: settings.idle_timeout,
            write_time: settings.write_timeout,
        };
        // In addition to the mock's, so that a new provision can be posted while the mock's memory is full.
        let buffered = (mock.buffered / 4).max(mock.body.min(mock.buffered));
        let admin = Limits { connections: descriptors.admin, buffered, ..mock };
        let too_many = asked.filter(|asked| *asked > left).map(|asked| {
            format!("`--max-connections` is {asked}, the limit of {open_files} open files leaves {left}: that many are taken")
        });
        let too_large = (mock.buffered < mock.body).then(|| {
            let Limits { buffered, body, .. } = mock;
            format!("`--max-body` is {body}, `--max-buffered` only {buffered}: larger bodies than that are answered 503")
        });
        let few = (asked.is_none() && left < FEW).then(|| {
            format!("the limit of {open_files} open files (`ulimit -n`) leaves the mock {left} connections, the admin port {}", descriptors.admin)
        });
        (EffectiveLimits { mock, admin }, too_many.into_iter().chain(too_large).chain(few).collect())
    }
}

/// Returns the default of `--max-buffered`: a quarter of the memory, because scripts and provisions need most of it.
fn share(memory: Option<u64>) -> usize {
    usize::try_from((memory.unwrap_or(0) / 4).max(LEAST_BUFFERED)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const MIB: usize = 1 << 20;

    #[test]
    fn given_settings_are_taken_as_they_are() {
        let second = Duration::from_secs;
        let settings = Settings {
            max_head: 1,
            max_headers: 2,
            max_body: 3,
            max_connections: Some(4),
            max_requests: 5,
            max_buffered: Some(6),
            head_timeout: second(7),
            body_timeout: second(8),
            idle_timeout: second(9),
            write_timeout: second(10),
            ..Settings::default()
        };
        let mock = Limits {
            head: 1,
            headers: 2,
            body: 3,
            connections: 4,
            jobs: 4,
            requests: 5,
            buffered: 6,
            head_time: second(7),
            body_time: second(8),
            idle_time: second(9),
            write_time: second(10),
        };
        let limits = EffectiveLimits { mock, admin: Limits { connections: 128, buffered: 3, ..mock } };
        assert_eq!(EffectiveLimits::divide(&settings, 1024, Some(1 << 30)), (limits, vec![]));
    }

    #[test]
    fn open_files_bound_the_connections() {
        for (asked, open_files, mock, admin, warned) in [
            (None, 64, 16, 8, true),
            (None, 49, 1, 8, true),
            (None, 256, 184, 32, false),
            (None, 1024, 768, 128, false),
            (None, 1 << 30, 1_000_000, 1024, false),
            (Some(768), 1024, 768, 128, false),
            (Some(769), 1024, 768, 128, true),
            (Some(1), 49, 1, 8, false),
            (Some(1_000_000), u64::MAX, 1_000_000, 1024, false),
        ] {
            let settings = Settings { max_connections: asked, ..Settings::default() };
            let (limits, warnings) = EffectiveLimits::divide(&settings, open_files, None);
            let connections = (limits.mock.connections, limits.admin.connections);
            assert_eq!(connections, (mock, admin), "{asked:?} {open_files}");
            assert_eq!(!warnings.is_empty(), warned, "{warnings:?}");
        }
    }

    #[test]
    fn requests_may_fill_a_quarter_of_the_memory() {
        for (asked, memory, buffered, of_admin) in [
            (None, None, 8 * MIB, 8 * MIB),
            (None, Some(0), 8 * MIB, 8 * MIB),
            (None, Some(16 << 20), 8 * MIB, 8 * MIB),
            (None, Some(64 << 20), 16 * MIB, 8 * MIB),
            (None, Some(1 << 30), 256 * MIB, 64 * MIB),
            (Some(9 * MIB), Some(1 << 30), 9 * MIB, 8 * MIB),
        ] {
            let settings = Settings { max_buffered: asked, ..Settings::default() };
            let (limits, warnings) = EffectiveLimits::divide(&settings, 1024, memory);
            assert_eq!(limits.mock.buffered, buffered, "{asked:?} {memory:?}");
            assert_eq!(limits.admin.buffered, of_admin);
            assert!(warnings.is_empty(), "{warnings:?}");
        }
    }

    #[test]
    fn a_warning_names_the_setting_and_the_number_that_is_left() {
        let settings =
            Settings { max_connections: Some(5000), max_buffered: Some(MIB), ..Settings::default() };
        let expected = [
            "`--max-connections` is 5000, the limit of 1024 open files leaves 768: that many are taken",
            "`--max-body` is 8388608, `--max-buffered` only 1048576: larger bodies than that are answered 503",
        ];
        let (limits, warnings) = EffectiveLimits::divide(&settings, 1024, None);
        assert_eq!(warnings, expected);
        assert_eq!((limits.mock.buffered, limits.admin.buffered), (MIB, MIB));
        // The default of `--max-buffered` can be less than a large `--max-body`, too.
        let settings = Settings { max_body: 100 * MIB, ..Settings::default() };
        assert_eq!(EffectiveLimits::divide(&settings, 1024, Some(256 << 20)).1.len(), 1);
    }

    #[test]
    fn this_machine_grants_connections_and_memory() {
        let limits = EffectiveLimits::by_system(&Settings::default()).unwrap();
        assert!(limits.mock.connections >= 1 && limits.admin.connections >= 8, "{limits:?}");
        assert!(limits.mock.buffered >= 8 * MIB, "{limits:?}");
    }
}
