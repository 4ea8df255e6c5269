//! Cross-Origin Resource Sharing: the headers that let pages of other origins read an answer, and the answer to a preflight
//! (Fetch standard, "CORS protocol"). The options and their defaults are those of flask-cors.

use super::answer::Answer;
use super::request::Request;
use crate::routing::method::is_token;
use crate::system::wildcard;
use std::cmp::Reverse;
use std::sync::Arc;

const ALLOW_ORIGIN: &str = "Access-Control-Allow-Origin";

/// The methods that a preflight allows if `methods` is not given.
const METHODS: [&str; 7] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/// Characters that occur in regular expressions, and not in origins, paths or names of headers.
const OF_REGEX: [char; 7] = ['\\', '^', '$', '(', ')', '|', '+'];

/// The policies of a provision: the most specific one first, and of those that are equally specific, the last one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cors(Vec<Policy>);

/// The origins that may read the answers of some paths, and their requests that a preflight allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Policy {
    /// The paths, with `*` for any text; `None` for all.
    pub paths: Option<String>,
    /// Origins in lower case, with `*` for any text.
    pub origins: Vec<String>,
    /// `None` allows each method.
    pub methods: Option<Vec<String>>,
    /// Names of headers in lower case, with `*` for any text.
    pub allow_headers: Vec<String>,
    /// Headers that a script of the page may read.
    pub expose_headers: Vec<String>,
    /// Whether requests may have cookies and `Authorization`.
    pub credentials: bool,
    /// Seconds for which a browser may keep the result of a preflight.
    pub max_age: Option<u64>,
    /// Whether the answer is `*` and not the origin, if all origins are allowed.
    pub send_wildcard: bool,
    /// Whether `Vary: Origin` is sent.
    pub vary_header: bool,
    /// Whether answers to requests without `Origin` have the headers.
    pub always_send: bool,
    /// Whether pages of public networks may send requests to a private one.
    pub private_network: bool,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            paths: None,
            origins: vec!["*".to_owned()],
            methods: None,
            allow_headers: vec!["*".to_owned()],
            expose_headers: Vec::new(),
            credentials: false,
            max_age: None,
            send_wildcard: false,
            vary_header: true,
            always_send: true,
            private_network: true,
        }
    }
}

impl Cors {
    /// Returns `policies`, which are in the order of registration, or `None` if there are none.
    pub(crate) fn new(mut policies: Vec<Policy>) -> Option<Arc<Cors>> {
        policies.reverse();
        policies.sort_by_key(|policy| {
            let paths = policy.paths.as_deref().unwrap_or("*");
            (paths.contains('*'), Reverse(paths.matches('/').count()), Reverse(paths.len()))
        });
        (!policies.is_empty()).then(|| Cors(policies).into())
    }

    /// Parses the origins of `--cors`, with commas between them; `None` without any. `*` alone is answered by `*`, so that each answer is
    /// the same for all origins.
    ///
    /// # Errors
    /// A text is no origin.
    pub(crate) fn parse(origins: &str) -> Result<Option<Arc<Cors>>, String> {
        if origins.is_empty() {
            return Ok(None);
        }
        let texts = origins.split(',').map(str::trim).filter(|text| !text.is_empty());
        let origins: Vec<String> = texts.map(origin).collect::<Result<_, _>>()?;
        if origins.is_empty() {
            return Err("names no origin: write `*` for all, or `https://a.example`".to_owned());
        }
        Ok(Cors::new(vec![Policy { send_wildcard: true, origins, ..Policy::default() }]))
    }

    /// Whether a browser asks by `request` what it may send to a path of a policy.
    pub(crate) fn is_preflight(&self, request: &Request) -> bool {
        request.method() == "OPTIONS"
            && request.header("origin").is_some()
            && wanted_method(request).is_some()
            && self.policy(request).is_some()
    }

    /// Adds the headers to the answer to `request`. An answer that has `Access-Control-Allow-Origin` stays as it is, and so does each
    /// other header that the script has set.
    pub(crate) fn apply(&self, request: &Request, answer: &mut Answer) {
        let Some(policy) = self.policy(request) else { return };
        if answer.header(ALLOW_ORIGIN).is_some() {
            return;
        }
        if policy.vary_header && policy.depends_on_origin() {
            vary(answer);
        }
        let origin = request.header("origin").filter(|origin| origin.bytes().all(|b| b.is_ascii_graphic()));
        let Some(allowed) = policy.allowed(origin) else { return };
        let mut add = |name: &'static str, value: String| {
            if !value.is_empty() && answer.header(name).is_none() {
                answer.headers.push((name.into(), value.into()));
            }
        };
        add(ALLOW_ORIGIN, allowed.to_owned());
        if policy.credentials {
            add("Access-Control-Allow-Credentials", "true".to_owned());
        }
        add("Access-Control-Expose-Headers", policy.expose_headers.join(", "));
        if request.header("access-control-request-private-network") == Some("true") {
            add("Access-Control-Allow-Private-Network", policy.private_network.to_string());
        }
        let Some(methods) = wanted_method(request).and_then(|method| policy.methods(method)) else { return };
        add("Access-Control-Allow-Methods", methods);
        add("Access-Control-Allow-Headers", policy.headers(request));
        add("Access-Control-Max-Age", policy.max_age.map(|age| age.to_string()).unwrap_or_default());
    }

    fn policy(&self, request: &Request) -> Option<&Policy> {
        let of_path = |policy: &&Policy| {
            policy.paths.as_ref().is_none_or(|paths| wildcard::fits(paths, request.path()))
        };
        self.0.iter().find(of_path)
    }
}

/// Returns the method that a preflight asks for.
fn wanted_method(request: &Request) -> Option<&str> {
    let method = request.header("access-control-request-method").filter(|method| is_token(method));
    method.filter(|_| request.method() == "OPTIONS")
}

/// Adds `Origin` to `Vary`, so that caches keep an answer for each origin.
fn vary(answer: &mut Answer) {
    let is_vary = |name: &str| name.eq_ignore_ascii_case("vary");
    let mut names = answer.headers.iter().filter(|(name, _)| is_vary(name)).flat_map(|(_, v)| v.split(','));
    if names.any(|name| matches!(name.trim(), "*") || name.trim().eq_ignore_ascii_case("origin")) {
        return;
    }
    match answer.headers.iter_mut().find(|(name, value)| is_vary(name) && !value.trim().is_empty()) {
        Some((_, value)) => value.to_mut().push_str(", Origin"),
        None => answer.headers.push(("Vary".into(), "Origin".into())),
    }
}

impl Policy {
    fn allows_all(&self) -> bool {
        self.origins.iter().any(|origin| origin == "*")
    }

    /// Whether two requests that differ only in `Origin` may get different headers.
    fn depends_on_origin(&self) -> bool {
        !(self.allows_all() && self.send_wildcard && self.always_send)
    }

    /// Returns `Access-Control-Allow-Origin` for a request with this `Origin`.
    fn allowed<'a>(&'a self, origin: Option<&'a str>) -> Option<&'a str> {
        let Some(origin) = origin else {
            return match &self.origins[..] {
                _ if !self.always_send => None,
                _ if self.allows_all() => (!self.credentials).then_some("*"),
                [one] if !one.contains('*') => Some(one),
                _ => None,
            };
        };
        if self.allows_all() && self.send_wildcard {
            return Some("*");
        }
        let lower = origin.to_ascii_lowercase();
        self.origins.iter().any(|known| wildcard::fits(known, &lower)).then_some(origin)
    }

    /// Returns `Access-Control-Allow-Methods` for a preflight of `method`; `None` if the method is not allowed.
    fn methods(&self, method: &str) -> Option<String> {
        match &self.methods {
            Some(methods) => {
                methods.iter().any(|own| own.eq_ignore_ascii_case(method)).then(|| methods.join(", "))
            }
            None if METHODS.contains(&method) => Some(METHODS.join(", ")),
            None => Some(format!("{}, {method}", METHODS.join(", "))),
        }
    }

    /// Returns the headers that a preflight asks for and that are allowed, sorted.
    fn headers(&self, request: &Request) -> String {
        let wanted = request.header_joined("access-control-request-headers", ",").unwrap_or_default();
        let allowed = |name: &&str| {
            let lower = name.to_ascii_lowercase();
            is_token(name) && self.allow_headers.iter().any(|known| wildcard::fits(known, &lower))
        };
        let mut names: Vec<&str> = wanted.split(',').map(str::trim).filter(allowed).collect();
        names.sort_unstable();
        names.join(", ")
    }
}

/// Returns an origin in lower case: `https://a.example`, `http://localhost:*`, `null` or `*`.
///
/// # Errors
/// No browser sends such an origin.
pub(crate) fn origin(text: &str) -> Result<String, String> {
    let lower = text.trim().to_ascii_lowercase();
    if lower == "*" || lower == "null" {
        return Ok(lower);
    }
    no_regex("origin", text, "https://*.a.example")?;
    let Some((scheme, host)) = lower.split_once("://") else {
        return Err(format!("origin `{text}` has no scheme: write `https://{text}`"));
    };
    let bare = host.split(['/', '?', '#']).next().unwrap_or_default();
    if bare != host {
        return Err(format!("origin `{text}` has a path: write `{scheme}://{bare}`"));
    }
    if host.is_empty() || !lower.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',') {
        return Err(format!("`{text}` is no origin: write `https://a.example`"));
    }
    Ok(lower)
}

/// Returns the paths of a policy; `None` for all.
///
/// # Errors
/// `text` matches no path.
pub(crate) fn paths(text: &str) -> Result<Option<String>, String> {
    if text == "*" {
        return Ok(None);
    }
    no_regex("path", text, "/api/*")?;
    match text.starts_with('/') {
        true => Ok(Some(text.to_owned())),
        false => Err(format!("path `{text}` must start with a slash")),
    }
}

/// Fails if `text` was written as a regular expression, as flask-cors takes it.
fn no_regex(what: &str, text: &str, example: &str) -> Result<(), String> {
    match text.contains(OF_REGEX) || text.contains("/.*") || text == ".*" {
        true => Err(format!(
            "{what} `{text}` looks like a regular expression: `*` stands for any text, as in `{example}`"
        )),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests;
