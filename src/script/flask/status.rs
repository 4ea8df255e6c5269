//! `status.HTTP_200_OK` and the other names of flask_api's `status` module, and the reason phrases of answers.

use crate::script::runtime::natives::{Fallible, Natives, Receiver};
use crate::system::truncate::beginning;
use rhai::Module;
use std::sync::LazyLock;

/// Codes and reason phrases of the IANA registry, in Werkzeug's wording. The names for scripts are derived from the phrases.
const PHRASES: &[(u16, &str)] = &[
    (100, "Continue"),
    (101, "Switching Protocols"),
    (102, "Processing"),
    (103, "Early Hints"),
    (200, "OK"),
    (201, "Created"),
    (202, "Accepted"),
    (203, "Non-Authoritative Information"),
    (204, "No Content"),
    (205, "Reset Content"),
    (206, "Partial Content"),
    (207, "Multi-Status"),
    (208, "Already Reported"),
    (226, "IM Used"),
    (300, "Multiple Choices"),
    (301, "Moved Permanently"),
    (302, "Found"),
    (303, "See Other"),
    (304, "Not Modified"),
    (305, "Use Proxy"),
    (306, "Reserved"),
    (307, "Temporary Redirect"),
    (308, "Permanent Redirect"),
    (400, "Bad Request"),
    (401, "Unauthorized"),
    (402, "Payment Required"),
    (403, "Forbidden"),
    (404, "Not Found"),
    (405, "Method Not Allowed"),
    (406, "Not Acceptable"),
    (407, "Proxy Authentication Required"),
    (408, "Request Timeout"),
    (409, "Conflict"),
    (410, "Gone"),
    (411, "Length Required"),
    (412, "Precondition Failed"),
    (413, "Request Entity Too Large"),
    (414, "Request URI Too Long"),
    (415, "Unsupported Media Type"),
    (416, "Requested Range Not Satisfiable"),
    (417, "Expectation Failed"),
    (418, "I'm a teapot"),
    (421, "Misdirected Request"),
    (422, "Unprocessable Entity"),
    (423, "Locked"),
    (424, "Failed Dependency"),
    (425, "Too Early"),
    (426, "Upgrade Required"),
    (428, "Precondition Required"),
    (429, "Too Many Requests"),
    (431, "Request Header Fields Too Large"),
    (451, "Unavailable For Legal Reasons"),
    (500, "Internal Server Error"),
    (501, "Not Implemented"),
    (502, "Bad Gateway"),
    (503, "Service Unavailable"),
    (504, "Gateway Timeout"),
    (505, "HTTP Version Not Supported"),
    (506, "Variant Also Negotiates"),
    (507, "Insufficient Storage"),
    (508, "Loop Detected"),
    (509, "Bandwidth Limit Exceeded"),
    (510, "Not Extended"),
    (511, "Network Authentication Required"),
];

/// Names for scripts and their codes, in the order of the codes.
pub(crate) static NAMES: LazyLock<Vec<(String, i64)>> = LazyLock::new(|| {
    PHRASES.iter().map(|(code, phrase)| (name_of(*code, phrase), i64::from(*code))).collect()
});

#[derive(Debug, Clone)]
pub(crate) struct Status;

/// Returns the standard reason phrase of a status code, or `Unknown`.
pub(crate) fn reason(code: u16) -> &'static str {
    PHRASES.binary_search_by_key(&code, |(known, _)| *known).map_or("Unknown", |index| PHRASES[index].1)
}

/// Returns the name for scripts, for example `HTTP_404_NOT_FOUND`.
fn name_of(code: u16, phrase: &str) -> String {
    let words = phrase.replace('\'', "").replace([' ', '-'], "_").to_ascii_uppercase();
    format!("HTTP_{code}_{words}")
}

fn code_of(name: &str) -> Fallible<i64> {
    if let Some((_, code)) = NAMES.iter().find(|(known, _)| known == name) {
        return Ok(*code);
    }
    let shown = beginning(name, 80);
    Err(match meant_by(name) {
        Some(meant) => format!("status: unknown name `{shown}`: did you mean `{meant}`?").into(),
        None => format!("status: unknown name `{shown}`: names are like `HTTP_404_NOT_FOUND`").into(),
    })
}

/// Returns the name to suggest for an unknown one: the name with the same number, or else with the same words.
fn meant_by(name: &str) -> Option<&'static str> {
    let upper = name.to_ascii_uppercase();
    let number =
        upper.split(|letter: char| !letter.is_ascii_digit()).find_map(|part| part.parse::<i64>().ok());
    let words = upper.trim_start_matches("HTTP").trim_matches('_');
    let fits = |known: &str, code: i64| match number {
        Some(number) => code == number,
        None => !words.is_empty() && known.ends_with(&format!("_{words}")),
    };
    NAMES.iter().find(|(known, code)| fits(known, *code)).map(|(known, _)| known.as_str())
}

/// Registers `status` as a variable with properties (`status.HTTP_200_OK`) and as a module (`status::HTTP_200_OK`).
pub(crate) fn register(natives: &mut Natives) {
    natives.register_handle("status", Status);
    natives.register_indexer_get(|_: Receiver<Status>, name: &str| code_of(name));
    let mut module = Module::new();
    for (name, code) in NAMES.iter() {
        module.set_var(name.as_str(), *code);
    }
    for (name, first) in [
        ("is_informational", 100),
        ("is_success", 200),
        ("is_redirect", 300),
        ("is_client_error", 400),
        ("is_server_error", 500),
    ] {
        let class = first..first + 100;
        let within = class.clone();
        natives.register_fn(name, move |_: Receiver<Status>, code: i64| class.contains(&code));
        module.set_native_fn(name, move |code: i64| Ok(within.contains(&code)));
    }
    natives.engine.register_static_module("status", module.into());
}

#[cfg(test)]
mod tests {
    use super::{PHRASES, reason};
    use crate::script::tests::trial::{fails, yields};

    #[test]
    fn names_are_codes() {
        yields(&[
            ("status.HTTP_200_OK", "200"),
            ("status::HTTP_201_CREATED", "201"),
            ("status.HTTP_203_NON_AUTHORITATIVE_INFORMATION", "203"),
            ("status.HTTP_306_RESERVED", "306"),
            ("status.HTTP_413_REQUEST_ENTITY_TOO_LARGE", "413"),
            ("status.HTTP_418_IM_A_TEAPOT", "418"),
            ("status::HTTP_505_HTTP_VERSION_NOT_SUPPORTED", "505"),
            ("status.HTTP_511_NETWORK_AUTHENTICATION_REQUIRED", "511"),
            ("let c = 404; status.HTTP_404_NOT_FOUND == c", "true"),
            ("status[\"HTTP_200_OK\"]", "200"),
        ]);
    }

    #[test]
    fn codes_have_classes() {
        yields(&[
            (
                "[status.is_success(204), status.is_success(300), status::is_success(200)]",
                "[true, false, true]",
            ),
            ("[status.is_informational(100), status.is_redirect(399)]", "[true, true]"),
            ("[status.is_client_error(404), status.is_server_error(404)]", "[true, false]"),
        ]);
    }

    #[test]
    fn unknown_names_get_a_suggestion() {
        fails(&[
            ("status.HTTP_201", "status: unknown name `HTTP_201`: did you mean `HTTP_201_CREATED`?"),
            ("status.NOT_FOUND", "status: unknown name `NOT_FOUND`: did you mean `HTTP_404_NOT_FOUND`?"),
            (
                "status.HTTP_404_NOTFOUND",
                "status: unknown name `HTTP_404_NOTFOUND`: did you mean `HTTP_404_NOT_FOUND`?",
            ),
            ("status.success", "status: unknown name `success`: names are like `HTTP_404_NOT_FOUND`"),
        ]);
    }

    #[test]
    fn reasons_are_found() {
        assert!(PHRASES.is_sorted_by_key(|(code, _)| *code));
        for (code, expected) in
            [(200, "OK"), (404, "Not Found"), (511, "Network Authentication Required"), (299, "Unknown")]
        {
            assert_eq!(reason(code), expected);
        }
    }
}
