//! `/app/v1/openapi.json`: the description of this interface, deflated in the program (`image/openapi.rs`). Knows nothing else.

use super::answer::{failed, typed};
use crate::message::answer::Answer;
use miniz_oxide::inflate::decompress_to_vec;

const DEFLATED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/openapi.deflate"));

/// GET: OpenAPI 3.1.
pub fn get() -> Answer {
    match decompress_to_vec(DEFLATED) {
        Ok(document) => typed(200, "application/json", document),
        Err(error) => failed(500, &format!("the description of the interface is broken: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    const SOURCE: &[u8] = include_bytes!("../../docs/openapi.json");

    #[test]
    fn nothing_but_white_space_is_left_out() {
        let answer = get();
        let document: Value = serde_json::from_slice(answer.body.bytes()).unwrap();
        assert!(document == serde_json::from_slice::<Value>(SOURCE).unwrap(), "{} bytes", answer.body.len());
        assert!(!answer.body.bytes().contains(&b'\n') && DEFLATED.len() < SOURCE.len() / 6);
    }
}
