//! How the process ends: its report, and its exit code.

use crate::cli::{FailOn, Settings};
use crate::observing::metrics::metrics;
use crate::observing::report::{self, Report};
use crate::provisioning::activation::Activation;
use crate::system::io_error::describe_io;
use std::path::Path;

/// In place of a signal's number: `POST /app/v1/quit`.
pub(super) const QUIT: i32 = 0;
/// Exit code where a condition of `--fail-on` holds.
const FAILED: u8 = 3;

/// Writes the report; gives the exit code: 3 where a condition of `--fail-on` holds, else 0 after a quit, and 128 + the number
/// of a signal, as a shell tells it.
pub(super) fn verdict(activation: &Activation, settings: &Settings, signal: i32) -> u8 {
    let report = report_of(activation);
    let path = settings.report.as_deref().unwrap_or(Path::new(report::TERMINATION_LOG));
    if settings.report.is_some() || path.exists() {
        let written = report::write(path, &report.text(settings.fail_on.unwrap_or_default()));
        if let Err(error) = written {
            log::warn!("failed to write the report to `{}`: {}", path.display(), describe_io(&error));
        }
    }
    let holds = |conditions: FailOn| !report.failed(conditions).is_empty();
    match signal {
        _ if settings.fail_on.is_some_and(holds) => FAILED,
        QUIT => 0,
        signal => u8::try_from(128 + signal).unwrap_or(1),
    }
}

/// What the process did until now.
pub(super) fn report_of(activation: &Activation) -> Report {
    let provision = activation.current();
    Report {
        provision: provision.name.clone(),
        generation: provision.generation,
        unused: provision.unused(),
        summary: metrics().summary(),
    }
}
