//! How far a rule is from a request, in little time: the spelling of words is estimated. Makes no text.

use super::{DifferenceVisitor, LONGEST_WORD, Part, Segment, cost, spans};
use crate::routing::host::HostPattern;
use crate::routing::rule::Rule;
use crate::system::spelling::allowed;

/// How far a rule is away at first sight.
#[derive(Default)]
pub(super) struct Estimate {
    /// Sum of the differences.
    pub cost: usize,
    /// Whether a static part is there, if misspelled.
    pub shared: bool,
}

impl Estimate {
    /// Whether it is worth telling.
    pub(super) fn is_close(&self) -> bool {
        self.shared || self.cost <= cost::ALONE
    }
}

impl DifferenceVisitor for Estimate {
    fn same(&mut self) {
        self.shared = true;
    }

    fn word(&mut self, text: &str, asked: &Segment) {
        let close = if text.eq_ignore_ascii_case(asked.text) {
            Some(cost::CASE)
        } else {
            estimate_mistakes(text, asked).map(|mistakes| cost::SPELLING + mistakes)
        };
        self.shared |= close.is_some();
        self.cost += close.unwrap_or(cost::WORD);
    }

    fn value(&mut self, _: Part, _: &Segment) {
        self.cost += cost::VALUE;
    }

    fn length(&mut self, missing: &[Part], superfluous: &[Segment]) {
        self.cost += cost::LENGTH * (missing.len() + superfluous.len());
    }

    fn stretch(&mut self, parts: &[Part], asked: &[Segment]) {
        self.cost += cost::WORD * parts.iter().filter(|part| !spans(part)).count();
        self.cost += cost::LENGTH * parts.len().saturating_sub(asked.len()) + cost::VALUE;
    }

    fn slash(&mut self) {
        self.cost += cost::SLASH;
    }

    fn method(&mut self, _: &Rule, _: &str) {
        self.cost += cost::METHOD;
    }

    fn host(&mut self, _: &HostPattern, _: &str) {
        self.cost += cost::HOST;
    }
}

/// About how many mistakes lie between two words, where it may be few. What lies between an equal start and an equal end are
/// at most that many; letters that only one of them has are at least half as many.
fn estimate_mistakes(text: &str, asked: &Segment) -> Option<usize> {
    let (a, b) = (text.as_bytes(), asked.text.as_bytes());
    let (longer, shorter) = (a.len().max(b.len()), a.len().min(b.len()));
    let few = allowed(longer);
    if longer - shorter > few || longer > LONGEST_WORD {
        return None;
    }
    let start = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let end = a.iter().rev().zip(b.iter().rev()).take(shorter - start).take_while(|(a, b)| a == b).count();
    let between = longer - start - end;
    if between <= few {
        return Some(between);
    }
    let mut letters = asked.letters;
    let mut others = 0;
    for byte in a {
        match &mut letters[usize::from(byte & 31)] {
            0 => others += 1,
            count => *count -= 1,
        }
    }
    let left: usize = letters.iter().map(|count| usize::from(*count)).sum();
    let least = others.max(left);
    // The truth is somewhere between.
    (least <= few).then_some(least + 1 + (between - least) / 4)
}
