//! `url_for("user", #{ id: 7 })`: builds the URL of a rule of the running provision, here `/users/7`.

use super::rule_options::url_value;
use crate::script::runtime::call;
use crate::script::runtime::frozen::as_list;
use crate::script::runtime::natives::{Fallible, Natives};
use crate::script::runtime::size_limits::full_text;
use rhai::{Array, Map};

fn url_for(endpoint: &str, values: Map) -> Fallible<String> {
    let routes = call::routes()?;
    let endpoint = match endpoint.strip_prefix('.') {
        // `.show` is the endpoint `show` of the blueprint that serves the request, as in Flask.
        Some(own) => match call::request()?.rule.and_then(|index| routes.blueprint(index)) {
            Some(blueprint) => format!("{blueprint}.{own}"),
            None => own.to_owned(),
        },
        None => endpoint.to_owned(),
    };
    let external = values.get("_external").and_then(|value| value.as_bool().ok()).unwrap_or(false);
    let anchor = match values.get("_anchor") {
        Some(anchor) => format!("#{}", full_text("_anchor", anchor)?),
        None => String::new(),
    };
    let mut plain = Vec::new();
    for (name, value) in values.iter().filter(|(name, value)| !name.starts_with('_') && !value.is_unit()) {
        // A list repeats its key in the query string: `?id=1&id=2`.
        let list: Option<Array> = as_list(value).map(|list| list.iter().cloned().collect());
        for item in list.unwrap_or_else(|| vec![value.clone()]) {
            plain.push((name.to_string(), url_value(name, &item)?));
        }
    }
    // An overlay knows its own endpoints first, then those of the active provision.
    let base = || call::with(|call| call.base.clone()).flatten();
    let of_base = || base()?.router.url_for(&endpoint, &plain);
    let Some(path) = routes.router.url_for(&endpoint, &plain).or_else(of_base) else {
        let base = base();
        let rules = [Some(&routes), base.as_ref()].into_iter().flatten();
        let mut rules = rules.flat_map(|routes| routes.router.rules());
        return Err(match rules.find(|rule| rule.endpoint() == endpoint) {
            Some(rule) => {
                let wants = rule.variables().join("`, `");
                format!("url_for: endpoint `{endpoint}` needs values for `{wants}`").into()
            }
            None => format!("url_for: no rule has endpoint `{endpoint}`").into(),
        });
    };
    let request = call::request()?;
    let root = if external { request.url_root() } else { request.prefix().to_owned() };
    Ok(format!("{}{path}{anchor}", root.trim_end_matches('/')))
}

pub(crate) fn register(natives: &mut Natives) {
    natives.register_optional("url_for", Map::new(), url_for);
}
