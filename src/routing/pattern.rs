//! The pattern of a rule, `/a/<int:id>.json`: parsed to tokens, matched against a path, put in Werkzeug's order.

use crate::routing::converter::{Converter, unquoted};
use smallvec::SmallVec;
use std::cmp::Reverse;

/// Limit of variables: each takes stack while a path is matched.
const MOST_VARIABLES: usize = 100;

/// One step of a pattern.
#[derive(Debug, Clone, PartialEq)]
pub enum Token {
    /// A run of slashes, with their number.
    Slash(usize),
    /// Text without slashes.
    Text(Box<str>),
    /// `<converter:name>`.
    Variable(Box<Variable>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    pub name: String,
    pub converter: Converter,
}

#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    /// The tokens without slashes at the end.
    tokens: Vec<Token>,
    /// Whether the pattern ends in a slash (Werkzeug: a branch, as opposed to a leaf).
    branch: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Slashes {
    /// Whether the path must end in a slash exactly if the pattern does.
    pub strict: bool,
    /// Whether a run of slashes counts as one.
    pub merge: bool,
}

/// Start and end of each variable; few rules have more than four.
type Spans = SmallVec<[(usize, usize); 4]>;

/// The places of variables in a path that matched.
pub(crate) struct Captures {
    /// Start and end of each variable, in bytes of the path.
    pub spans: Spans,
    /// Whether the path has slashes after the last token.
    pub trailing: bool,
}

impl Pattern {
    /// Parses the text of a rule.
    ///
    /// # Errors
    /// The fault, without the rule.
    pub(crate) fn parse(text: &str) -> Result<Pattern, String> {
        if !text.starts_with('/') {
            return Err("must start with `/`".to_owned());
        }
        let mut tokens = Vec::new();
        let mut rest = text.trim_end_matches('/');
        while let Some(open) = rest.find('<') {
            push_static(&mut tokens, &rest[..open])?;
            let (name, converter, after) = variable(&rest[open + 1..])?;
            let used = |token: &Token| matches!(token, Token::Variable(other) if other.name == name);
            if tokens.iter().any(used) {
                return Err(format!("variable `{name}` is used twice"));
            }
            tokens.push(Token::Variable(Box::new(Variable { name: name.to_owned(), converter })));
            rest = after;
        }
        push_static(&mut tokens, rest)?;
        let pattern = Pattern { tokens, branch: text.ends_with('/') };
        match pattern.variables().count() {
            0..=MOST_VARIABLES => Ok(pattern),
            count => Err(format!("{count} variables are more than {MOST_VARIABLES}")),
        }
    }

    pub(crate) fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    pub(crate) fn is_branch(&self) -> bool {
        self.branch
    }

    /// Returns names and converters of the variables, in order of appearance.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&str, &Converter)> {
        self.tokens.iter().filter_map(|token| match token {
            Token::Variable(variable) => Some((variable.name.as_str(), &variable.converter)),
            _ => None,
        })
    }

    /// Returns the key of the order of rules: the rule with the lesser key is tried first (Werkzeug's `match_compare_key`).
    /// `defaults` says whether the rule has defaults.
    pub(crate) fn priority(&self, defaults: bool) -> impl Ord + use<> {
        let (mut texts, mut weights, mut index, mut in_static) = (Vec::new(), Vec::new(), 0, false);
        for token in &self.tokens {
            // A run of static tokens is one item, each variable another.
            let is_static = !matches!(token, Token::Variable(_));
            index += usize::from(!(is_static && in_static));
            in_static = is_static;
            match token {
                Token::Slash(_) => {}
                Token::Text(text) => texts.push((index, Reverse(text.chars().count()))),
                Token::Variable(variable) => weights.push(variable.converter.weight()),
            }
        }
        let variable = defaults || !weights.is_empty();
        (variable, Reverse(texts.len()), texts, Reverse(weights.len()), weights)
    }

    /// Matches a path (decoded, with one slash at its start). Values are not converted: a text out of the range of its converter
    /// matches and ends the search, as in Werkzeug.
    pub(crate) fn captures(&self, path: &str, slashes: Slashes) -> Option<Captures> {
        let tail = self.branch || !slashes.strict;
        let mut walk = Walk {
            tokens: &self.tokens,
            path,
            slashes,
            tail,
            spans: Spans::new(),
            failed: Vec::new(),
            end: 0,
        };
        let found = walk.run(0, 0);
        found.then_some(Captures { spans: walk.spans, trailing: walk.end < path.len() })
    }

    /// Returns the pattern with each token written as text; `None` if `variable` returns `None`. `width` converts the number of
    /// slashes in the pattern to the number in the text.
    pub(crate) fn fill(
        &self,
        width: impl Fn(usize) -> usize,
        text: impl Fn(&str) -> String,
        mut variable: impl FnMut(&Variable) -> Option<String>,
    ) -> Option<String> {
        let mut path = String::new();
        for token in &self.tokens {
            match token {
                Token::Slash(count) => path.extend(std::iter::repeat_n('/', width(*count))),
                Token::Text(part) => path.push_str(&text(part)),
                Token::Variable(part) => path.push_str(&variable(part)?),
            }
        }
        if self.branch {
            path.push('/');
        }
        Some(path)
    }
}

/// Appends the tokens of static text, cut at its slashes.
fn push_static(tokens: &mut Vec<Token>, mut text: &str) -> Result<(), String> {
    if text.contains('>') {
        return Err("`>` without `<`".to_owned());
    }
    while !text.is_empty() {
        let (slashes, after) = text.split_at(text.len() - text.trim_start_matches('/').len());
        let (part, rest) = after.split_at(after.find('/').unwrap_or(after.len()));
        if !slashes.is_empty() {
            tokens.push(Token::Slash(slashes.len()));
        }
        if !part.is_empty() {
            tokens.push(Token::Text(part.into()));
        }
        text = rest;
    }
    Ok(())
}

/// Parses `converter(options):name>` or `name>`. Returns name, converter and the rest of the text.
fn variable(text: &str) -> Result<(&str, Converter, &str), String> {
    let (first, mut rest) = identifier(text);
    let mut arguments = "";
    if let Some(inner) = rest.strip_prefix('(') {
        let close = closing(inner).ok_or_else(|| broken(text))?;
        (arguments, rest) = (&inner[..close], &inner[close + 1..]);
        // Options need a converter and a name; `<(1):x>` and `<int(1)>` lack one.
        if first.is_empty() || !rest.starts_with(':') {
            return Err(broken(text));
        }
    }
    let (converter, name) = match rest.strip_prefix(':') {
        Some(after) => {
            let (name, after) = identifier(after);
            rest = after;
            (first, name)
        }
        None => ("default", first),
    };
    match rest.strip_prefix('>') {
        Some(after) if !name.is_empty() && !converter.is_empty() => {
            Ok((name, Converter::parse(converter, arguments)?, after))
        }
        _ => Err(broken(text)),
    }
}

fn broken(text: &str) -> String {
    match text.find('>') {
        Some(end) => format!("malformed variable `<{}`", &text[..=end]),
        None => "`<` without `>`".to_owned(),
    }
}

fn identifier(text: &str) -> (&str, &str) {
    let digit_first = text.starts_with(|c: char| c.is_ascii_digit());
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    text.split_at(if digit_first { 0 } else { end })
}

/// Returns the place of the first `)` outside of quotes.
fn closing(text: &str) -> Option<usize> {
    unquoted(text).find(|(_, character)| *character == ')').map(|(at, _)| at)
}

/// One search, with backtracking as in a regular expression. A loop matches static parts: only variables take stack.
struct Walk<'a> {
    tokens: &'a [Token],
    path: &'a str,
    slashes: Slashes,
    /// Whether slashes after the last token belong to the match.
    tail: bool,
    spans: Spans,
    /// For each variable and place in the path: whether a match from there has failed. Without this memory, the time would be
    /// a power of the path's length.
    failed: Vec<bool>,
    end: usize,
}

impl<'a> Walk<'a> {
    fn run(&mut self, first: usize, mut at: usize) -> bool {
        let tokens: &'a [Token] = self.tokens;
        for (index, token) in tokens.iter().enumerate().skip(first) {
            let rest = &self.path[at..];
            match token {
                Token::Text(text) if rest.starts_with(&**text) => at += text.len(),
                Token::Text(_) => return false,
                Token::Slash(count) => {
                    let there = rest.bytes().take_while(|byte| *byte == b'/').count();
                    let (least, used) = if self.slashes.merge { (1, there) } else { (*count, *count) };
                    if there < least {
                        return false;
                    }
                    at += used;
                }
                Token::Variable(variable) => return self.variable(index, &variable.converter, at),
            }
        }
        self.finish(at)
    }

    fn variable(&mut self, index: usize, converter: &Converter, at: usize) -> bool {
        let number = self.spans.len();
        if self.failed.get(number * (self.path.len() + 1) + at) == Some(&true) {
            return false;
        }
        let found = self.ends(index, converter, at);
        // The first variable starts at one place only.
        if !found && number > 0 {
            self.remember(number, converter, at);
        }
        found
    }

    fn ends(&mut self, index: usize, converter: &Converter, at: usize) -> bool {
        converter.ends(self.path, at, |end| {
            self.spans.push((at, end));
            let found = self.run(index + 1, end);
            if !found {
                self.spans.pop();
            }
            found
        })
    }

    fn remember(&mut self, number: usize, converter: &Converter, at: usize) {
        let width = self.path.len() + 1;
        let row = number * width;
        if self.failed.len() < row + width {
            self.failed.resize(row + width, false);
        }
        // A `path` without an end from here has none from a later start either.
        let all_later = *converter == Converter::Path && !self.path[at..].starts_with('/');
        let until = if all_later { width } else { at + 1 };
        self.failed[row + at..row + until].fill(true);
    }

    fn finish(&mut self, at: usize) -> bool {
        self.end = at;
        let rest = &self.path[at..];
        if !self.tail {
            return rest.is_empty();
        }
        let few = self.slashes.merge || rest.len() <= 1;
        few && rest.bytes().all(|byte| byte == b'/') && !self.path[..at].ends_with('/')
    }
}

#[cfg(test)]
mod tests;
