//! The rule table: path and method -> rule, redirect, 405 or 404, in Werkzeug's order and at a cost that does not depend on the
//! number of rules; endpoint and values -> URL.

use crate::routing::index::{RankedRule, RuleIndex, key_of};
use crate::routing::quoting::decode_path;
use crate::routing::rule::Rule;
use crate::routing::value::Value;
use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::iter;

/// All rules of a provision.
#[derive(Debug, Default)]
pub struct Router {
    pub(super) rules: Vec<Rule>,
    /// Their indices in the order of matching.
    order: Vec<usize>,
    index: RuleIndex,
    /// Rules of each endpoint in the order in which `url_for` tries them.
    endpoints: HashMap<String, Vec<usize>>,
    has_defaults: bool,
    has_hosts: bool,
}

/// What a path and a method lead to.
#[derive(Debug, PartialEq)]
#[expect(clippy::enum_variant_names, reason = "404 is called so")]
pub enum Found {
    Rule {
        /// Place of the rule in the order of registration.
        index: usize,
        /// Its values, in the order of [`Rule::variables`].
        values: Vec<Value>,
    },
    /// 308 to this path (not encoded; the query is kept).
    Redirect { path: String },
    /// 308 to what `redirect_to` of this rule says.
    Moved {
        /// Place of the rule in the order of registration.
        index: usize,
        url: String,
    },
    /// 405.
    MethodNotAllowed {
        /// What `Allow` lists, sorted.
        allow: Vec<String>,
    },
    /// 404.
    NotFound,
}

impl Router {
    /// Builds the table. A rule's index is its place in `rules`.
    pub fn new(rules: Vec<Rule>) -> Router {
        let mut order: Vec<usize> = (0..rules.len()).collect();
        order.sort_by_cached_key(|&index| (rules[index].priority(), index));
        let mut rule_index = RuleIndex::default();
        for (rank, &index) in (0..).zip(&order) {
            let rule = &rules[index];
            // No table has more rules than memory holds, let alone 2^32.
            rule_index.insert(RankedRule { rank, index: index as u32 }, rule.tokens(), rule.is_fixed());
        }
        let has_defaults = rules.iter().any(|rule| !rule.defaults().is_empty());
        let has_hosts = rules.iter().any(|rule| rule.host().is_some());
        Router { endpoints: endpoints(&rules), rules, order, index: rule_index, has_defaults, has_hosts }
    }

    /// The rules in order of registration.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Whether any rule is for some hosts only: else nobody needs to find out what host a request names.
    pub fn has_hosts(&self) -> bool {
        self.has_hosts
    }

    /// [`Router::find_at`] without a host: rules that are for some hosts only are passed over.
    pub fn find(&self, method: &str, path: &str) -> Found {
        self.find_at(method, path, None)
    }

    /// Finds what serves `method` (any case) on `path`, which is percent-decoded ([`decode_path`]) and has no query. The first
    /// rule in order that matches and serves the method decides, if only by a redirect. `host` may have a port.
    pub fn find_at(&self, method: &str, path: &str, host: Option<&str>) -> Found {
        let method = upper(method);
        let path = absolute(path);
        let key = key_of(&path);
        let mut allow: Vec<&str> = Vec::new();
        let variable = iter::once_with(|| self.index.variable(&key)).flatten();
        for ranked in self.index.fixed(&key).chain(variable) {
            let index = ranked.index as usize;
            let rule = &self.rules[index];
            let Some(mut matched) = rule.matches(&path) else { continue };
            if let Some(own) = rule.host() {
                let Some(values) = host.and_then(|host| own.matches(host)) else { continue };
                matched.values.extend(values);
            }
            if !rule.serves(&method) {
                allow.extend(rule.methods().iter().map(String::as_str));
                continue;
            }
            let redirect =
                matched.redirect.or_else(|| self.default_redirect(index, &method, &matched.values));
            return match (redirect, rule.redirect_to(&matched.values)) {
                (Some(path), _) => Found::Redirect { path },
                (None, Some(url)) => Found::Moved { index, url },
                (None, None) => Found::Rule { index, values: matched.values },
            };
        }
        if allow.is_empty() {
            return Found::NotFound;
        }
        allow.sort_unstable();
        allow.dedup();
        Found::MethodNotAllowed { allow: allow.into_iter().map(str::to_owned).collect() }
    }

    /// Values of rule `index`, which serves `path` on `host` (as for [`Router::find_at`]).
    pub fn values(&self, index: usize, path: &str, host: Option<&str>) -> Vec<Value> {
        let rule = &self.rules[index];
        let mut values = rule.matches(&absolute(path)).map(|matched| matched.values).unwrap_or_default();
        values.extend(rule.host().zip(host).and_then(|(rule, host)| rule.matches(host)).unwrap_or_default());
        values
    }

    /// Methods of all rules that match `path` on `host` (as for [`Router::find_at`]), sorted: `Allow` of automatic OPTIONS.
    pub fn allowed(&self, path: &str, host: Option<&str>) -> Vec<String> {
        // No rule serves it, so all that match are asked.
        match self.find_at("", path, host) {
            Found::MethodNotAllowed { allow } => allow,
            _ => Vec::new(),
        }
    }

    /// The URL of the first rule of `endpoint` that these values suit, rules that serve GET before others. None if there is
    /// none.
    pub fn url_for(&self, endpoint: &str, values: &[(String, Value)]) -> Option<String> {
        let rules = self.endpoints.get(endpoint)?.iter().map(|&index| &self.rules[index]);
        let (get, others): (Vec<_>, Vec<_>) = rules.partition(|rule| rule.serves("GET"));
        get.into_iter().chain(others).find_map(|rule| rule.build(values))
    }

    /// Rules that never serve, each with the rule that takes its requests: an earlier one of the same shape, or of the
    /// widest such. Several may share
    /// the methods; then it is the one that takes the first method.
    pub fn shadowed(&self) -> Vec<(usize, usize)> {
        let mut shapes: HashMap<String, Vec<usize>> = HashMap::new();
        let mut shadowed = Vec::new();
        for &index in &self.order {
            let rule = &self.rules[index];
            let shape = rule.shape();
            let widest = Some(rule.widest_shape()).filter(|widest| *widest != shape);
            let earlier = [Some(&shape), widest.as_ref()].into_iter().flatten();
            let earlier: Vec<usize> =
                earlier.filter_map(|shape| shapes.get(shape)).flatten().copied().collect();
            let winner = |method| {
                earlier.iter().copied().find(|&winner| {
                    let winner = &self.rules[winner];
                    winner.serves(method) && winner.covers(rule)
                })
            };
            let winners: Option<Vec<usize>> = rule.listed_methods().into_iter().map(winner).collect();
            match winners.as_deref() {
                Some([winner, ..]) => shadowed.push((index, *winner)),
                _ => shapes.entry(shape).or_default().push(index),
            }
        }
        shadowed.sort_unstable();
        shadowed
    }

    /// A rule with defaults is the one URL for these values: `/page/1` goes to `/`, if `/` has the default `page` 1 and the same
    /// endpoint (Werkzeug's `redirect_defaults`).
    fn default_redirect(&self, index: usize, method: &str, values: &[Value]) -> Option<String> {
        if !self.has_defaults {
            return None;
        }
        let rule = &self.rules[index];
        let names = rule.variables();
        let values: Vec<(String, Value)> =
            names.iter().map(|name| (*name).to_owned()).zip(values.iter().cloned()).collect();
        let same_names = |other: &Rule| {
            let others = other.variables();
            others.len() == names.len() && others.iter().all(|name| names.contains(name))
        };
        let better = self.endpoints.get(rule.endpoint())?.iter().take_while(|&&other| other != index);
        let better = better.map(|&other| &self.rules[other]).find(|other| {
            !other.defaults().is_empty()
                && other.serves(method)
                && same_names(other)
                && !other.same_url(rule)
                && other.suits(&values)
        })?;
        better.build(&values).map(|url| decode_path(&url).into_owned())
    }
}

/// Rules by endpoint, those with more variables and then more defaults first, as Werkzeug tries them for URLs.
fn endpoints(rules: &[Rule]) -> HashMap<String, Vec<usize>> {
    let mut endpoints: HashMap<String, Vec<usize>> = HashMap::new();
    for (index, rule) in rules.iter().enumerate() {
        endpoints.entry(rule.endpoint().to_owned()).or_default().push(index);
    }
    for indices in endpoints.values_mut() {
        indices.sort_by_key(|&index| {
            (Reverse(rules[index].variables().len()), Reverse(rules[index].defaults().len()))
        });
    }
    endpoints
}

pub(super) fn upper(method: &str) -> Cow<'_, str> {
    let lower = method.bytes().any(|byte| byte.is_ascii_lowercase());
    if lower { method.to_ascii_uppercase().into() } else { method.into() }
}

/// The path with exactly one slash at its start. Werkzeug drops the others without a redirect, and takes `*` for `/*`.
pub(super) fn absolute(path: &str) -> Cow<'_, str> {
    match path.as_bytes() {
        [b'/'] => path.into(),
        [b'/', next, ..] if *next != b'/' => path.into(),
        _ => format!("/{}", path.trim_start_matches('/')).into(),
    }
}

#[cfg(test)]
mod tests;
