//! Rules that match something else than the author meant, or do not load: variables as other frameworks write them, converters by
//! other names, and unknown methods.

use super::near::{did_you_mean, nearest};
use crate::routing::converter::NAMES;
use crate::routing::method::METHODS;
use crate::routing::pattern::Pattern;

/// Methods of WebDAV and QUERY, which a rule may have beside those of HTTP.
const OF_WEBDAV: [&str; 10] =
    ["PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "REPORT", "SEARCH", "QUERY"];

/// Types and regular expressions of variables in other frameworks, with the converter for each.
const TYPES: [(&str, &[&str]); 5] = [
    ("int", &["integer", "long", "number", "num", r"\d+", "[0-9]+"]),
    ("float", &["double", "decimal"]),
    ("path", &[".*", ".+"]),
    ("uuid", &["guid"]),
    ("string", &["str", "text", "slug", "word", "alpha", "[^/]+"]),
];

/// A variable as it stands in a rule or a host, and the whole text with all variables in h1mock's syntax.
pub(crate) type Meant = (String, String);

/// Returns a variable of `text` in the syntax of another framework: `{id}`, a part `:id`, `*` or `*rest`. Parts end at
/// `separator`, which is `/` in a rule and `.` in a host.
pub(crate) fn foreign_variable(text: &str, separator: char) -> Option<Meant> {
    if !text.contains(['{', ':', '*']) {
        return None;
    }
    let mut found = Found { rest: if separator == '/' { "path:rest" } else { "sub" }, ..Found::default() };
    let braces = found.braces(text);
    let count = braces.split(separator).count();
    let parts: Vec<String> = braces
        .split(separator)
        .enumerate()
        .map(|(at, part)| found.part(part, at + 1 == count).unwrap_or_else(|| part.to_owned()))
        .collect();
    let (written, meant) = (found.first?, parts.join(&separator.to_string()));
    let rule = if separator == '/' { meant.clone() } else { format!("/{meant}") };
    Pattern::parse(&rule).is_ok().then_some((written, meant))
}

#[derive(Default)]
struct Found {
    /// The variable that was replaced first, as it is written.
    first: Option<String>,
    /// The variable for a `*` at the end.
    rest: &'static str,
    /// Number of `*` without a name that stand for one part.
    stars: usize,
}

impl Found {
    fn note(&mut self, written: &str, variable: &str) -> String {
        self.first.get_or_insert_with(|| written.to_owned());
        format!("<{variable}>")
    }

    /// Replaces each `{...}` that has a variable in it.
    fn braces(&mut self, text: &str) -> String {
        let (mut done, mut rest) = (String::new(), text);
        while let Some(open) = rest.find('{') {
            let Some(length) = closing(&rest[open..]) else { break };
            let written = &rest[open..open + length];
            done += &rest[..open];
            match in_braces(&written[1..length - 1]) {
                Some(variable) => done += &self.note(written, &variable),
                None => done += written,
            }
            rest = &rest[open + length..];
        }
        done + rest
    }

    /// Returns the part with `:id`, `*` or `*rest` replaced.
    fn part(&mut self, part: &str, is_last: bool) -> Option<String> {
        if let Some(after) = part.strip_prefix(':') {
            let (name, behind) = identifier(after)?;
            let converter = match behind {
                "" | "?" => None,
                "*" | "+" => Some("path"),
                _ => of_other_framework(behind.strip_prefix('(')?.strip_suffix(')')?),
            };
            return Some(self.note(part, &variable(converter, &name)));
        }
        let after = part.strip_prefix("**").or_else(|| part.strip_prefix('*'))?;
        let variable = match identifier(after) {
            Some((name, "")) => variable(Some("path"), &name),
            None if after.is_empty() && (is_last || part == "**" || self.rest == "sub") => {
                self.rest.to_owned()
            }
            None if after.is_empty() => {
                self.stars += 1;
                if self.stars == 1 { "name".to_owned() } else { format!("name{}", self.stars) }
            }
            _ => return None,
        };
        Some(self.note(part, &variable))
    }
}

/// Returns the length of the text in braces at the beginning of `text`, with its braces.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    text.bytes().enumerate().find_map(|(at, byte)| {
        depth = match byte {
            b'{' => depth + 1,
            b'}' => depth - 1,
            _ => depth,
        };
        (depth == 0).then_some(at + 1)
    })
}

/// Returns the variable for the text between braces: `id`, `id:int`, `*rest`, `rest...`, `id?`.
fn in_braces(text: &str) -> Option<String> {
    let bare = text.trim_start_matches('*');
    let (name, behind) = identifier(bare)?;
    let converter = match behind {
        "" | "?" if bare.len() == text.len() => None,
        "" | "+" | "..." => Some("path"),
        _ => of_other_framework(behind.strip_prefix(':')?.trim()),
    };
    Some(variable(converter, &name))
}

fn variable(converter: Option<&str>, name: &str) -> String {
    match converter {
        None | Some("string") => name.to_owned(),
        Some(converter) => format!("{converter}:{name}"),
    }
}

/// Splits `user-id?` into the name of a variable, `user_id`, and the rest. `None` if `text` begins with no name.
fn identifier(text: &str) -> Option<(String, &str)> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-').unwrap_or(text.len());
    let name = text[..end].replace('-', "_");
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_').then(|| (name, &text[end..]))
}

/// Returns the converter that `name` is, or means in another framework.
fn of_other_framework(name: &str) -> Option<&'static str> {
    let other = || TYPES.iter().find(|(_, others)| others.contains(&name)).map(|(known, _)| *known);
    NAMES.into_iter().find(|known| *known == name).or_else(other)
}

/// Returns the hint for `rule`, which does not load: with `<id:int>`, `<integer:id>`, `<int: id>` or `<user-id>` as `<int:id>` and `<user_id>`,
/// if it is right then.
pub(crate) fn meant_rule(rule: &str) -> Option<String> {
    let (mut meant, mut rest) = (String::new(), rule);
    while let Some((before, after)) = rest.split_once('<') {
        let (inside, behind) = after.split_once('>')?;
        meant += &format!("{before}<{}>", meant_variable(inside));
        rest = behind;
    }
    meant += rest;
    (meant != rule && Pattern::parse(&meant).is_ok()).then(|| did_you_mean(&meant))
}

fn meant_variable(inside: &str) -> String {
    // Options may have any character in their quotes.
    if inside.contains(['"', '\'']) {
        return inside.to_owned();
    }
    let spelled = |name: &str| name.trim().replace('-', "_");
    let Some((kind, name)) = inside.split_once(':') else { return spelled(inside) };
    let (kind, name) = (kind.trim(), spelled(name));
    let (word, options) = kind.split_at(kind.find('(').unwrap_or(kind.len()));
    let is_swapped = |is: bool| is && options.is_empty() && !NAMES.contains(&word);
    let (converter, name) = match of_other_framework(word) {
        _ if is_swapped(NAMES.contains(&name.as_str())) => (name.clone(), spelled(word)),
        Some(converter) => (converter.to_owned(), name),
        None => match of_other_framework(&name).filter(|_| is_swapped(true)) {
            Some(converter) => (converter.to_owned(), spelled(word)),
            None => (nearest(word, NAMES).unwrap_or(word).to_owned(), name),
        },
    };
    format!("{converter}{options}:{name}")
}

/// Returns the hint that shows rule `meant`.
pub(crate) fn as_variable(meant: &str) -> String {
    format!("a variable is written `<name>`: `{meant}`")
}

/// Returns the hint for an unknown method that is similar to a known one.
pub(crate) fn meant_method(method: &str) -> Option<String> {
    let known = METHODS.iter().skip(1).chain(&OF_WEBDAV);
    // A rule may have its methods in small letters, as in Flask.
    let method = method.to_ascii_uppercase();
    if known.clone().any(|known| *known == method) {
        return None;
    }
    nearest(&method, known.copied()).map(did_you_mean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_other_frameworks_are_known() {
        for (rule, expected) in [
            ("/x/{id}", Some(("{id}", "/x/<id>"))),
            ("/x/:id", Some((":id", "/x/<id>"))),
            ("/:a/:b/c/{d}", Some(("{d}", "/<a>/<b>/c/<d>"))),
            ("/x/{id:int}/y", Some(("{id:int}", "/x/<int:id>/y"))),
            ("/x/{id:\\d+}", Some(("{id:\\d+}", "/x/<int:id>"))),
            ("/x/{id:[0-9]{2}}", Some(("{id:[0-9]{2}}", "/x/<id>"))),
            ("/x/{id:[^/]+}/y", Some(("{id:[^/]+}", "/x/<id>/y"))),
            ("/x/{id:str}.{ext}", Some(("{id:str}", "/x/<id>.<ext>"))),
            ("/x/{id?}", Some(("{id?}", "/x/<id>"))),
            ("/x/{user-id}", Some(("{user-id}", "/x/<user_id>"))),
            ("/x/{proxy+}", Some(("{proxy+}", "/x/<path:proxy>"))),
            ("/x/{rest...}", Some(("{rest...}", "/x/<path:rest>"))),
            ("/x/{*rest}", Some(("{*rest}", "/x/<path:rest>"))),
            ("/x/{file_path:path}", Some(("{file_path:path}", "/x/<path:file_path>"))),
            ("/x/:id?", Some((":id?", "/x/<id>"))),
            ("/x/:id(\\d+)", Some((":id(\\d+)", "/x/<int:id>"))),
            ("/x/:rest*", Some((":rest*", "/x/<path:rest>"))),
            ("/x/*", Some(("*", "/x/<path:rest>"))),
            ("/x/**", Some(("**", "/x/<path:rest>"))),
            ("/x/*path", Some(("*path", "/x/<path:path>"))),
            ("/*/x/*/y/*", Some(("*", "/<name>/x/<name2>/y/<path:rest>"))),
            ("/users/<int:id>", None),
            ("/users/<int:id>/{x}", Some(("{x}", "/users/<int:id>/<x>"))),
            ("/v1/docs:batchGet", None),
            ("/time/12:30", None),
            ("/<any(a, b):kind>", None),
            ("/x/{}", None),
            ("/x/{a b}", None),
            ("/x/{", None),
            ("/x/}{", None),
            ("/2*3", None),
            ("/x/a*", None),
            ("/x/*.js", None),
        ] {
            let expected = expected.map(|(written, meant)| (written.to_owned(), meant.to_owned()));
            assert_eq!(foreign_variable(rule, '/'), expected, "{rule}");
        }
        for (host, expected) in [
            ("{tenant}.example.com", Some(("{tenant}", "<tenant>.example.com"))),
            ("*.example.com", Some(("*", "<sub>.example.com"))),
            (":tenant.example.com", Some((":tenant", "<tenant>.example.com"))),
            ("example.com:8000", None),
            ("<any(a, b):sub>.x", None),
        ] {
            let expected = expected.map(|(written, meant)| (written.to_owned(), meant.to_owned()));
            assert_eq!(foreign_variable(host, '.'), expected, "{host}");
        }
    }

    #[test]
    fn a_rule_that_does_not_load_has_the_one_that_was_meant() {
        for (rule, expected) in [
            ("/x/<id:int>", Some("/x/<int:id>")),
            ("/x/<integer:id>", Some("/x/<int:id>")),
            ("/x/<id:integer>", Some("/x/<int:id>")),
            ("/x/<text:slug>", Some("/x/<string:slug>")),
            ("/x/<str:id>", Some("/x/<string:id>")),
            ("/x/<Int:id>", Some("/x/<int:id>")),
            ("/x/<nt:id>", Some("/x/<int:id>")),
            ("/x/<num(min=1):id>", Some("/x/<int(min=1):id>")),
            ("/x/<int: id>", Some("/x/<int:id>")),
            ("/x/< id >", Some("/x/<id>")),
            ("/x/<user-id>", Some("/x/<user_id>")),
            ("/x/<rest:path>/<y:int>", Some("/x/<path:rest>/<int:y>")),
            ("/x/<date:d>", None),
            ("/x/<id", None),
            ("/x/<:id>", None),
            ("/x/<any('a'):b:c>", None),
        ] {
            assert_eq!(meant_rule(rule), expected.map(did_you_mean), "{rule}");
        }
    }

    #[test]
    fn only_a_method_that_is_similar_to_a_known_one_has_a_hint() {
        for (method, expected) in [
            ("GTE", Some("did you mean `GET`?")),
            ("PSOT", Some("did you mean `POST`?")),
            ("DELET", Some("did you mean `DELETE`?")),
            ("GET", None),
            ("get", None),
            ("gte", Some("did you mean `GET`?")),
            ("PROPFIND", None),
            ("BREW", None),
        ] {
            assert_eq!(meant_method(method).as_deref(), expected, "{method}");
        }
        for known in METHODS.iter().chain(&OF_WEBDAV) {
            assert_eq!(meant_method(known), None);
        }
    }
}
