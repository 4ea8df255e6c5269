//! `/app/v1/provision`, `/app/v1/source` and `/app/v1/file`: the ledger, loading and removing provisions, stored files.

use super::answer::{failed, refused, success, success_with};
use super::{Call, overlay};
use crate::directory::Name;
use crate::message::answer::{Answer, JSON};
use crate::provisioning::activation::ActivationError;
use crate::provisioning::layers::OverlayRow;
use crate::provisioning::ledger::LedgerRow;
use crate::provisioning::rule_row::RuleRow;
use crate::provisioning::turns::Turn;
use serde::Serialize;

/// The body of the ledger.
#[derive(Serialize)]
struct Ledger<'a> {
    active: Active<'a>,
    rules: Vec<RuleRow>,
    /// The server that gets the requests for which no rule matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    unmatched_forwards_to: Option<String>,
    files: Vec<LedgerRow>,
    /// The newest first.
    overlays: Vec<OverlayRow>,
}

#[derive(Serialize)]
struct Active<'a> {
    name: &'a str,
    generation: u64,
}

/// GET without a name: returns the active provision with its rules, and a row for each file; 500 where the directory can't be read.
pub(super) fn list(call: &Call) -> Result<Answer, Answer> {
    let activation = &call.admin.activation;
    let files = activation.ledger().map_err(|error| refused(&ActivationError::Directory(error)))?;
    let layers = activation.layers();
    let active = Active { name: &layers.base.name, generation: layers.generation };
    let (rules, overlays) = layers.rows(activation.epoch.now());
    let unmatched = layers.base.forward_unmatched.as_ref();
    let unmatched_forwards_to = unmatched.map(|forward| forward.url.to_string());
    let ledger = Ledger { active, rules, unmatched_forwards_to, files, overlays };
    Ok(Answer::new(200, JSON, serde_json::to_string(&ledger).unwrap_or_default()))
}

/// POST: 201 once the provision serves, 422 where it does not load, 400 or 415 where the request holds no provision.
pub(super) fn post(call: &Call, turn: &Turn) -> Result<Answer, Answer> {
    let name = call.file_name()?;
    accept(call, &name)?;
    if let Some(asked) = overlay::asked(call.request, overlay::LOAD)? {
        return overlay::post(call, &name, &asked);
    }
    loaded(call, 201, &name, call.admin.activation.post(turn, &name, &call.request.body))
}

/// GET: activates the stored provision of this name again.
pub(super) fn get(call: &Call, turn: &Turn) -> Result<Answer, Answer> {
    let name = call.file_name()?;
    if overlay::asked(call.request, overlay::LOAD)?.is_some() {
        return Err(overlay::refuse_get(&name));
    }
    loaded(call, 200, &name, call.admin.activation.activate(turn, &name))
}

/// DELETE: removes any stored file except the active provision.
pub(super) fn delete(call: &Call, _: &Turn) -> Result<Answer, Answer> {
    let name = call.file_name()?;
    if let Some(asked) = overlay::asked(call.request, overlay::NAMED)? {
        return overlay::delete(call, &name, &asked);
    }
    call.admin.activation.remove(&name).map_err(|error| refused(&error))?;
    Ok(success(200, &format!("file '{name}' has been removed")))
}

/// Refuses a request that holds no provision: 400 by its name, 415 by its content type.
pub(super) fn accept(call: &Call, name: &Name) -> Result<(), Answer> {
    if !name.is_provision() {
        return Err(no_provision(name));
    }
    match call.request.header("content-type").filter(|value| !is_plain_text(value)) {
        Some(other) => Err(unsupported(other)),
        None => Ok(()),
    }
}

fn loaded(
    call: &Call,
    status: u16,
    name: &Name,
    generation: Result<u64, ActivationError>,
) -> Result<Answer, Answer> {
    let generation = generation.map_err(|error| refused(&error))?;
    // Another provision may serve by now.
    let serving = call.admin.activation.current();
    let warnings = if serving.generation == generation { serving.warnings.as_slice() } else { &[] };
    // The text is that of the original; test suites compare it.
    Ok(success_with(status, &format!("basename file '{name}' has been loaded"), generation, warnings))
}

/// Whether a `Content-Type` is text/plain, with any parameters, in any case. An empty value counts as none.
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

// curl sends the body of -d and --data-binary as a form by default. Nearly everyone makes this mistake first.
fn unsupported(content_type: &str) -> Answer {
    failed(
        415,
        &format!(
            "content type `{content_type}` is not supported: send the provision as text/plain, for example \
             curl --data-binary @foo-bar -H 'Content-Type: text/plain' http://localhost:8074/app/v1/provision/foo-bar"
        ),
    )
}

/// GET: returns the bytes of a file, as text where they are UTF-8.
pub(super) fn source(call: &Call) -> Result<Answer, Answer> {
    let name = call.file_name()?;
    if let Some(asked) = overlay::asked(call.request, overlay::NAMED)? {
        return overlay::source(call, &name, &asked);
    }
    let bytes = call.admin.activation.source(&name).map_err(|error| refused(&error))?;
    // An auxiliary file may be an image: not text in UTF-8.
    let is_text = std::str::from_utf8(&bytes).is_ok();
    let content_type = if is_text { "text/plain; charset=utf-8" } else { "application/octet-stream" };
    Ok(Answer::new(200, content_type, bytes))
}

/// PUT: 201 for a new file, 200 for a replaced one (RFC 9110, 9.3.4). Takes any content type and every legal name, also names
/// of libraries (`common.rhai`).
pub(super) fn put_file(call: &Call, turn: &Turn) -> Result<Answer, Answer> {
    let name = call.file_name()?;
    let activation = &call.admin.activation;
    let status = if activation.source(&name).is_ok() { 200 } else { 201 };
    let before = activation.generation();
    let generation = activation.put_file(turn, &name, &call.request.body).map_err(|error| refused(&error))?;
    let serving = activation.current();
    let is_reloaded = generation > before && serving.generation == generation;
    let warnings = if is_reloaded { serving.warnings.as_slice() } else { &[] };
    Ok(success_with(status, &format!("file '{name}' has been stored"), generation, warnings))
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
