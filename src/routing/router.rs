//! The rule table: path and method -> rule, redirect, 405 or 404, and endpoint and values -> URL. Rules are tried in Werkzeug's
//! order, at a cost that does not depend on their number.

use crate::routing::index::{RankedRule, RuleIndex, key_of};
use crate::routing::method::{ANY, COMMON};
use crate::routing::quoting::decode_path;
use crate::routing::rule::Rule;
use crate::routing::shadows::Shapes;
use crate::routing::value::Value;
use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::iter;

/// All rules of a provision.
#[derive(Debug, Default)]
pub struct Router {
    pub(super) rules: Vec<Rule>,
    /// Indices of the rules in the order of matching.
    order: Vec<usize>,
    index: RuleIndex,
    /// Rules of each endpoint in the order in which `url_for` tries them.
    endpoints: HashMap<String, Vec<usize>>,
    has_defaults: bool,
    has_hosts: bool,
}

/// The outcome of a search by method and path.
#[derive(Debug, PartialEq)]
#[expect(clippy::enum_variant_names, reason = "the name of 404 is Not Found")]
pub enum Found {
    Rule {
        /// Place of the rule in the order of registration.
        index: usize,
        /// The values in the order of [`Rule::variables`].
        values: Vec<Value>,
    },
    /// 308 to this path, which is not encoded; the query is kept.
    Redirect { path: String },
    /// 308 to the URL of the rule's `redirect_to`.
    Moved {
        /// Place of the rule in the order of registration.
        index: usize,
        url: String,
    },
    /// 405.
    MethodNotAllowed {
        /// The methods for `Allow`, sorted.
        allow: Vec<String>,
    },
    /// 404.
    NotFound,
}

impl Router {
    /// Builds the table. The index of a rule is its place in `rules`.
    pub fn new(rules: Vec<Rule>) -> Router {
        let mut order: Vec<usize> = (0..rules.len()).collect();
        order.sort_by_cached_key(|&index| (rules[index].priority(), index));
        let mut rule_index = RuleIndex::default();
        for (rank, &index) in (0..).zip(&order) {
            let rule = &rules[index];
            // Memory runs out long before a table has 2^32 rules.
            rule_index.insert(RankedRule { rank, index: index as u32 }, rule.tokens(), rule.is_fixed());
        }
        let has_defaults = rules.iter().any(|rule| !rule.defaults().is_empty());
        let has_hosts = rules.iter().any(|rule| rule.host().is_some());
        Router { endpoints: endpoints(&rules), rules, order, index: rule_index, has_defaults, has_hosts }
    }

    /// Returns the rules in order of registration.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Returns the indices of the rules in the order in which a request tries them.
    pub(crate) fn order(&self) -> &[usize] {
        &self.order
    }

    /// Whether any rule is for some hosts only. If none is, the caller need not determine the host of a request.
    pub fn has_hosts(&self) -> bool {
        self.has_hosts
    }

    /// Finds a rule as [`Router::find_at`] does, without a host: rules for some hosts only are skipped.
    pub fn find(&self, method: &str, path: &str) -> Found {
        self.find_at(method, path, None)
    }

    /// Finds the rule for `method` (any case) on `path`, which is percent-decoded ([`decode_path`]) and has no query. The first
    /// rule that matches and serves the method gives the outcome, which may be a redirect. `host` may have a port.
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

    /// Returns the values of rule `index`, which serves `path` on `host` (as for [`Router::find_at`]).
    pub fn values(&self, index: usize, path: &str, host: Option<&str>) -> Vec<Value> {
        let rule = &self.rules[index];
        let mut values = rule.matches(&absolute(path)).map(|matched| matched.values).unwrap_or_default();
        values.extend(rule.host().zip(host).and_then(|(rule, host)| rule.matches(host)).unwrap_or_default());
        values
    }

    /// Returns the methods of all rules that match `path` on `host` (as for [`Router::find_at`]), sorted: `Allow` of automatic
    /// OPTIONS. For a rule of any method, those of RFC 9110 and PATCH that a client can use.
    pub fn allowed(&self, path: &str, host: Option<&str>) -> Vec<String> {
        // No rule serves this method, so the search goes on to the last rule that matches.
        let Found::MethodNotAllowed { mut allow } = self.find_at("", path, host) else { return Vec::new() };
        if allow.iter().any(|method| method == ANY) {
            allow.retain(|method| method != ANY);
            allow.extend(COMMON.map(str::to_owned));
            allow.sort_unstable();
            allow.dedup();
        }
        allow
    }

    /// Returns the URL of the first rule of `endpoint` that these values suit; rules that serve GET come first.
    pub fn url_for(&self, endpoint: &str, values: &[(String, Value)]) -> Option<String> {
        let rules = self.endpoints.get(endpoint)?.iter().map(|&index| &self.rules[index]);
        let (get, others): (Vec<_>, Vec<_>) = rules.partition(|rule| rule.serves("GET"));
        get.into_iter().chain(others).find_map(|rule| rule.build(values))
    }

    /// Returns the rules by their shape.
    pub(crate) fn shapes(&self) -> Shapes {
        let mut shapes = Shapes::default();
        self.order.iter().for_each(|&index| shapes.add(index, &self.rules[index]));
        shapes
    }

    /// Returns the rules that never serve, each with the earlier rule that serves its requests.
    pub fn shadowed(&self) -> Vec<(usize, usize)> {
        let (mut shapes, mut shadowed) = (Shapes::default(), Vec::new());
        for &index in &self.order {
            match shapes.earlier(&self.rules, &self.rules[index]) {
                Some(winner) => shadowed.push((index, winner)),
                None => shapes.add(index, &self.rules[index]),
            }
        }
        shadowed.sort_unstable();
        shadowed
    }

    /// Returns the path of the rule whose defaults are these values: `/page/1` redirects to `/` if `/` has the default `page` 1
    /// and the same endpoint (Werkzeug's `redirect_defaults`).
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

/// Groups rules by endpoint, those with more variables and then more defaults first, as Werkzeug tries them for URLs.
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

/// Returns the path with exactly one slash at its start. Werkzeug drops further slashes without a redirect, and takes `*` for
/// `/*`.
pub(super) fn absolute(path: &str) -> Cow<'_, str> {
    match path.as_bytes() {
        [b'/'] => path.into(),
        [b'/', next, ..] if *next != b'/' => path.into(),
        _ => format!("/{}", path.trim_start_matches('/')).into(),
    }
}

#[cfg(test)]
mod tests;
