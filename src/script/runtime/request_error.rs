//! Errors of `requests.*`, which a script can catch and an error handler finds in `e.original_exception`.

use super::natives::ScriptValue;
use rhai::{Dynamic, EvalAltResult, Position};
use std::fmt;

/// A class of Python's `requests.exceptions`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    RequestException,
    ConnectionError,
    Timeout,
    ConnectTimeout,
    ReadTimeout,
    HttpError,
    TooManyRedirects,
    JsonDecodeError,
    InvalidUrl,
}

impl Class {
    /// The classes with their names.
    pub(crate) const ALL: [(Class, &'static str); 9] = [
        (Class::RequestException, "RequestException"),
        (Class::ConnectionError, "ConnectionError"),
        (Class::Timeout, "Timeout"),
        (Class::ConnectTimeout, "ConnectTimeout"),
        (Class::ReadTimeout, "ReadTimeout"),
        (Class::HttpError, "HTTPError"),
        (Class::TooManyRedirects, "TooManyRedirects"),
        (Class::JsonDecodeError, "JSONDecodeError"),
        (Class::InvalidUrl, "InvalidURL"),
    ];

    /// Returns the name for scripts, such as `requests.Timeout`.
    pub(crate) fn name(self) -> String {
        format!("requests.{}", Class::ALL[self as usize].1)
    }

    /// Whether it is `other` or one below it: `ConnectTimeout` is a `ConnectionError` and a `Timeout`, as in Python.
    pub(crate) fn is_a(self, other: Class) -> bool {
        let parents: &[Class] = match self {
            Class::ConnectTimeout => &[Class::ConnectionError, Class::Timeout],
            Class::ReadTimeout => &[Class::Timeout],
            _ => &[],
        };
        self == other || other == Class::RequestException || parents.contains(&other)
    }

    /// Whether errors of this class say that the time was over.
    pub(crate) fn is_timeout(self) -> bool {
        self.is_a(Class::Timeout)
    }
}

impl ScriptValue for Class {}

/// An error of `requests.*`.
#[derive(Debug, Clone)]
pub(crate) struct RequestError {
    pub class: Class,
    pub message: String,
    /// The URL of the request.
    pub url: String,
    /// The response of an `HTTPError`; else `()`.
    pub response: Dynamic,
}

impl RequestError {
    pub(crate) fn new(class: Class, url: &str, message: impl Into<String>) -> RequestError {
        RequestError { class, message: message.into(), url: url.to_owned(), response: Dynamic::UNIT }
    }

    pub(crate) fn throw(self) -> Box<EvalAltResult> {
        EvalAltResult::ErrorRuntime(Dynamic::from(self), Position::NONE).into()
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.class.name(), self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_has_its_name_and_its_parents() {
        for (index, (class, name)) in Class::ALL.into_iter().enumerate() {
            assert_eq!(class as usize, index, "{name}");
            assert!(class.is_a(Class::RequestException) && class.is_a(class), "{name}");
            let timeouts = [Class::Timeout, Class::ConnectTimeout, Class::ReadTimeout];
            assert_eq!(class.is_timeout(), timeouts.contains(&class), "{name}");
            let broken = [Class::ConnectionError, Class::ConnectTimeout];
            assert_eq!(class.is_a(Class::ConnectionError), broken.contains(&class), "{name}");
        }
        assert_eq!(Class::HttpError.name(), "requests.HTTPError");
    }
}
