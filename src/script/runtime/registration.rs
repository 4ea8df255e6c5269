//! What `registerRules()` has registered, from which a provision is made.

use super::http_error::ErrorClass;
use super::view::View;
use crate::routing::rule::RuleOptions;
use rhai::{ImmutableString, Position};
use std::sync::{Arc, Mutex};

/// The function that every provision defines.
pub(crate) const REGISTER_RULES: &str = "registerRules";

/// What was registered, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Registration {
    pub rules: Vec<Entry>,
    /// Error handlers: what for, and the function; the last one of a class wins.
    pub error_handlers: Vec<(Scope, ErrorClass, View)>,
    /// `before_request` functions.
    pub before: Vec<(Scope, View)>,
    /// `after_request` functions.
    pub after: Vec<(Scope, View)>,
    /// Blueprints by name: a second one of a name is refused.
    pub blueprints: Vec<(ImmutableString, Arc<Mutex<Registration>>)>,
}

/// Whom a hook or an error handler is for: all requests, or those of one blueprint.
pub(crate) type Scope = Option<String>;

/// One URL rule as registered.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The rule (`/a/<int:id>`).
    pub rule: String,
    /// Its endpoint, with the blueprint's name in front.
    pub endpoint: String,
    pub blueprint: Scope,
    /// Methods, slashes, defaults.
    pub options: RuleOptions,
    /// None where it redirects.
    pub view: Option<View>,
    /// File of the registering call.
    pub file: String,
    /// Line of the registering call.
    pub at: Position,
}
