//! Another server that answers in place of a view: the value of `forward(...)`, and the rule of `app.forward(...)`.

use super::natives::ScriptValue;
use super::view::View;
use crate::http_client::Url;
use crate::message::request::{Request, url};
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

    /// Returns the URL at the server. Path and query are byte for byte as they came, unless an option changes them.
    pub(crate) fn url_for(&self, request: &Request) -> Url {
        let whole = request.target();
        let own = if whole == "*" { whole } else { &whole[url::places(whole).path.start..] };
        let own = match (&self.path, &self.strip) {
            (Some(path), _) => path,
            (None, Some(prefix)) => {
                let rest = own.strip_prefix(prefix.trim_end_matches('/'));
                rest.filter(|rest| begins_anew(rest)).unwrap_or(own)
            }
            (None, None) => own,
        };
        let base = self.url.target.trim_end_matches('/');
        let slash = if own.starts_with('/') || own == "*" && base.is_empty() { "" } else { "/" };
        self.url.with_target(format!("{base}{slash}{own}"))
    }
}

/// Whether the rest of a path begins with a new segment.
fn begins_anew(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(['/', '?'])
}
