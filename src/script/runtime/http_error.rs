//! The errors that carry an HTTP status through a script.

use crate::chaos::Reply;
use rhai::{Dynamic, EvalAltResult, Position};

/// What `abort(code, description)` throws, what a missing `args["x"]` is, and what an error handler gets as `e`.
#[derive(Debug, Clone)]
pub(crate) struct HttpError {
    pub code: i64,
    /// Why, for the body and the error handler (`e.description`); the standard text where empty.
    pub description: String,
    /// `abort(response)`: the response itself.
    pub reply: Option<Reply>,
    /// Methods for `Allow`, of a 405.
    pub allow: Option<String>,
    /// The map or list of `abort(404, #{ ... })`, whose JSON is the description.
    pub detail: Option<Dynamic>,
    /// The script error behind a 500 with its place (`e.original`).
    pub original: Option<String>,
    /// What the script threw, or what went wrong in it (`e.original_exception`).
    pub thrown: Option<Dynamic>,
}

/// What an error handler is for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum ErrorClass {
    /// Errors with this code.
    Code(u16),
    /// All errors that carry a code of their own.
    HttpException,
    /// All errors.
    Exception,
}

/// Werkzeug's classes of errors and their codes.
pub(crate) const CLASSES: &[(&str, u16)] = &[
    ("BadRequest", 400),
    ("Unauthorized", 401),
    ("Forbidden", 403),
    ("NotFound", 404),
    ("MethodNotAllowed", 405),
    ("NotAcceptable", 406),
    ("RequestTimeout", 408),
    ("Conflict", 409),
    ("Gone", 410),
    ("LengthRequired", 411),
    ("PreconditionFailed", 412),
    ("RequestEntityTooLarge", 413),
    ("RequestURITooLarge", 414),
    ("UnsupportedMediaType", 415),
    ("RequestedRangeNotSatisfiable", 416),
    ("ExpectationFailed", 417),
    ("ImATeapot", 418),
    ("UnprocessableEntity", 422),
    ("Locked", 423),
    ("FailedDependency", 424),
    ("PreconditionRequired", 428),
    ("TooManyRequests", 429),
    ("RequestHeaderFieldsTooLarge", 431),
    ("UnavailableForLegalReasons", 451),
    ("InternalServerError", 500),
    ("NotImplemented", 501),
    ("BadGateway", 502),
    ("ServiceUnavailable", 503),
    ("GatewayTimeout", 504),
    ("HTTPVersionNotSupported", 505),
];

impl HttpError {
    /// An error with the standard description of `code`.
    pub(crate) fn new(code: u16) -> HttpError {
        HttpError {
            code: i64::from(code),
            description: String::new(),
            reply: None,
            allow: None,
            detail: None,
            original: None,
            thrown: None,
        }
    }

    /// The status code; an `abort` checks it.
    pub(crate) fn status(&self) -> u16 {
        u16::try_from(self.code).unwrap_or(500)
    }

    /// The description, or the standard one.
    pub(crate) fn text(&self) -> &str {
        if self.description.is_empty() { description(self.status()) } else { &self.description }
    }
}

/// An error that ends the view function with `code`.
pub(crate) fn http_error(code: u16, description: impl Into<String>) -> Box<EvalAltResult> {
    throw(HttpError { description: description.into(), ..HttpError::new(code) })
}

pub(crate) fn throw(error: HttpError) -> Box<EvalAltResult> {
    EvalAltResult::ErrorRuntime(Dynamic::from(error), Position::NONE).into()
}

/// The HTTP error inside `error`, however deep in calls and imports it was thrown. `throw NotFound` is one, as Python's `raise`.
pub(crate) fn find(error: &EvalAltResult) -> Option<HttpError> {
    let EvalAltResult::ErrorRuntime(thrown, _) = error.unwrap_inner() else { return None };
    if let Some(class) = thrown.read_lock::<ErrorClass>() {
        return match *class {
            ErrorClass::Code(code) => Some(HttpError::new(code)),
            ErrorClass::HttpException | ErrorClass::Exception => None,
        };
    }
    thrown.read_lock::<HttpError>().map(|found| found.clone())
}

/// What the standard codes mean, where `abort` gave no description.
fn description(code: u16) -> &'static str {
    match code {
        400 => "The server could not understand the request.",
        401 => "The credentials for this URL are missing or wrong.",
        403 => "Access to this URL is not allowed.",
        404 => "The requested URL was not found on this server.",
        405 => "The method is not allowed for the requested URL.",
        406 => "None of the accepted media types can be served.",
        408 => "The request took too long to arrive.",
        409 => "The request conflicts with the state of the resource.",
        410 => "The requested URL is gone for good.",
        412 => "A precondition of the request does not hold.",
        413 => "The body of the request is too large.",
        415 => "The media type of the body is not supported.",
        422 => "The request is well formed but can't be processed.",
        429 => "Too many requests.",
        500 => "The server failed while it handled the request.",
        501 => "The server does not support the method.",
        502 => "The server got a wrong answer from another one.",
        503 => "The server can't handle the request at present.",
        504 => "Another server did not answer in time.",
        _ => "The request failed.",
    }
}
