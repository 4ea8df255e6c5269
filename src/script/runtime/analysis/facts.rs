//! What one file defines: its functions with their parameters, its top-level variables and imports.

use crate::script::runtime::files::{File, Files};
use crate::script::runtime::names;
use rhai::{AST, Expr, ScriptFuncDef, Shared, Stmt};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

pub(super) struct Facts {
    pub name: String,
    /// Whether it is the provision itself, and not a file that it imports.
    pub is_main: bool,
    /// All functions by their names in the script, closures too.
    functions: BTreeMap<String, Vec<Shared<ScriptFuncDef>>>,
    /// Names of functions with a type in front (`fn int.half()`), which are methods in all files.
    pub typed: HashSet<String>,
    pub variables: BTreeSet<String>,
    /// Top-level imports: the name here, and the file where that is known.
    pub imports: Vec<(String, Option<String>)>,
    /// The file as it was loaded; none where its top level has failed.
    pub loaded: Option<Arc<File>>,
}

/// The name of a function as the script has it: the one place that knows whether functions are renamed.
pub(super) fn shown(name: &str) -> &str {
    names::given(name)
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

    /// Its functions, without closures.
    pub(super) fn functions(&self) -> impl Iterator<Item = (&str, &Shared<ScriptFuncDef>)> {
        let all = self.functions.iter().filter(|(name, _)| !is_closure(name));
        all.flat_map(|(name, bodies)| bodies.iter().map(|body| (name.as_str(), body)))
    }

    pub(super) fn has_function(&self, name: &str) -> bool {
        self.functions.contains_key(shown(name))
    }

    /// The numbers of parameters of its functions called `name`.
    pub(super) fn counts(&self, name: &str) -> BTreeSet<usize> {
        self.bodies(name).iter().map(|body| body.params.len()).collect()
    }
}

/// The file that an import means, where its name is a literal and there is such a file.
pub(super) fn imported(files: &Files, path: &Expr) -> Option<String> {
    match path {
        Expr::StringConstant(path, _) => files.find_import(path).ok(),
        _ => None,
    }
}
