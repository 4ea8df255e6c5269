//! How a thread calls the functions of a file: with what Rhai has found out about the file's calls before. It looks for each
//! function that a script calls in all modules, by name and types, and forgets what it found when the call is over; to find them
//! is a sixth of what a view with five calls takes. Knows no rules and no requests.

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

/// What a thread keeps from one call for the next, as long as that is one of the same file.
struct CallCache {
    /// The provision may go meanwhile.
    file: Weak<File>,
    state: GlobalRuntimeState,
    caches: Caches,
    scope: Scope<'static>,
}

thread_local! {
    static CACHE: Cell<Option<Box<CallCache>>> = const { Cell::new(None) };
}

impl View {
    /// Calls the function with `arguments`, on this thread, within the call that is set.
    pub fn call(&self, engine: &Engine, arguments: &mut [Dynamic]) -> Fallible<Dynamic> {
        call::with(|call| call.function = CurrentFunction::Other(self.file.clone(), self.line));
        self.run(engine, arguments)
    }

    /// As `FnPtr::call`, but with a state that was made at load, and mostly with what earlier calls have found.
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
    /// Calls the view of rule `rule` with the values of the rule's variables, given in the rule's order.
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

/// The text of a call of function `name` with so many arguments, and the variables in it.
fn call_text(name: &str, count: usize) -> String {
    let names: Vec<String> = (0..count).map(argument).collect();
    format!("{name}({})", names.join(", "))
}

fn argument(index: usize) -> String {
    format!("argument{index}")
}

/// Evaluates `call`, which [`call_text`] gave the text of, in `file`.
fn run(engine: &Engine, file: &Arc<File>, call: &AST, arguments: &mut [Dynamic]) -> Fallible<Dynamic> {
    // Taken away: a call within this one, or one that ends badly, leaves nothing behind.
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

/// An error that has no place got that of the call, which stands in no file of the provision; no function begins there.
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

    /// Makes it as it was before the call; false where that can't be.
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
    use crate::provisioning::provision::{Loaded, Provision};
    use crate::script;
    use crate::script::flask::request;
    use crate::script::runtime::budget::Budget;
    use crate::script::runtime::files::Files;
    use crate::serving::handler;
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
    fn a_call_leaves_nothing_to_the_next_but_what_was_found_out() {
        let (folder, budget) = (Folder::new(), Budget::default());
        let store = folder.directory();
        fs::write(folder.root().join("library"), "fn twice(n) { n * 2 }").unwrap();
        let files = Files::new(store.into(), "p", Some(SOURCE.into()), Arc::default());
        let loaded = Provision::load(&script::engine(budget).into(), budget, files);
        let Ok(Loaded::Provision(provision)) = loaded else { panic!("no provision") };
        let provision = Arc::new(*provision);
        let get = |target: &str| {
            let mut request = request::tests::request("GET", target, &[], b"").into();
            let answer = handler::handle(&provision, &Chaos::default(), &mut request).reply.answer;
            (answer.status, String::from_utf8_lossy(answer.body.bytes()).into_owned())
        };
        // More often than a call may load modules, or have variables.
        for n in 0..300 {
            assert_eq!(get(&format!("/import/{n}")), (200, (2 * n).to_string()));
            assert_eq!(get(&format!("/fails/{}", n % 2)).0, if n % 2 > 0 { 500 } else { 200 });
            assert_eq!(get(&format!("/names/x/{n}")), (200, format!("x{n}own")));
        }
    }
}
