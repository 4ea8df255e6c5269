//! Compiles a file, within the time that its load has. Rhai's parser and optimizer cost the square of what a file has of functions,
//! variables or entries of a map, and Rhai gives no way to interrupt them but its tokens: one that is an error ends the parser.

use super::budget::{self, Limit};
use super::natives::Fallible;
use super::{load_time, names, optimizing, python};
use rhai::{AST, Dynamic, Engine, EvalAltResult, LexError, Position, Token};
use std::cell::Cell;

/// Tokens between two looks at the clock. In a file that costs the square a token may take milliseconds.
const CLOCK_EVERY: u32 = 16;

/// How far the parser has come.
#[derive(Clone, Copy, Default)]
struct Progress {
    tokens: u32,
    /// Where it was stopped.
    stopped: Option<Position>,
}

thread_local! {
    /// Of the file that is compiled.
    static PROGRESS: Cell<Option<Progress>> = const { Cell::new(None) };
}

/// Forgets the progress, also when the parser panicked.
struct End;

impl Drop for End {
    fn drop(&mut self) {
        PROGRESS.set(None);
    }
}

/// Compiles `text`. In a load this takes time of the load, not of the script that imports the file.
///
/// # Errors
/// It does not compile, or not in time.
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
    // Only what is no Rhai may be Python: a comment or a text may well hold some.
    compiled.map_err(|error| python::diagnose(text).unwrap_or_else(|| error.into()))
}

/// What is thrown where `what` took too long.
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

/// What the parser sees for `token`, which stands at `at`.
pub(crate) fn token(token: Token, at: Position) -> Token {
    let Some(progress) = PROGRESS.get() else { return names::token(token, at) };
    optimizing::weigh(&token);
    let tokens = progress.tokens + 1;
    let late = || (tokens.is_multiple_of(CLOCK_EVERY) && is_over()).then_some(at);
    let stopped = progress.stopped.or_else(late);
    PROGRESS.set(Some(Progress { tokens, stopped }));
    // Rhai lets some errors pass, but not one token after the other.
    if stopped.is_some() && token != Token::EOF {
        return Token::LexError(LexError::Runtime("out of time".to_owned()).into());
    }
    names::token(token, at)
}
