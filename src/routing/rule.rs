//! A URL rule: pattern, endpoint, methods and defaults; whether a path matches, and the URL for given values. Knows nothing of
//! other rules, view functions and requests.

use crate::routing::converter::Converter;
use crate::routing::host::HostPattern;
use crate::routing::method::{is_token, method_index};
use crate::routing::pattern::{Pattern, Slashes, Token, Variable};
use crate::routing::quoting::{encode_path, encode_query, encode_value};
use crate::routing::redirect;
use crate::routing::value::Value;
use std::borrow::Cow;
use std::fmt;

/// Options of `add_url_rule`.
#[derive(Debug, Clone, Default)]
pub struct RuleOptions {
    /// Methods in any case; none is GET.
    pub methods: Option<Vec<String>>,
    /// Whether a slash too few redirects and one too many is refused; true if not given.
    pub strict_slashes: Option<bool>,
    /// Whether doubled slashes redirect; true if not given.
    pub merge_slashes: Option<bool>,
    /// Values of variables that the URL does not have.
    pub defaults: Vec<(String, Value)>,
    /// Whether OPTIONS is answered without the view; if not given, unless OPTIONS is among the methods.
    pub provide_automatic_options: Option<bool>,
    /// Host that requests must name, with variables; any if not given.
    pub host: Option<String>,
    /// The first labels of that host.
    pub subdomain: Option<String>,
    /// Where its requests are sent (308), with variables of the rule: `/new/<id>`.
    pub redirect_to: Option<String>,
}

/// One rule of the table.
#[derive(Debug, Clone)]
pub struct Rule {
    text: String,
    endpoint: String,
    pattern: Pattern,
    slashes: Slashes,
    methods: Vec<String>,
    /// Those of the methods that have a number, as bits: spares looking at the names.
    common: u16,
    automatic_options: bool,
    defaults: Vec<(String, Value)>,
    host: Option<Box<HostPattern>>,
    redirect_to: Option<String>,
    /// Whether it has neither variables nor defaults.
    fixed: bool,
    /// Whether it is fixed and has no doubled slashes: the path that is the rule's text then matches, as it is.
    plain: bool,
}

/// Why a rule is refused. Displayed as ``rule `/a/<b:c>`: unknown converter `b` ``.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleError {
    rule: String,
    cause: String,
}

/// How a path matches a rule.
#[derive(Debug, PartialEq)]
pub struct Match {
    /// In the order of [`Rule::variables`].
    pub values: Vec<Value>,
    /// The path, not encoded, that the request should have had: with its slash at the end, without doubled ones.
    pub redirect: Option<String>,
}

impl Rule {
    /// Reads a rule as Werkzeug 2.0 does.
    ///
    /// # Errors
    /// The first thing that is wrong with pattern, methods or defaults.
    pub fn parse(pattern: &str, endpoint: &str, options: RuleOptions) -> Result<Rule, RuleError> {
        let error = |cause: String| RuleError { rule: pattern.to_owned(), cause };
        let parsed = Pattern::parse(pattern).map_err(error)?;
        check_defaults(&parsed, &options.defaults).map_err(error)?;
        let listed = options.methods.unwrap_or_else(|| vec!["GET".to_owned()]);
        let (methods, automatic_options) =
            complete(&listed, options.provide_automatic_options).map_err(error)?;
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
            common: methods.iter().fold(0, |bits, method| bits | 1 << method_index(method)),
            methods,
            automatic_options,
            fixed,
            plain: fixed && !has_doubled_slash(pattern),
            pattern: parsed,
            defaults: options.defaults,
            host: host.map(Box::new),
            redirect_to: options.redirect_to,
        })
    }

    /// The pattern as registered.
    pub fn pattern(&self) -> &str {
        &self.text
    }

    /// The pattern as registered with the hosts that it is for, for people: `api.example.com/users`.
    pub fn display(&self) -> Cow<'_, str> {
        match &self.host {
            Some(host) => format!("{}{}", host.display(), self.text).into(),
            None => self.text.as_str().into(),
        }
    }

    /// The hosts that it is for; none: any.
    pub(crate) fn host(&self) -> Option<&HostPattern> {
        self.host.as_deref()
    }

    /// Where a request with these values is sent, if it is not served.
    pub(crate) fn redirect_to(&self, values: &[Value]) -> Option<String> {
        self.redirect_to.as_deref().map(|target| redirect::fill(target, &self.pattern, values))
    }

    /// The name that `url_for` knows it by.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Upper case and sorted, with HEAD that comes with GET and OPTIONS if it is automatic.
    pub fn methods(&self) -> &[String] {
        &self.methods
    }

    /// Whether it takes `method`, which is upper case.
    pub fn serves(&self, method: &str) -> bool {
        match method_index(method) {
            0 => self.methods.iter().any(|served| served == method),
            bit => self.common >> bit & 1 == 1,
        }
    }

    /// Whether OPTIONS is answered without calling the view.
    pub fn automatic_options(&self) -> bool {
        self.automatic_options
    }

    /// Names of the URL's variables in order of appearance, then of defaults that are not among them, then of the host's.
    pub fn variables(&self) -> Vec<&str> {
        let mut names = self.own_variables();
        names.extend(self.host.iter().flat_map(|host| host.variables()).map(|(name, _)| name));
        names
    }

    /// Those of the path and of defaults.
    fn own_variables(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.pattern.variables().map(|(name, _)| name).collect();
        let others = self.defaults.iter().map(|(name, _)| name.as_str());
        let others: Vec<&str> = others.filter(|name| !names.contains(name)).collect();
        names.extend(others);
        names
    }

    /// Its variables and their converters for lists: `id: int(min=1), name: string`.
    pub fn converters(&self) -> String {
        let of_host = self.host.iter().flat_map(|host| host.variables());
        let described =
            self.pattern.variables().chain(of_host).map(|(name, converter)| format!("{name}: {converter}"));
        described.collect::<Vec<_>>().join(", ")
    }

    /// The URL for these values: percent-encoded path, values that are no variables as query. None if a variable has no value
    /// or one that its converter cannot write, or a value contradicts a default.
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
        // One slash at the start, or `//host` would be read as a host.
        Some(format!("/{}{mark}{}", path.trim_start_matches('/'), query.join("&")))
    }

    /// Whether `values` give all that the URL needs and none of them contradicts a default.
    pub fn suits(&self, values: &[(String, Value)]) -> bool {
        let given = |name: &str| value_of(values, name).is_some() || value_of(&self.defaults, name).is_some();
        let agrees = |(name, default): &(String, Value)| {
            value_of(values, name).is_none_or(|value| value.equals(default))
        };
        self.own_variables().into_iter().all(given) && self.defaults.iter().all(agrees)
    }

    /// Matches a path that is percent-decoded and starts with one slash. The method is not looked at: a redirect only counts
    /// if the rule serves it.
    pub fn matches(&self, path: &str) -> Option<Match> {
        // What nearly all requests for such rules are.
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
        // As in Werkzeug, the number of slashes decides: a rule that tolerates a missing one makes up for a doubled one.
        let slashes = |path: &str| path.bytes().filter(|byte| *byte == b'/').count();
        let redirect = merged.filter(|merged| slashes(merged) < slashes(&asked));
        Some(Match { values, redirect: redirect.or_else(|| slash_missing.then(|| asked.into_owned())) })
    }

    /// Werkzeug's order of matching: the lesser is tried first, equal ones in order of registration.
    pub fn priority(&self) -> impl Ord + use<> {
        let host = self.host.as_ref().map(|host| host.priority());
        (self.pattern.priority(!self.defaults.is_empty()), host.is_none(), host)
    }

    /// The methods that it was registered with, as far as HEAD and OPTIONS tell: those that came by themselves are left out.
    pub fn listed_methods(&self) -> Vec<&str> {
        let by_itself = |method: &str| match method {
            "HEAD" => self.serves("GET"),
            "OPTIONS" => self.automatic_options,
            _ => false,
        };
        let listed: Vec<&str> =
            self.methods.iter().map(String::as_str).filter(|method| !by_itself(method)).collect();
        // Of `methods: []`.
        if listed.is_empty() { self.methods.iter().map(String::as_str).collect() } else { listed }
    }

    /// Whether a slash at the end of a path is right.
    pub fn takes_slash(&self) -> bool {
        self.pattern.is_branch() || !self.slashes.strict
    }

    /// Whether it has neither variables nor defaults: such rules come first.
    pub fn is_fixed(&self) -> bool {
        self.fixed
    }

    /// Its tokens, for the router's index.
    pub fn tokens(&self) -> &[Token] {
        self.pattern.tokens()
    }

    /// Values of variables that the URL does not have.
    pub fn defaults(&self) -> &[(String, Value)] {
        &self.defaults
    }

    /// The rule without the names of its variables: rules of one shape match the same paths, slashes at the end aside.
    pub fn shape(&self) -> String {
        self.shape_by(Converter::to_string)
    }

    /// The shape of a rule that takes all paths of this one: with the widest converters.
    pub fn widest_shape(&self) -> String {
        self.shape_by(Converter::widest)
    }

    fn shape_by(&self, name: fn(&Converter) -> String) -> String {
        let variable = |variable: &Variable| Some(format!("<{}>", name(&variable.converter)));
        let path = self.pattern.fill(|count| self.slash_width(count), str::to_owned, variable);
        let host = self.host.as_ref().map(|host| host.display()).unwrap_or_default();
        host + path.unwrap_or_default().trim_end_matches('/')
    }

    /// Whether it takes all paths that `other`, a rule of the same shape or one that this is the widest of, serves, by serving or redirecting them.
    pub fn covers(&self, other: &Rule) -> bool {
        (self.takes_slash() || !other.takes_slash()) && (self.slashes.merge || !other.slashes.merge)
    }

    /// Whether both are the same URL, converters aside (Werkzeug's equality of rules).
    pub fn same_url(&self, other: &Rule) -> bool {
        let same = |(a, b): (&Token, &Token)| match (a, b) {
            (Token::Variable(a), Token::Variable(b)) => a.name == b.name,
            (a, b) => a == b,
        };
        self.pattern.is_branch() == other.pattern.is_branch()
            && self.tokens().len() == other.tokens().len()
            && self.tokens().iter().zip(other.tokens()).all(same)
    }

    /// The asked path with one slash for each run of slashes in the static parts, and the values as `url_for` writes them.
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

/// Whether several slashes follow one another. Most paths are short: searching for a text would take longer to set up.
pub(crate) fn has_doubled_slash(path: &str) -> bool {
    let bytes = path.as_bytes();
    bytes.iter().zip(bytes.iter().skip(1)).any(|(first, second)| *first == b'/' && *second == b'/')
}

fn value_of<'a>(values: &'a [(String, Value)], name: &str) -> Option<&'a Value> {
    values.iter().find(|(other, _)| other == name).map(|(_, value)| value)
}

/// All methods of a rule, and whether OPTIONS is automatic.
fn complete(listed: &[String], automatic: Option<bool>) -> Result<(Vec<String>, bool), String> {
    if let Some(bad) = listed.iter().find(|method| !is_token(method)) {
        return Err(format!("method `{bad}` is no token"));
    }
    let mut methods: Vec<String> = listed.iter().map(|method| method.to_ascii_uppercase()).collect();
    let has = |name: &str| methods.iter().any(|method| method == name);
    let (get, automatic) = (has("GET"), automatic.unwrap_or(!has("OPTIONS")));
    methods.extend(get.then(|| "HEAD".to_owned()));
    methods.extend(automatic.then(|| "OPTIONS".to_owned()));
    methods.sort();
    methods.dedup();
    Ok((methods, automatic))
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
