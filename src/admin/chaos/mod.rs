//! `/app/v1/chaos`: delays and faults for rules, set from outside. Knows no connection and no script.

mod parse;

use super::answer::{failed, json, success};
use super::object::Object;
use crate::chaos::{Chaos, Listed};
use crate::message::answer::Answer;
use crate::message::request::Request;
use serde_json::Value;

/// GET: all entries, as they were sent, with their numbers and hits.
pub fn get(chaos: &Chaos) -> Answer {
    let shown: Vec<Value> = chaos.list().into_iter().map(show).collect();
    json(200, Object::new().field("chaos", shown))
}

fn show(Listed { id, mut given, hits, ended }: Listed) -> Value {
    given["id"] = id.into();
    given["hits"] = hits.into();
    given["ended"] = ended.into();
    given
}

/// PUT sets entries in place of all others, POST adds them.
pub fn set(chaos: &Chaos, body: &[u8], replace: bool) -> Result<Answer, Answer> {
    let refused = |error: String| failed(400, &error);
    let ids = chaos.set(parse::entries(body).map_err(refused)?, replace).map_err(refused)?;
    let are = if ids.len() == 1 { "entry of chaos is" } else { "entries of chaos are" };
    let result = format!("success: {} {are} set", ids.len());
    Ok(json(200, Object::new().field("result", result).field("ids", ids)))
}

/// DELETE: all entries, or the one of `?id=`.
pub fn delete(chaos: &Chaos, request: &Request) -> Result<Answer, Answer> {
    let mut id = None;
    for (name, value) in request.args().iter() {
        // A slip of the pen must not remove all.
        if name != "id" {
            return Err(failed(400, &format!("query parameter `{name}` is unknown: there is id")));
        }
        let number = value.parse::<u64>();
        let wrong = |_| failed(400, &format!("query parameter `id` is `{value}`: not a whole number"));
        id = Some(number.map_err(wrong)?);
    }
    match (chaos.remove(id), id) {
        (0, Some(id)) => Err(failed(404, &format!("chaos has no entry {id}"))),
        (1, _) => Ok(success(200, "1 entry of chaos has been removed", None)),
        (count, _) => Ok(success(200, &format!("{count} entries of chaos have been removed"), None)),
    }
}
