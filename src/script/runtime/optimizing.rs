//! Parses a text and then optimizes it. Rhai's optimizer can't be interrupted, and its time grows with the square of the
//! statements of a function: 60,000 blocks of ten bytes take half a minute. So a text that would take long is not optimized,
//! and runs all the same.

use rhai::{AST, Engine, OptimizationLevel, ParseError, Scope, Token};
use std::cell::Cell;

/// Most pairs of a statement and a token of the same function: less than 0.3 s. A function of ten lines has 2,000 pairs, a
/// function that registers 1,000 rules has ten million.
const MOST_PAIRS: u64 = 20_000_000;

/// The counts of the text that the parser has read.
#[derive(Clone, Copy, Default)]
struct Weight {
    /// Statements of the current function.
    statements: u64,
    /// Tokens of the current function.
    tokens: u64,
    /// Pairs of the functions before it.
    pairs: u64,
}

thread_local! {
    static WEIGHT: Cell<Weight> = const { Cell::new(Weight { statements: 0, tokens: 0, pairs: 0 }) };
}

/// Parses `text`, and optimizes it where that is quick.
///
/// # Errors
/// `text` does not compile.
pub(super) fn compile(engine: &Engine, text: &str) -> Result<AST, ParseError> {
    WEIGHT.set(Weight::default());
    let ast = engine.compile(text)?;
    let weight = WEIGHT.get();
    if weight.pairs + weight.statements * weight.tokens > MOST_PAIRS {
        return Ok(ast);
    }
    // `Full` would make a constant of `random.random()`.
    Ok(engine.optimize_ast(&Scope::new(), ast, OptimizationLevel::Simple))
}

/// Counts a token of the text.
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
