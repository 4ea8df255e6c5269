//! Parses and then optimizes, in two steps. Rhai's optimizer can't be interrupted, and costs the square of the statements of a
//! function: 60,000 blocks of ten bytes take half a minute. So what would take long is left as it is: it runs all the same.

use rhai::{AST, Engine, OptimizationLevel, ParseError, Scope, Token};
use std::cell::Cell;

/// Most pairs of a statement and a token of the same function: less than 0.3 s. A function of ten lines has 2,000, one that
/// registers 1,000 rules ten million.
const MOST_PAIRS: u64 = 20_000_000;

/// What was read of a text.
#[derive(Clone, Copy, Default)]
struct Weight {
    /// Of the function that is read.
    statements: u64,
    tokens: u64,
    /// Of the functions before.
    pairs: u64,
}

thread_local! {
    static WEIGHT: Cell<Weight> = const { Cell::new(Weight { statements: 0, tokens: 0, pairs: 0 }) };
}

/// Compiles `text`.
///
/// # Errors
/// It does not compile.
pub(super) fn compile(engine: &Engine, text: &str) -> Result<AST, ParseError> {
    WEIGHT.set(Weight::default());
    let ast = engine.compile(text)?;
    let weight = WEIGHT.get();
    if weight.pairs + weight.statements * weight.tokens > MOST_PAIRS {
        return Ok(ast);
    }
    // `Full` would fold `random.random()` into a constant.
    Ok(engine.optimize_ast(&Scope::new(), ast, OptimizationLevel::Simple))
}

/// Weighs a token of the text.
pub(super) fn weigh(token: &Token) {
    let mut weight = WEIGHT.get();
    match token {
        Token::Fn => {
            weight = Weight { pairs: weight.pairs + weight.statements * weight.tokens, ..Weight::default() };
        }
        Token::LeftBrace | Token::SemiColon | Token::DoubleArrow => weight.statements += 1,
        _ => {}
    }
    weight.tokens += 1;
    WEIGHT.set(weight);
}
