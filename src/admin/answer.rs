//! The JSON answers that the resources share: results, refusals and load errors.

use crate::directory::{Cause, Content};
use crate::message::answer::{Answer, Fields, JSON};
use crate::provisioning::activation::ActivationError;
use crate::provisioning::ledger::listed;
use crate::script::runtime::fault::Fault;
use serde_json::Value;

/// Returns `{"result":"success: ..."}`.
pub(super) fn success(status: u16, what: &str) -> Answer {
    json(status, Object::success(what))
}

/// Returns [`success`] with the generation that serves.
pub(super) fn success_of(status: u16, what: &str, generation: u64) -> Answer {
    json(status, Object::success(what).field("generation", generation))
}

/// Returns [`success_of`] with the warnings of the provision, if there are any.
pub(super) fn success_with(status: u16, what: &str, generation: u64, warnings: &[Fault]) -> Answer {
    json(status, Object::success(what).field("generation", generation).warnings(warnings))
}

/// Returns `{"result":"failed: ..."}`, the form of every refusal except a load error.
pub(crate) fn failed(status: u16, why: &str) -> Answer {
    json(status, Object::failed(why))
}

/// Refuses a method: 405 with `Allow` (RFC 9110, 15.5.6).
pub(super) fn method_not_allowed(method: &str, path: &str, allow: String) -> Answer {
    let mut answer = failed(405, &format!("`{method}` is not served at `{path}`: send {allow}"));
    answer.headers.push(("Allow".into(), allow.into()));
    answer
}

/// Refuses a path without a resource: 404.
pub(super) fn not_found(path: &str) -> Answer {
    failed(404, &format!("path `{path}` is unknown: see /app/v1/openapi.json"))
}

/// Refuses a request that may succeed a moment later, for the reason `why`: 503 with `Retry-After`.
pub(super) fn busy(why: &str) -> Answer {
    let mut answer = failed(503, &format!("{why}: try again"));
    answer.headers.push(("Retry-After".into(), "1".into()));
    answer
}

/// Returns an empty 200 (probes, OPTIONS).
pub(super) fn empty(headers: Fields) -> Answer {
    Answer { status: 200, headers, ..Answer::default() }
}

/// Returns `body` as `application/json`.
pub(super) fn json(status: u16, body: Object) -> Answer {
    Answer::new(status, JSON, body.into_text())
}

/// Ends JSON with a line end, so that the prompt of a shell stands on a line of its own.
pub(crate) fn end_line(answer: &mut Answer) {
    let is_json = answer.header("Content-Type") == Some(JSON);
    if let Content::Bytes(body) = &mut answer.body
        && is_json
        && body.last().is_some_and(|last| *last != b'\n')
    {
        // A list of requests may have 32 MiB: `push` alone would reserve as much again.
        body.reserve_exact(1);
        body.push(b'\n');
    }
}

/// Answers a file operation that failed: a load (422), or storing, reading or removing a file.
pub(super) fn refused(error: &ActivationError) -> Answer {
    let status = match error {
        ActivationError::Load(cause) => {
            return json(422, Object::failed(&error.to_string()).serialize("error", cause));
        }
        ActivationError::Unknown { .. } | ActivationError::NoOverlay { .. } => 404,
        ActivationError::Active(_) | ActivationError::TooManyOverlays => 409,
        ActivationError::NotAProvision(_) => 400,
        ActivationError::Directory(error) => directory_status(error.cause()),
    };
    failed(status, &error.to_string())
}

/// Returns the status of a directory error: 4xx where the client can do something about it, else 500.
fn directory_status(cause: &Cause) -> u16 {
    match cause {
        Cause::NotFound => 404,
        Cause::IsDirectory
        | Cause::NotDirectory
        | Cause::NotRegular
        | Cause::LeadsOutside
        | Cause::NotOwn(_) => 400,
        Cause::TooLarge(_) => 413,
        Cause::Changing | Cause::TooManyOpen | Cause::Io(_) => 500,
    }
}

/// A JSON object whose members keep the order in which they were appended (serde_json's own map sorts them).
#[derive(Debug, Default)]
pub(super) struct Object(String);

impl Object {
    /// Starts the body of most answers: `{"result":"success: ..."}`.
    pub(super) fn success(what: &str) -> Object {
        Object::default().field("result", format!("success: {what}"))
    }

    /// Starts the body of a refusal: `{"result":"failed: ..."}`.
    pub(super) fn failed(why: &str) -> Object {
        Object::default().field("result", format!("failed: {why}"))
    }

    /// Appends a scalar, or `null` for `None`.
    pub(super) fn field(self, key: &str, value: impl Into<Value>) -> Object {
        self.raw(key, &value.into().to_string())
    }

    /// Appends `value`, serialized.
    pub(super) fn serialize(self, key: &str, value: &impl serde::Serialize) -> Object {
        self.raw(key, &serde_json::to_string(value).unwrap_or_default())
    }

    /// Appends the first of `warnings`, if there are any, and the number of the others.
    pub(super) fn warnings(self, warnings: &[Fault]) -> Object {
        let (listed, more) = listed(warnings);
        let body = if listed.is_empty() { self } else { self.serialize("warnings", &listed) };
        if more > 0 { body.field("more_warnings", more) } else { body }
    }

    /// Appends an object.
    pub(super) fn object(self, key: &str, value: Object) -> Object {
        self.raw(key, &value.into_text())
    }

    /// Returns the JSON text.
    pub(super) fn into_text(self) -> String {
        format!("{{{}}}", self.0)
    }

    fn raw(mut self, key: &str, json: &str) -> Object {
        if !self.0.is_empty() {
            self.0.push(',');
        }
        self.0.push_str(&Value::from(key).to_string());
        self.0.push(':');
        self.0.push_str(json);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_their_order_and_text_is_escaped() {
        let inner = Object::default().field("z", 1).field("a", "\"\n\u{e9}");
        let text = Object::default()
            .field("result", "x")
            .object("error", inner)
            .field("line", None::<u64>)
            .serialize("files", &[1, 2])
            .into_text();
        assert_eq!(text, r#"{"result":"x","error":{"z":1,"a":"\"\né"},"line":null,"files":[1,2]}"#);
        assert!(serde_json::from_str::<Value>(&text).is_ok());
    }
}
