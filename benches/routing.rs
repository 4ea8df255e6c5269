//! Time of one lookup with 1 to 10,000 rules: `cargo bench --bench routing`.
//!
//! All paths of a row have the same length. Each number is the minimum of many short runs. The sizes take turns, so that a busy
//! machine affects all of them equally.

use h1mock::bench::{Router, Rule, RuleOptions};
use std::hint::black_box;
use std::time::Instant;

const SIZES: [usize; 4] = [1, 10, 1_000, 10_000];
const CALLS: usize = 200;
const ROUNDS: usize = 3_000;

/// Rules and matching paths; `#` stands for the number of the rule.
const KINDS: [(&str, &str); 6] = [
    ("/api/v1/r#/list", "/api/v1/r#/list"),
    ("/r#/<int:id>", "/r#/4711"),
    ("/<int:id>/r#", "/4711/r#"),
    ("/<path:p>/r#", "/a/b/c/r#"),
    ("/x-r#-<id>.json", "/x-r#-4711.json"),
    ("/r#/<a>/x/<b>/", "/r#/one/x/two/"),
];

fn numbered(text: &str, number: usize) -> String {
    text.replace('#', &format!("{number:05}"))
}

fn router(pattern: &str, size: usize) -> Router {
    let rule = |number| Rule::parse(&numbered(pattern, number), "e", RuleOptions::default());
    Router::new((1..=size).filter_map(|number| rule(number).ok()).collect())
}

/// Returns the numbers of the rules for a row, out of `size`. The row `every` uses the whole table in an order that makes caches
/// useless: its additional time is that of main memory.
fn numbers(row: &str, size: usize) -> Vec<usize> {
    match row {
        "first" => vec![1],
        "last" => vec![size],
        "missing" => (90_000..90_064).collect(),
        _ => (0..size).map(|at| at * 7_919 % size + 1).collect(),
    }
}

/// Returns nanoseconds per call.
fn time(router: &Router, paths: &[String]) -> f64 {
    let calls = CALLS.max(paths.len());
    let start = Instant::now();
    for path in paths.iter().cycle().take(calls) {
        black_box(router.find(black_box("GET"), black_box(path)));
    }
    start.elapsed().as_nanos() as f64 / calls as f64
}

fn main() {
    println!("ns per find by number of rules, and 10,000 rules : 1 rule");
    print!("{:<18} {:<8}", "rules", "path");
    SIZES.iter().for_each(|size| print!("{size:>9}"));
    println!("{:>9}", "ratio");
    for (pattern, path) in KINDS {
        let routers = SIZES.map(|size| router(pattern, size));
        for row in ["first", "last", "missing", "every"] {
            let paths = SIZES.map(|size| {
                numbers(row, size).into_iter().map(|number| numbered(path, number)).collect::<Vec<_>>()
            });
            let mut best = [f64::MAX; SIZES.len()];
            for _ in 0..if row == "every" { ROUNDS / 50 } else { ROUNDS } {
                for (best, (router, paths)) in best.iter_mut().zip(routers.iter().zip(&paths)) {
                    *best = best.min(time(router, paths));
                }
            }
            print!("{pattern:<18} {row:<8}");
            best.iter().for_each(|nanos| print!("{nanos:>9.1}"));
            println!("{:>9.2}", best[SIZES.len() - 1] / best[0]);
        }
    }
}
