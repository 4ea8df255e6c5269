//! The tokens of a script, for hints and for its pieces. Rhai does not give its own tokens of a source that it rejects, and they
//! have neither their text nor their end.
//!
//! Up to an error these are Rhai's tokens. Behind it anything may follow, so the scanner has no errors.

/// The kinds of tokens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Shape {
    Word,
    Number,
    /// A text in any kind of quotes, or a part of a text with `${...}` in it.
    Text,
    Symbol,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'s> {
    pub(super) shape: Shape,
    /// The text in the source, with its quotes.
    pub(super) text: &'s str,
    /// Line, from 1.
    pub(super) line: usize,
    /// Column in characters, from 1.
    pub(super) column: usize,
    /// Whether the token is the first one of its line, apart from comments.
    pub(super) leads: bool,
    /// Whether the token follows the one before without a gap.
    pub(super) joined: bool,
    /// Line in which the token ends.
    pub(super) last_line: usize,
}

/// Symbols of several characters, the longest first.
const SYMBOLS: &[&str] = &[
    "===", "!==", "...", "..=", "**=", "<<=", ">>=", "=>", "==", "!=", "<=", ">=", "&&", "||", "++", "--",
    "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "->", "<-", ":=", "::", "??", "?.", "?[", "..", "**",
    "#{", "<<", ">>", "!.",
];

/// Returns 1 for the text of an opening bracket, -1 for that of a closing one, else 0.
pub(super) fn nesting(text: &str) -> isize {
    match text {
        "(" | "[" | "{" | "#{" | "?[" => 1,
        ")" | "]" | "}" => -1,
        _ => 0,
    }
}

/// Returns the tokens of `source` that begin in lines 1 to `last`.
pub(super) fn tokens(source: &str, last: usize) -> Vec<Token<'_>> {
    let mut scanner = Scanner::new(source);
    while scanner.line <= last && scanner.step() {}
    scanner.tokens
}

/// Returns line and column of a `/*` without its `*/`. Rhai takes the rest of the file for a comment, without an error.
pub(super) fn open_comment(source: &str) -> Option<(usize, usize)> {
    if !source.contains("/*") {
        return None;
    }
    let mut scanner = Scanner::new(source);
    while scanner.step() {}
    scanner.open_comment
}

struct Scanner<'s> {
    rest: &'s str,
    line: usize,
    column: usize,
    tokens: Vec<Token<'s>>,
    /// For each open `${`, the number of `{` that are open within it.
    braces: Vec<usize>,
    /// Line and column of a comment without its end.
    open_comment: Option<(usize, usize)>,
}

impl<'s> Scanner<'s> {
    fn new(source: &'s str) -> Self {
        let (tokens, braces, open_comment) = Default::default();
        Scanner { rest: source, line: 1, column: 1, tokens, braces, open_comment }
    }

    /// Reads a token, a comment or a blank. Returns false at the end of the source.
    fn step(&mut self) -> bool {
        let Some(first) = self.rest.chars().next() else { return false };
        let rest = self.rest;
        let (shape, length) = match first {
            _ if rest.starts_with("//") => return self.pass(rest.find(['\n', '\r']).unwrap_or(rest.len())),
            _ if rest.starts_with("/*") => {
                let length = block_comment(rest);
                self.open_comment = length.is_none().then_some((self.line, self.column));
                return self.pass(length.unwrap_or(rest.len()));
            }
            _ if first.is_whitespace() => return self.pass(first.len_utf8()),
            '"' | '\'' => (Shape::Text, quoted(rest, first)),
            '`' => (Shape::Text, 1 + template(&rest[1..])),
            '#' if raw_quotes(rest).is_some() => (Shape::Text, raw(rest)),
            '0'..='9' => (Shape::Number, number(rest)),
            '_' | 'a'..='z' | 'A'..='Z' => {
                (Shape::Word, end(rest, 0, |letter| letter == '_' || letter.is_ascii_alphanumeric()))
            }
            _ => {
                let known = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol));
                (Shape::Symbol, known.map_or(first.len_utf8(), |symbol| symbol.len()))
            }
        };
        self.push(shape, length);
        self.follow_braces();
        true
    }

    /// Adds the next `length` bytes as a token.
    fn push(&mut self, shape: Shape, length: usize) {
        let (text, line, column) = (&self.rest[..length], self.line, self.column);
        let before = self.tokens.last();
        let leads = before.is_none_or(|before| before.last_line < line);
        let joined = before.is_some_and(|before| before.text.as_bytes().as_ptr_range().end == text.as_ptr());
        self.pass(length);
        self.tokens.push(Token { shape, text, line, column, leads, joined, last_line: self.line });
    }

    /// Skips the next `length` bytes.
    fn pass(&mut self, length: usize) -> bool {
        for character in self.rest[..length].chars() {
            self.column += 1;
            if character == '\n' {
                (self.line, self.column) = (self.line + 1, 1);
            }
        }
        self.rest = &self.rest[length..];
        true
    }

    /// Counts the braces of code within a text, by the last token. Where the code ends, reads the next part of the text.
    fn follow_braces(&mut self) {
        let Some(token) = self.tokens.last() else { return };
        let opens_code = token.shape == Shape::Text && self.rest.starts_with("${");
        match (token.text, self.braces.last_mut()) {
            _ if opens_code => {
                self.pass(1);
                self.push(Shape::Symbol, 1);
                self.braces.push(0);
            }
            ("{" | "#{", Some(open)) => *open += 1,
            ("}", Some(0)) => {
                self.braces.pop();
                self.push(Shape::Text, template(self.rest));
                self.follow_braces();
            }
            ("}", Some(open)) => *open -= 1,
            _ => {}
        }
    }
}

/// Returns the length of a block comment; `None` where it has no end. Block comments nest.
fn block_comment(rest: &str) -> Option<usize> {
    let (mut at, mut level) = (0, 0);
    loop {
        at += rest[at..].find(['/', '*'])?;
        match rest.get(at..at + 2) {
            Some("/*") => level += 1,
            Some("*/") => level -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if level == 0 {
            return Some(at);
        }
    }
}

/// Returns the length of a text in quotes, or of its part in this line. A quote in it is written twice or behind a backslash.
fn quoted(rest: &str, quote: char) -> usize {
    // Rhai reads `''` as a character without a letter, whatever follows.
    if rest.starts_with("''") {
        return 2;
    }
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            // A backslash makes even the end of the line a part of the text.
            '\\' => drop(characters.next()),
            '\n' => return at,
            _ if character != quote => {}
            _ if characters.peek().is_some_and(|(_, next)| *next == quote) => drop(characters.next()),
            _ => return at + 1,
        }
    }
    rest.len()
}

/// Returns the length of a part of a text in backticks: to the next `${`, or to the end of the text. The part begins behind the
/// first backtick, or behind the `}` of code.
fn template(rest: &str) -> usize {
    let mut characters = rest.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let next = characters.peek().map(|(_, next)| *next);
        match (character, next) {
            ('\\', Some('$')) | ('`', Some('`')) => drop(characters.next()),
            ('$', Some('{')) => return at,
            ('`', _) => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// Returns the number of `#` before the quote of a raw text.
fn raw_quotes(rest: &str) -> Option<usize> {
    let marks = rest.len() - rest.trim_start_matches('#').len();
    rest[marks..].starts_with('"').then_some(marks)
}

fn raw(rest: &str) -> usize {
    let marks = raw_quotes(rest).unwrap_or(0);
    let end = format!("\"{}", &rest[..marks]);
    rest[marks + 1..].find(&end).map_or(rest.len(), |at| marks + 1 + at + end.len())
}

/// Returns the byte behind the characters from `from` on for which `belongs` is true.
fn end(rest: &str, from: usize, belongs: impl Fn(char) -> bool) -> usize {
    rest[from..].find(|letter| !belongs(letter)).map_or(rest.len(), |length| from + length)
}

fn number(rest: &str) -> usize {
    if let Some(radix) = ["0x", "0X", "0o", "0O", "0b", "0B"].iter().find(|mark| rest.starts_with(**mark)) {
        return end(rest, radix.len(), |letter| letter == '_' || letter.is_ascii_hexdigit());
    }
    let digits = |from: usize| end(rest, from, |letter| letter == '_' || letter.is_ascii_digit());
    let mut end = digits(0);
    let mut behind = rest[end..].chars();
    if behind.next() == Some('.') {
        // `1.max(2)` calls a method, `0..3` is a range.
        match behind.next() {
            Some('0'..='9') => end = digits(end + 1),
            Some('.' | '_' | 'a'..='z' | 'A'..='Z') => return end,
            _ => end += 1,
        }
    }
    if let Some(exponent) = rest[end..].strip_prefix(['e', 'E']) {
        let sign = usize::from(exponent.starts_with(['+', '-']));
        if exponent[sign..].starts_with(|character: char| character.is_ascii_digit()) {
            end = digits(end + 1 + sign);
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    fn texts(source: &str) -> Vec<&str> {
        tokens(source, usize::MAX).iter().map(|token| token.text).collect()
    }

    #[test]
    fn texts_and_comments_are_one_token_or_none() {
        let cases: &[(&str, &[&str])] = &[
            ("let x = 1.5; // and", &["let", "x", "=", "1.5", ";"]),
            ("/* or /* and */ not */ x", &["x"]),
            ("/* or", &[]),
            (r#""a \" and" b"#, &[r#""a \" and""#, "b"]),
            (r#""a "" and" b"#, &[r#""a "" and""#, "b"]),
            (r#""" b"#, &[r#""""#, "b"]),
            ("\"a and\nb", &["\"a and", "b"]),
            ("'abc' 'a' ''", &["'abc'", "'a'", "''"]),
            (r##"#"a "and" b"# c"##, &[r##"#"a "and" b"#"##, "c"]),
            (r###"##"a "# b"## c"###, &[r###"##"a "# b"##"###, "c"]),
            ("`a and\nb` c", &["`a and\nb`", "c"]),
            (
                "`a ${b + #{ c: `d ${e}` }.c} and` f",
                &[
                    "`a ", "{", "b", "+", "#{", "c", ":", "`d ", "{", "e", "}", "`", "}", ".", "c", "}",
                    " and`", "f",
                ],
            ),
            (
                "`a ${b}${c} `` and \\${d}` e",
                &["`a ", "{", "b", "}", "", "{", "c", "}", " `` and \\${d}`", "e"],
            ),
            ("0..3 1.max 0xff 1e-5 2.e", &["0", "..", "3", "1", ".", "max", "0xff", "1e-5", "2", ".", "e"]),
            ("1e+5 1.5E7 1e+ 0o17", &["1e+5", "1.5E7", "1", "e", "+", "0o17"]),
            ("a===b x++ y?.z", &["a", "===", "b", "x", "++", "y", "?.", "z"]),
            ("é “a”", &["é", "“", "a", "”"]),
        ];
        for (source, expected) in cases {
            assert_eq!(texts(source), *expected, "{source}");
        }
    }

    #[test]
    fn a_comment_without_an_end_is_found_where_it_begins() {
        for (source, expected) in [
            ("x /* a */", None),
            ("x\n  /* a", Some((2, 3))),
            ("/* /* */", Some((1, 1))),
            ("/**//*/", Some((1, 5))),
            ("\"*/*\" // /*\n`/*`", None),
        ] {
            assert_eq!(open_comment(source), expected, "{source}");
        }
    }

    #[test]
    fn places_are_the_same_as_those_of_rhai() {
        let sources = [
            "let x = `a\n b ${y + `c\n${z}`} d` + \"é \\\n  f\";\n\tx + 'é' /* \n é */ + #\"\n\"# + 1.5;",
            "fn f(a) { a.b?.c ?? [1, -2] } // é\nf(#{ a: 0x1f, \"b\": 1..=2 })",
        ];
        for source in sources {
            let places: Vec<_> = tokens(source, usize::MAX)
                .iter()
                .map(|token| (Some(token.line), Some(token.column)))
                .collect();
            let seen = Arc::new(Mutex::new(Vec::new()));
            let mut engine = rhai::Engine::new_raw();
            let saw = seen.clone();
            #[allow(deprecated)] // "volatile", not deprecated: the lock file pins the version
            engine.on_parse_token(move |token, at, _| {
                saw.lock().unwrap().push((token.clone(), at));
                token
            });
            engine.compile(source).unwrap();
            let seen = seen.lock().unwrap();
            assert!(seen.len() > 20);
            // An empty part of a text has no place.
            for (token, at) in seen.iter().filter(|(_, at)| !at.is_none()) {
                assert!(
                    places.contains(&(at.line(), at.position())),
                    "{source}: {token:?} at {at:?}: {places:?}"
                );
            }
        }
    }
}
