//! `h1mock check`: loads provisions without serving them, and prints the faults like a compiler, as JSON or for GitHub Actions.

mod format;

pub(crate) use format::Format;
pub(super) use format::{print, print_error};

use crate::directory::{Name, ProvisionDir};
use crate::provisioning::provision::{Loaded, Provision};
use crate::script;
use crate::script::runtime::budget::Budget;
use crate::script::runtime::conditions::Conditions;
use crate::script::runtime::fault::{Fault, LoadError};
use crate::script::runtime::files::Files;
use crate::system::io_error::describe_io;
use format::{Checked, Loads, Printer};
use rhai::Engine;
use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Loads each file, and the provisions and libraries of each folder, and prints the results as `format` says. Text goes to standard
/// output for files that load; faults, warnings and their numbers go to standard error. Exit code 1 if a file did not load, or, where
/// `strict`, if there are warnings.
///
/// # Errors
/// A file or folder that can't be read.
pub(crate) fn check(
    paths: &[PathBuf],
    strict: bool,
    format: Format,
    budget: Budget,
) -> Result<ExitCode, String> {
    let engine = Arc::new(script::engine(budget));
    let (mut printer, mut seen) = (Printer::new(format), Seen::default());
    for path in &expand(paths)? {
        printer.add(seen.checked(path, load(&engine, budget, path, Conditions::default())));
    }
    Ok(if printer.end(strict) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The warnings of the files before: each warning of a file that several others import is printed once.
#[derive(Default)]
struct Seen(HashSet<(String, Option<usize>, Option<usize>, String)>);

impl Seen {
    fn checked<'a>(&mut self, path: &'a Path, loaded: Result<Loaded, LoadError>) -> Checked<'a> {
        let (result, warnings, shadowed) = match loaded {
            Ok(Loaded::Provision(provision)) => {
                let rules = provision.views.len();
                (Ok(Loads::Provision(rules)), self.new_ones(&provision.warnings), shadowed(&provision))
            }
            Ok(Loaded::Library(found)) => {
                let is_useless = found.iter().any(|warning| warning.line.is_none());
                let loads = if is_useless { Loads::Useless } else { Loads::Library };
                (Ok(loads), self.new_ones(&found), Vec::new())
            }
            Err(error) => (Err(error), Vec::new(), Vec::new()),
        };
        let all = |faults: Vec<Fault>| faults.into_iter().map(|fault| placed(path, fault)).collect();
        let result = result.map_err(|error| placed(path, error));
        Checked { path, result, warnings: all(warnings), shadowed: all(shadowed) }
    }

    fn new_ones(&mut self, warnings: &[Fault]) -> Vec<Fault> {
        let place =
            |warning: &Fault| (warning.file.clone(), warning.line, warning.column, warning.message.clone());
        warnings.iter().filter(|warning| self.0.insert(place(warning))).cloned().collect()
    }
}

/// Names the files of a fault as the command line names them, so that editors find them: `mocks/shop.rhai` for `shop.rhai`.
fn placed(path: &Path, fault: Fault) -> Fault {
    let checked = path.display().to_string();
    // The fault of a file that can't be read has the path as its file.
    match path.parent() {
        Some(folder) if fault.file != checked => {
            let file = folder.strip_prefix(".").unwrap_or(folder).join(&fault.file);
            let provision = checked.strip_prefix("./").unwrap_or(&checked).to_owned();
            Fault { file: file.display().to_string(), provision, ..fault }
        }
        _ => fault,
    }
}

/// Returns a warning for each rule that serves no request, since another one comes first.
fn shadowed(provision: &Provision) -> Vec<Fault> {
    let display = |index: usize| {
        let (rule, served) = (&provision.router.rules()[index], &provision.views[index]);
        format!("`{}` ({}:{})", rule.display(), served.file, served.line)
    };
    let warning = |(rule, earlier): (usize, usize)| {
        let message = format!("rule {} never serves: {} comes first", display(rule), display(earlier));
        let served = &provision.views[rule];
        Fault { line: Some(served.line), ..Fault::of_file(&served.file, message) }
    };
    provision.router.shadowed().into_iter().map(warning).collect()
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
        Err(error) => Err(placed(path, error).report().trim_end().to_owned()),
    }
}

pub(super) fn load(
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
pub(super) fn expand(paths: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
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
