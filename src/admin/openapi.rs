//! `/app/v1/openapi.json`: the description of this interface, part of the program. Knows nothing else.

use super::answer::typed;
use crate::response::Answer;

/// The document as it is served.
pub const DOCUMENT: &[u8] = include_bytes!("../../docs/openapi.json");

/// GET: OpenAPI 3.1.
pub fn get() -> Answer {
    typed(200, "application/json", DOCUMENT.to_vec())
}
