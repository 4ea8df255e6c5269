//! `--admin-host`: names of hosts. Knows no request.

use super::value::{Parsed, text};
use std::ffi::OsStr;

/// Names of hosts with commas between them, without ports: `mock.example.com,*.tests.example`. In lower case.
pub(crate) fn hosts(value: &OsStr) -> Parsed<Vec<String>> {
    let text = text(value)?.to_ascii_lowercase();
    let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
    let wrong = |name: &str| {
        format!("`{name}` is no name of a host (try `mock.example.com`, `*.example.com` or `*`)")
    };
    names.map(|name| if is_host(name) { Ok(name.to_owned()) } else { Err(wrong(name)) }).collect()
}

/// `*` stands for labels at the start, or for all.
fn is_host(name: &str) -> bool {
    let labels = name.strip_prefix("*.").unwrap_or(name);
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    name == "*" || labels.split('.').all(|label| !label.is_empty() && label.bytes().all(legal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_without_scheme_and_port() {
        let table: &[(&str, &[&str])] = &[
            ("", &[]),
            (" , ", &[]),
            ("Mock.example.com", &["mock.example.com"]),
            ("a.example, *.b_1.example,*", &["a.example", "*.b_1.example", "*"]),
        ];
        for (text, expected) in table {
            assert_eq!(hosts(OsStr::new(text)).unwrap(), *expected, "{text}");
        }
        for text in
            ["a.example:8074", "http://a.example", "a..b", "a.*.b", "*a.example", "a.example.", "ä.example"]
        {
            let name = text.to_ascii_lowercase();
            let error =
                format!("`{name}` is no name of a host (try `mock.example.com`, `*.example.com` or `*`)");
            assert_eq!(hosts(OsStr::new(text)).unwrap_err(), error);
        }
    }
}
