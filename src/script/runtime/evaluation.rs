//! How a thread calls the functions of a file: with what Rhai has found out about the file's calls before. It looks for each
//! function that a script calls in all modules, by name and types, and forgets what it found when the call is over; to find them
//! is a sixth of what a view with five calls takes. Knows no rules and no requests.

use super::files::File;
use rhai::{AST, Caches, Dynamic, Engine, EvalAltResult, GlobalRuntimeState, Position, Scope};
use std::cell::Cell;
use std::sync::{Arc, Weak};

/// What a thread keeps from one call for the next, as long as that is one of the same file.
struct Kept {
    /// The provision may go meanwhile.
    file: Weak<File>,
    state: GlobalRuntimeState,
    caches: Caches,
    scope: Scope<'static>,
}

thread_local! {
    static KEPT: Cell<Option<Box<Kept>>> = const { Cell::new(None) };
}

/// The text of a call of function `name` with so many arguments, and the variables in it.
pub fn call_of(name: &str, count: usize) -> String {
    let names: Vec<String> = (0..count).map(argument).collect();
    format!("{name}({})", names.join(", "))
}

fn argument(index: usize) -> String {
    format!("argument{index}")
}

/// Evaluates `call`, which [`call_of`] gave the text of, in `file`.
///
/// # Errors
/// What the script throws or runs into.
pub fn run(
    engine: &Engine,
    file: &Arc<File>,
    call: &AST,
    arguments: &mut [Dynamic],
) -> Result<Dynamic, Box<EvalAltResult>> {
    // Taken away: a call within this one, or one that ends badly, leaves nothing behind.
    let mut kept = KEPT.take().filter(|kept| kept.is_of(file)).unwrap_or_else(|| Kept::new(file));
    for (index, value) in arguments.iter_mut().enumerate() {
        kept.scope.push_dynamic(argument(index), std::mem::take(value));
    }
    let Kept { state, caches, scope, .. } = &mut *kept;
    #[allow(deprecated)] // "volatile", not deprecated: the lock file pins the version
    let value =
        engine.eval_statements_raw(state, caches, scope, call.statements()).map_err(outside_of_call)?;
    if kept.begin_anew(file) {
        KEPT.set(Some(kept));
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

impl Kept {
    fn new(file: &Arc<File>) -> Box<Kept> {
        let (file, state) = (Arc::downgrade(file), file.state.clone());
        Box::new(Kept { file, state, caches: Caches::new(), scope: Scope::new() })
    }

    fn is_of(&self, file: &Arc<File>) -> bool {
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
