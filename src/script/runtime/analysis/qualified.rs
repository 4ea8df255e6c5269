//! What is called or read with the name of an import in front: `common::find(...)`.

use super::facts::{Facts, shown};
use super::near::{did_you_mean, nearest};
use super::walk::Walker;
use crate::script::runtime::fault::missing;
use rhai::{FnCallExpr, Namespace, Position};

/// What Rhai itself has in place of an import, and what natives have.
const BUILT_IN: [&str; 2] = ["global", "status"];

impl<'w> Walker<'w> {
    pub(super) fn qualified_call(&mut self, call: &FnCallExpr, at: Position) {
        let (name, count) = (call.name.as_str(), call.args.len());
        let Some(file) = self.imported_file(&call.namespace) else { return };
        let import = call.namespace.root();
        let is_private = |facts: &Facts| facts.bodies(name).iter().all(|body| body.access.is_private());
        if !file.has_function(name) {
            let public = file.functions().filter(|(_, body)| !body.access.is_private());
            let meant = nearest(shown(name), public.map(|(name, _)| shown(name)));
            let hint = meant.map(|meant| did_you_mean(&format!("{import}::{meant}")));
            let message = format!("`{}` has no function `{}`", file.name, shown(name));
            self.tell(at, message, hint);
        } else if is_private(file) {
            let message = format!("function `{}` of `{}` is private", shown(name), file.name);
            let hint = format!("drop the word `private` before `fn {}`", shown(name));
            self.tell(at, message, Some(hint));
        } else if !file.counts(name).contains(&count) {
            let message =
                super::calls::takes(&format!("{import}::{}", shown(name)), &file.counts(name), count);
            self.tell(at, message, None);
        }
    }

    pub(super) fn qualified_variable(&mut self, namespace: &Namespace, name: &str) {
        if namespace.root() == "status" && !self.has_enough() {
            return self.status_code(namespace, name);
        }
        let Some(file) = self.imported_file(namespace) else { return };
        if file.variables.contains(name) {
            return;
        }
        let import = namespace.root();
        let full = format!("{import}::{name}");
        let hint = if file.has_function(name) {
            missing::variable(&full).map(str::to_owned)
        } else {
            let known = nearest(name, file.variables.iter().map(String::as_str));
            known.map(|meant| did_you_mean(&format!("{import}::{meant}")))
        };
        self.tell(namespace.position(), format!("no variable `{full}`"), hint);
    }

    /// The file that `namespace` means, where it was loaded; tells where there is no such import.
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
            self.tell(namespace.position(), format!("no import `{root}`"), Some(hint));
            return None;
        };
        // Imports of imports are left to Rhai.
        file.filter(|_| namespace.path.len() == 1).and_then(|file| world.facts.get(file))
    }

    fn status_code(&mut self, namespace: &Namespace, name: &str) {
        if let Some(message) = self.world.unknown(&format!("status.{name}")) {
            self.tell(namespace.position(), message, None);
        }
    }
}
