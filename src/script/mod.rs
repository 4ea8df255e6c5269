//! Scripts: the engine that compiles and runs provisions, one file per topic that they see.

/// What scripts see under Flask's names.
pub mod flask;
/// What scripts see under Python's names.
pub mod python;
/// Rhai underneath: budgets, calls, files, errors with their place.
pub mod runtime;
#[cfg(test)]
mod reference;

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
    // `Full` would fold `random.random()` into a constant.
    engine.set_optimization_level(OptimizationLevel::Simple);
    engine.disable_symbol("eval");
    runtime::budget::register(&mut engine, budget);
    runtime::files::register(&mut engine, budget);
    let mut natives = Natives::of(&mut engine);
    for register in TOPICS {
        register(&mut natives);
    }
    natives.finish();
    engine
}

/// Registers one topic: its functions, and its handle among the variables.
type Topic = fn(&mut Natives);

const TOPICS: &[Topic] = &[
    flask::abort::register,
    runtime::size_limits::register,
    python::builtins::register,
    flask::app::register,
    flask::request::register,
    flask::multi_dict::register,
    flask::response::register,
    flask::chaos::register,
    flask::store::register,
    flask::scenario::register,
    flask::sleep::register,
    flask::disk::register,
    flask::url_for::register,
    python::json::register,
    python::text::register,
    python::random::register,
    python::clock::register,
    python::uuid::register,
    python::base64::register,
    python::hash::register,
    python::regex::register,
    python::urllib::register,
    python::logging::register,
    python::environ::register,
    flask::status::register,
];
