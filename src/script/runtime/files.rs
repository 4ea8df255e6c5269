//! The files of one load: compiled, with their constants, and which ones were read. `import` and `read_*` end here, so that
//! neither leaves the provision directory. Knows no rules.

use super::frozen::{freeze, natives::getters};
use super::key_value_store::KeyValueStore;
use super::natives::Fallible;
use super::{compiling, names};
use crate::chaos::Draws;
use crate::directory::{Content, Name, ProvisionDir};
use crate::system::lock::lock;
use rhai::{
    AST, ASTFlags, Dynamic, Engine, EvalAltResult, GlobalRuntimeState, Module, Scope, ScriptFnMetadata,
    Shared, Stmt,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

/// One compiled file.
pub struct File {
    /// Name in the provision directory.
    pub name: String,
    /// What its functions are called in, so that they find the file's constants, imports and each other.
    pub state: GlobalRuntimeState,
    /// Public functions and top-level variables, for importers: under the names that the file gives them.
    pub module: Shared<Module>,
    /// Its functions, sorted by name.
    functions: Vec<Function>,
}

#[derive(Debug, Clone)]
pub struct Function {
    /// As Rhai knows it: it may be renamed.
    name: String,
    /// Parameter names, captured variables of a closure first.
    pub params: Vec<String>,
    pub private: bool,
    /// Line of its `fn`, from 1; none for a closure.
    pub line: Option<usize>,
}

/// Names of files, and their syntax trees.
type Compiled = Vec<(String, Arc<AST>)>;

/// Longest line that errors and warnings show, in bytes.
const LONGEST_LINE: usize = 1_000;

/// The files that one load of a provision has touched.
pub struct Files {
    directory: Arc<ProvisionDir>,
    /// The provision's name.
    pub main: String,
    /// Values of `store`.
    pub values: Arc<KeyValueStore>,
    /// Whether they were there before this load (`--keep-store`).
    pub keeps_values: bool,
    /// Sequences of the seeds of delays and faults.
    pub draws: Draws,
    /// Source of the provision when it is not on disk (POST before it is stored, the built-in one).
    given: Option<Vec<u8>>,
    sources: Mutex<BTreeMap<String, Source>>,
    read: Mutex<BTreeSet<String>>,
    /// Syntax trees that wait to be looked at; none once that has been done.
    compiled: Mutex<Option<Compiled>>,
}

/// A file that was read to be compiled; a failing script wants its line even where that did not succeed.
struct Source {
    text: String,
    file: Option<Arc<File>>,
}

impl Files {
    /// The files of provision `main` in `directory`; `given` stands in for the provision's own file.
    pub fn new(
        directory: Arc<ProvisionDir>,
        main: &str,
        given: Option<Vec<u8>>,
        values: Arc<KeyValueStore>,
    ) -> Files {
        Files {
            directory,
            main: main.to_owned(),
            values,
            keeps_values: false,
            draws: Draws::default(),
            given,
            sources: Mutex::default(),
            read: Mutex::default(),
            compiled: Mutex::new(Some(Vec::new())),
        }
    }

    /// The same, with values that outlive activations.
    pub fn keeping(self, keeps_values: bool) -> Files {
        Files { keeps_values, ..self }
    }

    /// Names of all files that the provision was made from or has read: a change of one means a reload.
    pub fn dependencies(&self) -> BTreeSet<String> {
        let mut names = lock(&self.read).clone();
        names.insert(self.main.clone());
        names
    }

    /// The bytes of file `name`, which from now on counts as read; while requests are handled (not `loading`) only if it is there.
    ///
    /// # Errors
    /// A name that leaves the directory, a file that is missing or can't be read.
    pub fn read(&self, name: &str, loading: bool) -> Result<Vec<u8>, String> {
        self.directory.bytes(&self.note(name, loading)?).map_err(|error| error.to_string())
    }

    /// The content of file `name`, which may be of any size, to be sent. It counts as read.
    pub fn content(&self, name: &str, loading: bool) -> Result<Content, String> {
        self.directory.content(&self.note(name, loading)?).map_err(|error| error.to_string())
    }

    /// Lets file `name` count as read.
    fn note(&self, name: &str, loading: bool) -> Result<Name, String> {
        let checked = Name::parse(name).map_err(|error| error.to_string())?;
        // A file that is missing at load is worth a reload when it comes. While requests are handled, each one looks again,
        // and their paths may name any number of files.
        if loading || self.directory.exists(&checked) {
            lock(&self.read).insert(checked.as_str().to_owned());
        }
        Ok(checked)
    }

    /// Names of the files in folder `under` of the provision directory (`""`: all of it), hidden ones left out.
    pub fn list(&self, under: &str) -> Result<Vec<String>, String> {
        let prefix =
            if under.is_empty() { String::new() } else { format!("{}/", under.trim_end_matches('/')) };
        let mut names = BTreeSet::new();
        for entry in self.directory.list().map_err(|error| error.to_string())? {
            let inside = entry.name.as_str().strip_prefix(prefix.as_str());
            if let (None, Some(inside)) = (&entry.skipped, inside) {
                names.insert(inside.split('/').next().unwrap_or(inside).to_owned());
            }
        }
        Ok(names.into_iter().collect())
    }

    /// The file that was loaded under `name`.
    pub fn file(&self, name: &str) -> Option<Arc<File>> {
        lock(&self.sources).get(name)?.file.clone()
    }

    /// All files that were loaded.
    pub fn all(&self) -> Vec<Arc<File>> {
        lock(&self.sources).values().filter_map(|source| source.file.clone()).collect()
    }

    /// Whether a file that was compiled is another one now, or gone. `built_in` need not be on disk.
    pub fn differ(&self, built_in: &[u8]) -> bool {
        // Not under the lock: a failing script wants its line.
        let texts: Vec<(String, String)> =
            lock(&self.sources).iter().map(|(name, source)| (name.clone(), source.text.clone())).collect();
        texts.iter().any(|(name, text)| {
            let never_there = *name == self.main && self.given.as_deref() == Some(built_in);
            let bytes = Name::parse(name).ok().and_then(|name| self.directory.bytes(&name).ok());
            bytes.map_or(!never_there, |bytes| !to_text(bytes).is_ok_and(|now| now == *text))
        })
    }

    /// The text of file `name`, if it was read to be compiled.
    pub fn text(&self, name: &str) -> Option<String> {
        Some(lock(&self.sources).get(name)?.text.clone())
    }

    /// Line `line` (from 1) of file `name`; empty behind the last one, where a block that is not closed is noticed. None where it is too
    /// long to be read: each error and each warning has a copy.
    pub fn line(&self, name: &str, line: usize) -> Option<String> {
        let sources = lock(&self.sources);
        let line = sources.get(name)?.text.lines().nth(line.checked_sub(1)?).unwrap_or_default();
        (line.len() <= LONGEST_LINE).then(|| line.to_owned())
    }

    /// Compiles and evaluates the provision's own file.
    ///
    /// # Errors
    /// It can't be read, is not UTF-8, does not compile, or its top level fails.
    pub fn load_main(&self, engine: &Engine) -> Fallible<Arc<File>> {
        let bytes = match &self.given {
            Some(bytes) => bytes.clone(),
            None => self.read(&self.main, true)?,
        };
        self.load(engine, &self.main, bytes)
    }

    /// Compiles and evaluates file `name`, which has these bytes.
    ///
    /// # Errors
    /// It is not UTF-8, does not compile, or its top level fails.
    pub fn load(&self, engine: &Engine, name: &str, bytes: Vec<u8>) -> Fallible<Arc<File>> {
        let text = to_text(bytes)?;
        lock(&self.sources).insert(name.to_owned(), Source { text: text.clone(), file: None });
        let ast = Arc::new(compile(engine, name, &text)?);
        if let Some(compiled) = &mut *lock(&self.compiled) {
            compiled.push((name.to_owned(), ast.clone()));
        }
        let file = Arc::new(File::evaluate(engine, name, &text, &ast)?);
        lock(&self.sources).insert(name.to_owned(), Source { text, file: Some(file.clone()) });
        Ok(file)
    }

    /// The syntax trees of the files that were compiled, once; from then on none are kept.
    pub(super) fn take_compiled(&self) -> Compiled {
        lock(&self.compiled).take().unwrap_or_default()
    }

    /// The name of the file that `import "path"` means: `path`, else `path.rhai`, inside the directory.
    ///
    /// # Errors
    /// A path that leaves the directory, or neither of these files.
    pub fn find_import(&self, path: &str) -> Result<String, String> {
        let plain = Name::parse(path).map_err(|error| error.to_string())?;
        if path == self.main || self.directory.exists(&plain) {
            return Ok(path.to_owned());
        }
        let with_extension = format!("{path}.rhai");
        let name = Name::parse(&with_extension).map_err(|error| error.to_string())?;
        if self.directory.exists(&name) {
            return Ok(with_extension);
        }
        lock(&self.read).extend([path.to_owned(), with_extension]);
        Err(format!("neither `{path}` nor `{path}.rhai` is in the provision directory"))
    }
}

fn to_text(bytes: Vec<u8>) -> Fallible<String> {
    let text = String::from_utf8(bytes).map_err(|error| -> Box<EvalAltResult> {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
        format!("not UTF-8 text: invalid byte in line {line}").into()
    })?;
    // Windows editors put a byte order mark in front.
    match text.strip_prefix('\u{feff}') {
        Some(rest) => Ok(rest.to_owned()),
        None => Ok(text),
    }
}

fn compile(engine: &Engine, name: &str, text: &str) -> Fallible<AST> {
    let mut ast = compiling::compile(engine, text)?;
    ast.set_source(name);
    // Exported, a constant is in the module after the top level has run, where functions and importers find it.
    let exports: String =
        top_level_variables(&ast).iter().map(|variable| format!("export {variable};\n")).collect();
    ast.combine(engine.compile(exports)?);
    Ok(ast)
}

impl File {
    /// Evaluates the top level of `ast`, which was compiled from `text`.
    fn evaluate(engine: &Engine, name: &str, text: &str, ast: &AST) -> Fallible<File> {
        let functions = functions_of(ast, text);
        let mut module = Module::eval_ast_as_new(Scope::new(), ast, engine)?;
        freeze_variables(&mut module);
        let module: Shared<Module> = module.into();
        let mut state = engine.new_global_runtime_state();
        state.lib.extend(getters(ast).map(Into::into));
        state.lib.push(AST::new_from_module(module.clone()).shared_lib().clone());
        let module = names::for_importers(module, ast);
        Ok(File { name: name.to_owned(), state, module, functions })
    }

    /// Names of its functions, without closures.
    pub fn functions(&self) -> impl Iterator<Item = &str> {
        self.functions.iter().map(|function| function.name.as_str()).filter(|name| !name.starts_with("anon$"))
    }

    /// The functions called `name`; more than one where it is overloaded.
    pub fn overloads(&self, name: &str) -> &[Function] {
        let from = self.functions.partition_point(|function| function.name.as_str() < name);
        let count = self.functions[from..].iter().take_while(|function| function.name == name).count();
        &self.functions[from..from + count]
    }

    /// The value of top-level constant `name`.
    pub fn constant(&self, name: &str) -> Option<Dynamic> {
        self.module.get_var(name)
    }
}

/// After the top level has run nobody changes its variables: each mention of one gives the same value, not a copy.
fn freeze_variables(module: &mut Module) {
    let variables: Vec<(String, Dynamic)> =
        module.iter_var().map(|(name, value)| (name.to_owned(), value.clone())).collect();
    for (name, value) in variables {
        let mut frozen = freeze(value);
        frozen.set_tag(TOP_LEVEL);
        module.set_var(name, frozen);
    }
    // Importers look into the index.
    module.build_index();
}

/// Marks the values of top-level variables; copies keep the mark.
pub(super) const TOP_LEVEL: i32 = 29_003;

fn top_level_variables(ast: &AST) -> BTreeSet<String> {
    let (mut plain, mut exported) = (BTreeSet::new(), BTreeSet::new());
    for statement in ast.statements() {
        if let Stmt::Var(variable, flags, _) = statement {
            let names = if flags.contains(ASTFlags::EXPORTED) { &mut exported } else { &mut plain };
            names.insert(variable.0.name.to_string());
        }
        if let Stmt::Export(export, _) = statement {
            exported.insert(export.0.name.to_string());
        }
    }
    plain.difference(&exported).cloned().collect()
}

fn functions_of(ast: &AST, text: &str) -> Vec<Function> {
    let lines = definitions(text);
    let of = |function: ScriptFnMetadata| Function {
        name: function.name.to_owned(),
        params: function.params.iter().map(|param| (*param).to_owned()).collect(),
        private: function.access.is_private(),
        line: lines.get(&*names::shown(function.name)).copied(),
    };
    let mut functions: Vec<Function> = ast.iter_functions().map(of).collect();
    functions.sort_by(|one, other| one.name.cmp(&other.name));
    functions
}

/// The line of each `fn name(`; the syntax tree does not keep it.
fn definitions(text: &str) -> HashMap<&str, usize> {
    let mut lines = HashMap::new();
    for (index, line) in text.lines().enumerate() {
        let code = line.trim_start();
        let code = code.strip_prefix("private ").unwrap_or(code).trim_start();
        if let Some((name, _)) = code.strip_prefix("fn ").and_then(|code| code.split_once('(')) {
            lines.entry(name.trim()).or_insert(index + 1);
        }
    }
    lines
}
