//! The errors of the HTTP client. An answer with a status of 400 or more is no error here.

use std::fmt;
use std::io::{self, ErrorKind};
use std::time::Duration;

/// The reason why a request failed. An `address` is HOST:PORT, a `cause` the fault or the system's reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ClientError {
    /// This client can't use `url`, as typed.
    Url { url: String, cause: String },
    /// A header that HTTP can't carry. The value may be a secret and is left out.
    Header { name: String },
    /// `host` has no address.
    Resolve { host: String, cause: String },
    /// Nothing listens at `address`, or it can't be reached.
    Connect { address: String, cause: String },
    /// The connection broke before the answer was complete.
    Exchange { address: String, cause: String },
    /// The answer is no HTTP, or too large.
    Reply { address: String, cause: String },
    /// The answer is over the limit of [`super::Request::send_within`].
    TooLarge { address: String, most: usize },
    /// The time was over before there was a connection.
    ConnectLate { address: String, timeout: Duration },
    /// The time was over before the answer was complete.
    Late { address: String, timeout: Duration },
}

impl ClientError {
    /// Returns the reason alone.
    pub(crate) fn cause(&self) -> String {
        match self {
            Self::Url { cause, .. } => cause.clone(),
            error => error.to_string(),
        }
    }

    /// Whether the same request could succeed a moment later, when a server has started.
    pub(crate) fn may_pass(&self) -> bool {
        !matches!(self, Self::Url { .. } | Self::Header { .. } | Self::Reply { .. } | Self::TooLarge { .. })
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url { url, cause } => write!(f, "failed to use URL `{url}`: {cause}"),
            Self::Header { name } => write!(f, "failed to send header `{name}`: not visible ASCII"),
            Self::Resolve { host, cause } => write!(f, "failed to resolve `{host}`: {cause}"),
            Self::Connect { address, cause } => write!(f, "failed to connect to `{address}`: {cause}"),
            Self::Exchange { address, cause } => {
                write!(f, "failed to get an answer from `{address}`: {cause}")
            }
            Self::Reply { address, cause } => write!(f, "failed to read the answer of `{address}`: {cause}"),
            Self::TooLarge { address, most } => {
                write!(f, "failed to read the answer of `{address}`: it is over {most} bytes")
            }
            Self::ConnectLate { address, timeout } | Self::Late { address, timeout } => {
                write!(f, "failed to get an answer from `{address}`: none within {timeout:?}")
            }
        }
    }
}

impl From<ClientError> for String {
    fn from(error: ClientError) -> String {
        error.to_string()
    }
}

/// Returns the cause of `error`: the words of its kind ("connection refused"), without the system's spelling and number. An
/// error of our own, or without a kind, keeps its own words.
pub(crate) fn cause(error: &io::Error) -> String {
    let words = error.kind().to_string();
    let is_vague = error.kind() == ErrorKind::Other || words == "uncategorized error";
    if error.raw_os_error().is_none() || is_vague { error.to_string() } else { words }
}
