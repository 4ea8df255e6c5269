//! The script engine: it compiles provisions, calls their functions, and offers them Flask's and Python's names.
//!
//! A provision is loaded once and then called for each request:
//!
//! ```
//! use h1mock::bench::{Budget, Chaos, Conditions, Files, Loaded, Provision, ProvisionDir, Request, engine, handle};
//! use std::sync::Arc;
//!
//! let source = r#"
//!     fn registerRules() { app.get("/hello/<name>", hello); }
//!     fn hello(name) { `Hello ${name}!` }
//! "#;
//! let budget = Budget::default();
//! let directory = Arc::new(ProvisionDir::open(&std::env::temp_dir(), None).unwrap());
//! let files = Files::new(directory, "hello", Some(source.into()), Arc::default());
//!
//! // Load: compile the file, call `registerRules()`, build the table of rules.
//! let loaded = Provision::load(&Arc::new(engine(budget)), budget, files);
//! let Ok(Loaded::Provision(provision)) = loaded else { panic!("no provision") };
//!
//! // Call: find the rule, call its view function, turn the returned value into an answer.
//! let request = Request::from_parts("GET", "/hello/Ada", [("Host", "mock")], Vec::new(), None, None);
//! let answer = handle(&Arc::new(*provision), &Chaos::default(), &Conditions::default(), &mut request.into()).reply.answer;
//! assert_eq!((answer.status, answer.body.bytes()), (200, &b"Hello Ada!"[..]));
//! ```
//!
//! The names of scripts are grouped in *topics*. A topic is a file with a `register` function. `flask` has the topics with Flask's
//! names, `python` those with Python's. Both use `runtime`: budgets, calls, files, and errors with line and column.

/// The topics with Flask's names.
pub(crate) mod flask;
/// The topics with Python's names.
pub(crate) mod python;
/// Rhai underneath: budgets, calls, files, errors with line and column.
pub(crate) mod runtime;
#[cfg(test)]
pub(crate) mod tests;

use rhai::packages::{Package, StandardPackage};
use rhai::{Engine, OptimizationLevel};
use runtime::budget::Budget;
use runtime::natives::Natives;

/// Creates the Rhai engine for all provisions, with every name that scripts can use.
pub fn engine(budget: Budget) -> Engine {
    // Not `Engine::new`: its resolver for module files would add unused code to the program.
    let mut engine = Engine::new_raw();
    engine.register_global_module(StandardPackage::new().as_shared_module());
    // Interning takes a lock for each string, and a thread that finds it taken sleeps 10 ms.
    engine.set_max_strings_interned(0);
    // `runtime::optimizing` optimizes after compiling, in linear time.
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

/// Registers the functions and the global variables of one topic.
type Topic = fn(&mut Natives);

/// The order has no effect: no two topics register a function of the same name and types.
const TOPICS: &[Topic] = &[
    flask::abort::register,
    flask::app::register,
    flask::cache_control::register,
    flask::callback::register,
    flask::chaos::register,
    flask::cors::register,
    flask::conditional::register,
    flask::content_range::register,
    flask::disk::register,
    flask::files::register,
    flask::forward::register,
    flask::multi_dict::register,
    flask::request::register,
    flask::response::register,
    flask::scenario::register,
    flask::sleep::register,
    flask::sse::register,
    flask::status::register,
    flask::store::register,
    flask::stream::register,
    flask::url_for::register,
    flask::wait_for::register,
    python::base64::register,
    python::builtins::register,
    python::bytes::register,
    python::clock::register,
    python::datetime::register,
    python::environ::register,
    python::gzip::register,
    python::hash::register,
    python::json::register,
    python::logging::register,
    python::random::register,
    python::regex::register,
    python::requests::register,
    python::secrets::register,
    python::text::register,
    python::urllib::register,
    python::uuid::register,
    runtime::frozen::natives::register,
    runtime::large_int::register,
    runtime::names::register,
    runtime::size_limits::register,
];
