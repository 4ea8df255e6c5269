//! How a thread calls the functions of a file: with what Rhai has found out about the file's calls before. It looks for each
//! function that a script calls in all modules, by name and types, and forgets what it found when the call is over; to find them
//! is a fifth of what a view with five calls takes. Knows no rules and no requests.

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
