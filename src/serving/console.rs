//! The lines on standard output: the addresses, and with `h1mock serve FILE` the rules and the changes of each load.

use crate::cli::{Settings, routes};
use crate::observing::logger;
use crate::provisioning::activation::Activation;
use crate::provisioning::provision::Provision;
use crate::provisioning::rule_changes::{Named, RuleChanges};
use crate::serving::listeners::Listener;
use crate::system::paint::Paint;
use std::io::{IsTerminal, stdout};
use std::net::SocketAddr;

/// Most rules that a line names.
const MOST_NAMED: usize = 5;

/// Levels of the log with `h1mock serve FILE`: the lines of this file take the place of some.
const LEVELS: &str = "warn,provision=info,access=info";

/// Returns the levels of the log for which `RUST_LOG` is not needed.
pub(super) fn levels(settings: &Settings) -> &'static str {
    if settings.files.is_empty() || settings.json_log { logger::DEFAULT } else { LEVELS }
}

/// Prints the addresses to standard output: with port 0, tests and people find the ports there.
pub(super) fn announce(json: bool, mock: &Listener, admin: Option<&Listener>, activation: &Activation) {
    let provision = activation.current();
    let (name, generation) = (&provision.name, provision.generation);
    let mock = mock.address.to_string();
    let admin = admin.map(|listener| listener.address.to_string());
    let line = if json {
        let text = "serving";
        serde_json::json!({ "time": logger::now(), "level": "info", "target": "h1mock", "message": text, "mock": mock, "admin": admin, "provision": name, "generation": generation })
            .to_string()
    } else {
        let admin = admin.as_deref().unwrap_or("off");
        format!(
            "h1mock {}: mock {mock}, admin {admin}, provision `{name}`, generation {generation}",
            env!("CARGO_PKG_VERSION")
        )
    };
    logger::print(&line);
}

/// Prints the rules of the served files, and from now on the changes of each load. Prints nothing without such files, and where the log
/// is for programs.
pub(super) fn follow(settings: &Settings, mock: SocketAddr, activation: &Activation) {
    if settings.files.is_empty() || settings.json_log {
        return;
    }
    let paint = settings.color.paint(stdout().is_terminal());
    let files: Vec<String> = settings.files.iter().map(|file| file.display().to_string()).collect();
    let (files, it) = (files.join(", "), if settings.files.len() == 1 { "it is" } else { "they are" });
    let url = paint.cyan(&format!("http://{}", clickable(mock))).into_owned();
    let serves = match activation.current().built_in {
        true => format!("{url} answers with the error above until {it} mended: {files}"),
        false => format!("{url} serves {files}; {it} loaded again when saved"),
    };
    logger::print(&serves);
    let first = activation.current();
    if !first.built_in {
        logger::print(&routes::of_provision(&first, paint));
    }
    activation.observe(Box::new(move |before, after| {
        if let Some(line) = change(before, after, paint) {
            logger::print(&line);
        }
    }));
}

/// Returns the address under which a browser on this machine finds the mock.
fn clickable(address: SocketAddr) -> String {
    match address.ip().is_unspecified() {
        true => format!("localhost:{}", address.port()),
        false => address.to_string(),
    }
}

/// Returns the line about a load: `shop.rhai: 3 rules, 1 new: GET /x`. `None` while no provision has loaded.
fn change(before: &Provision, after: &Provision, paint: Paint) -> Option<String> {
    if after.built_in {
        return None;
    }
    let count = after.views.len();
    let s = if count == 1 { "" } else { "s" };
    let head = format!("{}: {count} rule{s}", paint.green(&after.name));
    if before.built_in || before.name != after.name {
        return Some(format!("{head}\n{}", routes::of_provision(after, paint)));
    }
    Some(format!("{head}, {}", changes(&RuleChanges::between(&before.rules(0), &after.rules(0)), paint)))
}

/// Returns `1 new: GET /x; 2 gone: GET /y, POST /z`, or `no change of rules`.
fn changes(changes: &RuleChanges, paint: Paint) -> String {
    let changed: Vec<&Named> = changes.changed.iter().map(|changed| &changed.after).collect();
    let parts = [
        ("new", changes.added.iter().collect()),
        ("gone", changes.removed.iter().collect()),
        ("changed", changed),
    ];
    let part = |(word, rules): (&str, Vec<&Named>)| {
        let names: Vec<String> = rules.iter().take(MOST_NAMED).map(|rule| named(rule, paint)).collect();
        let more = rules.len() - names.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        (!rules.is_empty()).then(|| format!("{} {word}: {}{more}", rules.len(), names.join(", ")))
    };
    let parts: Vec<String> = parts.into_iter().filter_map(part).collect();
    if parts.is_empty() { "no change of rules".to_owned() } else { parts.join("; ") }
}

/// Returns `GET,POST /x`, without the methods that Flask adds by itself.
fn named(rule: &Named, paint: Paint) -> String {
    let gets = rule.methods.iter().any(|method| method == "GET");
    let is_added = |method: &&String| *method == "OPTIONS" || *method == "HEAD" && gets;
    let methods: Vec<&str> =
        rule.methods.iter().filter(|method| !is_added(method)).map(String::as_str).collect();
    let methods = if methods.is_empty() { rule.methods.join(",") } else { methods.join(",") };
    format!("{} {}", paint.cyan(&methods), rule.rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Vec<Named> {
        let rule = |text: &str| {
            let (methods, rule) = text.split_once(' ').unwrap();
            let methods = methods.split(',').map(str::to_owned).collect();
            Named { rule: rule.to_owned(), methods, endpoint: String::new(), file: String::new(), line: 1 }
        };
        text.split(';').filter(|text| !text.is_empty()).map(rule).collect()
    }

    #[test]
    fn a_line_names_the_rules_that_came_and_went() {
        for (added, removed, line) in [
            ("", "", "no change of rules"),
            ("GET,HEAD,OPTIONS /x", "", "1 new: GET /x"),
            ("POST,OPTIONS /x;OPTIONS /y", "GET /z", "2 new: POST /x, OPTIONS /y; 1 gone: GET /z"),
            (
                "",
                "GET /1;GET /2;HEAD /3;GET /4;GET /5;GET /6;GET /7",
                "7 gone: GET /1, GET /2, HEAD /3, GET /4, GET /5 and 2 more",
            ),
        ] {
            let found = RuleChanges { added: rules(added), removed: rules(removed), changed: Vec::new() };
            assert_eq!(changes(&found, Paint(false)), line);
        }
        let found = RuleChanges { added: rules("GET /x"), ..RuleChanges::default() };
        assert_eq!(changes(&found, Paint(true)), "1 new: \x1b[36mGET\x1b[0m /x");
    }

    #[test]
    fn an_address_of_all_interfaces_becomes_localhost() {
        for (address, shown) in [
            ("0.0.0.0:8000", "localhost:8000"),
            ("[::]:8000", "localhost:8000"),
            ("127.0.0.1:9", "127.0.0.1:9"),
            ("[fd00::7]:9", "[fd00::7]:9"),
        ] {
            assert_eq!(clickable(address.parse().unwrap()), shown);
        }
    }
}
