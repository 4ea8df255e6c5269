//! The command line of `curl`: one URL, and the supported options.

use crate::applet::Failure;
use crate::routing::method::is_token;
use lexopt::Arg::{Long, Short, Value};
use std::ffi::OsString;
use std::time::Duration;

const TAKEN: &str =
    "this curl takes one URL, -X, -H, -d, --data-raw, --data-binary, -I, -i, -f, -s, -S, -v, -o, -m";
/// Timeout without `-m`; curl has no limit.
const DAY: Duration = Duration::from_secs(86_400);

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    /// The URL as typed.
    pub url: String,
    /// `-X`.
    method: Option<String>,
    /// `-H`, not parsed yet.
    fields: Vec<String>,
    /// `-d` and the like.
    pub data: Vec<Data>,
    /// `-I`.
    pub head_only: bool,
    /// `-i`.
    pub include: bool,
    /// `-f`.
    pub fail: bool,
    /// `-s`.
    pub silent: bool,
    /// `-S`.
    pub show_errors: bool,
    /// `-v`.
    pub verbose: bool,
    /// `-o`.
    pub output: Option<OsString>,
    /// `-m`.
    pub timeout: Duration,
}

/// A piece of the body, from `-d` and similar options.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Data {
    /// The piece itself.
    Text(String),
    /// The content of a file; `-` is standard input.
    File {
        path: String,
        /// Keep line ends.
        exact: bool,
    },
}

impl Line {
    /// Parses the arguments.
    ///
    /// # Errors
    /// Unknown options, malformed values, a missing or second URL.
    pub(super) fn read(args: &[OsString]) -> Result<Line, Failure> {
        let mut line = Line { timeout: DAY, ..Line::default() };
        let mut parser = lexopt::Parser::from_args(args);
        while let Some(arg) = parser.next()? {
            match arg {
                Short('X') | Long("request") => line.method = Some(method(text(&mut parser)?)?),
                Short('H') | Long("header") => line.fields.push(text(&mut parser)?),
                Short('d') | Long("data" | "data-ascii") => line.data.push(data(text(&mut parser)?, false)),
                Long("data-binary") => line.data.push(data(text(&mut parser)?, true)),
                Long("data-raw") => line.data.push(Data::Text(text(&mut parser)?)),
                Short('I') | Long("head") => line.head_only = true,
                Short('i') | Long("include" | "show-headers") => line.include = true,
                Short('f') | Long("fail") => line.fail = true,
                Short('s') | Long("silent") => line.silent = true,
                Short('S') | Long("show-error") => line.show_errors = true,
                Short('v') | Long("verbose") => line.verbose = true,
                Short('o') | Long("output") => line.output = Some(parser.value()?),
                Short('m') | Long("max-time") => line.timeout = seconds(&text(&mut parser)?)?,
                Short('L') | Long("location") => {
                    return Err(Failure::usage("failed to use option `-L`: redirects are not followed here"));
                }
                Short(letter) => return Err(unknown(&format!("-{letter}"))),
                Long("url") => line.set_url(text(&mut parser)?)?,
                Long(name) => return Err(unknown(&format!("--{name}"))),
                Value(url) => line.set_url(utf8(url)?)?,
            }
        }
        line.complete()
    }

    fn set_url(&mut self, url: String) -> Result<(), Failure> {
        if !self.url.is_empty() {
            return Err(Failure::usage(format!("unexpected argument `{}`: {TAKEN}", super::display(url))));
        }
        self.url = url;
        Ok(())
    }

    fn complete(self) -> Result<Line, Failure> {
        if self.url.is_empty() {
            return Err(Failure::usage("missing argument: `curl [OPTIONS] URL`"));
        }
        if self.head_only && !self.data.is_empty() {
            return Err(Failure::usage("failed to do both `-I` and `-d`: a HEAD request has no body"));
        }
        match self.fields.iter().find(|field| split(field).is_none()) {
            Some(field) => Err(Failure::usage(format!(
                "failed to use header `{}`: neither `NAME: VALUE` nor `NAME:` to leave it out nor `NAME;`",
                super::display(field)
            ))),
            None => Ok(self),
        }
    }

    /// Returns `-X`, or the method that follows from the other options.
    pub(super) fn method(&self) -> &str {
        match &self.method {
            Some(method) => method,
            None if self.head_only => "HEAD",
            None if !self.data.is_empty() => "POST",
            None => "GET",
        }
    }

    /// Returns the fields of `-H`, and the default content type of a body. Fields without a value are to be omitted.
    pub(super) fn headers(&self) -> Vec<(&str, Option<&str>)> {
        let mut headers: Vec<_> = self.fields.iter().filter_map(|field| split(field)).collect();
        if !self.data.is_empty() && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("Content-Type"))
        {
            headers.push(("Content-Type", Some("application/x-www-form-urlencoded")));
        }
        headers
    }
}

/// Parses `NAME: VALUE`, `NAME:` (omit the field) or `NAME;` (an empty value).
fn split(field: &str) -> Option<(&str, Option<&str>)> {
    match field.split_once(':') {
        Some((name, value)) => Some((name, Some(value.trim()).filter(|value| !value.is_empty()))),
        None => field.strip_suffix(';').map(|name| (name, Some(""))),
    }
}

fn data(text: String, exact: bool) -> Data {
    match text.strip_prefix('@') {
        Some(path) => Data::File { path: path.to_owned(), exact },
        None => Data::Text(text),
    }
}

fn method(text: String) -> Result<String, Failure> {
    match is_token(&text) {
        true => Ok(text),
        false => Err(Failure::usage(format!("failed to use `{}` as a method", super::display(text)))),
    }
}

fn seconds(text: &str) -> Result<Duration, Failure> {
    let parsed = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    match parsed {
        // 0 means no limit, as in curl.
        Some(Duration::ZERO) => Ok(DAY),
        Some(timeout) => Ok(timeout),
        None => {
            Err(Failure::usage(format!("failed to use `{}` as a number of seconds", super::display(text))))
        }
    }
}

fn text(parser: &mut lexopt::Parser) -> Result<String, Failure> {
    utf8(parser.value()?)
}

fn utf8(value: OsString) -> Result<String, Failure> {
    value
        .into_string()
        .map_err(|value| Failure::usage(format!("failed to read `{}`: not UTF-8", super::display(value))))
}

fn unknown(option: &str) -> Failure {
    Failure::usage(format!("unknown option `{option}`: {TAKEN}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(args: &[&str]) -> Result<Line, String> {
        let args: Vec<OsString> = args.iter().map(OsString::from).collect();
        Line::read(&args).map_err(|failure| match failure {
            Failure::Usage(message) => message,
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn options_may_be_joined_with_their_values_and_each_other() {
        for args in [
            &["-XPUT", "-sSvif", "-HA: b", "-ofile", "-m1.5", "http://x/"][..],
            &[
                "-X",
                "PUT",
                "-s",
                "-S",
                "-v",
                "-i",
                "-f",
                "-H",
                "A: b",
                "-o",
                "file",
                "-m",
                "1.5",
                "http://x/",
            ],
            &[
                "http://x/",
                "--request=PUT",
                "--silent",
                "--show-error",
                "--verbose",
                "--include",
                "--fail",
                "--header",
                "A: b",
                "--output",
                "file",
                "--max-time",
                "1.5",
            ],
        ] {
            let line = read(args).unwrap();
            let expected = Line {
                url: "http://x/".to_owned(),
                method: Some("PUT".to_owned()),
                fields: vec!["A: b".to_owned()],
                include: true,
                fail: true,
                silent: true,
                show_errors: true,
                verbose: true,
                output: Some("file".into()),
                timeout: Duration::from_millis(1500),
                ..Line::default()
            };
            assert_eq!(line, expected, "{args:?}");
        }
    }

    #[test]
    fn the_method_follows_from_what_is_sent() {
        for (args, method) in [
            (&["/"][..], "GET"),
            (&["-I", "/"], "HEAD"),
            (&["-d", "a", "/"], "POST"),
            (&["-d", "a", "-XPUT", "/"], "PUT"),
            (&["-I", "-X", "OPTIONS", "/"], "OPTIONS"),
        ] {
            assert_eq!(read(args).unwrap().method(), method, "{args:?}");
        }
    }

    #[test]
    fn data_is_text_or_a_file() {
        let line = read(&["-d", "a=1", "-d@f", "--data-binary", "@-", "--data-raw", "@x", "/"]).unwrap();
        let file = |path: &str, exact| Data::File { path: path.to_owned(), exact };
        let text = |text: &str| Data::Text(text.to_owned());
        assert_eq!(line.data, [text("a=1"), file("f", false), file("-", true), text("@x")]);
        assert_eq!(line.headers(), [("Content-Type", Some("application/x-www-form-urlencoded"))]);
    }

    #[test]
    fn headers_are_replaced_omitted_or_empty() {
        let line = read(&[
            "-H",
            "content-type:text/plain",
            "-H",
            "Accept:",
            "-H",
            "X;",
            "-H",
            "Y: a: b ",
            "-d",
            "",
            "/",
        ]);
        let expected =
            [("content-type", Some("text/plain")), ("Accept", None), ("X", Some("")), ("Y", Some("a: b"))];
        assert_eq!(line.unwrap().headers(), expected);
    }

    #[test]
    fn an_error_names_the_refused_option() {
        for (args, expected) in [
            (&[][..], "missing argument: `curl [OPTIONS] URL`".to_owned()),
            (&["/a", "/b"], format!("unexpected argument `/b`: {TAKEN}")),
            (&["-k", "/"], format!("unknown option `-k`: {TAKEN}")),
            (&["-w", "%{http_code}", "/"], format!("unknown option `-w`: {TAKEN}")),
            (&["--compressed", "/"], format!("unknown option `--compressed`: {TAKEN}")),
            (&["-L", "/"], "failed to use option `-L`: redirects are not followed here".to_owned()),
            (&["-X", "A B", "/"], "failed to use `A B` as a method".to_owned()),
            (&["-X", "", "/"], "failed to use `` as a method".to_owned()),
            (&["-m", "soon", "/"], "failed to use `soon` as a number of seconds".to_owned()),
            (&["-m", "-1", "/"], "failed to use `-1` as a number of seconds".to_owned()),
            (&["-Id", "a", "/"], "failed to do both `-I` and `-d`: a HEAD request has no body".to_owned()),
            (
                &["-H", "X", "/"],
                "failed to use header `X`: neither `NAME: VALUE` nor `NAME:` to leave it out nor `NAME;`"
                    .to_owned(),
            ),
            (&["/", "-X"], "missing argument for option '-X'".to_owned()),
        ] {
            assert_eq!(read(args), Err(expected), "{args:?}");
        }
    }
}
