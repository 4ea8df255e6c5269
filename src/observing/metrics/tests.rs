//! The page of `/metrics`, read by a strict parser.

mod parser;

use super::page::Readings;
use super::*;
use crate::observing::journal::Stats;
use crate::outgoing::Sent;

#[test]
fn the_page_is_what_a_strict_parser_takes() {
    let metrics = Metrics::default();
    let page = parser::parse(&metrics.page(&Readings::default())).unwrap();
    assert_eq!(page.value("h1mock_requests_total", &[]), None);
    assert_eq!(page.value("h1mock_request_duration_seconds_count", &[]), Some(0.0));
    assert_eq!(page.value("h1mock_build_info", &[("version", env!("CARGO_PKG_VERSION"))]), Some(1.0));
    assert_eq!(page.kind("h1mock_loads_total"), Some("counter"));

    let counted = Counted { method: "GET", status: 200, nanoseconds: 4_000_000, ..Counted::default() };
    metrics.rules.count(&Counted { error: Some("failed"), ..counted });
    metrics.times.add(4_000_000);
    metrics.refused("mock", 431);
    metrics.refused("admin", 400);
    metrics.unmatched.add("GET", "/");
    metrics.stream_piece();
    Ending::ALL.into_iter().chain([Ending::Stop]).for_each(|ending| metrics.stream_ended(ending));
    metrics.called(Called::Error, true, false);
    metrics.called(Called::Status, false, true);
    metrics.called(Called::Ok, true, true);
    metrics.called(Called::Cancelled, true, true);
    for result in [Forwarded::Ok, Forwarded::Ok, Forwarded::Failed, Forwarded::Late, Forwarded::Cut] {
        metrics.forwarded(result);
    }
    metrics.sent(Sent::Timeout);
    let journal = Stats { bytes: 1, budget: 2, entries: 3, evicted_in_all: 4, ..Stats::default() };
    let readings = Readings {
        generation: 7,
        differs: true,
        mock: (5, 2),
        admin: (1, 1),
        held: 1,
        streams: 10,
        forwards: 13,
        callbacks: 14,
        waits: 12,
        journal,
        dropped_lines: 6,
        store: (8, 9),
    };
    let page = parser::parse(&metrics.page(&readings)).unwrap();
    for (name, labels, value) in [
        ("h1mock_requests_total", &[("rule", "none"), ("method", "GET"), ("status", "200")][..], 1.0),
        ("h1mock_request_duration_seconds_bucket", &[("le", "0.0025")], 0.0),
        ("h1mock_request_duration_seconds_bucket", &[("le", "0.005")], 1.0),
        ("h1mock_request_duration_seconds_sum", &[], 0.004),
        ("h1mock_script_seconds_total", &[("rule", "none")], 0.004),
        ("h1mock_script_errors_total", &[("rule", "none")], 1.0),
        ("h1mock_held_answers", &[], 1.0),
        ("h1mock_streams_open", &[], 10.0),
        ("h1mock_stream_pieces_total", &[], 1.0),
        ("h1mock_streams_total", &[("ended", "complete")], 1.0),
        ("h1mock_streams_total", &[("ended", "chaos")], 1.0),
        ("h1mock_streams_total", &[("ended", "stop")], 2.0),
        ("h1mock_waits_open", &[], 12.0),
        ("h1mock_forwards_open", &[], 13.0),
        ("h1mock_callbacks_waiting", &[], 14.0),
        ("h1mock_callbacks_total", &[("result", "ok")], 1.0),
        ("h1mock_callbacks_total", &[("result", "status")], 1.0),
        ("h1mock_callbacks_total", &[("result", "error")], 1.0),
        ("h1mock_callbacks_total", &[("result", "cancelled")], 1.0),
        ("h1mock_forwarded_total", &[("result", "ok")], 2.0),
        ("h1mock_forwarded_total", &[("result", "502")], 1.0),
        ("h1mock_forwarded_total", &[("result", "504")], 1.0),
        ("h1mock_forwarded_total", &[("result", "cut")], 1.0),
        ("h1mock_outgoing_total", &[("result", "ok")], 0.0),
        ("h1mock_outgoing_total", &[("result", "timeout")], 1.0),
        ("h1mock_connections", &[("listener", "mock")], 5.0),
        ("h1mock_connections_busy", &[("listener", "mock")], 2.0),
        ("h1mock_refused_requests_total", &[("listener", "mock"), ("status", "431")], 1.0),
        ("h1mock_refused_requests_total", &[("listener", "admin"), ("status", "400")], 1.0),
        ("h1mock_unmatched_requests_total", &[], 1.0),
        ("h1mock_generation", &[], 7.0),
        ("h1mock_configured_differs_from_serving", &[], 1.0),
        ("h1mock_journal_bytes", &[], 1.0),
        ("h1mock_journal_evictions_total", &[], 4.0),
        ("h1mock_log_dropped_total", &[], 6.0),
        ("h1mock_store_bytes", &[], 8.0),
        ("h1mock_store_budget_bytes", &[], 9.0),
    ] {
        assert_eq!(page.value(name, labels), Some(value), "{name}");
    }
    let departed = Departed { callbacks: 3, failed_callbacks: 1, forwarded: 5, failed_forwarded: 3 };
    assert_eq!(metrics.summary().departed, departed);
}
