//! `app` and `Blueprint`: a script registers its rules, hooks and error handlers on them in `registerRules()`.
//!
//! ```text
//! fn registerRules() {
//!     app.get("/users/<int:id>", user);
//!     app.add_url_rule("/users", "all", users, #{ methods: ["GET", "POST"] });
//!     app.errorhandler(404, not_found);
//! }
//! ```
//!
//! This file only collects the registrations. `provisioning::provision` builds the table of rules.

use super::rule_options::{Place, rule_options};
use crate::script::runtime::call;
use crate::script::runtime::frozen::as_map;
use crate::script::runtime::http_error::{CLASSES, ErrorClass};
use crate::script::runtime::natives::{Fallible, Natives, Receiver, ScriptValue};
use crate::script::runtime::registration::{Entry, Registration};
use crate::script::runtime::size_limits::text_of;
use crate::script::runtime::view::View;
use crate::system::lock::lock;
use rhai::{Dynamic, FnPtr, ImmutableString, Map, NativeCallContext};
use std::any::TypeId;
use std::sync::{Arc, Mutex};

#[derive(Debug, Clone)]
pub(crate) struct App;

/// The value of `Blueprint(name, #{ url_prefix, host, subdomain })`. Its copies share their registrations, as in Python.
#[derive(Debug, Clone)]
pub(crate) struct Blueprint {
    name: ImmutableString,
    place: Place,
    registered: Arc<Mutex<Registration>>,
}

impl ScriptValue for Blueprint {}

/// The types whose values register rules.
pub(super) const OF_BOTH: &[TypeId] = &[TypeId::of::<App>(), TypeId::of::<Blueprint>()];

/// Calls `change` with the registrations of `on`, which is `app` or a blueprint. `change` must not run a script.
pub(super) fn change<T>(on: &Dynamic, change: impl FnOnce(&mut Registration) -> T) -> Fallible<T> {
    if let Some(blueprint) = on.read_lock::<Blueprint>() {
        return Ok(change(&mut lock(&blueprint.registered)));
    }
    change_app(change)
}

/// Calls `change` with the registrations of `app`.
///
/// # Errors
/// `registerRules()` does not run.
pub(super) fn change_app<T>(change: impl FnOnce(&mut Registration) -> T) -> Fallible<T> {
    call::with(|call| call.loading.as_mut().map(|loading| change(&mut loading.registration)))
        .flatten()
        .ok_or_else(|| "rules can be registered only while registerRules() runs".into())
}

pub(crate) fn register(natives: &mut Natives) {
    natives.register_handle("app", App).register_type_with_name::<Blueprint>("Blueprint");
    natives.in_common(OF_BOTH, |natives| {
        rules(natives);
        hooks(natives);
    });
    blueprints(natives);
}

fn rules(natives: &mut Natives) {
    natives
        .register_optional(
            "add_url_rule",
            Dynamic::UNIT,
            |at: NativeCallContext, on: &mut Dynamic, rule: &str, view: FnPtr, options: Dynamic| {
                add(&at, on, rule, &Dynamic::UNIT, Some(view), &options)
            },
        )
        .register_optional(
            "add_url_rule",
            Dynamic::UNIT,
            |at: NativeCallContext,
             on: &mut Dynamic,
             rule: &str,
             endpoint: Dynamic,
             view: FnPtr,
             options: Dynamic| { add(&at, on, rule, &endpoint, Some(view), &options) },
        )
        .register_fn("add_url_rule", |at: NativeCallContext, on: &mut Dynamic, rule: &str, options: Map| {
            add(&at, on, rule, &Dynamic::UNIT, None, &options.into())
        })
        .register_fn(
            "add_url_rule",
            |at: NativeCallContext, on: &mut Dynamic, rule: &str, endpoint: &str, options: Map| {
                add(&at, on, rule, &endpoint.into(), None, &options.into())
            },
        )
        .register_fn("route", |at: NativeCallContext, on: &mut Dynamic, rule: &str, view: FnPtr| {
            add(&at, on, rule, &Dynamic::UNIT, Some(view), &Dynamic::UNIT)
        })
        .register_fn(
            "route",
            |at: NativeCallContext, on: &mut Dynamic, rule: &str, options: Dynamic, view: FnPtr| {
                add(&at, on, rule, &Dynamic::UNIT, Some(view), &options)
            },
        );
    for method in ["get", "post", "put", "patch", "delete"] {
        natives.register_optional(
            method,
            Map::new(),
            move |at: NativeCallContext, on: &mut Dynamic, rule: &str, view: FnPtr, options: Dynamic| {
                let mut options = as_map(&options)
                    .map(|map| map.to_map())
                    .ok_or("options are a map: `#{ defaults: #{ id: 1 } }`")?;
                options.insert("methods".into(), Dynamic::from(vec![Dynamic::from(method.to_uppercase())]));
                add(&at, on, rule, &Dynamic::UNIT, Some(view), &options.into())
            },
        );
    }
}

/// Registers a rule. If neither `endpoint` nor `options` has an endpoint, it is the name of the view function, as in Flask.
fn add(
    context: &NativeCallContext,
    on: &Dynamic,
    rule: &str,
    endpoint: &Dynamic,
    view: Option<FnPtr>,
    options: &Dynamic,
) -> Fallible<()> {
    let given = endpoint.read_lock::<ImmutableString>().map(|endpoint| endpoint.to_string());
    if given.is_none() && !endpoint.is_unit() {
        let shown = text_of(endpoint, 100);
        return Err(
            format!("the endpoint is a text, or () for the name of the view function, not {shown}").into()
        );
    }
    let (options, named) = rule_options(options)?;
    let files = call::files()?;
    let view = view.map(|view| View::find(&files, context, view)).transpose()?;
    if view.is_none() && options.redirect_to.is_none() {
        return Err(format!(
            "rule `{rule}` has no view function: give one, or `#{{ redirect_to: \"/new\" }}`"
        )
        .into());
    }
    let at = context.call_position();
    let by_view = || view.as_ref().map_or_else(|| format!("redirect {rule}"), |view| view.endpoint(at));
    let endpoint = given.or(named).unwrap_or_else(by_view);
    if endpoint.is_empty() {
        return Err(format!("rule `{rule}` has an empty endpoint").into());
    }
    let file = view.as_ref().map_or(&files.main, |view| &view.file.name);
    let file = context.call_source().unwrap_or(file).to_owned();
    let (rule, blueprint, forward) = (rule.to_owned(), None, None);
    let entry = Entry { rule, endpoint, blueprint, options, view, forward, file, at };
    change(on, |registration| registration.rules.push(entry))
}

fn hooks(natives: &mut Natives) {
    natives
        .register_fn("before_request", |context: NativeCallContext, on: &mut Dynamic, hook: FnPtr| {
            let view = View::find(&*call::files()?, &context, hook)?
                .taking(0, "a before_request function takes no parameters")?;
            change(on, |registration| registration.before.push((None, view)))
        })
        .register_fn("after_request", |context: NativeCallContext, on: &mut Dynamic, hook: FnPtr| {
            let view = View::find(&*call::files()?, &context, hook)?
                .taking(1, "an after_request function takes the response")?;
            change(on, |registration| registration.after.push((None, view)))
        });
    for name in ["register_error_handler", "errorhandler"] {
        natives.register_fn(
            name,
            |context: NativeCallContext, on: &mut Dynamic, code: Dynamic, handler: FnPtr| {
                let class = error_class(&code)?;
                let view = View::find(&*call::files()?, &context, handler)?
                    .taking(1, "an error handler takes the error")?;
                change(on, |registration| registration.error_handlers.push((None, class, view)))
            },
        );
    }
}

/// Parses the first argument of `app.errorhandler(404, f)`: a code or a class.
fn error_class(wanted: &Dynamic) -> Fallible<ErrorClass> {
    if let Some(class) = wanted.read_lock::<ErrorClass>() {
        return Ok(*class);
    }
    if let Some(code @ 400..=599) = wanted.as_int().ok().and_then(|code| u16::try_from(code).ok()) {
        return Ok(ErrorClass::Code(code));
    }
    if let Some(text) = wanted.read_lock::<ImmutableString>() {
        let known = |name: &str| name == text.as_str();
        let kind = match text.parse::<u16>() {
            Ok(400..=599) => Some("number"),
            _ if CLASSES.iter().any(|(_, name, _)| known(name)) => Some("class"),
            _ if known("HTTPException") || known("Exception") => Some("class"),
            _ => None,
        };
        if let Some(kind) = kind {
            return Err(format!("an error handler is not for a text: write the {kind} {}", *text).into());
        }
    }
    let wanted = text_of(wanted, 100);
    Err(format!(
        "an error handler is for a code from 400 to 599 or a class such as `NotFound`, `HTTPException`, `Exception`, not {wanted}"
    )
    .into())
}

fn blueprints(natives: &mut Natives) {
    natives
        .register_optional("Blueprint", Map::new(), blueprint)
        .register_get("name", |blueprint: &mut Blueprint| blueprint.name.clone())
        .register_optional("register_blueprint", Map::new(), register_blueprint);
}

fn blueprint(name: ImmutableString, options: Map) -> Fallible<Blueprint> {
    if name.is_empty() || name.contains('.') {
        return Err(format!("blueprint name `{name}` must not be empty or have dots").into());
    }
    Ok(Blueprint { name, place: Place::parse(&options)?, registered: Arc::default() })
}

/// Adds the rules of a blueprint to those of `app`, under its prefix, and its hooks and error handlers for its own requests.
fn register_blueprint(_: Receiver<App>, blueprint: Blueprint, options: Map) -> Fallible<()> {
    let place = Place::parse(&options)?.or(&blueprint.place);
    let prefix = place.prefix.clone().unwrap_or_default();
    let registered = lock(&blueprint.registered).clone();
    let name = blueprint.name.to_string();
    if let Some(bad) = registered.rules.iter().find(|entry| !entry.rule.starts_with('/') && prefix.is_empty())
    {
        return Err(format!("rule `{}` must start with a slash", bad.rule).into());
    }
    change_app(|all| {
        let known = all.blueprints.iter().find(|(known, _)| *known == blueprint.name);
        let again = known.is_some_and(|(_, known)| Arc::ptr_eq(known, &blueprint.registered));
        if known.is_some() && !again {
            return Err(
                format!("blueprint `{name}` is registered already: give this one another name").into()
            );
        }
        all.rules.extend(registered.rules.into_iter().map(|entry| Entry {
            rule: join(&prefix, &entry.rule),
            endpoint: format!("{name}.{}", entry.endpoint),
            blueprint: Some(name.clone()),
            options: place.of_rule(entry.options),
            ..entry
        }));
        // A blueprint that is registered again adds only its rules, under the second prefix (Flask 2.0).
        if again {
            return Ok(());
        }
        all.blueprints.push((blueprint.name.clone(), blueprint.registered.clone()));
        let scope = || Some(name.clone());
        all.before.extend(registered.before.into_iter().map(|(_, view)| (scope(), view)));
        all.after.extend(registered.after.into_iter().map(|(_, view)| (scope(), view)));
        all.error_handlers
            .extend(registered.error_handlers.into_iter().map(|(_, code, view)| (scope(), code, view)));
        Ok(())
    })?
}

/// Joins prefix and rule with one slash between them, as Flask does.
fn join(prefix: &str, rule: &str) -> String {
    match (prefix.is_empty(), rule.is_empty()) {
        (true, _) => rule.to_owned(),
        (_, true) => prefix.to_owned(),
        _ => format!("{}/{}", prefix.trim_end_matches('/'), rule.trim_start_matches('/')),
    }
}

#[cfg(test)]
mod tests;
