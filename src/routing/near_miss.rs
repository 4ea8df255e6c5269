//! Near misses: the rules that are closest to a request which no rule serves, and why each did not match. The search compares
//! each rule cheaply and without making text. It compares the closest rules once more, for their reasons.

mod differences;

use super::router::{Router, absolute, upper};
use crate::routing::index::key_of;
use crate::routing::pattern::Token;
use crate::routing::rule::{Rule, has_doubled_slash};
use differences::{Differences, fits, spans};
use smallvec::SmallVec;
use std::fmt;

/// Limit of listed misses.
const MOST: usize = 3;
/// Limit of rules that are compared a second time.
const CANDIDATES: usize = 24;
/// Limit of compared rules. Of a larger table, the later rules are not compared.
const MOST_RULES: usize = 20_000;
/// Limit of a path in bytes. The time to compare grows with the length, and people do not read longer paths.
const LONGEST_PATH: usize = 1024;

/// The cost of each difference. A misspelled word also costs its number of mistakes.
mod cost {
    pub(super) const CASE: usize = 1;
    pub(super) const SLASH: usize = 1;
    pub(super) const METHOD: usize = 2;
    pub(super) const HOST: usize = 2;
    pub(super) const SPELLING: usize = 2;
    pub(super) const VALUE: usize = 4;
    pub(super) const LENGTH: usize = 5;
    pub(super) const WORD: usize = 8;
    /// A rule that has no static part in common with the path is close up to this cost: that of one difference.
    pub(super) const ALONE: usize = LENGTH;
    /// A rule is listed up to this distance from the closest one.
    pub(super) const FARTHER: usize = WORD;
}

/// A rule that nearly serves a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Miss {
    pub rule: String,
    /// The methods that the rule was registered with.
    pub methods: String,
    /// Why the rule does not serve the request; at least one reason.
    pub reasons: Vec<String>,
}

/// `` `GET /orders/<int:id>`: `abc` is no int ``
impl fmt::Display for Miss {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "`{} {}`: {}", self.methods, self.rule, self.reasons.join("; "))
    }
}

impl Router {
    /// Returns the rules that are closest to `method` on `path` (as for [`Router::find`]) without serving it, closest first; none
    /// if no rule is similar. Without a `host`, hosts are not compared.
    pub fn explain(&self, method: &str, path: &str, host: Option<&str>) -> Vec<Miss> {
        let (method, path) = (upper(method), absolute(path));
        if path.len() > LONGEST_PATH {
            return Vec::new();
        }
        let key = key_of(&path);
        let request = RequestParts::new(&method, &path, &key, host);
        let mut misses: Vec<_> = self
            .candidates(&request)
            .into_iter()
            .filter_map(|index| self.explain_rule(index, &request))
            .collect();
        misses.sort_by_key(|(cost, index, _)| (*cost, *index));
        let far = misses.first().map_or(0, |(cost, ..)| cost + cost::FARTHER);
        let close = misses.into_iter().take(MOST).take_while(|(cost, ..)| *cost <= far);
        let miss = |(_, index, reasons)| {
            let rule: &Rule = &self.rules[index];
            Miss { rule: rule.display().into_owned(), methods: rule.listed_methods().join(","), reasons }
        };
        close.map(miss).collect()
    }

    /// Returns the places of the rules that are closest by their cost alone.
    fn candidates(&self, request: &RequestParts) -> Vec<usize> {
        let mut nearest: Vec<(usize, usize)> = Vec::with_capacity(CANDIDATES + 1);
        for (index, rule) in self.rules.iter().enumerate().take(MOST_RULES) {
            let mut differences = Differences::default();
            compare_path(rule, request, &mut differences);
            compare_beside_path(rule, request, &mut differences);
            let at = nearest.partition_point(|(cost, _)| *cost <= differences.cost);
            if differences.is_close() && at < CANDIDATES {
                nearest.insert(at, (differences.cost, index));
                nearest.truncate(CANDIDATES);
            }
        }
        nearest.into_iter().map(|(_, index)| index).collect()
    }

    /// Returns the cost of a rule, its place, and why it does not serve the request; `None` if it does, or is not close.
    fn explain_rule(&self, index: usize, request: &RequestParts) -> Option<(usize, usize, Vec<String>)> {
        let rule = &self.rules[index];
        let mut differences = Differences::with_reasons();
        let matches = rule.matches(request.path).is_some();
        if !matches {
            compare_path(rule, request, &mut differences);
        }
        let of_path = differences.cost;
        compare_beside_path(rule, request, &mut differences);
        if !matches && of_path == 0 {
            if has_doubled_slash(request.path) {
                differences.add(cost::SLASH, || "slashes are doubled".to_owned());
            } else {
                differences.add(cost::VALUE, || format!("`{}` does not fit", request.path));
            }
        }
        let close = differences.is_close();
        let reasons = differences.reasons.filter(|reasons| close && !reasons.is_empty())?;
        Some((differences.cost, index, reasons))
    }
}

/// The request, cut into the parts that rules are compared with.
struct RequestParts<'a> {
    method: &'a str,
    path: &'a str,
    host: Option<&'a str>,
    segments: Vec<&'a str>,
    /// Whether the path ends in a slash that is not its first one.
    slash: bool,
}

impl<'a> RequestParts<'a> {
    fn new(method: &'a str, path: &'a str, key: &'a str, host: Option<&'a str>) -> RequestParts<'a> {
        let segments = if key.is_empty() { Vec::new() } else { key.split('/').collect() };
        RequestParts { method, path, host, segments, slash: path.len() > 1 && path.ends_with('/') }
    }
}

/// The tokens between two slashes of a rule.
type Part<'r> = &'r [Token];

/// Compares the path: passes over segments that fit at both ends, and compares those between them one by one.
fn compare_path(rule: &Rule, request: &RequestParts, differences: &mut Differences) {
    let parts: SmallVec<[Part; 8]> =
        rule.tokens().split(|token| matches!(token, Token::Slash(_))).skip(1).collect();
    let (mut parts, mut segments) = (parts.as_slice(), request.segments.as_slice());
    let mut passes = |part: Part, segment: &str| {
        let fits = !spans(part) && fits(part, segment);
        differences.shared |= fits && matches!(part, [Token::Text(_)]);
        fits
    };
    while let ([part, other_parts @ ..], [segment, others @ ..]) = (parts, segments)
        && passes(part, segment)
    {
        (parts, segments) = (other_parts, others);
    }
    while let ([other_parts @ .., part], [others @ .., segment]) = (parts, segments)
        && passes(part, segment)
    {
        (parts, segments) = (other_parts, others);
    }
    if parts.iter().any(|part| spans(part)) {
        let all = parts.len() == 1 && parts[0].len() == 1 && !segments.is_empty();
        if !all {
            differences.add_stretch(parts, segments);
        }
    } else {
        for (part, segment) in parts.iter().zip(segments) {
            match part {
                [Token::Text(text)] => differences.add_word(text, segment),
                part if fits(part, segment) => {}
                part => differences.add_value(part, segment),
            }
        }
        let both = parts.len().min(segments.len());
        if parts.len() != segments.len() {
            differences.add_length(&parts[both..], &segments[both..]);
        }
    }
    if request.slash && !rule.takes_slash() {
        differences.add(cost::SLASH, || "a slash too many at the end".to_owned());
    }
}

/// Compares method and host.
fn compare_beside_path(rule: &Rule, request: &RequestParts, differences: &mut Differences) {
    if !rule.serves(request.method) {
        let listed = || rule.listed_methods().join(", ");
        differences
            .add(cost::METHOD, || format!("the method is {}, the rule takes {}", request.method, listed()));
    }
    if let Some((hosts, host)) = rule.host().zip(request.host)
        && hosts.matches(host).is_none()
    {
        differences
            .add(cost::HOST, || format!("the host is `{host}`, the rule is for `{}`", hosts.display()));
    }
}

#[cfg(test)]
mod tests;
