//! The text format of Prometheus, version 0.0.4: each family has its help and type, then its samples.

use std::fmt::{Display, Write};

pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Writes a page.
#[derive(Default)]
pub(super) struct Exposition(String);

impl Exposition {
    /// Begins a family: a counter where its name ends with `_total`, else a gauge.
    pub(super) fn family(&mut self, name: &str, help: &str) {
        self.begin(name, if name.ends_with("_total") { "counter" } else { "gauge" }, help);
    }

    /// Begins the family of a histogram.
    pub(super) fn histogram(&mut self, name: &str, help: &str) {
        self.begin(name, "histogram", help);
    }

    fn begin(&mut self, name: &str, kind: &str, help: &str) {
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// Adds a sample to the family that was begun last.
    pub(super) fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: &dyn Display) {
        self.0.push_str(name);
        for (number, (label, text)) in labels.iter().enumerate() {
            let begin = if number == 0 { '{' } else { ',' };
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.0, "{begin}{label}=\"{text}\"");
        }
        let end = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.0, "{end} {value}");
    }

    /// Adds a family with one sample, which has no labels.
    pub(super) fn single(&mut self, name: &str, help: &str, value: &dyn Display) {
        self.family(name, help);
        self.sample(name, &[], value);
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }
}

pub(super) fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_and_labels_are_escaped() {
        let mut page = Exposition::default();
        page.family("a_total", "a \"help\"\nwith \\");
        page.sample("a_total", &[("rule", "/\"x\"\\\n"), ("m", "GET")], &3);
        page.single("b", "b", &0.25);
        let expected = "# HELP a_total a \"help\"\\nwith \\\\\n# TYPE a_total counter\n\
                        a_total{rule=\"/\\\"x\\\"\\\\\\n\",m=\"GET\"} 3\n\
                        # HELP b b\n# TYPE b gauge\nb 0.25\n";
        assert_eq!(page.into_text(), expected);
    }

    #[test]
    fn times_keep_their_nanoseconds() {
        assert_eq!(seconds(10_000).to_string(), "0.00001");
        assert_eq!(seconds(2_500_000_000).to_string(), "2.5");
    }
}
