//! `app` and `Blueprint`: what `registerRules()` calls. Collects rules, hooks and error handlers with the functions behind them;
//! building the table of them is `provision`'s job.

use super::rule_options::{Place, rule_options};
use crate::script::runtime::call;
use crate::script::runtime::frozen::as_map;
use crate::script::runtime::http_error::{CLASSES, ErrorClass};
use crate::script::runtime::natives::{Fallible, Natives, ScriptValue};
use crate::script::runtime::registration::{Entry, Registration};
use crate::script::runtime::size_limits::text_of;
use crate::script::runtime::view::View;
use crate::system::lock::lock;
use rhai::{Dynamic, FnPtr, ImmutableString, Map, NativeCallContext};
use std::sync::{Arc, Mutex, MutexGuard};

#[derive(Debug, Clone)]
pub(crate) struct App;

/// `Blueprint(name, #{ url_prefix, host, subdomain })`: like Python's, one object however many variables hold it.
#[derive(Debug, Clone)]
pub(crate) struct Blueprint {
    name: ImmutableString,
    place: Place,
    registered: Arc<Mutex<Registration>>,
}

impl ScriptValue for Blueprint {}

/// Where rules, hooks and handlers can be registered: `app` or a blueprint.
trait Registry: Clone {
    /// Changes what is registered. `change` runs no script.
    fn change<T>(&self, change: impl FnOnce(&mut Registration) -> T) -> Fallible<T>;
}

impl Registry for App {
    fn change<T>(&self, change: impl FnOnce(&mut Registration) -> T) -> Fallible<T> {
        call::with(|call| call.loading.as_mut().map(|loading| change(&mut loading.registration)))
            .flatten()
            .ok_or_else(|| "rules can be registered only while registerRules() runs".into())
    }
}

impl Registry for Blueprint {
    fn change<T>(&self, change: impl FnOnce(&mut Registration) -> T) -> Fallible<T> {
        Ok(change(&mut self.lock()))
    }
}

impl Blueprint {
    fn lock(&self) -> MutexGuard<'_, Registration> {
        lock(&self.registered)
    }
}

pub(crate) fn register(natives: &mut Natives) {
    natives.register_handle("app", App).register_type_with_name::<Blueprint>("Blueprint");
    rules::<App>(natives);
    rules::<Blueprint>(natives);
    hooks::<App>(natives);
    hooks::<Blueprint>(natives);
    blueprints(natives);
}

fn rules<R: Registry + Send + Sync + 'static>(natives: &mut Natives) {
    natives
        .register_fn("add_url_rule", |at: NativeCallContext, on: &mut R, rule: &str, view: FnPtr| {
            add(&at, on, rule, None, view, &Dynamic::UNIT)
        })
        .register_fn(
            "add_url_rule",
            |at: NativeCallContext, on: &mut R, rule: &str, view: FnPtr, options: Dynamic| {
                add(&at, on, rule, None, view, &options)
            },
        )
        .register_fn(
            "add_url_rule",
            |at: NativeCallContext, on: &mut R, rule: &str, endpoint: &str, view: FnPtr| {
                add(&at, on, rule, Some(endpoint), view, &Dynamic::UNIT)
            },
        )
        .register_fn(
            "add_url_rule",
            |at: NativeCallContext, on: &mut R, rule: &str, endpoint: &str, view: FnPtr, options: Dynamic| {
                add(&at, on, rule, Some(endpoint), view, &options)
            },
        )
        .register_fn(
            "add_url_rule",
            |at: NativeCallContext, on: &mut R, rule: &str, endpoint: Dynamic, view: FnPtr| {
                no_endpoint(&endpoint)?;
                add(&at, on, rule, None, view, &Dynamic::UNIT)
            },
        )
        .register_fn(
            "add_url_rule",
            |at: NativeCallContext,
             on: &mut R,
             rule: &str,
             endpoint: Dynamic,
             view: FnPtr,
             options: Dynamic| {
                no_endpoint(&endpoint)?;
                add(&at, on, rule, None, view, &options)
            },
        )
        .register_fn("add_url_rule", |at: NativeCallContext, on: &mut R, rule: &str, options: Map| {
            add(&at, on, rule, None, None, &options.into())
        })
        .register_fn(
            "add_url_rule",
            |at: NativeCallContext, on: &mut R, rule: &str, endpoint: &str, options: Map| {
                add(&at, on, rule, Some(endpoint), None, &options.into())
            },
        )
        .register_fn("route", |at: NativeCallContext, on: &mut R, rule: &str, view: FnPtr| {
            add(&at, on, rule, None, view, &Dynamic::UNIT)
        })
        .register_fn(
            "route",
            |at: NativeCallContext, on: &mut R, rule: &str, options: Dynamic, view: FnPtr| {
                add(&at, on, rule, None, view, &options)
            },
        );
    for method in ["get", "post", "put", "patch", "delete"] {
        let with_method = move |options: Dynamic| -> Fallible<Dynamic> {
            let mut options = as_map(&options)
                .map(|map| map.to_map())
                .ok_or("options are a map: `#{ defaults: #{ id: 1 } }`")?;
            options.insert("methods".into(), Dynamic::from(vec![Dynamic::from(method.to_uppercase())]));
            Ok(options.into())
        };
        natives
            .register_fn(method, move |at: NativeCallContext, on: &mut R, rule: &str, view: FnPtr| {
                add(&at, on, rule, None, view, &with_method(Map::new().into())?)
            })
            .register_fn(
                method,
                move |at: NativeCallContext, on: &mut R, rule: &str, view: FnPtr, options: Dynamic| {
                    add(&at, on, rule, None, view, &with_method(options)?)
                },
            );
    }
}

/// Flask's `add_url_rule(rule, None, view)`: the endpoint is the view's name.
fn no_endpoint(endpoint: &Dynamic) -> Fallible<()> {
    if endpoint.is_unit() {
        return Ok(());
    }
    let shown = text_of(endpoint, 100);
    Err(format!("the endpoint is a text, or () for the name of the view function, not {shown}").into())
}

fn add<R: Registry>(
    context: &NativeCallContext,
    on: &R,
    rule: &str,
    endpoint: Option<&str>,
    view: impl Into<Option<FnPtr>>,
    options: &Dynamic,
) -> Fallible<()> {
    let (options, named) = rule_options(options)?;
    let files = call::files()?;
    let view = view.into().map(|view| View::find(&files, context, view)).transpose()?;
    if view.is_none() && options.redirect_to.is_none() {
        return Err(format!(
            "rule `{rule}` has no view function: give one, or `#{{ redirect_to: \"/new\" }}`"
        )
        .into());
    }
    let at = context.call_position();
    let by_view = || view.as_ref().map_or_else(|| format!("redirect {rule}"), |view| view.endpoint(at));
    let endpoint = endpoint.map(str::to_owned).or(named).unwrap_or_else(by_view);
    if endpoint.is_empty() {
        return Err(format!("rule `{rule}` has an empty endpoint").into());
    }
    let file = view.as_ref().map_or(&files.main, |view| &view.file.name);
    let file = context.call_source().unwrap_or(file).to_owned();
    let entry = Entry { rule: rule.to_owned(), endpoint, blueprint: None, options, view, file, at };
    on.change(|registration| registration.rules.push(entry))
}

fn hooks<R: Registry + Send + Sync + 'static>(natives: &mut Natives) {
    natives
        .register_fn("before_request", |context: NativeCallContext, on: &mut R, hook: FnPtr| {
            let view = View::find(&*call::files()?, &context, hook)?
                .taking(0, "a before_request function takes no parameters")?;
            on.change(|registration| registration.before.push((None, view)))
        })
        .register_fn("after_request", |context: NativeCallContext, on: &mut R, hook: FnPtr| {
            let view = View::find(&*call::files()?, &context, hook)?
                .taking(1, "an after_request function takes the response")?;
            on.change(|registration| registration.after.push((None, view)))
        });
    for name in ["register_error_handler", "errorhandler"] {
        natives.register_fn(name, |context: NativeCallContext, on: &mut R, code: Dynamic, handler: FnPtr| {
            let class = error_class(&code)?;
            let view = View::find(&*call::files()?, &context, handler)?
                .taking(1, "an error handler takes the error")?;
            on.change(|registration| registration.error_handlers.push((None, class, view)))
        });
    }
}

/// What an error handler is registered for.
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
            _ if CLASSES.iter().any(|(name, _)| known(name)) => Some("class"),
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
        .register_fn("Blueprint", |name: ImmutableString| blueprint(name, &Map::new()))
        .register_fn("Blueprint", |name: ImmutableString, options: Map| blueprint(name, &options))
        .register_get("name", |blueprint: &mut Blueprint| blueprint.name.clone())
        .register_fn("register_blueprint", |app: &mut App, blueprint: Blueprint| {
            register_blueprint(app, &blueprint, &Map::new())
        })
        .register_fn("register_blueprint", |app: &mut App, blueprint: Blueprint, options: Map| {
            register_blueprint(app, &blueprint, &options)
        });
}

fn place(options: &Map) -> Fallible<Place> {
    as_map(&Dynamic::from(options.clone())).map_or_else(|| Ok(Place::default()), |map| Place::parse(&map))
}

fn blueprint(name: ImmutableString, options: &Map) -> Fallible<Blueprint> {
    if name.is_empty() || name.contains('.') {
        return Err(format!("blueprint name `{name}` must not be empty or have dots").into());
    }
    Ok(Blueprint { name, place: place(options)?, registered: Arc::default() })
}

/// Adds what the blueprint collected: its rules under the prefix, its hooks and handlers for its own requests.
fn register_blueprint(app: &App, blueprint: &Blueprint, options: &Map) -> Fallible<()> {
    let place = place(options)?.or(&blueprint.place);
    let prefix = place.prefix.clone().unwrap_or_default();
    let registered = blueprint.lock().clone();
    let name = blueprint.name.to_string();
    if let Some(bad) = registered.rules.iter().find(|entry| !entry.rule.starts_with('/') && prefix.is_empty())
    {
        return Err(format!("rule `{}` must start with a slash", bad.rule).into());
    }
    app.change(|all| {
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
        // Under a second prefix its rules come again, its hooks do not (Flask 2.0).
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

/// Prefix and rule with one slash between them, as Flask joins them.
fn join(prefix: &str, rule: &str) -> String {
    match (prefix.is_empty(), rule.is_empty()) {
        (true, _) => rule.to_owned(),
        (_, true) => prefix.to_owned(),
        _ => format!("{}/{}", prefix.trim_end_matches('/'), rule.trim_start_matches('/')),
    }
}
