//! Resolves `import` and the names of constants, functions and handles while a script runs.

use super::budget::{self, MAX_DEPTH};
use super::files::File;
use super::natives::{Fallible, Handles};
use super::{call, chain, exports, files, names};
use rhai::{Dynamic, Engine, EvalAltResult, FnPtr, Module, ModuleResolver, Position, Scope, Shared};

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
    let shapes = Shapes::of(handles.keys());
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
            return Ok(shapes
                .admit(name)
                .then(|| captured_handle(&handles, name, context.scope()))
                .flatten());
        }
        let has_function = |file: &File| !file.overloads(name).is_empty();
        let found = find_in_files(context.source(), |file| {
            file.constant(name).or_else(|| has_function(file).then(|| function(file, name)).flatten())
        });
        let is_handle = found.is_none();
        let value = found.or_else(|| handles.get(name).cloned());
        let local = context.scope().get(name);
        // A closure captures the name of a function that is defined further down, also where the function is renamed.
        let further_down = || find_in_files(context.source(), |file| function(file, name));
        let Some(value) = value.or_else(|| if local.is_none() { further_down() } else { None }) else {
            return Ok(None);
        };
        // Rhai turns a captured variable into a parameter of the closure. For a captured top-level variable the original is returned,
        // since a change of the copy would get lost.
        let captured = |local: &Dynamic| {
            local.tag() == files::TOP_LEVEL || is_handle && is_captured_handle(local, &value)
        };
        Ok(local.is_none_or(captured).then_some(value))
    });
}

/// Returns the handle that the local variable `name` is.
fn captured_handle(handles: &Handles, name: &str, scope: &Scope) -> Option<Dynamic> {
    let handle = handles.get(name)?;
    is_captured_handle(scope.get(name)?, handle).then(|| handle.clone())
}

/// Whether a closure in a closure has captured `handle`, and shares it: `|| store.keys().map(|key| store[key])`. The chain would lock the
/// variable with which it begins, and then find it locked in its argument.
fn is_captured_handle(local: &Dynamic, handle: &Dynamic) -> bool {
    local.is_shared() && local.type_id() == handle.type_id()
}

/// The lengths and first letters of names, for a quick look: few variables are called like a handle.
struct Shapes([u32; 16]);

impl Shapes {
    fn of<'n>(names: impl Iterator<Item = &'n String>) -> Shapes {
        let mut shapes = Shapes([0; 16]);
        names.for_each(|name| shapes.0[name.len() % 16] |= Self::letter(name));
        shapes
    }

    /// Returns the bit of the first letter.
    fn letter(name: &str) -> u32 {
        1 << (name.as_bytes().first().unwrap_or(&0) % 32)
    }

    /// Whether `name` may be one of the names.
    fn admit(&self, name: &str) -> bool {
        self.0[name.len() % 16] & Self::letter(name) != 0
    }
}

/// Returns function `name` of `file`. Rhai's own search is linear in the number of functions, so n rules would cost n * n; and it finds
/// none for a closure that captures the name.
fn function(file: &File, name: &str) -> Option<Dynamic> {
    let names = [names::renamed(name), name.to_owned()];
    let known = names.into_iter().find(|name| !file.overloads(name).is_empty())?;
    FnPtr::new(known).ok().map(Into::into)
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
