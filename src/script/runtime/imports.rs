//! `import`, and the constants of files: what Rhai asks for by name while a script runs.

use super::budget::{self, MAX_DEPTH};
use super::files::{File, Files};
use super::natives::{Fallible, Handles};
use super::{call, chain, files};
use rhai::{Dynamic, Engine, EvalAltResult, FnPtr, Module, ModuleResolver, Position, Shared};

/// The module that `import "path"` in `files` means.
fn import(files: &Files, engine: &Engine, path: &str, at: Position) -> Fallible<Shared<Module>> {
    let failed = |cause: String| -> Box<EvalAltResult> {
        EvalAltResult::ErrorRuntime(format!("failed to import `{path}`: {cause}").into(), at).into()
    };
    let name = files.find_import(path).map_err(&failed)?;
    if let Some(file) = files.file(&name) {
        return Ok(file.module.clone());
    }
    let mut chain = call::with(|call| call.importing.clone()).unwrap_or_default();
    if chain.is_empty() {
        chain.push(files.main.clone());
    }
    if chain.len() > MAX_DEPTH {
        return Err(failed(format!("imports are nested deeper than {MAX_DEPTH}")));
    }
    if chain.contains(&name) {
        chain.push(name);
        return Err(failed(format!("import cycle: {}", chain.join(" -> "))));
    }
    let bytes = files.read(&name, call::is_loading()).map_err(&failed)?;
    chain.push(name.clone());
    call::with(|call| call.importing.clone_from(&chain));
    let loaded = files.load(engine, &name, bytes);
    chain.pop();
    call::with(|call| call.importing = chain);
    match loaded {
        Ok(file) => Ok(file.module.clone()),
        Err(error) => Err(EvalAltResult::ErrorInModule(name, error, at).into()),
    }
}

/// Resolves `import` through the files of the provision that runs.
struct Imports;

impl ModuleResolver for Imports {
    fn resolve(
        &self,
        engine: &Engine,
        _: Option<&str>,
        path: &str,
        at: Position,
    ) -> Fallible<Shared<Module>> {
        import(&*call::files()?, engine, path, at)
    }
}

/// Makes `import` and top-level constants work in `engine`; looks at variables are where a call over its budget ends.
/// Parameters, variables, constants and functions of scripts hide handles of the same name.
pub(crate) fn register(engine: &mut Engine, handles: Handles) {
    engine.set_module_resolver(Imports);
    #[allow(deprecated)] // "volatile", not deprecated: the lock file pins the version
    engine.on_var(move |name, index, context| {
        let level = context.call_level();
        budget::check(level)?;
        chain::begins(level);
        // A place in the scope was found by the parser: a parameter or a local variable.
        if index != 0 {
            return Ok(None);
        }
        // A function of the script hides a handle of its name: `Some(None)`.
        let found = in_sight(context.source(), |file| match file.constant(name) {
            Some(value) => Some(Some(value)),
            None => (!file.overloads(name).is_empty()).then_some(None),
        });
        let value = match found {
            Some(None) if registers(context.source()) => FnPtr::new(name).ok().map(Into::into),
            Some(found) => found,
            None => handles.get(name).cloned(),
        };
        let Some(value) = value else { return Ok(None) };
        // What a closure captures Rhai makes a parameter of it; a change of that copy would be lost.
        let captured = |local: &Dynamic| local.tag() == files::TOP_LEVEL;
        Ok(context.scope().get(name).is_none_or(captured).then_some(value))
    });
}

/// Whether the provision's own file is registering its rules, which name its functions. Rhai looks at all of them to find one,
/// so the views of a large file would cost the square.
fn registers(source: Option<&str>) -> bool {
    call::is_loading() && call::files().is_ok_and(|files| source == Some(&files.main))
}

/// What `look` finds in the file that runs, else in the view's file: a closure has no source of its own, and may be called by a
/// function of another file.
fn in_sight<T>(source: Option<&str>, look: impl Fn(&File) -> Option<T>) -> Option<T> {
    call::with(|call| {
        let view = call.file();
        let other = source.filter(|source| view.is_none_or(|view| view.name != *source));
        let found = other.and_then(|source| look(&*call.files()?.file(source)?));
        found.or_else(|| look(view?))
    })
    .flatten()
}
