//! `request.accept_mimetypes`: content negotiation by the `Accept` header, for example
//! `request.accept_mimetypes.best_match(["application/json", "text/html"])`.

use crate::script::runtime::natives::{Fallible, Natives};
use crate::script::runtime::size_limits::full_text;
use rhai::{Array, Dynamic};
use std::cmp::Ordering;

/// The value of an `Accept` header; empty where the client sent none.
#[derive(Debug, Clone)]
pub(super) struct Accept {
    header: String,
}

/// One media range with its parameters in lower case, and its quality from 0 to 1.
struct Range {
    text: String,
    quality: f64,
}

impl Accept {
    pub(super) fn new(header: Option<String>) -> Self {
        Self { header: header.unwrap_or_default() }
    }

    /// Returns the ranges: the most specific first, then by quality (RFC 9110, section 12.5.1).
    fn ranges(&self) -> Vec<Range> {
        let mut ranges: Vec<Range> = self.header.split(',').filter_map(Range::parse).collect();
        ranges.sort_by(|a, b| b.rank().partial_cmp(&a.rank()).unwrap_or(Ordering::Equal));
        ranges
    }

    /// Returns the quality of `mimetype`, or 0 where no range matches it.
    fn quality(&self, mimetype: &str) -> f64 {
        self.ranges().iter().find(|range| range.takes(mimetype)).map_or(0.0, |range| range.quality)
    }

    /// Returns the offer with the best quality. Between equal offers, the more specific range wins, then the earlier offer.
    fn best_match(&self, offers: &Array, default: Dynamic) -> Fallible<Dynamic> {
        let ranges = self.ranges();
        let mut best = (0.0, Vec::new());
        let mut result = default;
        for offer in offers {
            let name = full_text("best_match", offer)?;
            if !name.contains('/') {
                return Err(
                    format!("`best_match` takes media types such as `text/html`, not `{name}`").into()
                );
            }
            let Some(range) = ranges.iter().find(|range| range.takes(&name)) else { continue };
            let rank = (range.quality, range.specificity());
            if range.quality > 0.0 && rank > best {
                (best, result) = (rank, offer.clone());
            }
        }
        Ok(result)
    }

    fn accepts_any(&self, mimetypes: &[&str]) -> bool {
        let ranges = self.ranges();
        mimetypes.iter().any(|mimetype| ranges.iter().any(|range| range.takes(mimetype)))
    }
}

impl Range {
    fn parse(text: &str) -> Option<Self> {
        let text = normal(text);
        // RFC 9110 (section 12.5.1) defines no parameter after the weight, so the rest is ignored.
        let (range, quality) = match text.split_once(";q=") {
            Some((range, rest)) => (range, rest.split(';').next().unwrap_or_default().parse().unwrap_or(1.0)),
            None => (text.as_str(), 1.0_f64),
        };
        (!range.is_empty()).then(|| Self { text: range.to_owned(), quality: quality.clamp(0.0, 1.0) })
    }

    /// Returns a flag for type, subtype and each parameter: false for `*`.
    fn specificity(&self) -> Vec<bool> {
        self.text.split(['/', ';']).map(|part| part != "*").collect()
    }

    fn rank(&self) -> (Vec<bool>, f64) {
        (self.specificity(), self.quality)
    }

    fn takes(&self, mimetype: &str) -> bool {
        match self.text.split_once('/') {
            Some(("*", subtype)) => subtype == "*",
            Some((kind, "*")) => mimetype.split('/').next().is_some_and(|own| own.eq_ignore_ascii_case(kind)),
            Some(_) => self.text == normal(mimetype),
            None => false,
        }
    }
}

/// Returns a media type in lower case, without spaces around its parameters.
fn normal(text: &str) -> String {
    let parts: Vec<&str> = text.split(';').map(str::trim).collect();
    parts.join(";").to_ascii_lowercase()
}

pub(super) fn register(natives: &mut Natives) {
    natives
        .register_type_with_name::<Accept>("MIMEAccept")
        .register_optional(
            "best_match",
            Dynamic::UNIT,
            |accept: &mut Accept, offers: Array, default: Dynamic| accept.best_match(&offers, default),
        )
        .register_fn("quality", |accept: &mut Accept, mimetype: &str| accept.quality(mimetype))
        .register_indexer_get(|accept: &mut Accept, mimetype: &str| accept.quality(mimetype))
        .register_fn("contains", |accept: &mut Accept, mimetype: &str| accept.accepts_any(&[mimetype]))
        .register_get("accept_json", |accept: &mut Accept| accept.accepts_any(&["application/json"]))
        .register_get("accept_html", |accept: &mut Accept| {
            accept.accepts_any(&["text/html", "application/xhtml+xml", "application/xml"])
        })
        .register_fn("to_string", |accept: &mut Accept| accept.header.clone())
        .register_fn("to_debug", |accept: &mut Accept| accept.header.clone());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Columns: the header; the best match of JSON and HTML; whether JSON is accepted; the quality of HTML. As in Werkzeug.
    #[test]
    fn the_best_match_is_the_one_of_werkzeug() {
        let cases = [
            ("text/html,application/json;q=0.9", "text/html", true, 1.0),
            ("*/*", "application/json", true, 1.0),
            ("application/json;q=0", "()", true, 0.0),
            ("text/*;q=.5, application/json;q=0", "text/html", true, 0.5),
            ("text/html;q=0.5, */*;q=0.5", "text/html", true, 0.5),
            ("Application/JSON ; q=1, text/html;q=0.2", "application/json", true, 0.2),
            ("application/json;v=1, a/b;q=1.5;ext=2", "()", false, 0.0),
            ("text/html;q=x", "text/html", false, 1.0),
            ("json", "()", false, 0.0),
            ("*/json,,;", "()", false, 0.0),
            ("", "()", false, 0.0),
        ];
        let offers: Array = vec!["application/json".into(), "text/html".into()];
        for (header, best, json, html) in cases {
            let accept = Accept::new(Some(header.to_owned()));
            let chosen = accept.best_match(&offers, "()".into()).unwrap();
            assert_eq!(chosen.to_string(), best, "{header}");
            assert_eq!(accept.accepts_any(&["application/json"]), json, "{header}");
            assert_eq!(accept.quality("text/html"), html, "{header}");
        }
        let error =
            Accept::new(None).best_match(&vec!["html".into()], Dynamic::UNIT).unwrap_err().to_string();
        assert!(error.contains("`best_match` takes media types such as `text/html`, not `html`"), "{error}");
    }
}
