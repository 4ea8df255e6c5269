//! The hosts of a rule: `host: "<sub>.example.com"` or `subdomain: "api"`.

use crate::routing::converter::Converter;
use crate::routing::pattern::{Pattern, Slashes, Token};
use crate::routing::value::Value;
use std::net::Ipv4Addr;

/// The only slash is the one in front, which makes the host a path for the pattern.
const AS_WRITTEN: Slashes = Slashes { strict: true, merge: false };

#[derive(Debug, Clone)]
pub(crate) struct HostPattern {
    /// The text as registered.
    text: String,
    /// The pattern of `/host`: a host is matched like a path of one segment.
    pattern: Pattern,
    part: Part,
}

/// The part of a host that the pattern is compared with.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Part {
    Whole,
    /// The host without its port.
    Name,
    /// This number of labels at the start of the host.
    Labels(usize),
}

impl HostPattern {
    /// Parses the options `host` and `subdomain` of a rule; `None` if neither is given.
    ///
    /// # Errors
    /// Both options are given, or the text is not a pattern.
    pub(crate) fn parse(host: Option<&str>, subdomain: Option<&str>) -> Result<Option<HostPattern>, String> {
        let (option, text) = match (host, subdomain) {
            (None, None) => return Ok(None),
            (Some(_), Some(_)) => return Err("give `host` or `subdomain`, not both".to_owned()),
            (Some(host), None) => ("host", host),
            (None, Some(subdomain)) => ("subdomain", subdomain),
        };
        let wrong = |cause: &str| format!("option `{option}` is `{text}`: {cause}");
        if text.is_empty() || text.contains('/') {
            return Err(wrong("write the name alone, such as `api.example.com`"));
        }
        let lower = lower_static(text);
        let has_port = host.is_some() && has_port(&lower);
        // The host of a request comes without the default port, 80.
        let known = lower.strip_suffix(":80").unwrap_or(&lower);
        let pattern = Pattern::parse(&format!("/{known}")).map_err(|cause| wrong(&cause))?;
        let dots = |token: &Token| match token {
            Token::Text(text) => text.matches('.').count(),
            _ => 0,
        };
        let part = match host {
            Some(_) if has_port => Part::Whole,
            Some(_) => Part::Name,
            None => Part::Labels(pattern.tokens().iter().map(dots).sum::<usize>() + 1),
        };
        Ok(Some(HostPattern { text: text.to_owned(), pattern, part }))
    }

    /// Returns the values of the variables for the host of a request, which may have a port; `None` if the host does not match.
    pub(crate) fn matches(&self, host: &str) -> Option<Vec<Value>> {
        let host = host.to_ascii_lowercase();
        let host = match self.part {
            Part::Whole => host.as_str(),
            Part::Name => without_port(&host),
            Part::Labels(count) => {
                let name = without_port(&host);
                // Probes send an IP address as host, and its first number is no label.
                if name.starts_with('[') || name.parse::<Ipv4Addr>().is_ok() {
                    return None;
                }
                name.match_indices('.').nth(count - 1).map_or(name, |(end, _)| &name[..end])
            }
        };
        let path = format!("/{host}");
        let captures = self.pattern.captures(&path, AS_WRITTEN)?;
        let variables = self.pattern.variables().zip(&captures.spans);
        variables.map(|((_, converter), &(start, end))| converter.convert(&path[start..end])).collect()
    }

    pub(crate) fn variables(&self) -> impl Iterator<Item = (&str, &Converter)> {
        self.pattern.variables()
    }

    /// Returns the key of the order: the pattern with the lesser key is tried first. A whole host comes before a subdomain, more
    /// fixed parts before fewer.
    pub(crate) fn priority(&self) -> impl Ord + use<> {
        (matches!(self.part, Part::Labels(_)), self.pattern.priority(false))
    }

    /// Returns the hosts for people: `api.example.com`, or `api.*` for a subdomain.
    pub(crate) fn display(&self) -> String {
        let rest = if matches!(self.part, Part::Labels(_)) { ".*" } else { "" };
        format!("{}{rest}", self.text)
    }
}

/// Converts the static text of the pattern to lower case: the case of a host has no meaning.
fn lower_static(text: &str) -> String {
    let mut inside = false;
    let lower = |character: char| {
        inside = if inside { character != '>' } else { character == '<' };
        if inside { character } else { character.to_ascii_lowercase() }
    };
    text.chars().map(lower).collect()
}

/// Whether the pattern has a colon outside of variables and of the brackets of an IPv6 address.
fn has_port(pattern: &str) -> bool {
    let mut inside = false;
    pattern.chars().any(|character| {
        match character {
            '<' | '[' => inside = true,
            '>' | ']' => inside = false,
            _ => {}
        }
        character == ':' && !inside
    })
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
    .trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_match_in_any_case_and_ports_where_the_pattern_has_one() {
        let cases = [
            ("a.example", "a.example", Some("")),
            ("A.Example", "a.EXAMPLE:8000", Some("")),
            ("a.example", "b.example", None),
            ("a.example", "x.a.example", None),
            ("a.example", "a.example.", Some("")),
            ("a.example:8000", "a.example:8000", Some("")),
            ("a.example:8000", "a.example", None),
            ("a.example:80", "a.example", Some("")),
            ("a.example:80", "a.example:81", None),
            ("a.example:<int:Port>", "a.example:81", Some("81")),
            ("<sub>.example.com", "API.example.com:1", Some("api")),
            ("<sub>.example.com", "example.com", None),
            ("<any(a, b):sub>.x", "c.x", None),
            ("[::1]", "[::1]:8000", Some("")),
            ("[::1]:8000", "[::1]:8000", Some("")),
            ("a", "", None),
        ];
        for (pattern, host, expected) in cases {
            check(HostPattern::parse(Some(pattern), None), pattern, host, expected);
        }
    }

    #[test]
    fn subdomains_are_the_first_labels() {
        let cases = [
            ("api", "api.example.com", Some("")),
            ("api", "API:8000", Some("")),
            ("api", "apis.example.com", None),
            ("api", "x.api.example.com", None),
            ("v1.api", "v1.api.example.com", Some("")),
            ("v1.api", "v1.web.example.com", None),
            ("<user>", "ann.example.com", Some("ann")),
            ("<user>.blog", "ann.blog.example.com", Some("ann")),
            // An address has no labels.
            ("<user>", "127.0.0.1:8000", None),
            ("<user>", "[::1]:8000", None),
        ];
        for (pattern, host, expected) in cases {
            check(HostPattern::parse(None, Some(pattern)), pattern, host, expected);
        }
    }

    fn check(parsed: Result<Option<HostPattern>, String>, pattern: &str, host: &str, expected: Option<&str>) {
        let values = parsed.unwrap().unwrap().matches(host);
        let found = values.map(|values| values.iter().map(Value::to_string).collect::<Vec<_>>().join(","));
        assert_eq!(found.as_deref(), expected, "{pattern} {host}");
    }

    #[test]
    fn a_text_that_is_no_host_is_refused() {
        let cases = [
            (Some("a"), Some("b"), "give `host` or `subdomain`, not both"),
            (Some(""), None, "option `host` is ``: write the name alone, such as `api.example.com`"),
            (
                Some("http://a"),
                None,
                "option `host` is `http://a`: write the name alone, such as `api.example.com`",
            ),
            (None, Some("<x"), "option `subdomain` is `<x`: `<` without `>`"),
        ];
        for (host, subdomain, error) in cases {
            assert_eq!(HostPattern::parse(host, subdomain).err().as_deref(), Some(error));
        }
    }
}
