//! Media types and codings of files by their names, as Python's `mimetypes` guesses them.

/// A media type and its extensions in each line: those of Python 3.13 without the tables of the system, and those that browsers
/// and clients of APIs need beside them (fonts, `xhtml`, `yaml`, `map`, ...).
const TYPES: &str = include_str!("media_type/types.txt");

/// Extensions of files that are packed, and their `Content-Encoding`.
const CODINGS: [(&str, &str); 5] =
    [("gz", "gzip"), ("br", "br"), ("bz2", "bzip2"), ("xz", "xz"), ("z", "compress")];

/// Extensions that stand for two.
const SHORT: [(&str, &str, &str); 6] = [
    ("svgz", "svg", "gzip"),
    ("tgz", "tar", "gzip"),
    ("taz", "tar", "gzip"),
    ("tz", "tar", "gzip"),
    ("tbz2", "tar", "bzip2"),
    ("txz", "tar", "xz"),
];

/// The type of a file whose extension is unknown.
const UNKNOWN: &str = "application/octet-stream";

/// Media types without `text/` that have a charset in Werkzeug.
const TEXTS: [&str; 6] = [
    "application/ecmascript",
    "application/javascript",
    "application/sql",
    "application/xml",
    "application/xml-dtd",
    "application/xml-external-parsed-entity",
];

/// Returns the media type of a file, and its coding: `a.css.gz` is `text/css`, and `gzip`.
pub(crate) fn guess(name: &str) -> (&'static str, Option<&'static str>) {
    let (stem, extension) = split(name);
    if let Some((_, of, coding)) = SHORT.iter().find(|(short, ..)| extension.eq_ignore_ascii_case(short)) {
        return (by_extension(of), Some(coding));
    }
    match CODINGS.iter().find(|(packed, _)| extension.eq_ignore_ascii_case(packed)) {
        Some((_, coding)) => (by_extension(split(stem).1), Some(coding)),
        None => (by_extension(extension), None),
    }
}

/// Splits a name before its extension. A name that only begins with a dot has none, as in Python.
fn split(name: &str) -> (&str, &str) {
    let base = name.rsplit('/').next().unwrap_or(name);
    match base.trim_start_matches('.').rsplit_once('.') {
        Some((stem, extension)) => (stem, extension),
        None => (base, ""),
    }
}

fn by_extension(extension: &str) -> &'static str {
    let is_known = |known: &str| known.eq_ignore_ascii_case(extension);
    let of_line = |line: &'static str| {
        let (media_type, extensions) = line.split_once(' ')?;
        extensions.split(' ').any(is_known).then_some(media_type)
    };
    TYPES.lines().find_map(of_line).unwrap_or(UNKNOWN)
}

/// Adds `; charset=utf-8` to media types of text, as Flask's `mimetype` does.
pub(crate) fn with_charset(mimetype: &str) -> String {
    let text = mimetype.starts_with("text/") || mimetype.ends_with("+xml") || TEXTS.contains(&mimetype);
    if text && !mimetype.contains("charset") {
        format!("{mimetype}; charset=utf-8")
    } else {
        mimetype.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_type_comes_from_the_extension_and_the_coding_from_the_one_behind_it() {
        let table = [
            ("a.json", "application/json", None),
            ("A.JSON", "application/json", None),
            ("a.js", "text/javascript", None),
            ("a.mjs", "text/javascript", None),
            ("a.js.map", "application/json", None),
            ("a.md", "text/markdown", None),
            ("a.csv", "text/csv", None),
            ("a.yaml", "application/yaml", None),
            ("a.toml", "application/toml", None),
            ("a.txt", "text/plain", None),
            ("a.xml", "text/xml", None),
            ("a.xhtml", "application/xhtml+xml", None),
            ("a.wasm", "application/wasm", None),
            ("a.svg", "image/svg+xml", None),
            ("a.ico", "image/vnd.microsoft.icon", None),
            ("a.avif", "image/avif", None),
            ("a.webp", "image/webp", None),
            ("a.jpg", "image/jpeg", None),
            ("a.mp4", "video/mp4", None),
            ("a.webm", "video/webm", None),
            ("a.mp3", "audio/mpeg", None),
            ("a.woff", "font/woff", None),
            ("a.woff2", "font/woff2", None),
            ("a.ttf", "font/ttf", None),
            ("a.otf", "font/otf", None),
            ("a.pdf", "application/pdf", None),
            ("a.zip", "application/zip", None),
            ("a.tar", "application/x-tar", None),
            ("a.css.gz", "text/css", Some("gzip")),
            ("dir.d/a.css.br", "text/css", Some("br")),
            ("a.tar.bz2", "application/x-tar", Some("bzip2")),
            ("a.tar.xz", "application/x-tar", Some("xz")),
            ("a.tar.Z", "application/x-tar", Some("compress")),
            ("a.tgz", "application/x-tar", Some("gzip")),
            ("a.svgz", "image/svg+xml", Some("gzip")),
            ("a.gz", UNKNOWN, Some("gzip")),
            (".gz", UNKNOWN, None),
            ("gz", UNKNOWN, None),
            ("dir.css/a", UNKNOWN, None),
            ("a.", UNKNOWN, None),
            ("a.none", UNKNOWN, None),
            ("a.text/css", UNKNOWN, None),
            ("", UNKNOWN, None),
        ];
        for (name, media_type, coding) in table {
            assert_eq!(guess(name), (media_type, coding), "{name}");
        }
    }

    #[test]
    fn each_extension_stands_once_in_the_table() {
        let mut seen = HashSet::new();
        for line in TYPES.lines() {
            let mut words = line.split(' ');
            assert!(words.next().is_some_and(|media_type| media_type.matches('/').count() == 1), "{line}");
            assert!(words.all(|extension| !extension.is_empty() && seen.insert(extension)), "{line}");
        }
        assert!(seen.len() > 200);
    }

    #[test]
    fn only_media_types_of_text_get_a_charset() {
        for (given, expected) in [
            ("text/plain", "text/plain; charset=utf-8"),
            ("text/plain; charset=latin-1", "text/plain; charset=latin-1"),
            ("application/xml", "application/xml; charset=utf-8"),
            ("application/sql", "application/sql; charset=utf-8"),
            ("image/svg+xml", "image/svg+xml; charset=utf-8"),
            ("application/json", "application/json"),
        ] {
            assert_eq!(with_charset(given), expected);
        }
    }
}
