//! The page of `/metrics`: every family with its help, type and samples. Counts nothing itself.

use super::exposition::{Exposition, seconds};
use super::histogram::BOUNDS;
use super::process::Usage;
use super::rules::Sums;
use super::{BTreeMap, Metrics, Ordering, Tally};
use crate::journal::Stats;
use crate::tally::METHODS;
use std::time::UNIX_EPOCH;

/// What others know and is asked for each page.
#[derive(Debug, Default, Clone, Copy)]
pub struct Readings {
    /// Generation of the provision that serves.
    pub generation: u64,
    /// What was configured last is not what serves.
    pub differs: bool,
    /// Open connections and busy ones of the mock.
    pub mock: (usize, usize),
    /// The same of the admin interface.
    pub admin: (usize, usize),
    /// The journal.
    pub journal: Stats,
}

impl Metrics {
    /// The text for Prometheus.
    pub fn page(&self, readings: &Readings) -> String {
        let mut page = Exposition::default();
        let sums = self.rules.sums();
        requests(&mut page, &sums);
        self.times(&mut page);
        scripts(&mut page, &sums);
        page.one(
            "h1mock_held_answers",
            "gauge",
            "Answers that wait because a script delayed them.",
            self.held.load(Ordering::Relaxed),
        );
        connections(&mut page, readings);
        refused(&mut page, &self.refused);
        let unmatched = self.unmatched.total();
        page.one("h1mock_unmatched_requests_total", "counter", "Requests that no rule served.", unmatched);
        self.loads(&mut page, readings);
        journal(&mut page, &readings.journal);
        process(&mut page, &Usage::now());
        let since = self.started.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let help = "Start of the process in seconds since 1970.";
        page.one("process_start_time_seconds", "gauge", help, since);
        page.family("h1mock_build_info", "gauge", "The version of h1mock; always 1.");
        page.sample("h1mock_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
        page.into_text()
    }

    fn times(&self, page: &mut Exposition) {
        let name = "h1mock_request_duration_seconds";
        page.family(name, "histogram", "Time of the mock for a request, without delays that were asked for.");
        let (buckets, sum) = self.times.read();
        for (at, count) in buckets.iter().enumerate() {
            let bound = BOUNDS.get(at).map_or("+Inf".to_owned(), |bound| seconds(*bound).to_string());
            page.sample("h1mock_request_duration_seconds_bucket", &[("le", &bound)], count);
        }
        page.sample("h1mock_request_duration_seconds_sum", &[], seconds(sum));
        page.sample("h1mock_request_duration_seconds_count", &[], buckets[BOUNDS.len()]);
    }

    fn loads(&self, page: &mut Exposition, readings: &Readings) {
        let (loads, failed) = (self.loads.load(Ordering::Relaxed), self.failed_loads.load(Ordering::Relaxed));
        page.one("h1mock_loads_total", "counter", "Loads of provisions, failed ones included.", loads);
        page.one("h1mock_load_failures_total", "counter", "Loads of provisions that failed.", failed);
        let help = "Generation of the provision that serves.";
        page.one("h1mock_generation", "gauge", help, readings.generation);
        let help = "1 where the newest load failed, or the files on disk are not those that serve.";
        page.one("h1mock_configured_differs_from_serving", "gauge", help, u8::from(readings.differs));
    }
}

fn requests(page: &mut Exposition, sums: &BTreeMap<String, Sums>) {
    let name = "h1mock_requests_total";
    page.family(name, "counter", "Requests that the mock answered, by the rule that served them.");
    for (rule, sums) in sums {
        for (key, count) in &sums.requests {
            let status = key.status.map_or("other".to_owned(), |status| status.to_string());
            let labels = [("rule", rule.as_str()), ("method", METHODS[key.method]), ("status", &status)];
            page.sample(name, &labels, count);
        }
    }
}

fn scripts(page: &mut Exposition, sums: &BTreeMap<String, Sums>) {
    let name = "h1mock_script_seconds_total";
    page.family(name, "counter", "Time from the first call of a script to the answer, by rule.");
    for (rule, sums) in sums {
        page.sample(name, &[("rule", rule)], seconds(sums.nanoseconds));
    }
    let name = "h1mock_script_errors_total";
    page.family(name, "counter", "Requests whose script failed, by rule.");
    for (rule, sums) in sums {
        page.sample(name, &[("rule", rule)], sums.errors);
    }
}

fn connections(page: &mut Exposition, readings: &Readings) {
    let listeners = [("mock", readings.mock), ("admin", readings.admin)];
    page.family("h1mock_connections", "gauge", "Open connections.");
    for (listener, (open, _)) in listeners {
        page.sample("h1mock_connections", &[("listener", listener)], open);
    }
    let help = "Connections with a request that arrives or is not answered in full.";
    page.family("h1mock_connections_busy", "gauge", help);
    for (listener, (_, busy)) in listeners {
        page.sample("h1mock_connections_busy", &[("listener", listener)], busy);
    }
}

fn refused(page: &mut Exposition, refused: &[(&str, Tally)]) {
    let name = "h1mock_refused_requests_total";
    page.family(name, "counter", "Requests that were refused before any rule was asked, by status.");
    for (listener, tally) in refused {
        let mut counts = tally.requests();
        counts.sort_unstable();
        for (key, count) in counts {
            let status = key.status.map_or("other".to_owned(), |status| status.to_string());
            page.sample(name, &[("listener", listener), ("status", &status)], count);
        }
    }
}

fn journal(page: &mut Exposition, journal: &Stats) {
    page.one("h1mock_journal_bytes", "gauge", "Memory that the journal takes up.", journal.bytes);
    page.one("h1mock_journal_budget_bytes", "gauge", "Memory that it may take up.", journal.budget);
    page.one("h1mock_journal_entries", "gauge", "Requests that the journal holds.", journal.entries);
    let help = "Requests that the journal has let go to make room.";
    page.one("h1mock_journal_evictions_total", "counter", help, journal.evicted_in_all);
}

fn process(page: &mut Exposition, usage: &Usage) {
    let help = "Processor time, user and system, in seconds.";
    page.one("process_cpu_seconds_total", "counter", help, seconds(usage.cpu_nanoseconds));
    let gauges = [
        ("process_resident_memory_bytes", "Resident memory.", usage.resident),
        ("process_virtual_memory_bytes", "Virtual memory.", usage.size),
        ("process_open_fds", "Open file descriptors.", usage.open_files),
        ("process_max_fds", "Most file descriptors that may be open.", usage.most_files),
        ("process_threads", "Threads.", usage.threads),
    ];
    for (name, help, value) in gauges {
        if let Some(value) = value {
            page.one(name, "gauge", help, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::parser;
    use super::super::rules::Counted;
    use super::*;

    #[test]
    fn the_page_is_what_a_strict_parser_takes() {
        let metrics = Metrics::default();
        let page = parser::parse(&metrics.page(&Readings::default())).unwrap();
        assert_eq!(page.value("h1mock_requests_total", &[]), None);
        assert_eq!(page.value("h1mock_request_duration_seconds_count", &[]), Some(0.0));
        assert_eq!(page.value("h1mock_build_info", &[("version", env!("CARGO_PKG_VERSION"))]), Some(1.0));
        assert_eq!(page.kind("h1mock_loads_total"), Some("counter"));

        let counted = Counted { method: "GET", status: 200, nanoseconds: 3_000_000_000, failed: true };
        metrics.rules.count(None, false, &counted);
        metrics.times.add(4_000_000);
        metrics.refused("mock", 431);
        metrics.refused("admin", 400);
        metrics.unmatched.add("GET", "/");
        let held = metrics.hold();
        let journal = Stats { bytes: 1, budget: 2, entries: 3, evicted_in_all: 4, ..Stats::default() };
        let readings = Readings { generation: 7, differs: true, mock: (5, 2), admin: (1, 1), journal };
        let page = parser::parse(&metrics.page(&readings)).unwrap();
        drop(held);
        for (name, labels, value) in [
            ("h1mock_requests_total", &[("rule", "none"), ("method", "GET"), ("status", "200")][..], 1.0),
            ("h1mock_request_duration_seconds_bucket", &[("le", "0.0025")], 0.0),
            ("h1mock_request_duration_seconds_bucket", &[("le", "0.005")], 1.0),
            ("h1mock_request_duration_seconds_sum", &[], 0.004),
            ("h1mock_script_seconds_total", &[("rule", "none")], 3.0),
            ("h1mock_script_errors_total", &[("rule", "none")], 1.0),
            ("h1mock_held_answers", &[], 1.0),
            ("h1mock_connections", &[("listener", "mock")], 5.0),
            ("h1mock_connections_busy", &[("listener", "mock")], 2.0),
            ("h1mock_refused_requests_total", &[("listener", "mock"), ("status", "431")], 1.0),
            ("h1mock_refused_requests_total", &[("listener", "admin"), ("status", "400")], 1.0),
            ("h1mock_unmatched_requests_total", &[], 1.0),
            ("h1mock_generation", &[], 7.0),
            ("h1mock_configured_differs_from_serving", &[], 1.0),
            ("h1mock_journal_bytes", &[], 1.0),
            ("h1mock_journal_evictions_total", &[], 4.0),
        ] {
            assert_eq!(page.value(name, labels), Some(value), "{name}");
        }
        assert!(metrics.page(&readings).contains("h1mock_held_answers 0\n"));
    }
}
