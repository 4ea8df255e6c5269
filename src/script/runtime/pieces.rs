//! Pieces of a file, which Rhai compiles one by one to the same result as the whole. At each mention of a variable, Rhai's
//! parser looks at all earlier functions. So 10,000 functions in pieces of 128 take a tenth of the time. The earlier functions
//! matter only to closures, which capture any name that is no function. So the first piece has the top level, all
//! functions with closures, and all functions whose names stand in closures.

use super::tokens::{Shape, Token, nesting, tokens};
use std::collections::HashSet;

/// Most functions of a piece.
const MOST_FUNCTIONS: usize = 128;
/// A piece of more bytes takes no further function.
const LONG: usize = 32 << 10;

/// A part of a file. The lines of other parts are empty in it, so that places stay the same.
pub(super) struct Piece {
    pub text: String,
    /// The first and the last line.
    lines: (usize, usize),
}

impl Piece {
    pub(super) fn has_line(&self, line: usize) -> bool {
        (self.lines.0..=self.lines.1).contains(&line)
    }
}

/// A function of the top level.
struct Item<'s> {
    /// Index of the first token.
    from: usize,
    to: usize,
    name: &'s str,
    has_closure: bool,
}

/// Returns the pieces of `source`, the first of which has the top level. A small file is one piece.
///
/// A file with more lines or longer lines than Rhai counts is one piece too. Each piece begins with the empty lines and columns
/// that stand before it in the file, so that Rhai counts right.
pub(super) fn split(source: &str) -> Vec<Piece> {
    if source.len() <= LONG || !has_places(source) { vec![whole(source)] } else { split_at_functions(source) }
}

/// Whether Rhai has a position for each place in `text`: it counts lines and columns in 16 bits.
pub(super) fn has_places(text: &str) -> bool {
    let most = usize::from(u16::MAX);
    text.lines().nth(most - 1).is_none() && text.lines().all(|line| line.len() < most)
}

fn whole(source: &str) -> Piece {
    Piece { text: source.to_owned(), lines: (1, usize::MAX) }
}

fn split_at_functions(source: &str) -> Vec<Piece> {
    let tokens = tokens(source, usize::MAX);
    let Some(found) = Scan::run(&tokens) else { return vec![whole(source)] };
    let apart = |item: &Item<'_>| !item.has_closure && !found.in_closures.contains(item.name);
    let apart: Vec<&Item<'_>> = found.items.iter().filter(|item| apart(item)).collect();
    let mut pieces = Pieces { source, tokens: &tokens, all: Vec::new(), functions: 0, bytes: 0, end: (1, 1) };
    pieces.top_level(&apart);
    apart.iter().for_each(|item| pieces.function(item));
    pieces.all
}

/// Finds the functions of the top level.
struct Scan<'t, 's> {
    tokens: &'t [Token<'s>],
    items: Vec<Item<'s>>,
    /// Words in closures.
    in_closures: HashSet<&'s str>,
}

impl<'t, 's> Scan<'t, 's> {
    /// Scans all tokens. Returns `None` where brackets don't match.
    fn run(tokens: &'t [Token<'s>]) -> Option<Self> {
        let mut scan = Scan { tokens, items: Vec::new(), in_closures: HashSet::new() };
        let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
        // `ends` is whether the statement before has ended, so that another one may begin here.
        let (mut from, mut ends) = (0, true);
        while from < tokens.len() {
            let (to, has_closure) = scan.balanced(from)?;
            let keyword = if text(from) == "private" { from + 1 } else { from };
            let is_function = text(keyword) == "fn";
            // A symbol behind the function may continue the statement.
            let apart = ends && tokens.get(to + 1).is_none_or(|next| next.shape == Shape::Word);
            if is_function && apart && text(keyword + 2).starts_with('(') {
                scan.items.push(Item { from, to, name: text(keyword + 1), has_closure });
            }
            ends = is_function || text(to) == ";";
            from = to + 1;
        }
        Some(scan)
    }

    /// Returns the end of the statement that begins with token `from` (a `;`, or the `}` of a block), and whether it may have
    /// closures.
    fn balanced(&mut self, from: usize) -> Option<(usize, bool)> {
        let (mut depth, mut has_closure) = (0_usize, false);
        // The depth of the outermost closure.
        let mut closure: Option<usize> = None;
        for at in from..self.tokens.len() {
            let token = &self.tokens[at];
            // A part of a text may look like a symbol.
            match (token.shape, token.text) {
                (Shape::Symbol, "|" | "||") => {
                    has_closure = true;
                    closure = Some(closure.map_or(depth, |outer| outer.min(depth)));
                }
                (Shape::Symbol, symbol) => depth = depth.checked_add_signed(nesting(symbol))?,
                (Shape::Word, word) if closure.is_some() => drop(self.in_closures.insert(word)),
                _ => {}
            }
            let is = |symbol: &str| token.shape == Shape::Symbol && token.text == symbol;
            closure = closure.filter(|outer| depth > *outer || depth == *outer && !is(";"));
            if depth == 0 && (is(";") || is("}")) {
                return Some((at, has_closure));
            }
        }
        (depth == 0).then_some((self.tokens.len() - 1, has_closure))
    }
}

/// The pieces under construction.
struct Pieces<'t, 's> {
    source: &'s str,
    tokens: &'t [Token<'s>],
    all: Vec<Piece>,
    /// Number of functions of the last piece, and their bytes.
    functions: usize,
    bytes: usize,
    /// Line and column at which the text of the last piece ends.
    end: (usize, usize),
}

impl Pieces<'_, '_> {
    fn byte(&self, token: usize) -> usize {
        self.tokens[token].text.as_ptr().addr() - self.source.as_ptr().addr()
    }

    /// Adds the piece with the top level: all but the functions in `apart`.
    fn top_level(&mut self, apart: &[&Item<'_>]) {
        let mut text = String::with_capacity(self.source.len());
        let mut from = 0;
        for item in apart {
            text.push_str(&self.source[from..self.byte(item.from)]);
            let (last, begin) = (&self.tokens[item.to], &self.tokens[item.from]);
            pad(&mut text, (begin.line, begin.column), (last.line, last.column + 1));
            from = self.byte(item.to) + 1;
        }
        text.push_str(&self.source[from..]);
        self.all.push(Piece { text, lines: (1, usize::MAX) });
    }

    /// Adds a function to the last piece, or to a new one.
    fn function(&mut self, item: &Item<'_>) {
        let text = &self.source[self.byte(item.from)..=self.byte(item.to)];
        let (begin, last) = (&self.tokens[item.from], &self.tokens[item.to]);
        // The blanks before the functions do not count.
        if self.all.len() == 1 || self.functions >= MOST_FUNCTIONS || self.bytes > LONG {
            self.all.push(Piece { text: String::new(), lines: (begin.line, begin.line) });
            (self.functions, self.bytes, self.end) = (0, 0, (1, 1));
        }
        if let Some(piece) = self.all.last_mut() {
            pad(&mut piece.text, self.end, (begin.line, begin.column));
            piece.text.push_str(text);
            piece.lines.1 = last.line;
        }
        (self.functions, self.bytes) = (self.functions + 1, self.bytes + text.len());
        self.end = (last.line, last.column + 1);
    }
}

/// Adds empty lines and blanks from one place to the other.
fn pad(text: &mut String, from: (usize, usize), to: (usize, usize)) {
    let lines = to.0 - from.0;
    text.extend(std::iter::repeat_n('\n', lines));
    text.extend(std::iter::repeat_n(' ', if lines == 0 { to.1 - from.1 } else { to.1 - 1 }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script;
    use crate::script::runtime::budget::Budget;
    use crate::script::runtime::names;
    use rhai::{AST, Engine};

    /// Returns the contents of a file in an order that does not depend on the pieces.
    fn contents(asts: &[AST]) -> Vec<String> {
        let functions = asts.iter().flat_map(AST::iter_fn_def).map(|function| format!("{function:?}"));
        let statements = asts.iter().flat_map(|ast| ast.statements()).map(|one| format!("{one:?}"));
        let mut all: Vec<String> = functions.chain(statements).collect();
        all.sort();
        all
    }

    fn in_pieces(engine: &Engine, pieces: &[Piece]) -> Vec<AST> {
        pieces.iter().map(|piece| engine.compile(&piece.text).expect(&piece.text)).collect()
    }

    #[test]
    fn pieces_compile_to_the_same_as_the_whole() {
        let engine = script::engine(Budget::default());
        // Each source with its number of functions outside of the first piece.
        for (apart, source) in [
            (2, "fn a() { 1 } fn b(x, y) {\n  a() + x }\n"),
            (
                2,
                "// fn x() {\nfn a() { \"}\" }\n/* } */ private fn b() { `}${ #{ a: `{` } }|}` }\nlet c = 1 + 1;",
            ),
            (1, "const A = 1;\nfn a() { A }\nfn b() { let f = |x| x + A; f.call(1) }"),
            // A closure captures a name that is no function yet.
            (1, "fn a() { 1 }\nfn b() { 2 }\nfn c() { let d = || [a, e]; 1 }\nfn e() { 1 }"),
            (2, "fn a() { 1 }\nfn b() { 2 }\nlet d = [|x| x, 1]; let e = a;"),
            (1, "fn a() { 1 }\nlet d = || { let f = a; f }; let e = 1;\nfn b() { 2 }"),
            (0, "fn a(x) { x.map(|y| y) } fn int.b() { this }"),
            // The statement before the function continues behind it.
            (0, "let m = #{}\nfn a() { 1 }"),
            (1, "if true { 1 } fn a() { 1 } fn b() { 1 }"),
            (0, "fn a() { 1 }\n[1, 2].len()"),
            (0, "fn a() { 1 };\nfn b() { switch 1 { 1 => 2, _ => 3 } }\n#{ fn: 1 };"),
            (1, "fn a() { do { 1 } while false } let fn_a = 1; é"),
            (0, "fn a() { ) }"),
        ] {
            let pieces = split_at_functions(source);
            let apart_now = Scan::run(&tokens(source, usize::MAX)).map_or(0, |found| {
                let apart = |item: &&Item<'_>| !item.has_closure && !found.in_closures.contains(item.name);
                found.items.iter().filter(apart).count()
            });
            assert_eq!(apart_now, apart, "{source}");
            if let Ok(whole) = engine.compile(source) {
                assert_eq!(contents(&in_pieces(&engine, &pieces)), contents(&[whole]), "{source}");
            } else {
                assert!(pieces.iter().any(|piece| engine.compile(&piece.text).is_err()), "{source}");
            }
        }
    }

    #[test]
    fn a_long_file_has_pieces_of_many_functions() {
        let engine = script::engine(Budget::default());
        let source: String =
            (0..1000).map(|n| format!("fn f{n}(a, b) {{\n    a + b + {n}\n}}\n\n")).collect();
        let pieces = split(&source);
        assert_eq!(pieces.len(), 1 + 1000_usize.div_ceil(MOST_FUNCTIONS));
        assert!(pieces[1].has_line(1) && !pieces[1].has_line(1 + 4 * MOST_FUNCTIONS));
        assert_eq!(contents(&in_pieces(&engine, &pieces)), contents(&[engine.compile(&source).unwrap()]));
    }

    #[test]
    fn a_file_with_more_places_than_rhai_counts_is_one_piece() {
        for (text, expected) in [
            ("x".repeat(65_534), true),
            ("x".repeat(65_535), false),
            ("\n".repeat(65_534), true),
            ("\n".repeat(65_535), false),
        ] {
            assert_eq!(has_places(&text), expected, "{}", text.len());
        }
    }

    /// The blanks before a piece are part of it, as far as Rhai counts lines and columns.
    #[test]
    fn pieces_of_a_spread_file_are_few_and_short() {
        let functions =
            |gap: &str, count| -> String { (0..count).map(|n| format!("fn f{n}() {{ 1 }}{gap}")).collect() };
        for (source, most) in [
            (functions(" ", 3_000), 1 + 3_000_usize.div_ceil(MOST_FUNCTIONS)),
            (functions(&" ".repeat(100), 1_000), 1),
            (functions(&"\n".repeat(100), 1_000), 1),
        ] {
            let pieces = split(&source);
            assert!(pieces.len() <= most, "{}", pieces.len());
            assert!(pieces.iter().all(|piece| piece.text.len() <= source.len()));
        }
    }

    #[test]
    fn a_renamed_function_is_found_by_its_name_in_any_quotes_in_another_piece() {
        let engine = script::engine(Budget::default());
        let between: String = (0..2 * MOST_FUNCTIONS)
            .map(|n| format!("fn f{n}() {{ {} }}\n", "1 + ".repeat(50) + "1"))
            .collect();
        for quoted in ["\"get\"", "`get`", "#\"get\"#"] {
            let source = format!("fn get(a) {{ a }}\n{between}fn by_name() {{ Fn({quoted}) }}\n");
            assert!(split(&source).len() > 2);
            let ast = names::compile(&engine, &source).unwrap();
            let by_name = ast.iter_fn_def().find(|function| function.name == "by_name");
            assert!(format!("{by_name:?}").contains(&names::renamed("get")), "{quoted}");
        }
    }
}
