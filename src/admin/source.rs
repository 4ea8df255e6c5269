//! `/app/v1/source/<name>`: a stored file as it is. Knows no file system.

use super::answer::{refused, typed};
use super::{Admin, Provisioning};
use crate::directory::Name;
use crate::message::answer::Answer;

/// GET: the bytes of a file, as text where they are UTF-8.
pub fn get<P: Provisioning>(admin: &Admin<P>, name: &Name) -> Answer {
    match admin.activation.source(name) {
        Ok(bytes) => typed(200, content_type(&bytes), bytes),
        Err(error) => refused(&error),
    }
}

// An auxiliary file may be an image; calling that text in UTF-8 would be a lie to the client.
fn content_type(bytes: &[u8]) -> &'static str {
    if std::str::from_utf8(bytes).is_ok() { "text/plain; charset=utf-8" } else { "application/octet-stream" }
}
