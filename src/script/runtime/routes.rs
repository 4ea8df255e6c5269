//! What a loaded provision has registered, as its functions can look it up while a request is handled.

use super::files::Files;
use super::registration::Scope;
use super::view::Bound;
use crate::routing::router::Router;
use std::sync::Arc;

/// The files of a provision, its rules, and the functions behind them.
pub struct Routes {
    /// The files.
    pub files: Arc<Files>,
    /// The rules; the index of a rule is that of its view.
    pub router: Arc<Router>,
    /// The view functions.
    pub views: Vec<RuleView>,
}

/// The view function of one rule.
pub struct RuleView {
    /// The function, bound to the rule's variables.
    pub function: Bound,
    /// Blueprint of the rule.
    pub blueprint: Scope,
}

impl Routes {
    /// Blueprint of rule `index`.
    pub fn blueprint(&self, index: usize) -> Option<&str> {
        self.views[index].blueprint.as_deref()
    }
}
