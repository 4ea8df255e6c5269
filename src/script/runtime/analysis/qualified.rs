//! Functions and variables with the name of an import in front: `common::find(...)`.

use super::facts::{Facts, shown};
use super::near::{did_you_mean, nearest};
use super::walk::Walker;
use crate::script::runtime::fault::habit;
use rhai::{FnCallExpr, Namespace, Position};

/// Namespaces of Rhai and of natives, which need no import.
const BUILT_IN: [&str; 2] = ["global", "status"];

impl<'w> Walker<'w> {
    pub(super) fn qualified_call(&mut self, call: &FnCallExpr, at: Position) {
        let (name, count) = (shown(&call.name), call.args.len());
        let Some(file) = self.imported_file(&call.namespace) else { return };
        let import = call.namespace.root();
        if !file.has_function(name) {
            let public = file.functions().filter(|(_, body)| !body.access.is_private());
            let meant = nearest(name, public.map(|(name, _)| name));
            let hint = meant.map(|meant| did_you_mean(&format!("{import}::{meant}")));
            self.warn(at, format!("`{}` has no function `{name}`", file.name), hint);
        } else if file.bodies(name).iter().all(|body| body.access.is_private()) {
            let hint = format!("drop the word `private` before `fn {name}`");
            self.warn(at, format!("function `{name}` of `{}` is private", file.name), Some(hint));
        } else if !file.counts(name).contains(&count) {
            let message = super::calls::takes(&format!("{import}::{name}"), &file.counts(name), count);
            self.warn(at, message, None);
        }
    }

    pub(super) fn qualified_variable(&mut self, namespace: &Namespace, name: &str) {
        let import = namespace.root();
        if import == "status" && !self.has_enough() {
            if let Some(message) = self.world.unknown(&format!("status.{name}")) {
                self.warn(namespace.position(), message, None);
            }
            return;
        }
        let Some(file) = self.imported_file(namespace) else { return };
        if file.variables.contains(name) {
            return;
        }
        let full = format!("{import}::{name}");
        let hint = if file.has_function(name) {
            habit::variable(&full).map(str::to_owned)
        } else {
            let known = nearest(name, file.variables.iter().map(String::as_str));
            known.map(|meant| did_you_mean(&format!("{import}::{meant}")))
        };
        self.warn(namespace.position(), format!("no variable `{full}`"), hint);
    }

    /// Returns the file that `namespace` stands for, where it was loaded. Warns where no import has that name.
    fn imported_file(&mut self, namespace: &Namespace) -> Option<&'w Facts> {
        let root = namespace.root();
        if self.has_enough() || BUILT_IN.contains(&root) {
            return None;
        }
        let world = self.world;
        let Some(file) = self.scopes.import(root) else {
            let imports = self.scopes.imports().map(|(name, _)| name);
            let hint = match nearest(root, imports.chain(BUILT_IN)) {
                Some(meant) => did_you_mean(meant),
                None => format!("write `import \"{root}\" as {root};` at the top of the file"),
            };
            self.warn(namespace.position(), format!("no import `{root}`"), Some(hint));
            return None;
        };
        // Only Rhai resolves imports of imports.
        file.filter(|_| namespace.path.len() == 1).and_then(|file| world.facts.get(file))
    }
}
