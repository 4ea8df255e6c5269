//! Compiles a file within the time of its load. The time of Rhai's parser and optimizer grows with the square of the functions,
//! variables or entries of a map in a file. Rhai's parser can be interrupted only by its tokens: a token that is an error ends
//! it.

use super::budget::{self, Limit};
use super::natives::Fallible;
use super::{load_time, names, optimizing, python};
use rhai::{AST, Dynamic, Engine, EvalAltResult, LexError, Position, Token};
use std::cell::Cell;

/// Tokens between two looks at the clock. Where the time grows with the square, a token may take milliseconds.
const CLOCK_EVERY: u32 = 16;

/// The progress of the parser.
#[derive(Clone, Copy, Default)]
struct Progress {
    tokens: u32,
    /// The place at which the parser was stopped.
    stopped: Option<Position>,
}

thread_local! {
    /// The progress in the file that this thread compiles.
    static PROGRESS: Cell<Option<Progress>> = const { Cell::new(None) };
}

/// Removes the progress when it is dropped, also when the parser panicked.
struct End;

impl Drop for End {
    fn drop(&mut self) {
        PROGRESS.set(None);
    }
}

/// Compiles `text`. In a load this takes time of the load, not of the script that imports the file.
///
/// # Errors
/// `text` does not compile, or not in time.
pub(super) fn compile(engine: &Engine, text: &str) -> Fallible<AST> {
    if load_time::runs() { budget::beside(|| watched(engine, text)) } else { watched(engine, text) }
}

fn watched(engine: &Engine, text: &str) -> Fallible<AST> {
    PROGRESS.set(Some(Progress::default()));
    let _end = End;
    let compiled = names::compile(engine, text);
    if let Some(at) = PROGRESS.get().and_then(|progress| progress.stopped) {
        return Err(EvalAltResult::ErrorRuntime(out_of_time("compiling up to here"), at).into());
    }
    if is_over() {
        return Err(EvalAltResult::ErrorRuntime(out_of_time("compiling"), Position::NONE).into());
    }
    // Only a text that is no Rhai may be Python: a comment or a text in Rhai may well look like Python.
    compiled.map_err(|error| python::diagnose(text).unwrap_or_else(|| error.into()))
}

/// Returns the error where `what` took too long.
fn out_of_time(what: &str) -> Dynamic {
    if let Some(limit) = load_time::over() {
        return budget::out_of_load_time(what, limit);
    }
    let mut text: Dynamic = format!("the script ran out of time: {what} took too long").into();
    text.set_tag(Limit::Time as i32);
    text
}

/// Whether the load is out of time, or the request whose script imports the file.
fn is_over() -> bool {
    if load_time::runs() { load_time::over().is_some() } else { budget::time_is_up() }
}

/// Returns the token that the parser gets in place of `token` at `at`.
pub(crate) fn token(token: Token, at: Position) -> Token {
    let Some(progress) = PROGRESS.get() else { return names::token(token, at) };
    optimizing::weigh(&token);
    let tokens = progress.tokens + 1;
    let late = || (tokens.is_multiple_of(CLOCK_EVERY) && is_over()).then_some(at);
    let stopped = progress.stopped.or_else(late);
    PROGRESS.set(Some(Progress { tokens, stopped }));
    // Rhai's parser may continue after one error, but not after several in a row.
    if stopped.is_some() && token != Token::EOF {
        return Token::LexError(LexError::Runtime("out of time".to_owned()).into());
    }
    names::token(token, at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script;
    use crate::script::runtime::budget::Budget;
    use std::time::Duration;

    fn many(count: usize, part: impl Fn(usize) -> String) -> String {
        (0..count).map(part).collect()
    }

    #[test]
    fn a_file_that_compiles_too_long_fails_at_the_place_it_reached() {
        let limit = Duration::from_millis(100);
        let engine = script::engine(Budget::default());
        for source in [
            format!("fn a() {{ let f = 1; {} }}", "f=|| f;".repeat(9_000)),
            format!("fn a({}) {{ 1 }}", many(60_000, |n| format!("p{n},"))),
            format!("fn a() {{ {} }}", many(50_000, |n| format!("let v{n} = v0;\n"))),
            many(50_000, |n| format!("const C{n} = 1;\n")),
            format!("const M = #{{ {} }};", many(50_000, |n| format!("k{n}: 1,\n"))),
        ] {
            let error = load_time::run(limit, || compile(&engine, &source)).unwrap_err();
            let text = "compiling up to here took longer than 100 ms of processor time";
            assert!(error.to_string().contains(text) && !error.position().is_none(), "{error}");
        }
    }

    #[test]
    fn a_file_that_would_optimize_too_long_is_not_optimized() {
        let engine = script::engine(Budget::default());
        let limit = Duration::from_secs(20);
        let source = format!("fn g() {{ 1 }} fn a() {{ {} }}", "{ g(); }\n".repeat(60_000));
        assert!(load_time::run(limit, || compile(&engine, &source)).is_ok());
    }
}
