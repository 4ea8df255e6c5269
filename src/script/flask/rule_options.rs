//! Parses the options of rules and blueprints, for example `#{ methods: ["POST"], strict_slashes: false }`.

use crate::routing::rule::RuleOptions;
use crate::routing::value::Value;
use crate::script::runtime::frozen::{as_list, as_map, is_list};
use crate::script::runtime::natives::Fallible;
use crate::script::runtime::size_limits::{full_text, type_name};
use rhai::{Dynamic, Map};

/// Parses the options of a rule: a list of methods, or a map. Also returns the endpoint where the map has one.
pub(super) fn rule_options(options: &Dynamic) -> Fallible<(RuleOptions, Option<String>)> {
    let mut known = RuleOptions::default();
    if options.is_unit() {
        return Ok((known, None));
    }
    if options.is_string() || is_list(options) {
        known.methods = Some(methods(options)?);
        return Ok((known, None));
    }
    let Some(map) = as_map(options) else {
        return Err(format!("options are a list of methods or a map, not {}", type_name(options)).into());
    };
    let mut endpoint = None;
    for (name, value) in map.iter() {
        match name {
            "methods" => known.methods = Some(methods(value)?),
            "strict_slashes" => known.strict_slashes = Some(switch(name, value)?),
            "merge_slashes" => known.merge_slashes = Some(switch(name, value)?),
            "provide_automatic_options" => known.provide_automatic_options = Some(switch(name, value)?),
            "endpoint" => endpoint = Some(full_text(name, value)?),
            "defaults" => known.defaults = defaults(value)?,
            "host" => known.host = Some(text(name, value)?),
            "subdomain" => known.subdomain = Some(text(name, value)?),
            "redirect_to" => known.redirect_to = Some(text(name, value)?),
            _ => {
                let all = "methods, strict_slashes, merge_slashes, defaults, endpoint, provide_automatic_options, host, subdomain, redirect_to";
                return Err(format!("unknown option `{name}`: there are {all}").into());
            }
        }
    }
    Ok((known, endpoint))
}

fn methods(value: &Dynamic) -> Fallible<Vec<String>> {
    match as_list(value) {
        Some(list) if list.iter().all(Dynamic::is_string) => {
            list.iter().map(|method| full_text("methods", method)).collect()
        }
        // Flask refuses a text too: Python would iterate over its letters.
        _ => Err("methods must be a list of texts: `[\"GET\"]`".into()),
    }
}

fn switch(name: &str, value: &Dynamic) -> Fallible<bool> {
    Ok(value.as_bool().map_err(|kind| format!("option `{name}` must be true or false, not {kind}"))?)
}

fn text(name: &str, value: &Dynamic) -> Fallible<String> {
    let text = value.as_immutable_string_ref().map(|text| text.to_string());
    Ok(text.map_err(|kind| format!("option `{name}` must be a text, not {kind}"))?)
}

fn defaults(value: &Dynamic) -> Fallible<Vec<(String, Value)>> {
    let Some(map) = as_map(value) else {
        return Err("option `defaults` must be a map: `#{ id: 1 }`".into());
    };
    map.iter().map(|(name, value)| Ok((name.to_string(), url_value(name, value)?))).collect()
}

/// Converts a script value to the value of a URL variable.
///
/// # Errors
/// `value` is neither a text nor a number nor a boolean.
pub(super) fn url_value(name: &str, value: &Dynamic) -> Fallible<Value> {
    if let Ok(number) = value.as_int() {
        return Ok(Value::Int(number));
    }
    if let Ok(number) = value.as_float() {
        return Ok(Value::Float(number));
    }
    if value.is_string() || value.is_bool() || value.is_char() {
        return Ok(Value::Text(full_text(name, value)?));
    }
    Err(format!("`{name}` must be a text or a number, not {}", type_name(value)).into())
}

/// Prefix, host and subdomain of the rules of a blueprint.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    pub prefix: Option<String>,
    pub host: Option<String>,
    pub subdomain: Option<String>,
}

impl Place {
    pub(super) fn parse(options: &Map) -> Fallible<Place> {
        let mut place = Place::default();
        for (name, value) in options {
            match name.as_str() {
                "url_prefix" => place.prefix = Some(full_text(name, value)?),
                "host" => place.host = Some(text(name, value)?),
                "subdomain" => place.subdomain = Some(text(name, value)?),
                _ => {
                    let all = "url_prefix, host and subdomain";
                    return Err(format!("unknown option `{name}`: there are {all}").into());
                }
            }
        }
        match &place.prefix {
            Some(prefix) if !prefix.starts_with('/') => {
                Err(format!("url_prefix `{prefix}` must start with a slash").into())
            }
            _ => Ok(place),
        }
    }

    /// Takes the prefix, or host and subdomain, from `other` where this place has none.
    pub(super) fn or(self, other: &Place) -> Place {
        let anywhere = self.host.is_none() && self.subdomain.is_none();
        let (host, subdomain) = match anywhere {
            true => (other.host.clone(), other.subdomain.clone()),
            false => (self.host, self.subdomain),
        };
        Place { prefix: self.prefix.or_else(|| other.prefix.clone()), host, subdomain }
    }

    /// Adds host and subdomain of the blueprint to the options of a rule that has neither.
    pub(super) fn of_rule(&self, mut options: RuleOptions) -> RuleOptions {
        if options.host.is_none() && options.subdomain.is_none() {
            options.host.clone_from(&self.host);
            options.subdomain.clone_from(&self.subdomain);
        }
        options
    }
}
