//! `app.cors(#{ origins: ["https://a.example"], credentials: true, max_age: 600 })`: the options of flask-cors.

use super::app::{App, change_app};
use super::property::unknown_option;
use crate::message::cors::{self, Policy};
use crate::routing::method::is_token;
use crate::script::runtime::frozen::{as_list, as_map};
use crate::script::runtime::natives::{Fallible, Natives, Receiver};
use crate::script::runtime::size_limits::{full_text, type_name};
use rhai::{Dynamic, ImmutableString, Map};

const OPTIONS: [&str; 12] = [
    "origins",
    "methods",
    "allow_headers",
    "expose_headers",
    "credentials",
    "supports_credentials",
    "max_age",
    "send_wildcard",
    "vary_header",
    "always_send",
    "allow_private_network",
    "resources",
];

pub(crate) fn register(natives: &mut Natives) {
    natives.register_optional("cors", Map::new(), |_: Receiver<App>, options: Map| {
        let policies = policies(options)?;
        change_app(|registration| registration.cors.extend(policies))
    });
}

/// Returns a policy for each of the `resources`: a path, a list of paths, or a map from paths to options of their own.
fn policies(mut options: Map) -> Fallible<Vec<Policy>> {
    let Some(resources) = options.remove("resources") else { return Ok(vec![policy(None, &options)?]) };
    let Some(map) = as_map(&resources) else {
        let paths = texts("resources", &resources)?;
        return paths.iter().map(|path| policy(Some(path), &options)).collect();
    };
    let of_path = |(path, own): (&str, &Dynamic)| {
        let Some(own) = as_map(own) else {
            return Err(format!("the options of path `{path}` must be a map, not {}", type_name(own)).into());
        };
        let mut all = options.clone();
        all.extend(own.to_map());
        policy(Some(path), &all)
    };
    map.iter().map(of_path).collect()
}

fn policy(path: Option<&str>, options: &Map) -> Fallible<Policy> {
    let paths = path.map(cors::paths).transpose()?.flatten();
    let mut policy = Policy { paths, ..Policy::default() };
    for (name, value) in options {
        match name.as_str() {
            "origins" => {
                let texts = texts(name, value)?;
                policy.origins = texts.iter().map(|text| cors::origin(text)).collect::<Result<_, _>>()?;
                if policy.origins.is_empty() {
                    return Err("option `origins` names no origin: write `*` for all".into());
                }
            }
            "methods" => {
                let methods = names(name, value)?;
                policy.methods = Some(methods.iter().map(|method| method.to_ascii_uppercase()).collect());
            }
            "allow_headers" => {
                let headers = names(name, value)?;
                policy.allow_headers = headers.iter().map(|header| header.to_ascii_lowercase()).collect();
            }
            "expose_headers" => policy.expose_headers = names(name, value)?,
            "credentials" | "supports_credentials" => policy.credentials = switch(name, value)?,
            "max_age" => policy.max_age = max_age(value)?,
            "send_wildcard" => policy.send_wildcard = switch(name, value)?,
            "vary_header" => policy.vary_header = switch(name, value)?,
            "always_send" => policy.always_send = switch(name, value)?,
            "allow_private_network" => policy.private_network = switch(name, value)?,
            _ => return Err(unknown_option("app.cors", "option", name, &OPTIONS)),
        }
    }
    if policy.credentials && policy.send_wildcard && policy.origins.iter().any(|origin| origin == "*") {
        return Err("browsers refuse `*` for requests with credentials: leave out `send_wildcard`".into());
    }
    Ok(policy)
}

/// Returns a list of texts, or the parts of one text with commas between them.
fn texts(name: &str, value: &Dynamic) -> Fallible<Vec<String>> {
    if let Some(text) = value.read_lock::<ImmutableString>() {
        return Ok(text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect());
    }
    match as_list(value) {
        Some(list) if list.iter().all(Dynamic::is_string) => {
            list.iter().map(|text| full_text(name, text)).collect()
        }
        _ => {
            Err(format!("option `{name}` must be a text or a list of texts, not {}", type_name(value)).into())
        }
    }
}

/// Returns names of methods or headers.
fn names(name: &str, value: &Dynamic) -> Fallible<Vec<String>> {
    let names = texts(name, value)?;
    match names.iter().find(|text| !is_token(text)) {
        Some(wrong) => {
            Err(format!("option `{name}` has `{}`, which is no name", wrong.escape_debug()).into())
        }
        None => Ok(names),
    }
}

fn switch(name: &str, value: &Dynamic) -> Fallible<bool> {
    Ok(value.as_bool().map_err(|kind| format!("option `{name}` must be true or false, not {kind}"))?)
}

/// Returns seconds, which are a number or, as in flask-cors, a text of digits.
fn max_age(value: &Dynamic) -> Fallible<Option<u64>> {
    if value.is_unit() {
        return Ok(None);
    }
    let text = value.read_lock::<ImmutableString>().and_then(|text| text.parse().ok());
    match text.or_else(|| value.as_int().ok()?.try_into().ok()) {
        Some(seconds) => Ok(Some(seconds)),
        None => {
            let shown = full_text("max_age", value)?;
            Err(format!("option `max_age` must be a number of seconds, not `{shown}`").into())
        }
    }
}
