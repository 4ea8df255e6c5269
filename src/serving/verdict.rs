//! How the process ends: its report, and its exit code.

use crate::cli::{FailOn, Settings};
use crate::observing::metrics::metrics;
use crate::observing::report::{self, Report};
use crate::provisioning::activation::Activation;
use crate::system::io_error::describe_io;
use std::path::Path;

/// Stands for `POST /app/v1/quit` where a signal has its number.
pub(super) const QUIT: i32 = 0;
/// Exit code if a condition of `--fail-on` holds.
const FAILED: u8 = 3;

/// Writes the report and returns the exit code: 3 if a condition of `--fail-on` holds, else 0 after a quit, else 128 plus the number
/// of the signal, which is a shell's convention. `waiting` is the number of callbacks that wait for an attempt.
pub(super) fn verdict(activation: &Activation, waiting: usize, settings: &Settings, signal: i32) -> u8 {
    let report = report_of(activation, waiting);
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

/// Summarizes the process until now. `waiting` is the number of callbacks that wait for an attempt.
pub(super) fn report_of(activation: &Activation, waiting: usize) -> Report {
    let layers = activation.layers();
    let (clock, dice) =
        activation.simulation().look(|set| (set.clocks.get(None).cloned(), set.dice.get(None).cloned()));
    Report {
        provision: layers.base.name.clone(),
        generation: layers.generation,
        unused: layers.unused(),
        summary: metrics().summary(),
        waiting_callbacks: waiting as u64,
        clock,
        seed: dice.and_then(|dice| dice.state()).map(|(seed, _)| seed),
    }
}
