//! `/app/v1/check`: tries a provision beside the one that serves. Nothing is stored, activated, recorded or counted.

use super::answer::{Object, failed, json, refused};
use super::replay::{self, MOST_ENTRIES};
use super::{Call, provision, requests};
use crate::directory::Name;
use crate::message::answer::Answer;
use crate::message::form;
use crate::provisioning::layers::Layers;
use crate::provisioning::provision::Provision;
use crate::provisioning::rule_changes::RuleChanges;
use std::sync::Arc;

/// The parameters of the query.
#[derive(Debug, Default, PartialEq)]
struct Asked {
    /// The name of the provision; without one that of the active provision.
    name: Option<String>,
    /// The number of entries to replay.
    replay: Option<u64>,
}

/// POST: answers as a POST of the provision would, with 200 in place of 201. Adds the rules, the changes beside the active provision, and
/// with `replay` the entries that would be answered otherwise.
pub(super) fn post(call: &Call) -> Result<Answer, Answer> {
    let asked = Asked::parse(call.request.query_string()).map_err(|why| failed(400, &why))?;
    if asked.replay.is_some() {
        requests::is_on(&call.admin.journal)?;
    }
    let activation = &call.admin.activation;
    let name = asked.name.unwrap_or_else(|| activation.active_name());
    let name = Name::parse(&name).map_err(|error| failed(400, &error.to_string()))?;
    provision::accept(call, &name)?;
    let conditions = replay::conditions_of_load(activation);
    let next = activation.check(&name, &call.request.body, &conditions).map_err(|error| refused(&error))?;
    let (layers, next) = (activation.layers(), Arc::new(next));
    let current = &layers.base;
    let (rules, _) = Layers { base: next.clone(), ..Layers::clone(&layers) }.rows(0);
    let body = Object::success(&format!("basename file '{name}' would be loaded"))
        .serialize("rules", &rules)
        .warnings(&next.warnings)
        .object("changes", changes(call, current, &next));
    let body = match asked.replay {
        Some(count) => body.serialize("replay", &replay::run(call, (current, next), &conditions, count)?),
        None => body,
    };
    Ok(json(200, body))
}

/// Returns what would change if `next` replaced `current`.
fn changes(call: &Call, current: &Provision, next: &Provision) -> Object {
    let beside =
        Object::default().field("name", current.name.as_str()).field("generation", current.generation);
    Object::default()
        .object("beside", beside)
        .serialize("rules", &RuleChanges::between(&current.rules(0), &next.rules(0)))
        .serialize("store", &call.admin.activation.store_changes(current, next))
}

impl Asked {
    fn parse(query: &str) -> Result<Asked, String> {
        let mut asked = Asked::default();
        for (name, value) in form::urlencoded(query.as_bytes()) {
            let twice = match name.as_str() {
                "name" => asked.name.replace(value).is_some(),
                "replay" => asked.replay.replace(count(&value)?).is_some(),
                _ => {
                    return Err(format!(
                        "query parameter `{}` is unknown: there are `name` and `replay`",
                        name.escape_debug()
                    ));
                }
            };
            if twice {
                return Err(format!("query parameter `{name}` is given twice"));
            }
        }
        Ok(asked)
    }
}

fn count(value: &str) -> Result<u64, String> {
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    let count =
        digits.then(|| value.parse().ok()).flatten().filter(|count| (1..=MOST_ENTRIES).contains(count));
    count.ok_or_else(|| {
        format!("`replay` takes a number of entries from 1 to {MOST_ENTRIES}, not `{}`", value.escape_debug())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_has_a_name_and_a_number_of_entries() {
        let asked = |name: Option<&str>, replay| Ok(Asked { name: name.map(str::to_owned), replay });
        let wrong = |why: &str| Err(why.to_owned());
        let number = "`replay` takes a number of entries from 1 to 10000, not";
        for (query, expected) in [
            ("", asked(None, None)),
            ("name=v2%2Ffoo", asked(Some("v2/foo"), None)),
            ("replay=10000&name=a", asked(Some("a"), Some(10_000))),
            ("replay=0", wrong(&format!("{number} `0`"))),
            ("replay=10001", wrong(&format!("{number} `10001`"))),
            ("replay=+5", wrong(&format!("{number} ` 5`"))),
            ("replay=-5", wrong(&format!("{number} `-5`"))),
            ("replay=all", wrong(&format!("{number} `all`"))),
            ("replay", wrong(&format!("{number} ``"))),
            ("replay=1&replay=2", wrong("query parameter `replay` is given twice")),
            ("name=a&name=a", wrong("query parameter `name` is given twice")),
            ("Name=a", wrong("query parameter `Name` is unknown: there are `name` and `replay`")),
        ] {
            assert_eq!(Asked::parse(query), expected, "{query}");
        }
    }
}
