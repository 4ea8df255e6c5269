//! `/app/v1/file/<name>`: files that scripts read or import. Knows no file system.

use super::answer::{refused, success};
use super::{Admin, Provisioning};
use crate::directory::Name;
use crate::message::answer::Answer;
use crate::message::request::Request;

/// PUT: 201 for a new file, 200 for a replaced one (RFC 9110, 9.3.4). Any type of content and every legal name:
/// libraries (`common.rhai`) come this way too.
pub fn put<P: Provisioning>(admin: &Admin<P>, request: &Request, name: &Name) -> Answer {
    let existed = admin.activation.source(name).is_ok();
    match admin.activation.put_file(name, &request.body) {
        Ok(generation) => {
            let status = if existed { 200 } else { 201 };
            success(status, &format!("file '{}' has been stored", name.as_str()), Some(generation))
        }
        Err(error) => refused(&error),
    }
}
