//! The reason why a view returned nothing, by the end of its source. The syntax tree does not show the reason: Rhai's optimizer
//! drops a `try` that can't fail.

use crate::script::runtime::tokens::{Token, nesting, tokens};

const TRY: &str =
    "a `try` has no value of its own: write `return` in both blocks, `try { return a; } catch { return b; }`";
const EMPTY_MAP: &str = "an empty map is written `#{}`";

/// Most lines of a function that are read for its end.
const LINES: usize = 1_000;

/// Returns the hint for the function that begins in `line` of `source`, if exactly one begins there.
pub(super) fn hint(source: &str, line: usize) -> Option<&'static str> {
    let tokens = tokens(source, line.saturating_add(LINES));
    let mut bodies =
        (0..tokens.len()).filter(|at| tokens[*at].line == line).filter_map(|at| body(&tokens, at));
    let body = bodies.next().filter(|_| bodies.next().is_none())?;
    let end = body.strip_suffix(&["}"])?;
    let end = end.strip_suffix(&[";"]).unwrap_or(end);
    if end.ends_with(&["{", "}"]) && end.len() > 2 {
        return matches!(end[end.len() - 3], "{" | "}" | ";" | "return").then_some(EMPTY_MAP);
    }
    let (end, catch) = block(end)?;
    let end = match end {
        [rest @ .., "(", _, ")"] => rest,
        _ => end,
    };
    let (end, tried) = block(end.strip_suffix(&["catch"])?)?;
    let returns = catch.contains(&"return") && tried.contains(&"return");
    (end.ends_with(&["try"]) && !returns).then_some(TRY)
}

/// Returns the texts of the tokens from `{` to `}` of the function or closure whose `fn` or bar is at `at`.
fn body<'s>(tokens: &[Token<'s>], at: usize) -> Option<Vec<&'s str>> {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
    let open = match text(at) {
        "fn" if text(at + 1) != "registerRules" => (at..tokens.len()).find(|at| text(*at) == "{")?,
        "|" | "||" if text(at + 1) == "{" => at + 1,
        _ => return None,
    };
    let mut depth = 0;
    let length = tokens[open..].iter().position(|token| {
        depth += nesting(token.text);
        depth == 0
    })?;
    Some(tokens[open..=open + length].iter().map(|token| token.text).collect())
}

/// Returns the tokens before the block at the end of `tokens`, and that block.
fn block<'t, 's>(tokens: &'t [&'s str]) -> Option<(&'t [&'s str], &'t [&'s str])> {
    let mut depth = 0;
    let open = tokens.iter().rposition(|text| {
        depth += nesting(text);
        depth == 0
    })?;
    (tokens[open] == "{").then(|| tokens.split_at(open))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_function_shows_why_it_returned_nothing() {
        let cases = [
            ("fn f() { try { g() } catch (e) { \"caught\" } }", Some(TRY)),
            ("fn f(a, b) {\n g();\n try { g() } catch { \"}\" /* } */ }\n}\nfn g() { 1 }", Some(TRY)),
            ("fn f() { try { return g(); } catch (e) { \"caught\" } }", Some(TRY)),
            ("fn f() { if x { try { 1 } catch { 2 } } }", None),
            ("fn f() { try { return g(); } catch (e) { return \"caught\"; } }", None),
            ("fn f() { try { g() } catch (e) { 1 } g() }", None),
            ("fn f() { \"try { 1 } catch { 2 }\" }", None),
            ("fn f() { g(); } // try { 1 } catch { 2 }", None),
            ("fn registerRules() { app.get(\"/\", |x| { try { g() } catch (e) { 1 } }); }", Some(TRY)),
            ("app.get(\"/\", || { try { g() } catch (e) { 1 } });", Some(TRY)),
            ("app.get(\"/\", || { g() }); app.get(\"/\", || { try { g() } catch (e) { 1 } });", None),
            ("fn f() { let g = || { try { g() } catch (e) { 1 } }; g.call(); }", None),
            ("fn f() { return {}; }", Some(EMPTY_MAP)),
            ("fn f() { {} }", Some(EMPTY_MAP)),
            ("fn f() { }", None),
            ("fn f() { if x { } }", None),
            ("fn f() { #{ a: 1 } }", None),
            ("fn f() { g({ ", None),
            ("", None),
        ];
        for (source, expected) in cases {
            assert_eq!(hint(source, 1), expected, "{source}");
        }
    }
}
