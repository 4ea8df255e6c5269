//! The files of one load of a provision: compiled scripts with their constants, and the names of all files that were read.
//!
//! `import`, `read_text` and similar natives read files only through [`Files`], which checks that a name is inside of the provision
//! directory.

use super::frozen::{freeze, natives::getters};
use super::key_value_store::KeyValueStore;
use super::natives::Fallible;
use super::{compiling, exports, names};
use crate::chaos::Draws;
use crate::directory::{Content, DirectoryError, Name, ProvisionDir, Stat};
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
    /// The state in which its functions are called. It has the file's constants, imports and functions.
    pub state: GlobalRuntimeState,
    /// Public functions and top-level variables for importers, under their names in the source.
    pub module: Shared<Module>,
    /// Sorted by name.
    functions: Vec<Function>,
}

#[derive(Debug, Clone)]
pub struct Function {
    /// Name in Rhai's syntax tree, which `names` may have changed.
    name: String,
    /// Names of the parameters; the captured variables of a closure come first.
    pub params: Vec<String>,
    pub private: bool,
    /// Line of its `fn`, from 1; `None` for a closure.
    pub line: Option<usize>,
}

/// Names of files and their syntax trees.
type Compiled = Vec<(String, Arc<AST>)>;

/// Maximum length in bytes of a line that errors and warnings show.
const LONGEST_LINE: usize = 1_000;

/// The files that one load of a provision has compiled or read.
pub struct Files {
    directory: Arc<ProvisionDir>,
    /// Name of the provision's own file.
    pub main: String,
    /// Further files whose `registerRules()` is called after that of `main`.
    pub others: Vec<String>,
    /// The values of `store`.
    pub values: Arc<KeyValueStore>,
    /// Whether `values` outlive the load (`--keep-store`).
    pub keeps_values: bool,
    /// Whether this is an overlay, which uses the values of the active provision.
    pub shares_values: bool,
    /// Random sequences of the delays and faults that have a seed.
    pub draws: Draws,
    /// Sources that replace the content of files: of a provision that is not on disk, such as one from a POST before it is stored,
    /// and of a provision that is loaded once more.
    given: BTreeMap<String, Vec<u8>>,
    sources: Mutex<BTreeMap<String, Source>>,
    read: Arc<Mutex<BTreeSet<String>>>,
    /// Syntax trees for the analysis; `None` after [`Files::take_compiled`].
    compiled: Mutex<Option<Compiled>>,
}

/// A file that was read to be compiled. It stays without a `file` where that failed, since errors show lines of its text.
struct Source {
    text: String,
    file: Option<Arc<File>>,
}

impl Files {
    /// Creates an empty record of the files of provision `main` in `directory`. `given` replaces the content of the provision's own file.
    pub fn new(
        directory: Arc<ProvisionDir>,
        main: &str,
        given: Option<Vec<u8>>,
        values: Arc<KeyValueStore>,
    ) -> Files {
        Files {
            directory,
            main: main.to_owned(),
            others: Vec::new(),
            values,
            keeps_values: false,
            shares_values: false,
            draws: Draws::default(),
            given: given.map(|source| (main.to_owned(), source)).into_iter().collect(),
            sources: Mutex::default(),
            read: Arc::default(),
            compiled: Mutex::new(Some(Vec::new())),
        }
    }

    /// Creates an empty record for another load of the same sources, also where the files have changed on disk since.
    pub fn again(&self, values: Arc<KeyValueStore>) -> Files {
        let sources = lock(&self.sources);
        let given = sources.iter().map(|(name, source)| (name.clone(), source.text.clone().into_bytes()));
        let files = Files::new(self.directory.clone(), &self.main, None, values);
        Files {
            given: given.collect(),
            keeps_values: self.keeps_values,
            others: self.others.clone(),
            ..files
        }
    }

    /// Sets whether the values of `store` outlive activations (`--keep-store`).
    pub fn keeping(self, keeps_values: bool) -> Files {
        Files { keeps_values, ..self }
    }

    /// Adds further files of the provision.
    pub fn beside(self, others: Vec<String>) -> Files {
        Files { others, ..self }
    }

    /// Returns the names of the files that were read so far, which grow as the load goes on.
    pub fn reads(&self) -> Arc<Mutex<BTreeSet<String>>> {
        self.read.clone()
    }

    /// Marks the files of an overlay.
    pub fn sharing(self) -> Files {
        Files { shares_values: true, ..self }
    }

    /// Returns the names of all files that the provision was compiled from or has read. A change of one of them causes a reload.
    pub fn dependencies(&self) -> BTreeSet<String> {
        let mut names = lock(&self.read).clone();
        names.insert(self.main.clone());
        names.extend(self.others.iter().cloned());
        names
    }

    /// Reads file `name` and notes it as a dependency ([`Files::dependencies`]). A missing file is noted only while `loading`.
    ///
    /// # Errors
    /// The name leads out of the directory, or the file is missing or can't be read.
    pub fn read(&self, name: &str, loading: bool) -> Result<Vec<u8>, String> {
        let name = Name::parse(name).map_err(|error| error.to_string())?;
        self.note(&name, loading);
        self.directory.bytes(&name).map_err(|error| error.to_string())
    }

    /// Opens file `name` to send it, and notes it as a dependency. The file may be of any size.
    ///
    /// # Errors
    /// The file is missing or can't be read.
    pub fn content(&self, name: &Name, loading: bool) -> Result<(Content, Stat), DirectoryError> {
        self.note(name, loading);
        self.directory.content(name)
    }

    /// Notes `name` as a dependency.
    fn note(&self, name: &Name, loading: bool) {
        // A file that is missing at load causes a reload when it is created. While requests are handled that is not needed, since each
        // request looks again; and their paths could name any number of missing files.
        if loading || self.directory.exists(name) {
            lock(&self.read).insert(name.as_str().to_owned());
        }
    }

    /// Returns the names of the files in folder `under` of the provision directory (`""` for all of it), without hidden ones.
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
        self.directory.add_saved_names(prefix.trim_end_matches('/'), &mut names);
        Ok(names.into_iter().collect())
    }

    /// Returns the compiled file `name`.
    pub fn file(&self, name: &str) -> Option<Arc<File>> {
        lock(&self.sources).get(name)?.file.clone()
    }

    /// Returns all compiled files.
    pub fn all(&self) -> Vec<Arc<File>> {
        lock(&self.sources).values().filter_map(|source| source.file.clone()).collect()
    }

    /// Whether a file has changed on disk since it was compiled, or is gone.
    pub fn differ(&self) -> bool {
        // Cloned, so that the lock is not held while files are read: failing scripts need it for their lines.
        let texts: Vec<(String, String)> =
            lock(&self.sources).iter().map(|(name, source)| (name.clone(), source.text.clone())).collect();
        texts.iter().any(|(name, text)| {
            let bytes = Name::parse(name).ok().and_then(|name| self.directory.bytes(&name).ok());
            bytes.is_none_or(|bytes| !to_text(bytes).is_ok_and(|now| now == *text))
        })
    }

    /// Returns the text of file `name`, if it was read to be compiled.
    pub fn text(&self, name: &str) -> Option<String> {
        Some(lock(&self.sources).get(name)?.text.clone())
    }

    /// Returns line `line` (from 1) of file `name`. After the last line it is empty: there Rhai reports a block that is not closed.
    /// Returns `None` for a line longer than [`LONGEST_LINE`], since each error and each warning has a copy.
    pub fn line(&self, name: &str, line: usize) -> Option<String> {
        let sources = lock(&self.sources);
        let line = sources.get(name)?.text.lines().nth(line.checked_sub(1)?).unwrap_or_default();
        (line.len() <= LONGEST_LINE).then(|| line.to_owned())
    }

    /// Compiles and evaluates the provision's own file.
    ///
    /// # Errors
    /// The file can't be read, is not UTF-8, does not compile, or its top level fails.
    pub fn load_main(&self, engine: &Engine) -> Fallible<Arc<File>> {
        self.load(engine, &self.main, self.source(&self.main, true)?)
    }

    /// Returns the source of file `name`: the given one, or what [`Files::read`] returns.
    ///
    /// # Errors
    /// Those of [`Files::read`].
    pub fn source(&self, name: &str, loading: bool) -> Result<Vec<u8>, String> {
        self.given.get(name).map_or_else(|| self.read(name, loading), |given| Ok(given.clone()))
    }

    /// Compiles and evaluates file `name` with content `bytes`.
    ///
    /// # Errors
    /// The file is not UTF-8, does not compile, or its top level fails.
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

    /// Returns the syntax trees of all compiled files, the first time. Later it returns none, and no more are kept.
    pub(super) fn take_compiled(&self) -> Compiled {
        lock(&self.compiled).take().unwrap_or_default()
    }

    /// Returns the name of the file for `import "path"`: `path`, or else `path.rhai`.
    ///
    /// # Errors
    /// The path leads out of the directory, or neither file exists.
    pub fn find_import(&self, path: &str) -> Result<String, String> {
        let plain = Name::parse(path).map_err(|error| error.to_string())?;
        let is_there = |name: &Name| self.given.contains_key(name.as_str()) || self.directory.exists(name);
        if path == self.main || is_there(&plain) {
            return Ok(path.to_owned());
        }
        let with_extension = format!("{path}.rhai");
        let name = Name::parse(&with_extension).map_err(|error| error.to_string())?;
        if is_there(&name) {
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
    // Editors on Windows write a byte order mark.
    match text.strip_prefix('\u{feff}') {
        Some(rest) => Ok(rest.to_owned()),
        None => Ok(text),
    }
}

fn compile(engine: &Engine, name: &str, text: &str) -> Fallible<AST> {
    let mut ast = compiling::compile(engine, text)?;
    ast.set_source(name);
    // Only exported constants are in the module after the top level has run, where functions and importers find them.
    let exports: String =
        top_level_variables(&ast).iter().map(|variable| format!("export {variable};\n")).collect();
    ast.combine(engine.compile(exports)?);
    Ok(ast)
}

impl File {
    /// Evaluates the top level of `ast`, the syntax tree of `text`.
    fn evaluate(engine: &Engine, name: &str, text: &str, ast: &AST) -> Fallible<File> {
        let functions = functions_of(ast, text);
        let mut module = Module::eval_ast_as_new(Scope::new(), ast, engine)?;
        freeze_variables(&mut module);
        let module: Shared<Module> = module.into();
        let mut state = engine.new_global_runtime_state();
        state.lib.extend(getters(ast).map(Into::into));
        state.lib.push(AST::new_from_module(module.clone()).shared_lib().clone());
        let module = exports::for_importers(engine, &module, ast)?;
        Ok(File { name: name.to_owned(), state, module, functions })
    }

    /// Returns the names of its functions, without closures.
    pub fn functions(&self) -> impl Iterator<Item = &str> {
        self.functions.iter().map(|function| function.name.as_str()).filter(|name| !name.starts_with("anon$"))
    }

    /// Returns the functions called `name`; there are several where it is overloaded.
    pub fn overloads(&self, name: &str) -> &[Function] {
        let from = self.functions.partition_point(|function| function.name.as_str() < name);
        let count = self.functions[from..].iter().take_while(|function| function.name == name).count();
        &self.functions[from..from + count]
    }

    /// Returns the value of the top-level constant `name`.
    pub fn constant(&self, name: &str) -> Option<Dynamic> {
        self.module.get_var(name)
    }
}

/// Freezes the top-level variables. Nothing can change them after the top level has run, so each use shares the value instead of
/// copying it.
fn freeze_variables(module: &mut Module) {
    let variables: Vec<(String, Dynamic)> =
        module.iter_var().map(|(name, value)| (name.to_owned(), value.clone())).collect();
    for (name, value) in variables {
        let mut frozen = freeze(value);
        frozen.set_tag(TOP_LEVEL);
        module.set_var(name, frozen);
    }
    // Importers use the index of the module.
    module.build_index();
}

/// Rhai's tag of the values of top-level variables. Copies keep the tag.
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

/// Returns the line of each `fn name(` in `text`. The syntax tree does not have these lines.
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

#[cfg(test)]
mod tests;
