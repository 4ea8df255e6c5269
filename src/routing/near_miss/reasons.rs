//! The differences between a rule and a request in words.

use super::estimate::Estimate;
use super::{DifferenceVisitor, LONGEST_WORD, Part, Segment, cost};
use crate::routing::host::HostPattern;
use crate::routing::pattern::Token;
use crate::routing::rule::Rule;
use crate::system::spelling::{allowed, distance};

/// The differences in words, and what they count.
#[derive(Default)]
pub(super) struct Reasons {
    /// Sum of the differences.
    pub cost: usize,
    /// Whether a static part is there, if misspelled.
    pub shared: bool,
    pub texts: Vec<String>,
}

impl Reasons {
    pub(super) fn add(&mut self, cost: usize, reason: String) {
        self.cost += cost;
        self.texts.push(reason);
    }
}

impl DifferenceVisitor for Reasons {
    fn same(&mut self) {
        self.shared = true;
    }

    fn word(&mut self, text: &str, Segment { text: asked, .. }: &Segment) {
        let few = allowed(text.len().max(asked.len()));
        if text.eq_ignore_ascii_case(asked) {
            self.shared = true;
            return self.add(cost::CASE, format!("`{asked}` is `{text}` in other case"));
        }
        let short = text.len().max(asked.len()) <= LONGEST_WORD;
        match Some(()).filter(|()| short).map(|()| distance(text, asked)) {
            Some(mistakes) if mistakes <= few && mistakes < text.len() => {
                self.shared = true;
                self.add(cost::SPELLING + mistakes, format!("`{asked}` is nearly `{text}`"));
            }
            _ => self.add(cost::WORD, format!("`{asked}` is not `{text}`")),
        }
    }

    fn value(&mut self, part: Part, asked: &Segment) {
        let reason = match part {
            [Token::Variable(variable)] => format!("`{}` is no {}", asked.text, variable.converter),
            part => format!("`{}` does not fit `{}`", asked.text, display(&[part])),
        };
        self.add(cost::VALUE, reason);
    }

    fn length(&mut self, missing: &[Part], superfluous: &[Segment]) {
        let (count, word) =
            (missing.len() + superfluous.len(), if missing.is_empty() { "many" } else { "few" });
        let which = if missing.is_empty() { joined(superfluous) } else { display(missing) };
        let segments = if count == 1 { "a segment".to_owned() } else { format!("{count} segments") };
        self.add(cost::LENGTH * count, format!("{segments} too {word}: `{which}`"));
    }

    fn stretch(&mut self, parts: &[Part], asked: &[Segment]) {
        let mut estimate = Estimate::default();
        estimate.stretch(parts, asked);
        let reason = match asked {
            [] => format!("nothing is there for `{}`", display(parts)),
            asked => format!("`{}` does not fit `{}`", joined(asked), display(parts)),
        };
        self.add(estimate.cost, reason);
    }

    fn slash(&mut self) {
        self.add(cost::SLASH, "a slash too many at the end".to_owned());
    }

    fn method(&mut self, rule: &Rule, asked: &str) {
        let listed = rule.listed_methods().join(", ");
        self.add(cost::METHOD, format!("the method is {asked}, the rule takes {listed}"));
    }

    fn host(&mut self, rule: &HostPattern, asked: &str) {
        self.add(cost::HOST, format!("the host is `{asked}`, the rule is for `{}`", rule.display()));
    }
}

fn joined(segments: &[Segment]) -> String {
    segments.iter().map(|segment| segment.text).collect::<Vec<_>>().join("/")
}

fn display(parts: &[Part]) -> String {
    let token = |token: &Token| match token {
        Token::Slash(_) => "/".to_owned(),
        Token::Text(text) => text.to_string(),
        Token::Variable(variable) => format!("<{}:{}>", variable.converter, variable.name),
    };
    parts.iter().map(|part| part.iter().map(token).collect::<String>()).collect::<Vec<_>>().join("/")
}
