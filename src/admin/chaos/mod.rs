//! `/app/v1/chaos`: delays and faults for rules, set by tests.

mod parse;

use super::answer::{Object, failed, json, success};
use crate::admin::Call;
use crate::chaos::Listed;
use crate::message::answer::Answer;
use serde_json::Value;

/// GET: returns all entries as they were sent, with their numbers and hits.
pub(super) fn get(call: &Call) -> Result<Answer, Answer> {
    let shown: Vec<Value> = call.admin.chaos.list().into_iter().map(show).collect();
    Ok(json(200, Object::default().field("chaos", shown)))
}

fn show(Listed { id, mut given, hits, ended }: Listed) -> Value {
    given["id"] = id.into();
    given["hits"] = hits.into();
    given["ended"] = ended.into();
    given
}

/// PUT and POST: adds entries; PUT replaces all earlier entries (`replace`).
pub(super) fn set(call: &Call, replace: bool) -> Result<Answer, Answer> {
    let refused = |error: String| failed(400, &error);
    let entries = parse::entries(&call.request.body).map_err(refused)?;
    let ids = call.admin.chaos.set(entries, replace).map_err(refused)?;
    let are = if ids.len() == 1 { "entry of chaos is" } else { "entries of chaos are" };
    Ok(json(200, Object::success(&format!("{} {are} set", ids.len())).field("ids", ids)))
}

/// DELETE: removes all entries, or the entry of `?id=`.
pub(super) fn delete(call: &Call) -> Result<Answer, Answer> {
    let mut id = None;
    for (name, value) in call.request.args().iter() {
        // A misspelt parameter must not remove all entries.
        if name != "id" {
            return Err(failed(400, &format!("query parameter `{name}` is unknown: there is id")));
        }
        let number = value.parse::<u64>();
        let wrong = |_| failed(400, &format!("query parameter `id` is `{value}`: not a whole number"));
        id = Some(number.map_err(wrong)?);
    }
    match (call.admin.chaos.remove(id), id) {
        (0, Some(id)) => Err(failed(404, &format!("chaos has no entry {id}"))),
        (1, _) => Ok(success(200, "1 entry of chaos has been removed")),
        (count, _) => Ok(success(200, &format!("{count} entries of chaos have been removed"))),
    }
}
