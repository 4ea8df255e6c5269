//! Near misses: the rules that are closest to a request which none serves, and why each did not match. Only for those who ask:
//! it goes through the rules, with a few comparisons for each; what costs more is left to the few that look closest.

mod estimate;
mod reasons;

use super::router::{Router, absolute, upper};
use crate::routing::converter::Converter;
use crate::routing::host::HostPattern;
use crate::routing::index::key_of;
use crate::routing::pattern::Token;
use crate::routing::rule::{Rule, has_doubled_slash};
use estimate::Estimate;
use reasons::Reasons;
use smallvec::SmallVec;
use std::fmt;

/// Most misses that are listed.
const MOST: usize = 3;
/// Rules that look closest at first sight, and are looked at once more.
const CANDIDATES: usize = 24;
/// Rules of a larger table, from here on, are not looked at.
const MOST_RULES: usize = 20_000;
/// Nobody reads longer paths, and comparing takes time in proportion.
const LONGEST_PATH: usize = 1024;
/// Longest segment whose spelling is looked at.
const LONGEST_WORD: usize = 64;

/// What each difference counts; a word that is nearly right counts its mistakes, too.
mod cost {
    pub(super) const CASE: usize = 1;
    pub(super) const SLASH: usize = 1;
    pub(super) const METHOD: usize = 2;
    pub(super) const HOST: usize = 2;
    pub(super) const SPELLING: usize = 2;
    pub(super) const VALUE: usize = 4;
    pub(super) const LENGTH: usize = 5;
    pub(super) const WORD: usize = 8;
    /// A rule that has nothing in common with the path is close if there is only one difference.
    pub(super) const ALONE: usize = LENGTH;
    /// A rule that much farther than the closest one is none of the closest.
    pub(super) const FARTHER: usize = WORD;
}

/// A rule that nearly serves a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Miss {
    pub rule: String,
    /// The methods that it was registered with.
    pub methods: String,
    /// Why it does not serve the request, one reason at least.
    pub reasons: Vec<String>,
}

/// `` `GET /orders/<int:id>`: `abc` is no int ``
impl fmt::Display for Miss {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "`{} {}`: {}", self.methods, self.rule, self.reasons.join("; "))
    }
}

impl Router {
    /// The rules that are closest to `method` on `path` (as for [`Router::find`]) without serving it, closest first; none
    /// where nothing is like it. Without a `host`, hosts are not compared.
    pub fn explain(&self, method: &str, path: &str, host: Option<&str>) -> Vec<Miss> {
        let (method, path) = (upper(method), absolute(path));
        if path.len() > LONGEST_PATH {
            return Vec::new();
        }
        let key = key_of(&path);
        let asked = RequestParts { host, ..RequestParts::new(&method, &path, &key) };
        let misses = self.candidates(&asked);
        let far = misses.first().map_or(0, |(cost, ..)| cost + cost::FARTHER);
        let close = misses.into_iter().take(MOST).take_while(|(cost, ..)| *cost <= far);
        close.map(|(_, index, reasons)| Miss::new(&self.rules[index], reasons)).collect()
    }

    /// What each rule is away that may be one of the closest, and why; the closest first.
    fn candidates(&self, asked: &RequestParts) -> Vec<(usize, usize, Vec<String>)> {
        let mut nearest: Vec<(usize, usize)> = Vec::with_capacity(CANDIDATES + 1);
        for (index, rule) in self.rules.iter().enumerate().take(MOST_RULES) {
            let mut estimate = Estimate::default();
            compare(rule, asked, &mut estimate);
            let farthest = nearest.last().filter(|_| nearest.len() == CANDIDATES);
            if estimate.is_close() && farthest.is_none_or(|(cost, _)| estimate.cost < *cost) {
                let at = nearest.partition_point(|(cost, _)| *cost <= estimate.cost);
                nearest.insert(at, (estimate.cost, index));
                nearest.truncate(CANDIDATES);
            }
        }
        let mut misses: Vec<(usize, usize, Vec<String>)> = Vec::new();
        for (_, index) in nearest {
            if let Some(miss) = explain_rule(&self.rules[index], asked, index) {
                let at = misses.partition_point(|(cost, index, _)| (*cost, *index) < (miss.0, miss.1));
                misses.insert(at, miss);
            }
        }
        misses
    }
}

impl Miss {
    fn new(rule: &Rule, reasons: Vec<String>) -> Miss {
        Miss { rule: rule.display().into_owned(), methods: rule.listed_methods().join(","), reasons }
    }
}

/// The request, cut into what rules are compared with.
struct RequestParts<'a> {
    method: &'a str,
    path: &'a str,
    host: Option<&'a str>,
    segments: Vec<Segment<'a>>,
    /// Whether it ends in a slash that is not the first one.
    slash: bool,
}

struct Segment<'a> {
    text: &'a str,
    /// How often each letter occurs, letters with the same five low bits counted as one.
    letters: [u8; 32],
}

impl<'a> RequestParts<'a> {
    fn new(method: &'a str, path: &'a str, key: &'a str) -> RequestParts<'a> {
        let segment = |text: &'a str| {
            let mut letters = [0_u8; 32];
            text.bytes().for_each(|byte| {
                let count = &mut letters[usize::from(byte & 31)];
                *count = count.saturating_add(1);
            });
            Segment { text, letters }
        };
        let segments = if key.is_empty() { Vec::new() } else { key.split('/').map(segment).collect() };
        RequestParts { method, path, host: None, segments, slash: path.len() > 1 && path.ends_with('/') }
    }
}

/// What lies between two slashes of a rule.
type Part<'r> = &'r [Token];

/// Takes the differences of a rule as they are found.
trait DifferenceVisitor {
    /// A static part that is right.
    fn same(&mut self);
    /// A static part that another text stands for.
    fn word(&mut self, text: &str, asked: &Segment);
    /// A part with variables that do not take the text.
    fn value(&mut self, part: Part, asked: &Segment);
    /// More or fewer segments than the rule has.
    fn length(&mut self, missing: &[Part], superfluous: &[Segment]);
    /// Segments that do not fit around a variable that takes several.
    fn stretch(&mut self, parts: &[Part], asked: &[Segment]);
    /// A slash at the end that is too many.
    fn slash(&mut self);
    fn method(&mut self, rule: &Rule, asked: &str);
    fn host(&mut self, rule: &HostPattern, asked: &str);
}

/// Finds the differences: segments that are equal at both ends are passed by, those between are compared one by one.
fn compare(rule: &Rule, asked: &RequestParts, visitor: &mut dyn DifferenceVisitor) {
    let parts: SmallVec<[Part; 8]> =
        rule.tokens().split(|token| matches!(token, Token::Slash(_))).skip(1).collect();
    let (mut parts, mut segments) = (parts.as_slice(), asked.segments.as_slice());
    while let ([part, other @ ..], [segment, rest @ ..]) = (parts, segments) {
        if !passes(part, segment, visitor) {
            break;
        }
        (parts, segments) = (other, rest);
    }
    while let ([other @ .., part], [rest @ .., segment]) = (parts, segments) {
        if !passes(part, segment, visitor) {
            break;
        }
        (parts, segments) = (other, rest);
    }
    if parts.iter().any(|part| spans(part)) {
        let all = parts.len() == 1 && parts[0].len() == 1 && !segments.is_empty();
        if !all {
            visitor.stretch(parts, segments);
        }
    } else {
        for (part, segment) in parts.iter().zip(segments) {
            match part {
                [Token::Text(text)] if **text == *segment.text => visitor.same(),
                [Token::Text(text)] => visitor.word(text, segment),
                part if fits(part, segment.text) => {}
                part => visitor.value(part, segment),
            }
        }
        let both = parts.len().min(segments.len());
        if parts.len() != segments.len() {
            visitor.length(&parts[both..], &segments[both..]);
        }
    }
    if asked.slash && !rule.takes_slash() {
        visitor.slash();
    }
    if !rule.serves(asked.method) {
        visitor.method(rule, asked.method);
    }
    if let Some((rule, host)) = other_host(rule, asked) {
        visitor.host(rule, host);
    }
}

/// The hosts of the rule and that of the request, where they differ.
fn other_host<'a>(rule: &'a Rule, asked: &RequestParts<'a>) -> Option<(&'a HostPattern, &'a str)> {
    let (rule, host) = (rule.host()?, asked.host?);
    rule.matches(host).is_none().then_some((rule, host))
}

fn passes(part: Part, segment: &Segment, visitor: &mut dyn DifferenceVisitor) -> bool {
    let fits = !spans(part) && fits(part, segment.text);
    if fits && matches!(part, [Token::Text(_)]) {
        visitor.same();
    }
    fits
}

fn spans(part: Part) -> bool {
    part.iter().any(|token| matches!(token, Token::Variable(variable) if variable.converter.spans_segments()))
}

/// Whether a part takes a segment; of several variables in one part only the text around them is looked at.
fn fits(part: Part, text: &str) -> bool {
    match part {
        [Token::Variable(variable)] => takes(&variable.converter, text),
        [Token::Text(prefix), rest @ ..] => text
            .strip_prefix(&**prefix)
            .is_some_and(|text| if rest.is_empty() { text.is_empty() } else { fits(rest, text) }),
        [rest @ .., Token::Text(suffix)] => text.strip_suffix(&**suffix).is_some_and(|text| fits(rest, text)),
        _ => !text.is_empty(),
    }
}

fn takes(converter: &Converter, text: &str) -> bool {
    converter.ends(text, 0, |end| end == text.len()) && converter.convert(text).is_some()
}

/// What `rule` is away, its place in the table, and why it does not serve the request; none where it does or is not close.
fn explain_rule(rule: &Rule, asked: &RequestParts, index: usize) -> Option<(usize, usize, Vec<String>)> {
    let mut reasons = Reasons::default();
    if rule.matches(asked.path).is_some() {
        if !rule.serves(asked.method) {
            reasons.method(rule, asked.method);
        }
        if let Some((rule, host)) = other_host(rule, asked) {
            reasons.host(rule, host);
        }
        if reasons.texts.is_empty() {
            return None;
        }
        return Some((reasons.cost, index, reasons.texts));
    }
    compare(rule, asked, &mut reasons);
    let besides = usize::from(!rule.serves(asked.method)) + usize::from(other_host(rule, asked).is_some());
    let of_path = reasons.texts.len() - besides;
    if of_path == 0 && has_doubled_slash(asked.path) {
        reasons.add(cost::SLASH, "slashes are doubled".to_owned());
    } else if of_path == 0 {
        reasons.add(cost::VALUE, format!("`{}` does not fit", asked.path));
    }
    let close = Estimate { cost: reasons.cost, shared: reasons.shared }.is_close();
    close.then_some((reasons.cost, index, reasons.texts))
}

#[cfg(test)]
mod tests;
