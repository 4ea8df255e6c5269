//! `/app/v1/provision/<name>`: load, reactivate, remove. Knows no file and no script.

use super::Call;
use super::answer::{failed, refused, success, success_of};
use crate::directory::Name;
use crate::message::answer::Answer;
use crate::provisioning::activation::ActivationError;
use crate::provisioning::turns::Turn;

/// POST: 201 once the provision serves, 422 where it does not load, 400 or 415 where it is no provision to begin with.
pub(super) fn post(call: &Call, turn: &Turn) -> Result<Answer, Answer> {
    let name = call.file_name()?;
    if !name.is_provision() {
        return Err(no_provision(&name));
    }
    if let Some(other) = call.request.header("content-type").filter(|value| !is_plain_text(value)) {
        return Err(unsupported(other));
    }
    loaded(call, 201, &name, call.admin.activation.post(turn, &name, &call.request.body))
}

/// GET: activates what is stored under this name once more.
pub(super) fn get(call: &Call, turn: &Turn) -> Result<Answer, Answer> {
    let name = call.file_name()?;
    loaded(call, 200, &name, call.admin.activation.activate(turn, &name))
}

/// DELETE: removes any stored file but the active provision.
pub(super) fn delete(call: &Call, _turn: &Turn) -> Result<Answer, Answer> {
    let name = call.file_name()?;
    call.admin.activation.remove(&name).map_err(|error| refused(&error))?;
    Ok(success(200, &format!("file '{name}' has been removed"), None))
}

fn loaded(
    call: &Call,
    status: u16,
    name: &Name,
    generation: Result<u64, ActivationError>,
) -> Result<Answer, Answer> {
    let generation = generation.map_err(|error| refused(&error))?;
    // Another one may serve already.
    let serving = call.admin.activation.current();
    let warnings = if serving.generation == generation { serving.warnings.as_slice() } else { &[] };
    // The text is the original's; test suites compare it.
    Ok(success_of(status, &format!("basename file '{name}' has been loaded"), generation, warnings))
}

/// Whether a `Content-Type` is text/plain, with any parameters, in any case. An empty one counts as none.
fn is_plain_text(value: &str) -> bool {
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence.is_empty() || essence.eq_ignore_ascii_case("text/plain")
}

fn no_provision(name: &Name) -> Answer {
    failed(
        400,
        &format!(
            "`{name}` is no name of a provision, which has no extension or ends in `.rhai`: \
             send other files with PUT /app/v1/file/{name}"
        ),
    )
}

// curl labels the body of -d and --data-binary as a form unless told otherwise: the mistake nearly everyone makes first.
fn unsupported(content_type: &str) -> Answer {
    failed(
        415,
        &format!(
            "content type `{content_type}` is not supported: send the provision as text/plain, for example \
             curl --data-binary @foo-bar -H 'Content-Type: text/plain' http://localhost:8074/app/v1/provision/foo-bar"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::is_plain_text;

    #[test]
    fn text_plain_is_taken_with_parameters_and_in_any_case() {
        for value in ["text/plain", "TEXT/Plain", "text/plain; charset=utf-8", " text/plain ;x", "", " "] {
            assert!(is_plain_text(value), "{value}");
        }
        for value in
            ["application/json", "text/plain2", "text/html", "text", "application/x-www-form-urlencoded"]
        {
            assert!(!is_plain_text(value), "{value}");
        }
    }
}
