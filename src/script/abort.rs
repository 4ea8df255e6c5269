//! `abort` and the errors that carry an HTTP status through a script.

use crate::response::Answer;
use rhai::{Dynamic, EvalAltResult, Position};

/// What `abort(code, description)` throws, and what a missing `args["x"]` is.
#[derive(Debug, Clone)]
pub struct HttpError {
    /// Status code.
    pub code: i64,
    /// Why, for the body and the error handler (`e.description`); the standard text where empty.
    pub description: String,
    /// `abort(response)`: the answer itself.
    pub answer: Option<Answer>,
}

/// An error that ends the view function with `code`.
pub fn http_error(code: u16, description: impl Into<String>) -> Box<EvalAltResult> {
    let error = HttpError { code: i64::from(code), description: description.into(), answer: None };
    EvalAltResult::ErrorRuntime(Dynamic::from(error), Position::NONE).into()
}
