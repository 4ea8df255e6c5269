//! `request.headers`, and the `headers` of an uploaded file. Names are case-insensitive; the values of a repeated name are joined.

use super::{Dictionary, group};
use crate::message::request::Request;
use rhai::{Array, Dynamic, ImmutableString};
use std::sync::Arc;

/// Header fields of a request, or of the uploaded file with index `part`.
#[derive(Debug, Clone)]
pub(crate) struct Headers {
    request: Arc<Request>,
    part: Option<usize>,
}

impl Headers {
    pub(crate) fn new(request: &Arc<Request>) -> Self {
        Self { request: request.clone(), part: None }
    }

    /// Creates the header fields of the uploaded file with index `part`.
    pub(crate) fn of_file(request: &Arc<Request>, part: usize) -> Self {
        Self { request: request.clone(), part: Some(part) }
    }

    /// Returns all fields. `Host` is that of a trusted proxy where there is one, as with Werkzeug's `ProxyFix`.
    fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        let host = self.request.forwarded_host();
        let seen = move |(name, value)| match host {
            Some(host) if "host".eq_ignore_ascii_case(name) => (name, host),
            _ => (name, value),
        };
        let own = self.part.is_none().then(|| self.request.headers().map(seen));
        let file = self.part.and_then(|part| self.request.form().ok()?.files.get(part));
        let of_file = file.map(|file| file.headers.as_slice()).unwrap_or_default();
        let of_file = of_file.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        own.into_iter().flatten().chain(of_file)
    }
}

impl Dictionary for Headers {
    fn label(&self) -> &'static str {
        match self.part {
            None => "request.headers",
            Some(_) => "file.headers",
        }
    }

    fn all(&self, key: &str) -> Vec<Dynamic> {
        let fields = self.fields();
        fields.filter(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value.into()).collect()
    }

    fn entries(&self) -> Vec<(ImmutableString, Vec<Dynamic>)> {
        group(self.fields().map(|(name, value)| (title(name).into(), value.into())))
    }

    fn first(&self, key: &str) -> Option<Dynamic> {
        let mut same = self.fields().filter(|(name, _)| name.eq_ignore_ascii_case(key));
        let (_, first) = same.next()?;
        match same.next() {
            None => Some(first.into()),
            Some(_) => Some(self.pick(self.all(key))),
        }
    }

    fn pick(&self, values: Vec<Dynamic>) -> Dynamic {
        let texts: Vec<_> = values.iter().filter_map(|value| value.as_immutable_string_ref().ok()).collect();
        texts.iter().map(|text| text.as_str()).collect::<Vec<_>>().join(",").into()
    }

    /// Returns a pair, as for Flask's `for name, value in request.headers`.
    fn item(&self, name: ImmutableString, values: Vec<Dynamic>) -> Dynamic {
        let pair: Array = vec![name.into(), self.pick(values)];
        pair.into()
    }
}

/// Returns `X-Request-Id` for `x-request-id`: as in WSGI, the case that the client used is not kept.
fn title(name: &str) -> String {
    let mut starts = true;
    let upper_first = |c: char| {
        let c = if starts { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
        starts = !c.is_ascii_alphabetic();
        c
    };
    name.chars().map(upper_first).collect()
}
