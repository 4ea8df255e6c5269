//! `/app/v1/source/<name>` and `/app/v1/file/<name>`: stored files as they are. Knows no file system.

use super::Call;
use super::answer::{refused, success_of};
use crate::message::answer::Answer;
use crate::provisioning::turns::Turn;

/// GET: the bytes of a file, as text where they are UTF-8.
pub(super) fn source(call: &Call) -> Result<Answer, Answer> {
    let bytes = call.admin.activation.source(&call.file_name()?).map_err(|error| refused(&error))?;
    // An auxiliary file may be an image; calling that text in UTF-8 would be a lie to the client.
    let is_text = std::str::from_utf8(&bytes).is_ok();
    let content_type = if is_text { "text/plain; charset=utf-8" } else { "application/octet-stream" };
    Ok(Answer::new(200, content_type, bytes))
}

/// PUT: 201 for a new file, 200 for a replaced one (RFC 9110, 9.3.4). Any type of content and every legal name:
/// libraries (`common.rhai`) come this way too.
pub(super) fn put(call: &Call, turn: &Turn) -> Result<Answer, Answer> {
    let name = call.file_name()?;
    let activation = &call.admin.activation;
    let status = if activation.source(&name).is_ok() { 200 } else { 201 };
    let before = activation.generation();
    let generation = activation.put_file(turn, &name, &call.request.body).map_err(|error| refused(&error))?;
    let serving = activation.current();
    let is_reloaded = generation > before && serving.generation == generation;
    let warnings = if is_reloaded { serving.warnings.as_slice() } else { &[] };
    Ok(success_of(status, &format!("file '{name}' has been stored"), generation, warnings))
}
