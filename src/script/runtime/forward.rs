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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_and_query_go_on_byte_for_byte_unless_an_option_changes_them() {
        for (server, path, strip, target, expected) in [
            ("http://a", None, None, "/x%2Fy//z?q=%20&&", "http://a/x%2Fy//z?q=%20&&"),
            ("http://a:8080/base/", None, None, "/x", "http://a:8080/base/x"),
            ("http://a/base", None, None, "/", "http://a/base/"),
            ("http://a", None, None, "*", "http://a*"),
            ("http://a/base", None, None, "*", "http://a/base/*"),
            // The absolute form (RFC 9112, section 3.2.2).
            ("http://a", None, None, "http://client.example/x?y", "http://a/x?y"),
            ("http://a", None, Some("/api"), "/api/x?y", "http://a/x?y"),
            ("http://a", None, Some("/api/"), "/api/x", "http://a/x"),
            ("http://a", None, Some("/api"), "/api?y", "http://a/?y"),
            ("http://a", None, Some("/api"), "/api", "http://a/"),
            // Only whole segments, and only where the path begins with them.
            ("http://a", None, Some("/api"), "/apis/x", "http://a/apis/x"),
            ("http://a", None, Some("/api"), "/v1/api", "http://a/v1/api"),
            ("http://a", None, Some("/"), "/x", "http://a/x"),
            ("http://a/base", Some("/p?q"), Some("/api"), "/api/x", "http://a/base/p?q"),
        ] {
            let url = Url::absolute(server).unwrap();
            let (path, strip) = (path.map(str::to_owned), strip.map(str::to_owned));
            let forward = Forward { path, strip, ..Forward::to(url) };
            let request = Request::from_parts("GET", target, None::<(&str, &str)>, Vec::new(), None, None);
            assert_eq!(forward.url_for(&request).to_string(), expected, "{server} {target}");
        }
    }
}
