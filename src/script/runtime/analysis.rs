//! Warnings about a script before it runs: a walk over the syntax tree of each file of a load, with Rhai's scopes. The walk
//! knows the names and the numbers of arguments of functions, and the types of the handles of natives (`app`, `json`). A file
//! with findings loads all the same.

pub(crate) mod calls;
pub(crate) mod catalogue;
mod conditions;
mod facts;
mod members;
pub(crate) mod near;
mod qualified;
pub(crate) mod rules;
mod scopes;
pub(crate) mod streams;
#[cfg(test)]
mod tests;
mod variables;
mod views;
mod walk;
mod writes;

use super::fault::{Fault, Kind};
use super::files::Files;
use catalogue::Catalogue;
use facts::Facts;
use rhai::{Engine, Position};
use std::collections::{BTreeMap, HashSet};
use walk::Walker;

/// Most findings of a load. The search for a similar name takes a fraction of a millisecond, and a file has room for 100,000
/// unknown names.
pub(crate) const MOST_FINDINGS: usize = 1_000;

/// A mistake at one place of a script.
#[derive(Debug, Clone)]
struct Finding {
    file: String,
    at: Position,
    message: String,
    hint: Option<String>,
    /// The finding is dropped where any file has this name as a key: a map may have a function there.
    unless: Option<String>,
    /// The finding is reported only where the load fails at its place: the code may work.
    only_if_fails: bool,
}

/// The data of all files of a load, for the walk over one of them.
struct World<'w> {
    engine: &'w Engine,
    catalogue: &'static Catalogue,
    files: &'w Files,
    facts: BTreeMap<String, Facts>,
}

/// The findings in the files of a load.
#[derive(Debug, Default)]
pub(crate) struct Findings(Vec<Finding>);

/// Walks over the files that were compiled since the load began, once each.
pub(crate) fn analyse(engine: &Engine, files: &Files) -> Findings {
    let compiled = files.take_compiled();
    let catalogue = Catalogue::of(engine);
    let facts = compiled.iter().map(|(name, ast)| (name.clone(), Facts::new(files, name, ast)));
    let world = World { engine, catalogue, files, facts: facts.collect() };
    let (mut found, mut keys) = (Vec::new(), HashSet::new());
    for (name, ast) in &compiled {
        let Some(facts) = world.facts.get(name) else { continue };
        let mut walker = Walker::new(&world, facts, &mut found, &mut keys);
        walker.file(ast);
    }
    found.retain(|finding| finding.unless.as_ref().is_none_or(|name| !keys.contains(name)));
    let of_import = |finding: &Finding| finding.file != files.main;
    let place = |finding: &Finding| (of_import(finding), finding.file.clone(), finding.at);
    found.sort_by_cached_key(|finding| (place(finding), finding.message.clone()));
    found.dedup_by(|one, other| place(one) == place(other) && one.message == other.message);
    Findings(found)
}

impl Findings {
    /// Returns the warnings of a load that has succeeded.
    pub(crate) fn warnings(&self, files: &Files) -> Vec<Fault> {
        let reported = self.0.iter().filter(|finding| !finding.only_if_fails);
        let fault = |Finding { file, at, message, hint, .. }: &Finding| Fault {
            hint: hint.clone(),
            ..Fault::from_position(files, file, *at, message.clone())
        };
        reported.map(fault).collect()
    }

    /// Returns `fault` with the message or the hint of the finding at its place, where the finding says more.
    pub(crate) fn explain(&self, fault: Fault) -> Fault {
        let same = |finding: &&Finding| {
            finding.file == fault.file
                && (finding.at.line(), finding.at.position()) == (fault.line, fault.column)
        };
        let Some(finding) = self.0.iter().find(same) else { return fault };
        match fault.kind {
            // Rhai names the types of the arguments, and not the mistake in them.
            Kind::NoFunction(_) => {
                Fault { message: finding.message.clone(), hint: finding.hint.clone(), ..fault }
            }
            _ => Fault { hint: fault.hint.or_else(|| finding.hint.clone()), ..fault },
        }
    }

    /// Returns the hint for the first view that was given as a call (`hello()`): a load that fails may have failed in that
    /// function.
    pub(crate) fn called_view(&self) -> Option<String> {
        let called = self.0.iter().find(|finding| finding.only_if_fails && finding.hint.is_some())?;
        let line = called.at.line().unwrap_or_default();
        Some(format!("line {line}: {}", called.hint.as_deref().unwrap_or_default()))
    }
}
