//! Errors with an HTTP status, which a script can throw and an error handler gets.

use crate::chaos::Reply;
use rhai::{Dynamic, EvalAltResult, Position};

/// The error that `abort(code, description)` or a missing `request.args["x"]` throws. An error handler gets it as `e`.
#[derive(Debug, Clone, Default)]
pub(crate) struct HttpError {
    pub code: i64,
    /// Text for the body and the error handler (`e.description`); empty for the standard text.
    pub description: String,
    /// The response of `abort(response)`.
    pub reply: Option<Reply>,
    /// A header of the answer: `Allow` of a 405, `Content-Range` of a 416.
    pub header: Option<(&'static str, String)>,
    /// The map or list of `abort(404, #{ ... })`, whose JSON is the description.
    pub detail: Option<Dynamic>,
    /// The script error behind a 500, with line and column (`e.original`).
    pub original: Option<String>,
    /// The value that the script threw, or the text of its error (`e.original_exception`).
    pub thrown: Option<Dynamic>,
}

/// The errors that an error handler is registered for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum ErrorClass {
    /// Errors with this code.
    Code(u16),
    /// All errors that were thrown with a code.
    HttpException,
    /// All errors.
    Exception,
}

/// Code and name of Werkzeug's error classes, and the description where `abort` gave none.
pub(crate) const CLASSES: &[(u16, &str, &str)] = &[
    (400, "BadRequest", "The server could not understand the request."),
    (401, "Unauthorized", "The credentials for this URL are missing or wrong."),
    (403, "Forbidden", "Access to this URL is not allowed."),
    (404, "NotFound", "The requested URL was not found on this server."),
    (405, "MethodNotAllowed", "The method is not allowed for the requested URL."),
    (406, "NotAcceptable", "None of the accepted media types can be served."),
    (408, "RequestTimeout", "The request took too long to arrive."),
    (409, "Conflict", "The request conflicts with the state of the resource."),
    (410, "Gone", "The requested URL is gone for good."),
    (411, "LengthRequired", ""),
    (412, "PreconditionFailed", "A precondition of the request does not hold."),
    (413, "RequestEntityTooLarge", "The body of the request is too large."),
    (414, "RequestURITooLarge", ""),
    (415, "UnsupportedMediaType", "The media type of the body is not supported."),
    (416, "RequestedRangeNotSatisfiable", "The range lies outside of the content."),
    (417, "ExpectationFailed", ""),
    (418, "ImATeapot", ""),
    (422, "UnprocessableEntity", "The request is well formed but can't be processed."),
    (423, "Locked", ""),
    (424, "FailedDependency", ""),
    (428, "PreconditionRequired", ""),
    (429, "TooManyRequests", "Too many requests."),
    (431, "RequestHeaderFieldsTooLarge", ""),
    (451, "UnavailableForLegalReasons", ""),
    (500, "InternalServerError", "The server failed while it handled the request."),
    (501, "NotImplemented", "The server does not support the method."),
    (502, "BadGateway", "The server got a wrong answer from another one."),
    (503, "ServiceUnavailable", "The server can't handle the request at present."),
    (504, "GatewayTimeout", "Another server did not answer in time."),
    (505, "HTTPVersionNotSupported", ""),
];

impl HttpError {
    /// Creates an error with the standard description of `code`.
    pub(crate) fn new(code: u16) -> HttpError {
        HttpError { code: i64::from(code), ..HttpError::default() }
    }

    /// Returns the status code. `abort` has checked it.
    pub(crate) fn status(&self) -> u16 {
        u16::try_from(self.code).unwrap_or(500)
    }

    /// Returns the description, or the standard one where it is empty.
    pub(crate) fn text(&self) -> &str {
        if !self.description.is_empty() {
            return &self.description;
        }
        let class = CLASSES.iter().find(|(code, _, text)| *code == self.status() && !text.is_empty());
        class.map_or("The request failed.", |(_, _, text)| text)
    }
}

/// Creates an error that ends the view function with `code`.
pub(crate) fn http_error(code: u16, description: impl Into<String>) -> Box<EvalAltResult> {
    throw(HttpError { description: description.into(), ..HttpError::new(code) })
}

pub(crate) fn throw(error: HttpError) -> Box<EvalAltResult> {
    EvalAltResult::ErrorRuntime(Dynamic::from(error), Position::NONE).into()
}

/// Returns the HTTP error inside of `error`, which may be thrown deep in calls and imports. `throw NotFound` counts too, like Python's
/// `raise NotFound`.
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
