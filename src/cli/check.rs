//! `h1mock check`: loads provisions without serving them, and prints the faults like a compiler.

use crate::directory::{Name, ProvisionDir};
use crate::provisioning::ledger::listed;
use crate::provisioning::provision::{Loaded, Provision};
use crate::provisioning::warnings;
use crate::script;
use crate::script::runtime::budget::Budget;
use crate::script::runtime::conditions::Conditions;
use crate::script::runtime::fault::{Fault, LoadError};
use crate::script::runtime::files::Files;
use crate::system::io_error::describe_io;
use rhai::Engine;
use std::collections::HashSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Loads each file, and the provisions and libraries of each folder. Prints the files that load to standard output; faults,
/// warnings and their numbers to standard error. Exit code 1 if a file did not load, or, where `strict`, if there are
/// warnings.
///
/// # Errors
/// A file or folder that can't be read.
pub(crate) fn check(paths: &[PathBuf], strict: bool, budget: Budget) -> Result<ExitCode, String> {
    let engine = Arc::new(script::engine(budget));
    let (mut failed, mut warnings) = (0, Warnings::default());
    let files = expand(paths)?;
    for path in &files {
        match load(&engine, budget, path, Conditions::default()) {
            Ok(Loaded::Provision(provision)) => {
                warnings.print(&provision.warnings);
                warnings.print_shadowed(&provision);
                let count = provision.views.len();
                let rules = if count == 1 { "rule" } else { "rules" };
                print(&format!("{}: ok, {count} {rules}", path.display()));
            }
            Ok(Loaded::Library(found)) => {
                warnings.print(&found);
                let is_none = found.iter().any(|warning| warning.line.is_none());
                let kind = if is_none { "but it registers nothing" } else { "a library (no registerRules)" };
                print(&format!("{}: ok, {kind}", path.display()));
            }
            Err(error) => {
                failed += 1;
                print_error(&format!("error: {}", error.report()));
            }
        }
    }
    if failed > 0 {
        print_error(&format!("{failed} of {} files failed", files.len()));
    } else if strict && warnings.count > 0 {
        let s = if warnings.count == 1 { "" } else { "s" };
        print_error(&format!("{} warning{s}, which --strict takes for failures", warnings.count));
    }
    let is_failure = failed > 0 || strict && warnings.count > 0;
    Ok(if is_failure { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The warnings that were printed.
#[derive(Default)]
struct Warnings {
    count: usize,
    /// Each warning of a file that several others import is printed once.
    printed: HashSet<(String, Option<usize>, Option<usize>, String)>,
}

impl Warnings {
    fn print(&mut self, warnings: &[Fault]) {
        let place =
            |warning: &Fault| (warning.file.clone(), warning.line, warning.column, warning.message.clone());
        let new: Vec<Fault> =
            warnings.iter().filter(|warning| self.printed.insert(place(warning))).cloned().collect();
        let (listed, rest) = listed(&new);
        for warning in listed {
            print_error(&format!("warning: {}", warning.as_warning()));
        }
        if let Some(more) = warnings::more(rest) {
            print_error(&format!("warning: {more}\n"));
        }
        self.count += new.len();
    }

    fn print_shadowed(&mut self, provision: &Provision) {
        let display = |index: usize| {
            let (rule, served) = (&provision.router.rules()[index], &provision.views[index]);
            format!("`{}` ({}:{})", rule.display(), served.file, served.line)
        };
        for (rule, earlier) in provision.router.shadowed() {
            let (rule, earlier) = (display(rule), display(earlier));
            print_error(&format!("warning: rule {rule} never serves: {earlier} comes first"));
            self.count += 1;
        }
    }
}

/// Loads a file that must be a provision, under `conditions`: an overlay, if they have values for `store`.
///
/// # Errors
/// The file can't be read, does not load or is a library: the report.
pub(super) fn load_provision(
    path: &Path,
    budget: Budget,
    conditions: Conditions,
) -> Result<Provision, String> {
    match load(&Arc::new(script::engine(budget)), budget, path, conditions) {
        Ok(Loaded::Provision(provision)) => Ok(*provision),
        Ok(Loaded::Library(warnings)) => {
            let library = format!("`{}` is a library: it has no registerRules()", path.display());
            // A warning about the whole file says why it registers nothing.
            let Some(whole) = warnings.last().filter(|warning| warning.line.is_none()) else {
                return Err(library);
            };
            let hint = whole.hint.as_ref().map(|hint| format!("\n  = help: {hint}")).unwrap_or_default();
            Err(format!("{library}: {}{hint}", whole.message))
        }
        Err(error) => Err(error.report().trim_end().to_owned()),
    }
}

fn load(
    engine: &Arc<Engine>,
    budget: Budget,
    path: &Path,
    conditions: Conditions,
) -> Result<Loaded, LoadError> {
    let wrong = |message: String| Fault::of_file(&path.display().to_string(), message);
    let name =
        path.file_name().and_then(|name| name.to_str()).ok_or_else(|| wrong("no file name".to_owned()))?;
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if path.is_dir() {
        return Err(wrong("this is a folder: name a file".to_owned()));
    }
    if !path.is_file() {
        let why =
            if path.exists() { "this is a pipe or a device: name a file" } else { "there is no such file" };
        return Err(wrong(why.to_owned()));
    }
    Name::parse(name).map_err(|error| wrong(error.to_string()))?;
    let directory = ProvisionDir::open(folder, None).map_err(|error| wrong(error.to_string()))?;
    let files = Files::new(Arc::new(directory), name, None, Arc::default());
    let files = if conditions.values.is_some() { files.sharing() } else { files };
    Provision::load_under(conditions, engine, budget, files)
}

/// Returns the files of `paths`; a folder stands for the provisions in it.
fn expand(paths: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let failed =
            |error: io::Error| format!("failed to read `{}`: {}", path.display(), describe_io(&error));
        let mut inside = Vec::new();
        for entry in fs::read_dir(path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry
                .file_name()
                .to_str()
                .filter(|name| !Name::is_ignored(name))
                .and_then(|name| Name::parse(name).ok());
            if name.is_some_and(|name| name.is_provision()) && entry.path().is_file() {
                inside.push(entry.path());
            }
        }
        inside.sort();
        files.extend(inside);
    }
    Ok(files)
}

pub(super) fn print_error(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

pub(super) fn print(text: &str) {
    // A reader such as `head` may have closed the pipe.
    let _ = writeln!(io::stdout(), "{text}");
}
