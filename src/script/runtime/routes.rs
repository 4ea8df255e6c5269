//! What a loaded provision has registered, as its functions can look it up while a request is handled.

use super::files::Files;
use super::registration::Scope;
use super::view::Bound;
use crate::routing::router::Router;
use std::sync::Arc;

/// The files of a provision, its rules, and the functions behind them.
pub struct Routes {
    pub files: Arc<Files>,
    /// The rules; the index of a rule is that of its view.
    pub router: Arc<Router>,
    pub views: Vec<RuleView>,
}

pub struct RuleView {
    /// None where the rule redirects.
    pub function: Option<Bound>,
    pub blueprint: Scope,
}

impl Routes {
    pub fn blueprint(&self, index: usize) -> Option<&str> {
        self.views[index].blueprint.as_deref()
    }
}
