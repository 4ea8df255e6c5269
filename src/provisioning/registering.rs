//! Calls `registerRules()` of the files of a provision: of its own file, and of further files of `h1mock serve FILE...`.

use crate::script::runtime::call::{self, CurrentFunction};
use crate::script::runtime::files::{File, Files};
use crate::script::runtime::registration::{Entry, REGISTER_RULES};
use rhai::{Engine, EvalAltResult, FnPtr, NativeCallContext, Position};
use std::sync::Arc;

/// Evaluates the files and calls their `registerRules()`. `None` if the main file has no such function.
pub(super) fn run(engine: &Engine, files: &Files) -> Result<Option<Arc<File>>, Box<EvalAltResult>> {
    let main = files.load_main(engine)?;
    if !register(engine, &main)? {
        return Ok(None);
    }
    for name in &files.others {
        let registered = load_other(engine, files, name).and_then(|other| match register(engine, &other)? {
            true => Ok(()),
            false => Err("function registerRules() is missing".into()),
        });
        registered.map_err(|error| EvalAltResult::ErrorInModule(name.clone(), error, Position::NONE))?;
    }
    Ok(Some(main))
}

/// Returns another file of the provision, which one before it may have imported. An error has no line of a function before it.
fn load_other(engine: &Engine, files: &Files, name: &str) -> Result<Arc<File>, Box<EvalAltResult>> {
    call::with(|call| call.function = CurrentFunction::None);
    match files.file(name) {
        Some(file) => Ok(file),
        None => files.load(engine, name, files.source(name, true)?),
    }
}

/// Calls `registerRules()` of `file`. Returns whether it has one.
fn register(engine: &Engine, file: &Arc<File>) -> Result<bool, Box<EvalAltResult>> {
    let overloads = file.overloads(REGISTER_RULES);
    let Some(first) = overloads.first() else { return Ok(false) };
    call::with(|call| call.function = CurrentFunction::Other(file.clone(), first.line));
    if !overloads.iter().any(|function| function.params.is_empty() && !function.private) {
        return Err("registerRules() must take no parameters and not be private".into());
    }
    let context =
        NativeCallContext::new_with_all_fields(engine, REGISTER_RULES, None, &file.state, Position::NONE);
    let _ = FnPtr::new(REGISTER_RULES)?.call_raw(&context, None, [])?;
    Ok(true)
}

/// Gives the closures of further files endpoints of their own. Otherwise two closures at the same place of two files would share one.
pub(super) fn tell_closures_apart(files: &Files, entries: &mut [Entry]) {
    let is_closure = |entry: &Entry| entry.endpoint.starts_with("closure_");
    for entry in entries.iter_mut().filter(|entry| is_closure(entry) && files.others.contains(&entry.file)) {
        entry.endpoint = format!("{}_{}", entry.endpoint, entry.file);
    }
}
