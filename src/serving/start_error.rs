//! Why the server could not start, in one line.

use crate::system::io_error::describe_io;
use std::{error, fmt, io};

/// The line that the process writes to standard error before it ends with exit code 1.
#[derive(Debug)]
pub(crate) struct StartError(String);

impl StartError {
    pub(crate) fn new(reason: impl fmt::Display) -> StartError {
        StartError(reason.to_string())
    }

    /// Turns an I/O error into ``failed to listen on `0.0.0.0:80`: permission denied``, where `action` is the part after "to".
    pub(crate) fn failed_to(action: impl fmt::Display) -> impl Fn(io::Error) -> StartError {
        move |error| StartError(format!("failed to {action}: {}", describe_io(&error)))
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl error::Error for StartError {}
