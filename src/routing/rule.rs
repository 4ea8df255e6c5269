//! A URL rule: pattern, endpoint, methods and defaults. It matches paths and builds URLs.

use crate::routing::converter::Converter;
use crate::routing::host::HostPattern;
use crate::routing::method::{ANY, complete, method_index};
use crate::routing::pattern::{Pattern, Slashes, Token, Variable};
use crate::routing::quoting::{encode_path, encode_query, encode_value};
use crate::routing::redirect;
use crate::routing::value::Value;
use std::borrow::Cow;
use std::fmt;

/// Options of `add_url_rule`.
#[derive(Debug, Clone, Default)]
pub struct RuleOptions {
    /// Methods in any case, or `*` for all; GET if not given.
    pub methods: Option<Vec<String>>,
    /// Whether a missing slash at the end redirects and a superfluous one does not match; true if not given.
    pub strict_slashes: Option<bool>,
    /// Whether a path with doubled slashes redirects to one without; true if not given.
    pub merge_slashes: Option<bool>,
    /// Values of variables that are not in the URL.
    pub defaults: Vec<(String, Value)>,
    /// Whether the mock answers OPTIONS without calling the view; if not given, it does unless `methods` lists OPTIONS.
    pub provide_automatic_options: Option<bool>,
    /// The host of the requests, with variables: `<user>.example.com`. Any host if not given.
    pub host: Option<String>,
    /// The first labels of the host, in place of `host`.
    pub subdomain: Option<String>,
    /// Target of a redirect (308) for all requests, with variables of the rule: `/new/<id>`.
    pub redirect_to: Option<String>,
}

/// A parsed rule.
#[derive(Debug, Clone)]
pub struct Rule {
    text: String,
    endpoint: String,
    pattern: Pattern,
    slashes: Slashes,
    methods: Vec<String>,
    /// A bit for each method that has a number ([`method_index`]), so that most lookups compare no names.
    common: u16,
    /// Whether the rule serves any method.
    any: bool,
    automatic_options: bool,
    /// Whether HEAD is listed, not only served because GET is.
    own_head: bool,
    defaults: Vec<(String, Value)>,
    host: Option<Box<HostPattern>>,
    redirect_to: Option<String>,
    /// Whether the rule has neither variables nor defaults.
    fixed: bool,
    /// Whether the rule is fixed and has no doubled slashes: a path equal to its text then matches.
    plain: bool,
}

/// The reason why a rule is refused. Displayed as ``rule `/a/<b:c>`: unknown converter `b` ``.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleError {
    rule: String,
    cause: String,
}

/// The values and the redirect of a path that matches a rule.
#[derive(Debug, PartialEq)]
pub struct Match {
    /// In the order of [`Rule::variables`].
    pub values: Vec<Value>,
    /// The path to redirect to, not encoded: with its slash at the end and without doubled slashes. `None` if the request has
    /// this path already.
    pub redirect: Option<String>,
}

impl Rule {
    /// Parses a rule as Werkzeug 2.0 does.
    ///
    /// # Errors
    /// The first fault of the pattern, the options or the methods.
    pub fn parse(pattern: &str, endpoint: &str, options: RuleOptions) -> Result<Rule, RuleError> {
        let error = |cause: String| RuleError { rule: pattern.to_owned(), cause };
        let parsed = Pattern::parse(pattern).map_err(error)?;
        check_defaults(&parsed, &options.defaults).map_err(error)?;
        let listed = options.methods.unwrap_or_else(|| vec!["GET".to_owned()]);
        let (methods, automatic_options) =
            complete(&listed, options.provide_automatic_options).map_err(error)?;
        let any = listed.iter().any(|method| method == ANY);
        let host =
            HostPattern::parse(options.host.as_deref(), options.subdomain.as_deref()).map_err(error)?;
        if let Some(target) = &options.redirect_to {
            redirect::check(target, &parsed).map_err(error)?;
        }
        let of_host = || host.iter().flat_map(|host| host.variables());
        if let Some((name, _)) = parsed.variables().find(|(name, _)| of_host().any(|(own, _)| own == *name)) {
            return Err(error(format!("variable `{name}` is used twice, in path and host")));
        }
        let fixed = options.defaults.is_empty() && parsed.variables().next().is_none();
        Ok(Rule {
            text: pattern.to_owned(),
            endpoint: endpoint.to_owned(),
            slashes: Slashes {
                strict: options.strict_slashes.unwrap_or(true),
                merge: options.merge_slashes.unwrap_or(true),
            },
            common: match any {
                true => u16::MAX,
                false => methods.iter().fold(0, |bits, method| bits | 1 << method_index(method)),
            },
            any,
            methods,
            automatic_options,
            own_head: listed.iter().any(|method| method.eq_ignore_ascii_case("HEAD")),
            fixed,
            plain: fixed && !has_doubled_slash(pattern),
            pattern: parsed,
            defaults: options.defaults,
            host: host.map(Box::new),
            redirect_to: options.redirect_to,
        })
    }

    /// Returns the pattern as registered.
    pub fn pattern(&self) -> &str {
        &self.text
    }

    /// Returns the pattern with its hosts in front, for people: `api.example.com/users`.
    pub fn display(&self) -> Cow<'_, str> {
        match &self.host {
            Some(host) => format!("{}{}", host.display(), self.text).into(),
            None => self.text.as_str().into(),
        }
    }

    /// Returns the hosts of the rule; `None` for any host.
    pub(crate) fn host(&self) -> Option<&HostPattern> {
        self.host.as_deref()
    }

    /// Returns the URL of `redirect_to` for these values, if the rule has one.
    pub(crate) fn redirect_to(&self, values: &[Value]) -> Option<String> {
        self.redirect_to.as_deref().map(|target| redirect::fill(target, &self.pattern, values))
    }

    /// Returns the name of the rule for `url_for`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Whether the rule was registered with HEAD: its view then decides about the length that an answer to HEAD declares.
    pub fn lists_head(&self) -> bool {
        self.own_head
    }

    /// Returns the methods in upper case and sorted, with HEAD if GET is among them and OPTIONS if it is automatic.
    pub fn methods(&self) -> &[String] {
        &self.methods
    }

    /// Whether the rule serves `method`, which is in upper case. No rule serves the empty one.
    pub fn serves(&self, method: &str) -> bool {
        match method_index(method) {
            0 => self.any && !method.is_empty() || self.methods.iter().any(|served| served == method),
            bit => self.common >> bit & 1 == 1,
        }
    }

    /// Whether the mock answers OPTIONS without calling the view.
    pub fn automatic_options(&self) -> bool {
        self.automatic_options
    }

    /// Returns the names of variables: those of the URL in order of appearance, then those of the other defaults, then those of
    /// the host.
    pub fn variables(&self) -> Vec<&str> {
        let mut names = self.own_variables();
        names.extend(self.host.iter().flat_map(|host| host.variables()).map(|(name, _)| name));
        names
    }

    /// Returns the names of variables of the path and of defaults.
    fn own_variables(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.pattern.variables().map(|(name, _)| name).collect();
        let others = self.defaults.iter().map(|(name, _)| name.as_str());
        let others: Vec<&str> = others.filter(|name| !names.contains(name)).collect();
        names.extend(others);
        names
    }

    /// Returns variables with their converters, for lists: `id: int(min=1), name: string`.
    pub fn converters(&self) -> String {
        let of_host = self.host.iter().flat_map(|host| host.variables());
        let described =
            self.pattern.variables().chain(of_host).map(|(name, converter)| format!("{name}: {converter}"));
        described.collect::<Vec<_>>().join(", ")
    }

    /// Returns the URL for these values: the percent-encoded path, and the values of other names as query. `None` if a
    /// variable has no value, its converter can't write the value, or a value contradicts a default.
    pub fn build(&self, values: &[(String, Value)]) -> Option<String> {
        if !self.suits(values) {
            return None;
        }
        let variable = |variable: &Variable| {
            let given = |values| value_of(values, &variable.name);
            let value = given(&self.defaults).or_else(|| given(values))?;
            variable.converter.to_url(value).map(|text| encode_value(&text))
        };
        let path = self.pattern.fill(|count| self.slash_width(count), encode_path, variable)?;
        let known = self.variables();
        let unused = values.iter().filter(|(name, _)| !known.contains(&name.as_str()));
        let query: Vec<String> = unused
            .map(|(name, value)| format!("{}={}", encode_query(name), encode_query(&value.to_string())))
            .collect();
        let mark = if query.is_empty() { "" } else { "?" };
        // A browser would take `//host` for a host.
        Some(format!("/{}{mark}{}", path.trim_start_matches('/'), query.join("&")))
    }

    /// Whether `values` has each variable of the URL and contradicts no default.
    pub fn suits(&self, values: &[(String, Value)]) -> bool {
        let given = |name: &str| value_of(values, name).is_some() || value_of(&self.defaults, name).is_some();
        let agrees = |(name, default): &(String, Value)| {
            value_of(values, name).is_none_or(|value| value.equals(default))
        };
        self.own_variables().into_iter().all(given) && self.defaults.iter().all(agrees)
    }

    /// Matches a path that is percent-decoded and starts with one slash. The caller checks the method, also before it uses a
    /// redirect.
    pub fn matches(&self, path: &str) -> Option<Match> {
        // The fast way for nearly all requests to such rules.
        if self.plain && path == self.text {
            return Some(Match { values: Vec::new(), redirect: None });
        }
        let captures = self.pattern.captures(path, self.slashes)?;
        let mut values = Vec::with_capacity(captures.spans.len() + self.defaults.len());
        for ((_, converter), &(start, end)) in self.pattern.variables().zip(&captures.spans) {
            values.push(converter.convert(&path[start..end])?);
        }
        if !self.defaults.is_empty() {
            self.apply_defaults(&mut values);
        }
        let slash_missing = self.slashes.strict && self.pattern.is_branch() && !captures.trailing;
        let asked = if slash_missing { Cow::Owned(format!("{path}/")) } else { Cow::Borrowed(path) };
        let merged = (self.slashes.merge && has_doubled_slash(path)).then(|| self.merged(&asked, &values));
        // Werkzeug compares the numbers of slashes: a missing slash at the end, which the rule tolerates, makes up for a doubled
        // one.
        let slashes = |path: &str| path.bytes().filter(|byte| *byte == b'/').count();
        let redirect = merged.filter(|merged| slashes(merged) < slashes(&asked));
        Some(Match { values, redirect: redirect.or_else(|| slash_missing.then(|| asked.into_owned())) })
    }

    /// Returns the key of Werkzeug's order of matching: the rule with the lesser key is tried first, rules with equal keys in
    /// order of registration.
    pub fn priority(&self) -> impl Ord + use<> {
        let host = self.host.as_ref().map(|host| host.priority());
        (self.pattern.priority(!self.defaults.is_empty()), host.is_none(), host)
    }

    /// Returns the methods that the rule was registered with: without the HEAD that comes with GET and without automatic OPTIONS.
    pub fn listed_methods(&self) -> Vec<&str> {
        let by_itself = |method: &str| match method {
            "HEAD" => self.serves("GET"),
            "OPTIONS" => self.automatic_options,
            _ => false,
        };
        let listed: Vec<&str> =
            self.methods.iter().map(String::as_str).filter(|method| !by_itself(method)).collect();
        // `methods: []` has only automatic methods.
        if listed.is_empty() { self.methods.iter().map(String::as_str).collect() } else { listed }
    }

    /// Whether the rule serves paths with a slash at the end.
    pub fn takes_slash(&self) -> bool {
        self.pattern.is_branch() || !self.slashes.strict
    }

    /// Whether the rule has neither variables nor defaults. Such rules are tried first.
    pub fn is_fixed(&self) -> bool {
        self.fixed
    }

    /// Returns the tokens of the pattern, for the router's index.
    pub fn tokens(&self) -> &[Token] {
        self.pattern.tokens()
    }

    /// Returns values of variables that are not in the URL.
    pub fn defaults(&self) -> &[(String, Value)] {
        &self.defaults
    }

    /// Returns the rule without the names of its variables. Rules of one shape match the same paths, slashes at the end aside.
    pub fn shape(&self) -> String {
        self.shape_by(Converter::to_string)
    }

    /// Returns the shape with the widest converters: a rule of that shape matches all paths of this one.
    pub fn widest_shape(&self) -> String {
        self.shape_by(Converter::widest)
    }

    /// Returns the shape, with each converter as `name` writes it.
    pub(super) fn shape_by(&self, name: fn(&Converter) -> String) -> String {
        let variable = |variable: &Variable| Some(format!("<{}>", name(&variable.converter)));
        let path = self.pattern.fill(|count| self.slash_width(count), str::to_owned, variable);
        let host = self.host.as_ref().map(|host| host.display()).unwrap_or_default();
        host + path.unwrap_or_default().trim_end_matches('/')
    }

    /// Whether this rule serves or redirects each path that `other` serves. The shape of this rule is that of `other`, or its
    /// widest one.
    pub fn covers(&self, other: &Rule) -> bool {
        (self.takes_slash() || !other.takes_slash()) && (self.slashes.merge || !other.slashes.merge)
    }

    /// Whether both rules have the same URL, converters aside (Werkzeug's equality of rules).
    pub fn same_url(&self, other: &Rule) -> bool {
        let same = |(a, b): (&Token, &Token)| match (a, b) {
            (Token::Variable(a), Token::Variable(b)) => a.name == b.name,
            (a, b) => a == b,
        };
        self.pattern.is_branch() == other.pattern.is_branch()
            && self.tokens().len() == other.tokens().len()
            && self.tokens().iter().zip(other.tokens()).all(same)
    }

    /// Returns the requested path with one slash for each run of slashes in the static parts, and the values as `url_for` writes
    /// them.
    fn merged(&self, asked: &str, values: &[Value]) -> String {
        let mut values = values.iter();
        let text = |variable: &Variable| {
            let text = values.next().and_then(|value| variable.converter.to_url(value));
            Some(text.unwrap_or_default())
        };
        let mut right = self.pattern.fill(|_| 1, str::to_owned, text).unwrap_or_default();
        if asked.ends_with('/') && !right.ends_with('/') {
            right.push('/');
        }
        right
    }

    fn slash_width(&self, count: usize) -> usize {
        if self.slashes.merge { 1 } else { count }
    }

    fn apply_defaults(&self, values: &mut Vec<Value>) {
        for (name, default) in &self.defaults {
            match self.pattern.variables().position(|(variable, _)| variable == name) {
                Some(at) => values[at] = default.clone(),
                None => values.push(default.clone()),
            }
        }
    }
}

/// Whether the path has two slashes in a row. Most paths are short: a search for a text would take longer to set up.
pub(crate) fn has_doubled_slash(path: &str) -> bool {
    let bytes = path.as_bytes();
    bytes.iter().zip(bytes.iter().skip(1)).any(|(first, second)| *first == b'/' && *second == b'/')
}

fn value_of<'a>(values: &'a [(String, Value)], name: &str) -> Option<&'a Value> {
    values.iter().find(|(other, _)| other == name).map(|(_, value)| value)
}

fn check_defaults(pattern: &Pattern, defaults: &[(String, Value)]) -> Result<(), String> {
    for (at, (name, value)) in defaults.iter().enumerate() {
        if value_of(&defaults[..at], name).is_some() {
            return Err(format!("default `{name}` is given twice"));
        }
        let variable = pattern.variables().find(|(variable, _)| variable == name);
        if let Some((_, converter)) = variable.filter(|(_, converter)| converter.to_url(value).is_none()) {
            return Err(format!("default `{name}` is `{value}`, which is no `{converter}`"));
        }
    }
    Ok(())
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rule `{}`: {}", self.rule, self.cause)
    }
}

#[cfg(test)]
mod tests;
