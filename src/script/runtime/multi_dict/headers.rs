//! `request.headers`, and the `headers` of an uploaded file and of a response of `requests`. Names are case-insensitive; the values of a repeated name are joined.

use super::{Dictionary, group};
use crate::message::request::Request;
use crate::script::runtime::http_error::http_error;
use crate::system::truncate::beginning;
use rhai::{Array, Dynamic, EvalAltResult, ImmutableString};
use std::sync::Arc;

/// Header fields.
#[derive(Debug, Clone)]
pub(crate) enum Headers {
    Request(Arc<Request>),
    /// The fields of the uploaded file with this index.
    File(Arc<Request>, usize),
    /// The fields of a response of `requests`.
    Response(Arc<[(String, String)]>),
}

impl Headers {
    pub(crate) fn new(request: &Arc<Request>) -> Self {
        Self::Request(request.clone())
    }

    /// Creates the header fields of the uploaded file with index `part`.
    pub(crate) fn of_file(request: &Arc<Request>, part: usize) -> Self {
        Self::File(request.clone(), part)
    }

    /// Returns all fields. `Host` is that of a trusted proxy where there is one, as with Werkzeug's `ProxyFix`.
    fn fields(&self) -> Box<dyn Iterator<Item = (&str, &str)> + '_> {
        match self {
            Self::Request(request) => {
                let host = request.forwarded_host();
                Box::new(request.headers().map(move |(name, value)| match host {
                    Some(host) if "host".eq_ignore_ascii_case(name) => (name, host),
                    _ => (name, value),
                }))
            }
            Self::File(request, part) => {
                let file = request.form().ok().and_then(|form| form.files.get(*part));
                Box::new(pairs(file.map(|file| &*file.headers).unwrap_or_default()))
            }
            Self::Response(fields) => Box::new(pairs(fields)),
        }
    }
}

impl Dictionary for Headers {
    fn label(&self) -> &'static str {
        match self {
            Self::Request(_) => "request.headers",
            Self::File(..) => "file.headers",
            Self::Response(_) => "response.headers",
        }
    }

    /// Another server, and not the client, left a field of a response out.
    fn missing(&self, key: &str) -> Box<EvalAltResult> {
        let why = format!("`{}` has no `{}`", self.label(), beginning(key, 80));
        if matches!(self, Self::Response(_)) { why.into() } else { http_error(400, why) }
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
        let separator = if matches!(self, Self::Response(_)) { ", " } else { "," };
        let texts: Vec<_> = values.iter().filter_map(|value| value.as_immutable_string_ref().ok()).collect();
        texts.iter().map(|text| text.as_str()).collect::<Vec<_>>().join(separator).into()
    }

    /// Returns a pair, as for Flask's `for name, value in request.headers`.
    fn item(&self, name: ImmutableString, values: Vec<Dynamic>) -> Dynamic {
        let pair: Array = vec![name.into(), self.pick(values)];
        pair.into()
    }
}

fn pairs(fields: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    fields.iter().map(|(name, value)| (&**name, &**value))
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
