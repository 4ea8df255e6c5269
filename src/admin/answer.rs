//! The answers that the resources share: results, refusals and load errors as JSON. Knows no request and no resource.

use super::object::Object;
use crate::directory::Cause;
use crate::message::answer::{Answer, Fields, JSON};
use crate::provisioning::activation::ActivationError;
use crate::provisioning::warnings;
use crate::script::runtime::fault::{Fault, LoadError};

/// `{"result":"success: ..."}`, with the generation that serves where the call has to do with one.
pub(super) fn success(status: u16, what: &str, generation: Option<u64>) -> Answer {
    let body = Object::new().field("result", format!("success: {what}"));
    json(
        status,
        match generation {
            Some(generation) => body.field("generation", generation),
            None => body,
        },
    )
}

/// [`success`] of a provision that serves, with what looks wrong with it, if anything does.
pub(super) fn success_of(status: u16, what: &str, generation: u64, warnings: &[Fault]) -> Answer {
    let body = Object::new().field("result", format!("success: {what}")).field("generation", generation);
    json(status, with_warnings(body, warnings))
}

/// `body` with the first of `warnings`, and the number of the others; as it is where there are none.
pub(super) fn with_warnings(body: Object, warnings: &[Fault]) -> Object {
    if warnings.is_empty() {
        return body;
    }
    let (listed, more) = warnings::listed(warnings);
    let body = body.serialize("warnings", &listed);
    if more == 0 { body } else { body.field("more_warnings", more) }
}

/// `{"result":"failed: ..."}`: the shape of every refusal but a load error.
pub(crate) fn failed(status: u16, why: &str) -> Answer {
    json(status, Object::new().field("result", format!("failed: {why}")))
}

/// 405 with `Allow` (RFC 9110, 15.5.6).
pub(super) fn method_not_allowed(method: &str, path: &str, allow: String) -> Answer {
    let mut answer = failed(405, &format!("`{method}` is not served at `{path}`: send {allow}"));
    answer.headers.push(("Allow".into(), allow.into()));
    answer
}

/// 404 for a path that is no resource.
pub(super) fn not_found(path: &str) -> Answer {
    failed(404, &format!("path `{path}` is unknown: see /app/v1/openapi.json"))
}

/// 503 where others are in the way for a moment, and `why`.
pub(super) fn busy(why: &str) -> Answer {
    let mut answer = failed(503, &format!("{why}: try again"));
    answer.headers.push(("Retry-After".into(), "1".into()));
    answer
}

/// An empty 200 (probes, OPTIONS).
pub(super) fn empty(headers: Fields) -> Answer {
    Answer { status: 200, headers, ..Answer::default() }
}

/// An object as `application/json`.
pub(super) fn json(status: u16, body: Object) -> Answer {
    Answer::new(status, JSON, body.into_text())
}

/// Why a stored file was not activated, put, read or removed.
pub(super) fn refused(error: &ActivationError) -> Answer {
    let status = match error {
        ActivationError::Load(cause) => return broken(error, cause),
        ActivationError::Unknown(_) => 404,
        ActivationError::Active(_) => 409,
        ActivationError::NotAProvision(_) => 400,
        ActivationError::Directory(error) => directory_status(error.cause()),
    };
    failed(status, &error.to_string())
}

/// What the client asked for can't be had under that name, or the directory is to blame.
fn directory_status(cause: &Cause) -> u16 {
    match cause {
        Cause::NotFound => 404,
        Cause::IsDirectory | Cause::NotDirectory | Cause::NotRegular | Cause::LeadsOutside => 400,
        Cause::TooLarge(_) => 413,
        Cause::Changing | Cause::TooManyOpen | Cause::Io(_) => 500,
    }
}

fn broken(error: &ActivationError, cause: &LoadError) -> Answer {
    let body = Object::new().field("result", format!("failed: {error}"));
    json(422, body.serialize("error", cause))
}
