//! Resolves `import` and the names of constants, functions and handles while a script runs.

use super::budget::{self, MAX_DEPTH};
use super::files::File;
use super::natives::{Fallible, Handles};
use super::{call, chain, exports, files};
use rhai::{Dynamic, Engine, EvalAltResult, FnPtr, Module, ModuleResolver, Position, Shared};

/// Resolves `import` through the files of the running provision.
struct Imports;

impl ModuleResolver for Imports {
    /// Returns the module of `import "path"`. Loads the file the first time.
    fn resolve(
        &self,
        engine: &Engine,
        _: Option<&str>,
        path: &str,
        at: Position,
    ) -> Fallible<Shared<Module>> {
        let files = call::files()?;
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
        let bytes = files.source(&name, call::is_loading()).map_err(&failed)?;
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
}

/// Sets how `engine` resolves imports and variables.
///
/// Parameters, variables, constants and functions of a script hide handles of the same name. Each access to a variable also checks
/// the budget ([`budget::check`]).
pub(crate) fn register(engine: &mut Engine, handles: Handles) {
    engine.set_module_resolver(Imports);
    #[allow(deprecated)] // "volatile", not deprecated: the lock file pins the version
    engine.on_var(move |name, index, context| {
        let level = context.call_level();
        budget::check(level)?;
        if let Some(function) = exports::entered(name) {
            return Err(exports::enter(function, context));
        }
        chain::begins(level);
        // With an index the parser has resolved the name: it is a parameter or a local variable.
        if index != 0 {
            return Ok(None);
        }
        // `Some(None)`: a function of the script has this name, and hides the handle.
        let found = find_in_files(context.source(), |file| match file.constant(name) {
            Some(value) => Some(Some(value)),
            None => (!file.overloads(name).is_empty()).then_some(None),
        });
        let value = match found {
            Some(None) if registers(context.source()) => FnPtr::new(name).ok().map(Into::into),
            Some(found) => found,
            None => handles.get(name).cloned(),
        };
        let Some(value) = value else { return Ok(None) };
        // Rhai turns a captured variable into a parameter of the closure. For a captured top-level variable the original is returned,
        // since a change of the copy would get lost.
        let captured = |local: &Dynamic| local.tag() == files::TOP_LEVEL;
        Ok(context.scope().get(name).is_none_or(captured).then_some(value))
    });
}

/// Whether the provision's own file is registering its rules, where function names are frequent. Rhai's own search for a function
/// is linear in their number, so n rules would cost n * n.
fn registers(source: Option<&str>) -> bool {
    call::is_loading() && call::files().is_ok_and(|files| source == Some(&files.main))
}

/// Returns the result of `look` for the running file, or else for the file of the view function. A closure has no source file, and a
/// function of another file may call it.
fn find_in_files<T>(source: Option<&str>, look: impl Fn(&File) -> Option<T>) -> Option<T> {
    call::with(|call| {
        let view = call.file();
        let other = source.filter(|source| view.is_none_or(|view| view.name != *source));
        let found = other.and_then(|source| look(&*call.files()?.file(source)?));
        found.or_else(|| look(view?))
    })
    .flatten()
}
