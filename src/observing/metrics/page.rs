//! The page of `/metrics`: all families with their help, type and samples.

use super::exposition::{Exposition, seconds};
use super::histogram::BOUNDS;
use super::process::Usage;
use super::rules::Sums;
use super::{AtomicU64, Metrics, Ordering, RuleCounters};
use crate::message::progress::Ending;
use crate::observing::counters::Key;
use crate::observing::journal::Stats;
use crate::routing::method::METHODS;
use std::time::UNIX_EPOCH;

/// Values that other rooms provide for each page.
#[derive(Debug, Default, Clone, Copy)]
pub struct Readings {
    pub generation: u64,
    /// The provision that serves is not the one that was configured last.
    pub differs: bool,
    /// Open connections and busy connections of the mock listener.
    pub mock: (usize, usize),
    /// The same of the admin listener.
    pub admin: (usize, usize),
    /// Answers that wait or dribble.
    pub held: usize,
    /// Streams that have not ended.
    pub streams: usize,
    /// Forwarded requests that have not ended.
    pub forwards: usize,
    /// Callbacks that wait for an attempt.
    pub callbacks: usize,
    /// Requests that wait for a key of `store`.
    pub waits: usize,
    pub journal: Stats,
    pub dropped_lines: u64,
    /// Bytes that the values of `store` take, and the limit for them.
    pub store: (usize, usize),
}

impl Metrics {
    /// Returns the text for Prometheus.
    pub fn page(&self, readings: &Readings) -> String {
        let mut page = Exposition::default();
        let sums = self.rules.sums();
        rules(&mut page, &sums);
        self.times(&mut page, sums.iter().map(|sums| sums.nanoseconds).sum());
        listeners(&mut page, readings);
        refused(&mut page, &self.refused);
        let load = |number: &AtomicU64| number.load(Ordering::Relaxed);
        let Readings { journal, store: (store, store_budget), .. } = readings;
        let numbers: [(&str, &str, u64); 18] = [
            ("h1mock_unmatched_requests_total", "Requests that no rule served.", self.unmatched.total()),
            ("h1mock_held_answers", HELD, readings.held as u64),
            ("h1mock_waits_open", WAITS, readings.waits as u64),
            ("h1mock_streams_open", "Streams that have not ended.", readings.streams as u64),
            ("h1mock_forwards_open", "Forwarded requests that have not ended.", readings.forwards as u64),
            ("h1mock_callbacks_waiting", CALLBACKS, readings.callbacks as u64),
            ("h1mock_stream_pieces_total", "Pieces of streams that were sent.", load(&self.pieces)),
            ("h1mock_loads_total", "Loads of provisions, failed ones included.", load(&self.loads)),
            ("h1mock_load_failures_total", "Loads of provisions that failed.", load(&self.failed_loads)),
            ("h1mock_generation", "Generation of the provision that serves.", readings.generation),
            ("h1mock_configured_differs_from_serving", DIFFERS, readings.differs.into()),
            ("h1mock_journal_bytes", "Memory that the journal takes up.", journal.bytes),
            ("h1mock_journal_budget_bytes", "Memory that the journal may take up.", journal.budget),
            ("h1mock_journal_entries", "Requests that the journal holds.", journal.entries),
            ("h1mock_journal_evictions_total", EVICTIONS, journal.evicted_in_all),
            ("h1mock_log_dropped_total", DROPPED, readings.dropped_lines),
            ("h1mock_store_bytes", "Memory that the values of `store` take up.", *store as u64),
            ("h1mock_store_budget_bytes", STORE_BUDGET, *store_budget as u64),
        ];
        for (name, help, number) in numbers {
            page.single(name, help, &number);
        }
        let name = "h1mock_streams_total";
        page.family(name, "Streams that have ended, by how they ended.");
        for (ending, count) in Ending::ALL.into_iter().zip(&self.streams) {
            page.sample(name, &[("ended", ending.word())], &load(count));
        }
        self.outgoing.add_to(&mut page);
        let usage = Usage::now();
        let started = self.started.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs());
        let of_process: [(&str, &str, Option<u64>); 6] = [
            ("process_resident_memory_bytes", "Resident memory.", usage.resident),
            ("process_virtual_memory_bytes", "Virtual memory.", usage.size),
            ("process_open_fds", "Open file descriptors.", usage.open_files),
            ("process_max_fds", "Most file descriptors that may be open.", usage.most_files),
            ("process_threads", "Threads.", usage.threads),
            ("process_start_time_seconds", "Start of the process in seconds since 1970.", started),
        ];
        for (name, help, number) in of_process {
            if let Some(number) = number {
                page.single(name, help, &number);
            }
        }
        let help = "Processor time, user and system, in seconds.";
        page.single("process_cpu_seconds_total", help, &seconds(usage.cpu_nanoseconds));
        page.family("h1mock_build_info", "The version of h1mock; always 1.");
        page.sample("h1mock_build_info", &[("version", env!("CARGO_PKG_VERSION"))], &1);
        page.into_text()
    }

    fn times(&self, page: &mut Exposition, sum: u64) {
        let help = "Time of the mock for a request, without delays that were asked for.";
        page.histogram("h1mock_request_duration_seconds", help);
        let buckets = self.times.read();
        for (at, count) in buckets.iter().enumerate() {
            let bound = BOUNDS.get(at).map_or("+Inf".to_owned(), |bound| seconds(*bound).to_string());
            page.sample("h1mock_request_duration_seconds_bucket", &[("le", &bound)], count);
        }
        page.sample("h1mock_request_duration_seconds_sum", &[], &seconds(sum));
        page.sample("h1mock_request_duration_seconds_count", &[], &buckets[BOUNDS.len()]);
    }
}

const HELD: &str = "Answers and requests that wait, or dribble, because that was asked for.";
const CALLBACKS: &str = "Callbacks that wait for their first attempt, or for the next one.";
const WAITS: &str = "Requests that wait for a key of `store` (`wait_for`).";
const DIFFERS: &str = "1 where the newest load failed, or the files on disk are not those that serve.";
const DROPPED: &str = "Lines of the log that were dropped, as nobody read them or they could not be written.";
const EVICTIONS: &str = "Requests that the journal has let go to make room.";
const STORE_BUDGET: &str = "Memory that the values of `store` may take up.";

fn rules(page: &mut Exposition, all: &[Sums]) {
    let name = "h1mock_requests_total";
    page.family(name, "Requests that the mock answered, by the rule that served them.");
    for sums in all {
        for (key, count) in &sums.requests {
            let labels =
                [("rule", sums.label.as_str()), ("method", METHODS[key.method]), ("status", &status(key))];
            page.sample(name, &labels, count);
        }
    }
    let name = "h1mock_script_seconds_total";
    page.family(
        name,
        "Time of the mock for requests by rule: its scripts, and about a microsecond for finding them.",
    );
    for sums in all {
        page.sample(name, &[("rule", &sums.label)], &seconds(sums.nanoseconds));
    }
    let name = "h1mock_script_errors_total";
    page.family(name, "Requests whose script failed, by rule.");
    for sums in all {
        page.sample(name, &[("rule", &sums.label)], &sums.errors);
    }
}

fn status(key: &Key) -> String {
    key.status.map_or("other".to_owned(), |status| status.to_string())
}

fn listeners(page: &mut Exposition, readings: &Readings) {
    let ((mock_open, mock_busy), (admin_open, admin_busy)) = (readings.mock, readings.admin);
    let busy = "Connections with a request that arrives or is not answered in full.";
    for (name, help, mock, admin) in [
        ("h1mock_connections", "Open connections.", mock_open, admin_open),
        ("h1mock_connections_busy", busy, mock_busy, admin_busy),
    ] {
        page.family(name, help);
        page.sample(name, &[("listener", "mock")], &mock);
        page.sample(name, &[("listener", "admin")], &admin);
    }
}

fn refused(page: &mut Exposition, refused: &[(&str, RuleCounters)]) {
    let name = "h1mock_refused_requests_total";
    page.family(name, "Requests that were refused before any rule was asked, by status.");
    for (listener, counters) in refused {
        for (key, count) in counters.requests() {
            page.sample(name, &[("listener", listener), ("status", &status(&key))], &count);
        }
    }
}
