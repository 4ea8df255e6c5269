//! The renaming of functions that share their name with a method. Rhai looks for functions of the script first, also where a
//! script calls a method: beside `fn get(id)`, `request.args.get("n")` would call that function, in this file and in all that
//! it calls. So such a function gets another name while the file is compiled, and so do all mentions of it: direct calls,
//! function pointers, `Fn("get")`. The file is compiled twice. The syntax tree of the first time has the places of the
//! mentions, and the second time the parser gets other tokens at these places.

use super::natives::Natives;
use super::optimizing;
use super::pieces::{self, Piece, has_places};
use rhai::{
    AST, ASTNode, Engine, Expr, FnNamespace, FnPtr, Identifier, Module, ParseError, Position,
    ScriptFnMetadata, Stmt, Token,
};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

/// The suffix of a renamed function. Scripts should never see it; its words explain it if they do.
const SUFFIX: &str = "__of_script";

/// Returns the name of function `name` in Rhai's syntax tree, if it is renamed.
pub(super) fn renamed(name: &str) -> String {
    format!("{name}{SUFFIX}")
}

/// Returns a text with the names of functions as the script has them.
pub(crate) fn shown(text: &str) -> Cow<'_, str> {
    if text.contains(SUFFIX) { text.replace(SUFFIX, "").into() } else { text.into() }
}

/// Returns the name of a function as the script has it.
pub(crate) fn given(name: &str) -> &str {
    name.strip_suffix(SUFFIX).unwrap_or(name)
}

/// Compiles `text` with other names for functions that would hide a method.
///
/// # Errors
/// `text` does not compile.
pub(super) fn compile(engine: &Engine, text: &str) -> Result<AST, ParseError> {
    let (pieces, has_places) = (pieces::split(text), has_places(text));
    // An error must come from the whole file.
    if pieces.len() > 1
        && let Ok(Some(ast)) = compile_pieces(engine, &pieces, has_places)
    {
        return Ok(ast);
    }
    let ast = optimizing::compile(engine, text)?;
    match Renaming::of(engine, &ast, has_places) {
        Some(renaming) => renaming.run(|| optimizing::compile(engine, text)),
        None => Ok(ast),
    }
}

fn compile_pieces(engine: &Engine, pieces: &[Piece], has_places: bool) -> Result<Option<AST>, ParseError> {
    let asts = pieces.iter().map(|piece| optimizing::compile(engine, &piece.text));
    let asts: Vec<AST> = asts.collect::<Result<_, _>>()?;
    let Some(ast) = merged(engine, &asts) else { return Ok(None) };
    let Some(renaming) = Renaming::of(engine, &ast, has_places) else { return Ok(Some(ast)) };
    let again = |(piece, ast): (&Piece, &AST)| match renaming.concerns(piece, ast) {
        true => optimizing::compile(engine, &piece.text),
        false => Ok(ast.clone()),
    };
    let asts: Vec<AST> = renaming.run(|| pieces.iter().zip(&asts).map(again).collect::<Result<_, _>>())?;
    Ok(merged(engine, &asts))
}

/// Returns the pieces of a file as one tree; `None` where two of them define the same function, or all of them too many
/// functions.
fn merged(engine: &Engine, asts: &[AST]) -> Option<AST> {
    let (first, rest) = asts.split_first()?;
    let mut functions = Module::new();
    for function in asts.iter().flat_map(AST::iter_fn_def) {
        functions.set_script_fn(function.clone());
    }
    let count = |module: &Module| module.count().1;
    let all: usize = asts.iter().map(|ast| count(ast.shared_lib())).sum();
    let fits = count(&functions) == all && all <= engine.max_functions();
    let mut ast = first.clone_statements_only();
    for part in rest {
        ast.combine(part.clone_statements_only());
    }
    ast.combine(AST::new_from_module(functions));
    fits.then_some(ast)
}

/// The functions of a file that are renamed, each with its numbers of parameters.
type Functions = HashMap<String, Vec<usize>>;

/// Returns the functions that share their name with a method. Functions that use `this`, or have a type in front (`fn
/// int.get()`), are meant to be methods and keep their names.
fn functions_to_rename(engine: &Engine, ast: &AST) -> Functions {
    let mut names = Functions::new();
    for function in ast.iter_functions().filter(|function| function.this_type.is_none()) {
        if is_method(engine, function.name) {
            names.entry(function.name.to_owned()).or_default().push(function.params.len());
        }
    }
    names.retain(|name, _| !uses_this(ast, name));
    names
}

/// Whether a value of h1mock or of Rhai has a method of this name.
fn is_method(engine: &Engine, name: &str) -> bool {
    // All engines of the process have the same methods.
    static METHODS: OnceLock<HashSet<Identifier>> = OnceLock::new();
    let collect = || {
        let functions = engine.collect_fn_metadata(
            None,
            |function| (function.metadata.num_params > 0).then(|| function.metadata.name.clone()),
            true,
        );
        functions.into_iter().collect()
    };
    METHODS.get_or_init(collect).contains(name)
}

/// Whether a function of this name has the word `this` in its body.
fn uses_this(ast: &AST, name: &str) -> bool {
    // Functions with a type in front are global.
    !retained(ast, |namespace, function| namespace == FnNamespace::Internal && function == name)
        .walk(&mut |path| !matches!(path.last(), Some(ASTNode::Expr(Expr::ThisPtr(_)))))
}

/// Returns the functions of `ast` for which `wanted` is true. `clone_functions_only_filtered` would return all of them.
fn retained(ast: &AST, wanted: impl Fn(FnNamespace, &str) -> bool) -> AST {
    let mut functions = ast.clone_functions_only();
    functions.retain_functions(|namespace, _, name, _| wanted(namespace, name));
    functions
}

/// Returns the places at which `ast` mentions one of the functions.
fn places(ast: &AST, names: &Functions) -> HashSet<Position> {
    // In the body of a closure, Rhai's parser does not distinguish a captured variable from a function; but it adds captured
    // variables to the parameters.
    let captures =
        |function: &ScriptFnMetadata| function.params.iter().any(|param| names.contains_key(*param));
    let closures: HashSet<&str> =
        ast.iter_functions().filter(captures).map(|function| function.name).collect();
    let constants = ast.statements().iter().filter_map(|statement| match statement {
        Stmt::Var(variable, ..) => Some(variable.0.name.as_str()),
        _ => None,
    });
    let (found, captured) = (HashSet::new(), HashSet::new());
    let mut places = Places { names, constants: constants.collect(), found, captured };
    places.collect(&ast.clone_statements_only(), &[]);
    places.collect(&retained(ast, |_, function| !closures.contains(function)), &[]);
    for ScriptFnMetadata { name, params, .. } in ast.iter_functions().filter(captures) {
        let mut alone = Module::new();
        if let Some(function) = ast.shared_lib().get_script_fn(name, params.len()) {
            alone.set_script_fn(function.clone());
        }
        places.collect(&AST::new_from_module(alone), &params);
    }
    places.found.difference(&places.captured).copied().collect()
}

struct Places<'a> {
    names: &'a Functions,
    /// Names of constants at the top level, which functions see.
    constants: HashSet<&'a str>,
    found: HashSet<Position>,
    /// Places at which closures capture a name that Rhai takes for a variable, also where it is a function.
    captured: HashSet<Position>,
}

impl Places<'_> {
    /// Adds the places in `part`, where the names in `variables` are variables.
    fn collect(&mut self, part: &AST, variables: &[&str]) {
        part.walk(&mut |path: &[ASTNode]| {
            match path.last() {
                Some(ASTNode::Expr(Expr::FnCall(call, at)) | ASTNode::Stmt(Stmt::FnCall(call, at))) => {
                    // A call with another number of arguments means a native.
                    let counts = self.names.get(call.name.as_str()).filter(|_| !call.is_qualified());
                    if counts.is_some_and(|counts| counts.contains(&call.args.len())) {
                        self.found.insert(*at);
                    }
                }
                Some(ASTNode::Expr(Expr::Variable(variable, None, at))) => {
                    // A variable with an index exists, and one with a namespace belongs to a module.
                    let (index, name, namespace, _) = &**variable;
                    let is_variable = |name| variables.contains(&name) || self.constants.contains(name);
                    let unknown = index.is_none() && namespace.is_empty() && !is_variable(name.as_str());
                    if unknown && self.names.contains_key(name.as_str()) {
                        self.found.insert(*at);
                    }
                }
                Some(ASTNode::Stmt(Stmt::Share(captured))) => {
                    self.captured.extend(captured.iter().map(|(variable, _)| variable.pos));
                }
                _ => {}
            }
            true
        });
    }
}

/// The changes of tokens in a file that is compiled for the second time.
#[derive(Clone)]
struct Renaming {
    names: HashSet<String>,
    places: HashSet<Position>,
    before: Before,
}

/// The kind of the last token.
#[derive(Clone, Copy, PartialEq)]
enum Before {
    Other,
    /// `fn`.
    Definition,
    /// `Fn` or `is_def_fn`.
    TakesName,
    /// `Fn(` or `is_def_fn(`.
    Name,
}

thread_local! {
    /// The renaming of the file that this thread compiles: one engine compiles files on several threads.
    static RENAMING: RefCell<Option<Renaming>> = const { RefCell::new(None) };
}

/// Restores the earlier value when it is dropped, also when the parser panicked.
struct Restore(Option<Renaming>);

impl Drop for Restore {
    fn drop(&mut self) {
        RENAMING.set(self.0.take());
    }
}

/// Returns the token that the parser gets in place of `token` at `at`.
pub(crate) fn token(token: Token, at: Position) -> Token {
    RENAMING.with_borrow_mut(|renaming| match renaming {
        Some(renaming) => renaming.token(token, at),
        None => token,
    })
}

impl Renaming {
    /// Returns the renaming for the file of `ast`; `None` where no function shares its name with a method.
    fn of(engine: &Engine, ast: &AST, has_places: bool) -> Option<Renaming> {
        let names = functions_to_rename(engine, ast);
        if names.is_empty() || !has_places {
            return None;
        }
        let places = places(ast, &names);
        Some(Renaming { names: names.into_keys().collect(), places, before: Before::Other })
    }

    /// Runs `compile`, in which the parser gets the new names.
    fn run<T>(&self, compile: impl FnOnce() -> T) -> T {
        let _restore = Restore(RENAMING.replace(Some(self.clone())));
        compile()
    }

    /// Whether the renaming changes anything in `piece`, of which `ast` was made.
    fn concerns(&self, piece: &Piece, ast: &AST) -> bool {
        let defines = |function: &ScriptFnMetadata<'_>| self.names.contains(function.name);
        let in_quotes =
            |name: &String| ['"', '`'].iter().any(|quote| piece.text.contains(&format!("{name}{quote}")));
        self.places.iter().filter_map(|at| at.line()).any(|line| piece.has_line(line))
            || ast.iter_functions().any(|function| defines(&function))
            || self.names.iter().any(in_quotes)
    }

    fn token(&mut self, token: Token, at: Position) -> Token {
        let before = self.before;
        self.before = before.followed_by(&token);
        match token {
            Token::Identifier(word)
                if (before == Before::Definition || self.places.contains(&at))
                    && self.names.contains(word.as_str()) =>
            {
                Token::Identifier(Box::new(renamed(&word).into()))
            }
            Token::StringConstant(text) if before == Before::Name && self.names.contains(text.as_str()) => {
                Token::StringConstant(Box::new(renamed(&text).into()))
            }
            token => token,
        }
    }
}

impl Before {
    fn followed_by(self, token: &Token) -> Before {
        match token {
            Token::Fn => Before::Definition,
            Token::LeftParen if self == Before::TakesName => Before::Name,
            Token::Identifier(word) | Token::Reserved(word)
                if matches!(word.as_str(), "Fn" | "is_def_fn") =>
            {
                Before::TakesName
            }
            _ => Before::Other,
        }
    }
}

/// Registers `name` and `to_string` of function pointers, which show the name that the script has.
pub(crate) fn register(natives: &mut Natives) {
    let name = |function: &mut FnPtr| shown(function.fn_name()).into_owned();
    let text = |function: &mut FnPtr| format!("Fn({})", shown(function.fn_name()));
    natives.register_get("name", name).register_fn("name", name);
    natives.register_fn("to_string", text).register_fn("to_debug", text);
}
