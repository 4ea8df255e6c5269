//! Scripts: the engine that compiles and runs provisions, and the topics that they see.
//!
//! A topic is a file that registers its names. Topics with Flask's names are in `flask`, those with Python's in `python`; both
//! build on `runtime`, which has what lies under all scripts: Rhai, budgets, files, calls and faults.

/// What scripts see under Flask's names.
pub(crate) mod flask;
/// What scripts see under Python's names.
pub(crate) mod python;
/// Rhai underneath: budgets, calls, files, errors with their place.
pub(crate) mod runtime;
#[cfg(test)]
pub(crate) mod tests;

use rhai::packages::{Package, StandardPackage};
use rhai::{Engine, OptimizationLevel};
use runtime::budget::Budget;
use runtime::natives::Natives;

/// The engine of all provisions, with every name that scripts can use.
pub fn engine(budget: Budget) -> Engine {
    // Not `new`: that has a resolver of its own for modules in files, which would be part of the program.
    let mut engine = Engine::new_raw();
    engine.register_global_module(StandardPackage::new().as_shared_module());
    // Interning locks, and sleeps 10 ms where two threads want the lock (rhai-findings, trap 1).
    engine.set_max_strings_interned(0);
    // `runtime::optimizing` does that afterwards, where it takes no time.
    engine.set_optimization_level(OptimizationLevel::None);
    engine.disable_symbol("eval");
    runtime::budget::register(&mut engine, budget);
    let mut natives = Natives::new(&mut engine);
    for register in TOPICS {
        register(&mut natives);
    }
    let handles = natives.finish();
    runtime::analysis::catalogue::set_globals(&handles);
    runtime::imports::register(&mut engine, handles);
    engine
}

/// Registers one topic: its functions, and its handle among the variables.
type Topic = fn(&mut Natives);

/// In any order: no two topics register a function of the same name and types.
const TOPICS: &[Topic] = &[
    flask::abort::register,
    flask::app::register,
    flask::chaos::register,
    flask::disk::register,
    flask::etag::register,
    flask::multi_dict::register,
    flask::request::register,
    flask::response::register,
    flask::scenario::register,
    flask::sleep::register,
    flask::status::register,
    flask::store::register,
    flask::url_for::register,
    python::base64::register,
    python::builtins::register,
    python::bytes::register,
    python::clock::register,
    python::datetime::register,
    python::environ::register,
    python::hash::register,
    python::json::register,
    python::logging::register,
    python::random::register,
    python::regex::register,
    python::secrets::register,
    python::text::register,
    python::urllib::register,
    python::uuid::register,
    runtime::frozen::natives::register,
    runtime::large_int::register,
    runtime::names::register,
    runtime::size_limits::register,
];
