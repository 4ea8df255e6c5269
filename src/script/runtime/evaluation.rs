//! Calls view functions, hooks and error handlers, and keeps Rhai's cache of resolved functions from one call to the next.
//!
//! For each function call in a script, Rhai searches all modules by name and types. It caches the result only until the outermost
//! call ends. That search takes a sixth of the time of a view with five calls. So each thread keeps the cache for the next call of
//! the same file.

use super::call::{self, CurrentFunction};
use super::files::File;
use super::natives::Fallible;
use super::view::{Bound, View, dynamic};
use crate::routing::value::Value;
use rhai::{
    AST, Caches, Dynamic, Engine, EvalAltResult, GlobalRuntimeState, NativeCallContext, Position, Scope,
};
use std::cell::Cell;
use std::sync::{Arc, Weak};

/// State that a thread keeps from one call to the next one of the same file.
struct CallCache {
    /// Weak, so that a replaced provision is freed.
    file: Weak<File>,
    state: GlobalRuntimeState,
    caches: Caches,
    scope: Scope<'static>,
}

thread_local! {
    static CACHE: Cell<Option<Box<CallCache>>> = const { Cell::new(None) };
}

impl View {
    /// Calls the function with `arguments` on this thread, in the current context ([`call::within`]).
    pub fn call(&self, engine: &Engine, arguments: &mut [Dynamic]) -> Fallible<Dynamic> {
        call::with(|call| call.function = CurrentFunction::Other(self.file.clone(), self.line));
        self.run(engine, arguments)
    }

    /// Calls the function as `FnPtr::call` does, but with the state that was made at load, and the thread's cache where possible.
    fn run(&self, engine: &Engine, arguments: &mut [Dynamic]) -> Fallible<Dynamic> {
        let make = || {
            let plain = !self.function.is_anonymous() && !self.function.is_curried();
            let call = || call_text(self.function.fn_name(), arguments.len());
            plain.then(|| engine.compile(call()).ok().map(Arc::new)).flatten()
        };
        if let Some(call) = self.called.get_or_init(make) {
            return run(engine, &self.file, call, arguments);
        }
        let (name, state) = (self.function.fn_name(), &self.file.state);
        let context = NativeCallContext::new_with_all_fields(engine, name, None, state, Position::NONE);
        self.function.call_raw(&context, None, arguments)
    }
}

impl Bound {
    /// Calls the view function of rule `rule`. `values` are those of the rule's variables, in their order.
    pub fn call(&self, engine: &Engine, rule: usize, values: Vec<Value>) -> Fallible<Dynamic> {
        call::with(|call| call.function = CurrentFunction::View(rule));
        let mut values: Vec<Dynamic> = values.into_iter().map(dynamic).collect();
        if self.arguments.is_empty() {
            return self.view.run(engine, &mut values);
        }
        let mut take = |index: &usize| values.get_mut(*index).map(std::mem::take).unwrap_or_default();
        let mut arguments: Vec<Dynamic> = self.arguments.iter().map(&mut take).collect();
        self.view.run(engine, &mut arguments)
    }
}

/// Returns the source of a call of function `name` with `count` arguments: `name(argument0, argument1)`.
fn call_text(name: &str, count: usize) -> String {
    let names: Vec<String> = (0..count).map(argument).collect();
    format!("{name}({})", names.join(", "))
}

fn argument(index: usize) -> String {
    format!("argument{index}")
}

/// Evaluates `call`, compiled from [`call_text`], in `file`.
fn run(engine: &Engine, file: &Arc<File>, call: &AST, arguments: &mut [Dynamic]) -> Fallible<Dynamic> {
    // The cache is taken out of its slot: so a nested call uses another cache, and a call that fails drops it.
    let mut cache = CACHE.take().filter(|cache| cache.is_for(file)).unwrap_or_else(|| CallCache::new(file));
    for (index, value) in arguments.iter_mut().enumerate() {
        cache.scope.push_dynamic(argument(index), std::mem::take(value));
    }
    let CallCache { state, caches, scope, .. } = &mut *cache;
    #[allow(deprecated)] // "volatile", not deprecated: the lock file pins the version
    let value =
        engine.eval_statements_raw(state, caches, scope, call.statements()).map_err(outside_of_call)?;
    if cache.begin_anew(file) {
        CACHE.set(Some(cache));
    }
    Ok(value)
}

/// Removes the position 1:1 from an error. Rhai sets it on errors without a position: it is that of the call made by [`call_text`],
/// which is in no file.
fn outside_of_call(mut error: Box<EvalAltResult>) -> Box<EvalAltResult> {
    if error.position() == Position::new(1, 1) {
        error.set_position(Position::NONE);
    }
    error
}

impl CallCache {
    fn new(file: &Arc<File>) -> Box<CallCache> {
        let (file, state) = (Arc::downgrade(file), file.state.clone());
        Box::new(CallCache { file, state, caches: Caches::new(), scope: Scope::new() })
    }

    fn is_for(&self, file: &Arc<File>) -> bool {
        std::ptr::eq(self.file.as_ptr(), Arc::as_ptr(file))
    }

    /// Resets the state to that before the call. Returns false where that is impossible.
    fn begin_anew(&mut self, file: &File) -> bool {
        self.scope.clear();
        self.state.level = file.state.level;
        self.state.num_operations = Default::default();
        self.state.num_modules_loaded = file.state.num_modules_loaded;
        self.state.num_imports() == file.state.num_imports()
    }
}

#[cfg(test)]
mod tests {
    use crate::chaos::Chaos;
    use crate::directory::fixture::Folder;
    use crate::handling::handle;
    use crate::provisioning::provision::{Loaded, Provision};
    use crate::script;
    use crate::script::flask::request;
    use crate::script::runtime::budget::Budget;
    use crate::script::runtime::conditions::Conditions;
    use crate::script::runtime::files::Files;
    use std::fs;
    use std::sync::Arc;

    const SOURCE: &str = r#"
        fn registerRules() {
            app.get("/import/<int:n>", imported);
            app.get("/fails/<int:n>", fails);
            app.get("/names/<a>/<int:b>", named);
        }
        fn imported(n) { import "library" as l; `${l::twice(n)}` }
        fn fails(n) { import "library" as l; if n > 0 { throw "no" } `${n}` }
        fn named(b, a) { let argument0 = "own"; `${a}${b}${argument0}` }
    "#;

    #[test]
    fn a_call_leaves_no_variables_or_imports_to_the_next_call() {
        let (folder, budget) = (Folder::new(), Budget::default());
        let store = folder.directory();
        fs::write(folder.root().join("library"), "fn twice(n) { n * 2 }").unwrap();
        let files = Files::new(store.into(), "p", Some(SOURCE.into()), Arc::default());
        let loaded = Provision::load(&script::engine(budget).into(), budget, files);
        let Ok(Loaded::Provision(provision)) = loaded else { panic!("no provision") };
        let provision = Arc::new(*provision);
        let get = |target: &str| {
            let mut request = request::tests::request("GET", target, &[], b"").into();
            let answer =
                handle(&provision, &Chaos::default(), &Conditions::default(), &mut request).reply.answer;
            (answer.status, String::from_utf8_lossy(answer.body.bytes()).into_owned())
        };
        // More often than the limits for modules and variables of one call.
        for n in 0..300 {
            assert_eq!(get(&format!("/import/{n}")), (200, (2 * n).to_string()));
            assert_eq!(get(&format!("/fails/{}", n % 2)).0, if n % 2 > 0 { 500 } else { 200 });
            assert_eq!(get(&format!("/names/x/{n}")), (200, format!("x{n}own")));
        }
    }
}
