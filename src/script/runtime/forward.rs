//! Another server that answers in place of a view: the value of `forward(...)`, and the rule of `app.forward(...)`.

use super::natives::ScriptValue;
use super::view::View;
use crate::http_client::Url;
use std::sync::Arc;
use std::time::Duration;

/// The value that `forward` returns.
#[derive(Debug, Clone)]
pub(crate) struct Forward {
    /// The server. Its path stands before that of the request.
    pub url: Url,
    /// Path and query in place of those of the request.
    pub path: Option<String>,
    /// A prefix of the request's path that does not go on.
    pub strip: Option<String>,
    /// Fields in place of those of the request; `None` leaves one out.
    pub headers: Vec<(String, Option<String>)>,
    /// Time until the head of the answer is there, and between two pieces of its body.
    pub timeout: Duration,
    /// Changes the answer.
    pub change: Option<View>,
}

impl ScriptValue for Arc<Forward> {}

/// The default of `timeout`.
const TIMEOUT: Duration = Duration::from_secs(30);

impl Forward {
    /// Forwards to `url` without options.
    pub(crate) fn to(url: Url) -> Forward {
        Forward { url, path: None, strip: None, headers: Vec::new(), timeout: TIMEOUT, change: None }
    }
}
