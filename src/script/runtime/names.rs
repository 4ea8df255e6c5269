//! Which functions of a file are renamed, and back. Rhai looks for functions of the script first, also where a script calls a
//! method: beside `fn get(id)`, `request.args.get("n")` would call it, in this file and in all that it calls. So a function that
//! shares its name with a method gets another one while the file is compiled, and so does what means that function: direct
//! calls, function pointers, `Fn("get")`. Rhai's own parser tells what means it: the file is compiled once, the syntax tree
//! gives the places, and the file is compiled again with other tokens at these places.

use super::natives::Natives;
use super::optimizing;
use super::pieces::{self, Piece, has_places};
use rhai::{
    AST, ASTNode, Dynamic, EncapsulatedEnviron, Engine, Expr, FnNamespace, FnPtr, FuncRegistration,
    Identifier, Locked, Module, ParseError, Position, RhaiFunc, ScriptFnMetadata, Shared, Stmt, Token,
};
use std::any::TypeId;
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

/// What follows the name of a renamed function. No script should see it; one that does can read what it means.
const SUFFIX: &str = "__of_script";

/// The name that Rhai knows function `name` by, if it is renamed.
pub(super) fn renamed(name: &str) -> String {
    format!("{name}{SUFFIX}")
}

/// The name of a function as the script has it, or a text with such names.
pub(crate) fn shown(text: &str) -> Cow<'_, str> {
    if text.contains(SUFFIX) { text.replace(SUFFIX, "").into() } else { text.into() }
}

/// The name of a function as the script has it.
pub(crate) fn given(name: &str) -> &str {
    name.strip_suffix(SUFFIX).unwrap_or(name)
}

/// Compiles `text`, so that none of its functions takes over a method.
///
/// # Errors
/// It does not compile.
pub(super) fn compile(engine: &Engine, text: &str) -> Result<AST, ParseError> {
    let (pieces, has_places) = (pieces::split(text), has_places(text));
    // What is wrong Rhai tells of the whole.
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

/// The pieces of a file as one; none where two define the same function, or all of them too many.
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

/// Functions that share their name with a method. Not those that use `this`: they are meant to be methods, and neither are those
/// with a type in front (`fn int.get()`).
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

/// Whether values of ours or of Rhai have a method of this name.
fn is_method(engine: &Engine, name: &str) -> bool {
    // The same of all engines of the process.
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
    // Those with a type in front are global.
    !retained(ast, |namespace, function| namespace == FnNamespace::Internal && function == name)
        .walk(&mut |path| !matches!(path.last(), Some(ASTNode::Expr(Expr::ThisPtr(_)))))
}

/// The functions of `ast` that `wanted` wants. Not `clone_functions_only_filtered`: that one takes all.
fn retained(ast: &AST, wanted: impl Fn(FnNamespace, &str) -> bool) -> AST {
    let mut functions = ast.clone_functions_only();
    functions.retain_functions(|namespace, _, name, _| wanted(namespace, name));
    functions
}

/// Where `ast` means one of the functions.
fn places(ast: &AST, names: &Functions) -> HashSet<Position> {
    // In the body of a closure, Rhai's parser does not tell a variable that it captures from a function; but it makes it a
    // parameter.
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
    /// Where closures capture what Rhai then takes for a variable, be it one or not.
    captured: HashSet<Position>,
}

impl Places<'_> {
    /// Adds those of `part`, in which names of `variables` are variables.
    fn collect(&mut self, part: &AST, variables: &[&str]) {
        part.walk(&mut |path: &[ASTNode]| {
            match path.last() {
                Some(ASTNode::Expr(Expr::FnCall(call, at)) | ASTNode::Stmt(Stmt::FnCall(call, at))) => {
                    // With another number of arguments it is a native's.
                    let counts = self.names.get(call.name.as_str()).filter(|_| !call.is_qualified());
                    if counts.is_some_and(|counts| counts.contains(&call.args.len())) {
                        self.found.insert(*at);
                    }
                }
                Some(ASTNode::Expr(Expr::Variable(variable, None, at))) => {
                    // An index says that there is such a variable, a namespace that it is one of a module.
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

/// What happens to the tokens of a file that is compiled for the second time.
#[derive(Clone)]
struct Renaming {
    names: HashSet<String>,
    places: HashSet<Position>,
    before: Before,
}

/// What the last token was.
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
    /// One engine compiles files on several threads.
    static RENAMING: RefCell<Option<Renaming>> = const { RefCell::new(None) };
}

/// Puts back what was there before, also when the parser panicked.
struct Restore(Option<Renaming>);

impl Drop for Restore {
    fn drop(&mut self) {
        RENAMING.set(self.0.take());
    }
}

/// What the parser sees for `token`, which stands at `at`.
pub(crate) fn token(token: Token, at: Position) -> Token {
    RENAMING.with_borrow_mut(|renaming| match renaming {
        Some(renaming) => renaming.token(token, at),
        None => token,
    })
}

impl Renaming {
    /// The renaming that the file of `ast` needs; none where no function has the name of a method.
    fn of(engine: &Engine, ast: &AST, has_places: bool) -> Option<Renaming> {
        let names = functions_to_rename(engine, ast);
        if names.is_empty() || !has_places {
            return None;
        }
        let places = places(ast, &names);
        Some(Renaming { names: names.into_keys().collect(), places, before: Before::Other })
    }

    /// Runs `compile`, in which the parser sees the new names.
    fn run<T>(&self, compile: impl FnOnce() -> T) -> T {
        let _restore = Restore(RENAMING.replace(Some(self.clone())));
        compile()
    }

    /// Whether it changes anything in `piece`, of which `ast` was made.
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
            Token::Identifier(word) if self.means_function(&word, before, at) => {
                Token::Identifier(Box::new(renamed(&word).into()))
            }
            Token::StringConstant(text) if before == Before::Name && self.names.contains(text.as_str()) => {
                Token::StringConstant(Box::new(renamed(&text).into()))
            }
            token => token,
        }
    }

    fn means_function(&self, word: &str, before: Before, at: Position) -> bool {
        (before == Before::Definition || self.places.contains(&at)) && self.names.contains(word)
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

/// `module` of file `ast` as importers see it: with the names that the file gives its functions.
pub(super) fn for_importers(module: Shared<Module>, ast: &AST) -> Shared<Module> {
    let mut functions = ast.iter_functions().filter(|function| function.name.ends_with(SUFFIX)).peekable();
    if functions.peek().is_none() {
        return module;
    }
    // As Rhai makes it for the functions of an imported module.
    let constants = module.iter_var().map(|(name, value)| (name.into(), value.clone())).collect();
    let environment = Shared::new(EncapsulatedEnviron {
        lib: [ast.shared_lib().clone()].into_iter().collect(),
        imports: module.iter_sub_modules().map(|(name, module)| (name.into(), module.clone())).collect(),
        constants: Some(Shared::new(Locked::new(constants))),
    });
    let mut exported = Module::clone(&module);
    for ScriptFnMetadata { name, params, .. } in functions {
        // Not there: it is private.
        let Some(fn_def) = module.get_script_fn(name, params.len()).cloned() else { continue };
        let types = vec![TypeId::of::<Dynamic>(); params.len()];
        let function = RhaiFunc::Script { fn_def, env: Some(environment.clone()) };
        FuncRegistration::new(shown(name)).set_into_module_raw(&mut exported, types, function);
    }
    exported.build_index();
    exported.into()
}

/// Functions as values show the name that the script gave them.
pub(crate) fn register(natives: &mut Natives) {
    let name = |function: &mut FnPtr| shown(function.fn_name()).into_owned();
    let text = |function: &mut FnPtr| format!("Fn({})", shown(function.fn_name()));
    natives.register_get("name", name).register_fn("name", name);
    natives.register_fn("to_string", text).register_fn("to_debug", text);
}
