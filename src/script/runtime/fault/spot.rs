//! The token at which a script does not compile, and its neighbours. Words within texts and comments are no tokens.

use crate::script::runtime::tokens::{Shape, Token, nesting, tokens};
use rhai::Position;

/// Lines behind the error that are read: the sign of some habits stands later, such as the `else` of `x if c else y`.
const AHEAD: usize = 20;

/// Words that can't be a value.
const KEYWORDS: &[&str] = &[
    "as", "break", "catch", "const", "continue", "do", "else", "export", "fn", "for", "if", "import", "in",
    "let", "loop", "private", "return", "switch", "throw", "try", "until", "while",
];

pub(super) struct Spot<'s> {
    source: &'s str,
    tokens: Vec<Token<'s>>,
    /// Index of the token at the error; the number of tokens at the end of the source.
    at: usize,
    /// Whether the error is within that token, a text.
    pub(super) within: bool,
}

impl<'s> Spot<'s> {
    /// Returns the tokens around `place` of `source`; `None` where no token begins there.
    pub(super) fn find(source: &'s str, place: Position) -> Option<Spot<'s>> {
        let (line, column) = (place.line()?, place.position()?);
        let tokens = tokens(source, line + AHEAD);
        let at = tokens.partition_point(|token| (token.line, token.column) < (line, column));
        let exact = tokens.get(at).is_none_or(|token| (token.line, token.column) == (line, column));
        if exact && !(at == tokens.len() && tokens.last().is_some_and(|last| last.covers(line))) {
            return Some(Spot { source, tokens, at, within: false });
        }
        let at = at.checked_sub(1)?;
        let text = tokens[at].shape == Shape::Text && tokens[at].last_line >= line;
        text.then_some(Spot { source, tokens, at, within: true })
    }

    fn get(&self, offset: isize) -> Option<&Token<'s>> {
        self.tokens.get(self.at.checked_add_signed(offset)?)
    }

    /// Returns the text of the token `offset` places behind the error (0: at the error); empty where that is beyond the source.
    pub(super) fn text(&self, offset: isize) -> &'s str {
        self.get(offset).map_or("", |token| token.text)
    }

    pub(super) fn is(&self, offset: isize, shape: Shape) -> bool {
        self.get(offset).is_some_and(|token| token.shape == shape)
    }

    /// Whether the token at `offset` is a word, a number or a text.
    pub(super) fn is_value(&self, offset: isize) -> bool {
        self.get(offset).is_some_and(|token| token.shape != Shape::Symbol)
    }

    /// Whether the token at `offset` is a name, and no keyword.
    pub(super) fn is_name(&self, offset: isize) -> bool {
        self.is(offset, Shape::Word) && !KEYWORDS.contains(&self.text(offset))
    }

    /// Whether a value may end with the token at `offset`.
    pub(super) fn ends_value(&self, offset: isize) -> bool {
        match self.get(offset) {
            Some(token) if token.shape == Shape::Word => !KEYWORDS.contains(&token.text),
            Some(token) if token.shape == Shape::Symbol => matches!(token.text, ")" | "]" | "}"),
            other => other.is_some(),
        }
    }

    /// Whether the token at `offset` follows the one before it without a gap.
    pub(super) fn joined(&self, offset: isize) -> bool {
        self.get(offset).is_some_and(|token| token.joined)
    }

    /// Whether the token at `offset` is the first one of its line.
    pub(super) fn leads(&self, offset: isize) -> bool {
        self.get(offset).is_some_and(|token| token.leads)
    }

    pub(super) fn at_end(&self) -> bool {
        self.at == self.tokens.len()
    }

    /// Returns the line in which the token before the error ends.
    pub(super) fn line_before(&self) -> Option<usize> {
        Some(self.get(-1)?.last_line)
    }

    /// Returns the comment behind the token before the error, on the same line.
    pub(super) fn comment_before(&self) -> Option<&'s str> {
        let end = self.get(-1)?.text.as_bytes().as_ptr_range().end.addr();
        let rest = self.source.get(end.checked_sub(self.source.as_ptr().addr())?..)?;
        rest.lines().next()?.trim_start().strip_prefix("//")
    }

    pub(super) fn line(&self, offset: isize) -> Option<usize> {
        Some(self.get(offset)?.line)
    }

    /// Whether a statement begins with the token at `offset`: behind `;` or a brace, or at the beginning of a line.
    pub(super) fn begins_statement(&self, offset: isize) -> bool {
        self.leads(offset) || matches!(self.text(offset - 1), "" | ";" | "{" | "}")
    }

    /// Returns the offset of the innermost bracket that is open at the error.
    pub(super) fn enclosing(&self) -> Option<isize> {
        self.opened_by(0)
    }

    /// Returns the text of the token `offset` places behind the innermost open bracket (0: the bracket); empty where no bracket
    /// is open.
    pub(super) fn near_bracket(&self, offset: isize) -> &'s str {
        self.enclosing().map_or("", |open| self.text(open + offset))
    }

    /// Whether the innermost bracket holds the cases of a `switch`.
    pub(super) fn in_switch(&self) -> bool {
        self.near_bracket(0) == "{" && (1..8).any(|before| self.near_bracket(-before) == "switch")
    }

    /// Returns the offset of the innermost bracket that is open before the token at `offset`. For a closing bracket it is the
    /// matching one.
    pub(super) fn opened_by(&self, mut offset: isize) -> Option<isize> {
        let mut depth = 0;
        while depth <= 0 {
            offset -= 1;
            depth += nesting(self.get(offset)?.text);
        }
        Some(offset)
    }

    /// Returns the offset of the first token behind the error that is one of `wanted`, in the same brackets and the same
    /// statement.
    pub(super) fn find_ahead(&self, wanted: &[&str]) -> Option<isize> {
        let mut depth = 0;
        for offset in 1.. {
            let text = self.get(offset)?.text;
            if depth == 0 && wanted.contains(&text) {
                return Some(offset);
            }
            depth += nesting(text);
            if depth < 0 || depth == 0 && text == ";" {
                return None;
            }
        }
        None
    }

    /// Returns the offset of the first token of the statement with the error.
    pub(super) fn statement(&self) -> isize {
        let (mut depth, mut offset) = (0, 0);
        while let Some(token) = self.get(offset - 1) {
            // A `}` may end the block of an earlier statement.
            let is_block = || self.opened_by(offset - 1).is_some_and(|at| self.text(at) == "{");
            if depth == 0 && (token.text == ";" || token.text == "}" && is_block()) {
                break;
            }
            depth += nesting(token.text);
            if depth > 0 {
                break;
            }
            offset -= 1;
        }
        offset
    }
}

impl Token<'_> {
    /// Whether the token is a text without its closing quote that reaches `line`.
    fn covers(&self, line: usize) -> bool {
        let quote = self.text.chars().next().unwrap_or_default();
        let closed = self.text.len() > 1 && self.text.ends_with(quote);
        self.shape == Shape::Text && !closed && self.last_line >= line
    }
}
