//! `app` and `Blueprint`: what `registerRules()` calls. Collects rules, hooks and error handlers with the functions behind them;
//! building the table of them is `provision`'s job.

use crate::routing::rule::RuleOptions;
use crate::routing::value::Value;
use crate::script::runtime::call;
use crate::script::runtime::frozen::{as_list, as_map, is_list};
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

/// `Blueprint(name, #{ url_prefix })`: like Python's, one object however many variables hold it.
#[derive(Debug, Clone)]
pub(crate) struct Blueprint {
    name: ImmutableString,
    prefix: String,
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

fn add<R: Registry>(
    context: &NativeCallContext,
    on: &R,
    rule: &str,
    endpoint: Option<&str>,
    view: FnPtr,
    options: &Dynamic,
) -> Fallible<()> {
    let (options, named) = rule_options(options)?;
    let view = View::find(&*call::files()?, context, view)?;
    let at = context.call_position();
    let endpoint = endpoint.map(str::to_owned).or(named).unwrap_or_else(|| view.endpoint(at));
    if endpoint.is_empty() {
        return Err(format!("rule `{rule}` has an empty endpoint").into());
    }
    let file = context.call_source().unwrap_or(&view.file.name).to_owned();
    let entry = Entry { rule: rule.to_owned(), endpoint, blueprint: None, options, view, file, at };
    on.change(|registration| registration.rules.push(entry))
}

/// Rule options from a list of methods or a map; with the endpoint where the map has one.
fn rule_options(options: &Dynamic) -> Fallible<(RuleOptions, Option<String>)> {
    let mut known = RuleOptions::default();
    if options.is_unit() {
        return Ok((known, None));
    }
    if options.is_string() || is_list(options) {
        known.methods = Some(methods(options)?);
        return Ok((known, None));
    }
    let Some(map) = as_map(options) else {
        return Err(format!("options are a list of methods or a map, not {}", options.type_name()).into());
    };
    let mut endpoint = None;
    for (name, value) in map.iter() {
        match name {
            "methods" => known.methods = Some(methods(value)?),
            "strict_slashes" => known.strict_slashes = Some(switch(name, value)?),
            "merge_slashes" => known.merge_slashes = Some(switch(name, value)?),
            "provide_automatic_options" => known.provide_automatic_options = Some(switch(name, value)?),
            "endpoint" => endpoint = Some(value.to_string()),
            "defaults" => known.defaults = defaults(value)?,
            _ => {
                let all =
                    "methods, strict_slashes, merge_slashes, defaults, endpoint, provide_automatic_options";
                return Err(format!("unknown option `{name}`: there are {all}").into());
            }
        }
    }
    Ok((known, endpoint))
}

fn methods(value: &Dynamic) -> Fallible<Vec<String>> {
    match as_list(value) {
        Some(list) if list.is_empty() => Err("methods must not be empty: `[\"GET\"]`".into()),
        Some(list) if list.iter().all(Dynamic::is_string) => {
            Ok(list.iter().map(ToString::to_string).collect())
        }
        // Flask refuses a text too: it would be taken for a list of letters.
        _ => Err("methods must be a list of texts: `[\"GET\"]`".into()),
    }
}

fn switch(name: &str, value: &Dynamic) -> Fallible<bool> {
    Ok(value.as_bool().map_err(|kind| format!("option `{name}` must be true or false, not {kind}"))?)
}

fn defaults(value: &Dynamic) -> Fallible<Vec<(String, Value)>> {
    let Some(map) = as_map(value) else {
        return Err("option `defaults` must be a map: `#{ id: 1 }`".into());
    };
    map.iter().map(|(name, value)| Ok((name.to_string(), url_value(name, value)?))).collect()
}

/// A script's value as a URL variable.
pub(crate) fn url_value(name: &str, value: &Dynamic) -> Fallible<Value> {
    if let Ok(number) = value.as_int() {
        return Ok(Value::Int(number));
    }
    if let Ok(number) = value.as_float() {
        return Ok(Value::Float(number));
    }
    if value.is_string() || value.is_bool() || value.is_char() {
        return Ok(Value::Text(value.to_string()));
    }
    Err(format!("`{name}` must be a text or a number, not {}", value.type_name()).into())
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

fn prefix(options: &Map) -> Fallible<Option<String>> {
    if let Some(unknown) = options.keys().find(|key| key.as_str() != "url_prefix") {
        return Err(format!("unknown option `{unknown}`: there is url_prefix").into());
    }
    match options.get("url_prefix").map(ToString::to_string) {
        Some(prefix) if !prefix.starts_with('/') => {
            Err(format!("url_prefix `{prefix}` must start with a slash").into())
        }
        prefix => Ok(prefix),
    }
}

fn blueprint(name: ImmutableString, options: &Map) -> Fallible<Blueprint> {
    if name.is_empty() || name.contains('.') {
        return Err(format!("blueprint name `{name}` must not be empty or have dots").into());
    }
    Ok(Blueprint { name, prefix: prefix(options)?.unwrap_or_default(), registered: Arc::default() })
}

/// Adds what the blueprint collected: its rules under the prefix, its hooks and handlers for its own requests.
fn register_blueprint(app: &App, blueprint: &Blueprint, options: &Map) -> Fallible<()> {
    let prefix = prefix(options)?.unwrap_or_else(|| blueprint.prefix.clone());
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
