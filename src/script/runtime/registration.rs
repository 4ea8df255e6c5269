//! The registrations of `registerRules()`, from which a provision is built.

use super::budget::{Budget, Fallible};
use super::files::Files;
use super::forward::Forward;
use super::http_error::ErrorClass;
use super::view::{Bound, View};
use crate::message::cors::Policy;
use crate::routing::router::Router;
use crate::routing::rule::RuleOptions;
use crate::simulation::Dice;
use rhai::{Dynamic, Engine, ImmutableString, Position};
use std::sync::{Arc, Mutex};

/// The function that every provision defines.
pub(crate) const REGISTER_RULES: &str = "registerRules";

/// Rules, hooks and error handlers in the order of their registration.
#[derive(Debug, Clone, Default)]
pub(crate) struct Registration {
    pub rules: Vec<Entry>,
    /// Where two error handlers have the same scope and class, the last one counts.
    pub error_handlers: Vec<(Scope, ErrorClass, View)>,
    /// `before_request` functions.
    pub before: Vec<(Scope, View)>,
    /// `after_request` functions.
    pub after: Vec<(Scope, View)>,
    /// The server of `app.forward_unmatched`.
    pub forward_unmatched: Option<Arc<Forward>>,
    /// The policies of `app.cors`.
    pub cors: Vec<Policy>,
    /// Blueprints and their names. A name must not be used twice.
    pub blueprints: Vec<(ImmutableString, Arc<Mutex<Registration>>)>,
}

impl Registration {
    /// Whether nothing is registered.
    pub(crate) fn is_empty(&self) -> bool {
        let Registration { rules, error_handlers, before, after, forward_unmatched, cors, blueprints } = self;
        let has_functions = !error_handlers.is_empty() || !before.is_empty() || !after.is_empty();
        let has_rules = !rules.is_empty() || forward_unmatched.is_some() || !blueprints.is_empty();
        !has_functions && !has_rules && cors.is_empty()
    }
}

/// The requests for which a hook or an error handler runs: `None` for all, or the name of a blueprint.
pub(crate) type Scope = Option<String>;

/// One URL rule as registered.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The rule (`/a/<int:id>`).
    pub rule: String,
    /// Endpoint, for example `show`, or `shop.show` in the blueprint `shop`.
    pub endpoint: String,
    pub blueprint: Scope,
    pub options: RuleOptions,
    /// `None` for a redirect.
    pub view: Option<View>,
    /// The server that answers in place of a view.
    pub forward: Option<Arc<Forward>>,
    /// File of the registering call.
    pub file: String,
    /// Line of the registering call.
    pub at: Position,
}

/// The registrations of a loaded provision, for its functions while a request is handled.
pub struct Routes {
    pub engine: Arc<Engine>,
    pub budget: Budget,
    pub files: Arc<Files>,
    /// The rules; the index of a rule is that of its view.
    pub router: Arc<Router>,
    pub views: Vec<RuleView>,
    /// The seed that `random.seed` set while the provision was loaded.
    pub dice: Dice,
}

pub struct RuleView {
    /// `None` where the rule redirects.
    pub function: Option<Bound>,
    /// The server that answers in place of a view.
    pub(crate) forward: Option<Arc<Forward>>,
    pub blueprint: Scope,
}

impl Routes {
    /// Calls a function other than a view, in the current context. Each call has a budget of its own.
    pub fn call(&self, view: &View, arguments: &mut [Dynamic]) -> Fallible<Dynamic> {
        self.budget.run(|| view.call(&self.engine, arguments))
    }

    pub fn blueprint(&self, index: usize) -> Option<&str> {
        self.views[index].blueprint.as_deref()
    }
}
