//! The table in the head comment of the room, and a clock for tests.

use super::router::{Found, Router};
use super::rule::{Rule, RuleOptions};
use super::value::Value;
use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// Returns the processor time of this thread: unlike the time of a clock, it does not grow while other threads run.
pub(super) fn cpu_time() -> Duration {
    let used = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(used.tv_sec.unsigned_abs(), used.tv_nsec.try_into().unwrap())
}

/// Returns the cells of the table's rows, without the lines of its head.
fn rows() -> Vec<Vec<String>> {
    let lines = include_str!("mod.rs").lines().filter_map(|line| line.strip_prefix("//! |"));
    let cells =
        |line: &str| line.trim_end_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    lines.skip(2).map(cells).collect()
}

/// Reads `` `DELETE,POST /orders` host=`a.example` n=1 strict_slashes=false ``.
fn rule(cell: &str) -> Rule {
    let (text, options) = cell.trim_start_matches('`').split_once('`').unwrap();
    let (methods, pattern) = text.split_once(' ').unwrap_or(("GET", text));
    let methods = methods.split(',').map(str::to_owned).collect();
    let mut made = RuleOptions { methods: Some(methods), ..RuleOptions::default() };
    for (name, value) in options.split_whitespace().map(|option| option.split_once('=').unwrap()) {
        match name {
            "strict_slashes" => made.strict_slashes = Some(value.parse().unwrap()),
            "host" => made.host = Some(value.trim_matches('`').to_owned()),
            default => made.defaults.push((default.to_owned(), Value::Int(value.parse().unwrap()))),
        }
    }
    // Rules of one endpoint have one URL for the same values. So each first segment has its own endpoint.
    let endpoint = pattern.split('/').nth(1).unwrap();
    Rule::parse(pattern, endpoint, made).unwrap()
}

/// Returns the answer as the table writes it.
fn answer(router: &Router, request: &str) -> String {
    let (method, target) = request.split_once(' ').unwrap();
    let (host, path) = target.split_at(target.find('/').unwrap());
    match router.find_at(method, path, Some(host).filter(|host| !host.is_empty())) {
        Found::Rule { index, values } => {
            let rule = &router.rules()[index];
            let methods = Some(rule.listed_methods().join(",") + " ").filter(|methods| methods != "GET ");
            let names = rule.variables();
            let values = names.iter().zip(&values).map(|(name, value)| format!(" `{name}={value}`"));
            format!("`{}{}`{}", methods.unwrap_or_default(), rule.pattern(), values.collect::<String>())
        }
        Found::Redirect { path } => format!("308 `{path}`"),
        Found::Moved { url, .. } => format!("308 `{url}`"),
        Found::MethodNotAllowed { allow } => format!("405 `{}`", allow.join(",")),
        Found::NotFound => "404".to_owned(),
    }
}

#[test]
fn the_table_of_the_room_is_what_the_router_answers() {
    let rows = rows();
    let rules = rows.iter().map(|row| row[0].as_str()).filter(|cell| !cell.is_empty()).map(rule);
    let router = Router::new(rules.collect());
    for row in &rows {
        let request = row[1].trim_matches('`');
        assert_eq!(answer(&router, request), row[2], "{request}");
    }
    assert_eq!(rows.len(), 18);
}
