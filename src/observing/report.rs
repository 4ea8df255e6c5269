//! The report: a verdict on whether the mock was used as intended, with the counts that decide it.
//!
//! A report is JSON of less than 1 KiB with the verdict first, so it fits into the termination message of a container.

mod fail_on;

pub(crate) use fail_on::FailOn;

use crate::observing::metrics::{Departed, Summary};
use crate::simulation::{Clock, Rfc3339};
use crate::system::truncate::truncate;
use serde_json::Value;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Most bytes of a report, with its line end.
pub(crate) const LONGEST: usize = 1023;

/// The file that the kubelet mounts for the termination message of a container.
pub(crate) const TERMINATION_LOG: &str = "/dev/termination-log";

/// Most items of a list and characters of a text. If the report is too long, the next pair is tried.
const SHOWN: [(usize, usize); 6] = [(5, 150), (4, 100), (3, 70), (2, 50), (1, 30), (0, 16)];

/// The values of a report.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub provision: String,
    pub generation: u64,
    /// Rules of this provision that served no request.
    pub unused: Vec<String>,
    pub summary: Summary,
    /// Callbacks that wait for an attempt.
    pub waiting_callbacks: u64,
    /// The clock that scripts see; `None` for the real time.
    pub clock: Option<Clock>,
    /// The seed of the random numbers that scripts draw.
    pub seed: Option<i64>,
}

impl Report {
    /// Returns the words of `conditions` that hold.
    pub(crate) fn failed(&self, conditions: FailOn) -> Vec<&'static str> {
        let Summary { unmatched, errors, failed_loads, .. } = self.summary;
        let counts = [unmatched, self.unused.len() as u64, errors, failed_loads];
        conditions.words().filter(|(place, _)| counts[*place] > 0).map(|(_, word)| word).collect()
    }

    /// Returns the report as JSON, with the verdict on `conditions`.
    pub(crate) fn text(&self, conditions: FailOn) -> String {
        let mut texts = SHOWN.iter().map(|shown| self.to_json(conditions, *shown));
        // The last pair keeps any report below the limit (tested).
        texts.find(|text| text.len() < LONGEST).unwrap_or_default()
    }

    fn to_json(&self, conditions: FailOn, (items, characters): (usize, usize)) -> String {
        let Summary {
            requests,
            unmatched,
            unmatched_rows,
            errors,
            first_error,
            loads,
            failed_loads,
            last_failure,
            departed,
        } = &self.summary;
        let Departed { callbacks, failed_callbacks, forwarded, failed_forwarded } = departed;
        let waiting = self.waiting_callbacks;
        let text = |text: &str| Value::from(excerpt(text, characters));
        let optional = |given: &Option<String>| given.as_deref().map_or(Value::Null, text);
        let failed = self.failed(conditions);
        let verdict = if failed.is_empty() { "pass" } else { "fail" };
        let rows: Vec<String> = unmatched_rows
            .iter()
            .take(items)
            .map(|row| {
                let (method, path) = (Value::from(excerpt(&row.method, 16)), text(&row.path));
                format!(r#"{{"method":{method},"path":{path},"count":{}}}"#, row.count)
            })
            .collect();
        let shown: u64 = unmatched_rows.iter().take(items).map(|row| row.count).sum();
        let unused: Vec<String> = self.unused.iter().take(items).map(|rule| text(rule).to_string()).collect();
        format!(
            r#"{{"verdict":"{verdict}","failed":{},"provision":{},"generation":{},"requests":{requests},"unmatched":{{"count":{unmatched},"requests":[{}],"left_out":{}}},"unused":{{"count":{},"rules":[{}],"left_out":{}}},"errors":{{"count":{errors},"first":{}}},"loads":{{"count":{loads},"failed":{failed_loads},"last":{}}},"callbacks":{{"sent":{callbacks},"failed":{failed_callbacks},"waiting":{waiting}}},"forwarded":{{"sent":{forwarded},"failed":{failed_forwarded}}}{}}}"#,
            Value::from(failed),
            text(&self.provision),
            self.generation,
            rows.join(","),
            unmatched.saturating_sub(shown),
            self.unused.len(),
            unused.join(","),
            self.unused.len() - unused.len(),
            optional(first_error),
            optional(last_failure),
            self.simulated(),
        )
    }

    /// Returns the members of the JSON for the clock and the seed: none for real time and chance.
    fn simulated(&self) -> String {
        let clock = self.clock.as_ref().map(|clock| {
            format!(r#","clock":{{"now":"{}","speed":{}}}"#, Rfc3339(clock.wall()), clock.speed().factor())
        });
        let seed = self.seed.map(|seed| format!(r#","seed":{seed}"#));
        [clock, seed].into_iter().flatten().collect()
    }
}

/// Returns the first characters of `text`, with an ellipsis where there are more. Control characters, which JSON would escape, become
/// spaces.
fn excerpt(text: &str, characters: usize) -> String {
    truncate(text, characters, "\u{2026}").replace(char::is_control, " ")
}

/// Writes `text` and a line end to `path`, and creates the file where it is missing. Never blocks.
///
/// # Errors
/// The error of the system.
pub(crate) fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut file = open(path)?;
    // The kubelet's file exists already, in a directory that may be read-only. Pipes and devices have no length.
    if file.metadata()?.is_file() {
        file.set_len(0)?;
    }
    file.write_all(format!("{text}\n").as_bytes())
}

fn open(path: &Path) -> io::Result<File> {
    // Opening a pipe that nobody reads would block the stop.
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let mut options = OpenOptions::new();
    options.write(true).custom_flags(flags);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => options.create(true).open(path),
        opened => opened,
    }
}

#[cfg(test)]
mod tests;
