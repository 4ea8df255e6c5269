//! Warnings about a file that loads: from its analysis, about its rules, and about a file that registers nothing. Also the hints of the
//! analysis for a load that fails.

use crate::provisioning::ledger::{Ledger, listed};
use crate::script::runtime::analysis::near::nearest;
use crate::script::runtime::analysis::{Findings, MOST_FINDINGS, rules};
use crate::script::runtime::call;
use crate::script::runtime::fault::{Fault, REPORT};
use crate::script::runtime::files::Files;
use crate::script::runtime::registration::{Entry, REGISTER_RULES, Registration};
use crate::script::runtime::view;

/// Returns the last line of a list: `and 3 more warnings`; `None` if the list has all.
pub(crate) fn more(count: usize) -> Option<String> {
    match count {
        0 => None,
        1 => Some("and 1 more warning".to_owned()),
        _ => Some(format!("and {count} more warnings")),
    }
}

/// Logs the warnings of a load of `name`, one record each, except those that its load before had too.
pub(super) fn log(ledger: &Ledger, name: &str, warnings: &[Fault]) {
    let mut new = ledger.warned(name, warnings);
    // No warning that the whole file is empty: somebody may just begin to write it.
    new.retain(|warning| warning.line.is_some() || warning.hint.is_some());
    let (listed, rest) = listed(&new);
    listed.iter().for_each(|warning| log::warn!(target: REPORT, "{}", warning.as_warning().trim_end()));
    if let Some(more) = more(rest) {
        log::warn!("provision `{name}`: {more}");
    }
}

/// Warnings about rules that probably match other requests than intended: variables of other frameworks, unknown methods.
pub(super) fn of_rules(files: &Files, entries: &[Entry]) -> Vec<Fault> {
    let mut warnings = Vec::new();
    for entry in entries {
        if warnings.len() >= MOST_FINDINGS {
            break;
        }
        let mut warn = |message: String, hint: String| {
            let fault = Fault::from_position(files, &entry.file, entry.at, message);
            warnings.push(Fault { hint: Some(hint), ..fault });
        };
        for (what, text, separator) in patterns(entry) {
            if let Some((written, meant)) = rules::foreign_variable(text, separator) {
                let message = format!("`{written}` in {what} `{text}` is no variable, but matches itself");
                warn(message, rules::as_variable(&meant));
            }
        }
        for method in entry.options.methods.iter().flatten() {
            if let Some(hint) = rules::meant_method(method) {
                warn(format!("unknown method `{method}` of rule `{}`", entry.rule), hint);
            }
        }
    }
    warnings
}

/// Returns the patterns of a rule: the name of each, its text, and the separator of its parts.
fn patterns(entry: &Entry) -> impl Iterator<Item = (&'static str, &str, char)> {
    let (host, subdomain) = (&entry.options.host, &entry.options.subdomain);
    let rule = ("rule", Some(entry.rule.as_str()), '/');
    let all = [rule, ("host", host.as_deref(), '.'), ("subdomain", subdomain.as_deref(), '.')];
    all.into_iter().filter_map(|(what, text, separator)| Some((what, text?, separator)))
}

/// Returns the hint for a rule that does not load, or whose view does not fit: the pattern that was meant.
pub(super) fn meant_pattern(entry: &Entry) -> Option<String> {
    let foreign = patterns(entry).find_map(|(_, text, separator)| rules::foreign_variable(text, separator));
    foreign.map(|(_, meant)| rules::as_variable(&meant)).or_else(|| rules::meant_rule(&entry.rule))
}

/// Returns a warning if the main file of `files`, which has no `registerRules()`, is useless as a library too.
/// `registration` has what its top level has registered.
pub(super) fn of_library(files: &Files, registration: &Registration) -> Option<Fault> {
    let warning = |message: &str, hint| Some(Fault { hint, ..Fault::of_file(&files.main, message) });
    let file = files.file(&files.main)?;
    let names: Vec<&str> = file.functions().collect();
    if let Some(meant) = names.iter().find(|name| nearest(name, [REGISTER_RULES]).is_some()) {
        let message = format!("function `{meant}` registers nothing: h1mock calls `{REGISTER_RULES}`");
        return warning(&message, Some(format!("rename it to `{REGISTER_RULES}`")));
    }
    if !registration.is_empty() {
        return warning(view::TOP_LEVEL, None);
    }
    if names.is_empty() && file.module.is_empty() {
        return warning("the file is empty: it defines no function and no variable", None);
    }
    None
}

/// Adds the hints of the analysis to `fault`, which ended a load.
pub(super) fn explain(fault: Fault, found: &Findings) -> Fault {
    let fault = found.explain(fault);
    match found.called_view() {
        // The view function is called while the rules are registered: `app.get("/x", show())`.
        Some(called) if fault.hint.is_none() && fault.message == call::NO_REQUEST => {
            Fault { hint: Some(called), ..fault }
        }
        _ => fault,
    }
}
