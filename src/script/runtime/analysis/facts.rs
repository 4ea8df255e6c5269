//! The definitions of one file: its functions with their parameters, its top-level variables and imports.

use crate::script::runtime::files::{File, Files};
pub(super) use crate::script::runtime::names::given as shown;
use rhai::{AST, Expr, ScriptFuncDef, Shared, Stmt};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

pub(super) struct Facts {
    pub name: String,
    /// Whether the file is the provision itself, and not imported.
    pub is_main: bool,
    /// All functions and closures, by their names in the script.
    functions: BTreeMap<String, Vec<Shared<ScriptFuncDef>>>,
    /// Names of functions with a type in front (`fn int.half()`), which are methods in all files.
    pub typed: HashSet<String>,
    pub variables: BTreeSet<String>,
    /// Top-level imports: the name in this file, and the imported file where it is known.
    pub imports: Vec<(String, Option<String>)>,
    /// The loaded file; `None` where its top level has failed.
    pub loaded: Option<Arc<File>>,
}

pub(super) fn is_closure(name: &str) -> bool {
    name.starts_with("anon$")
}

impl Facts {
    pub(super) fn new(files: &Files, name: &str, ast: &AST) -> Facts {
        let (mut functions, mut typed) = (BTreeMap::<_, Vec<_>>::new(), HashSet::new());
        for function in ast.iter_fn_def() {
            if function.this_type.is_some() {
                typed.insert(function.name.to_string());
            }
            functions.entry(shown(&function.name).to_owned()).or_default().push(function.clone());
        }
        let (mut variables, mut imports) = (BTreeSet::new(), Vec::new());
        for statement in ast.statements() {
            match statement {
                Stmt::Var(variable, ..) => {
                    variables.insert(variable.0.name.to_string());
                }
                Stmt::Export(names, _) => {
                    variables.extend([&names.0, &names.1].map(|one| one.name.to_string()));
                }
                Stmt::Import(import, _) => {
                    imports.push((import.1.name.to_string(), imported(files, &import.0)));
                }
                _ => {}
            }
        }
        let is_main = name == files.main;
        let loaded = files.file(name);
        Facts { name: name.to_owned(), is_main, functions, typed, variables, imports, loaded }
    }

    pub(super) fn bodies(&self, name: &str) -> &[Shared<ScriptFuncDef>] {
        self.functions.get(shown(name)).map_or(&[], Vec::as_slice)
    }

    /// Returns the functions of the file, without closures.
    pub(super) fn functions(&self) -> impl Iterator<Item = (&str, &Shared<ScriptFuncDef>)> {
        let all = self.functions.iter().filter(|(name, _)| !is_closure(name));
        all.flat_map(|(name, bodies)| bodies.iter().map(|body| (name.as_str(), body)))
    }

    pub(super) fn has_function(&self, name: &str) -> bool {
        self.functions.contains_key(shown(name))
    }

    /// Returns the numbers of parameters of the functions called `name`.
    pub(super) fn counts(&self, name: &str) -> BTreeSet<usize> {
        self.bodies(name).iter().map(|body| body.params.len()).collect()
    }
}

/// Returns the imported file, where `path` is a literal and the file exists.
pub(super) fn imported(files: &Files, path: &Expr) -> Option<String> {
    match path {
        Expr::StringConstant(path, _) => files.find_import(path).ok(),
        _ => None,
    }
}
