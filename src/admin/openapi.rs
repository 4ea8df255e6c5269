//! `/app/v1/openapi.json`: the description of this interface, deflated in the program (`image/openapi.rs`). Knows nothing else.

use super::Call;
use super::answer::failed;
use crate::message::answer::{Answer, JSON};
use miniz_oxide::inflate::decompress_to_vec;

const DEFLATED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/openapi.deflate"));

/// GET: OpenAPI 3.1.
pub(super) fn get(_call: &Call) -> Result<Answer, Answer> {
    let broken = |error| failed(500, &format!("the description of the interface is broken: {error}"));
    Ok(Answer::new(200, JSON, decompress_to_vec(DEFLATED).map_err(broken)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observing::journal::filter::parse::PARTS;
    use serde_json::Value;

    const SOURCE: &[u8] = include_bytes!("../../docs/openapi.json");

    #[test]
    fn each_condition_is_a_parameter_and_a_member() {
        let document: Value = serde_json::from_slice(SOURCE).unwrap();
        let (components, paths) = (&document["components"], document["paths"].as_object().unwrap());
        let question = &components["schemas"]["Question"];
        let operators = question["patternProperties"].as_object().unwrap().keys().next().unwrap();
        let filtered = paths.values().filter_map(|path| path["get"]["parameters"].as_array());
        let filtered: Vec<&Vec<Value>> = filtered
            .filter(|list| list.iter().any(|one| one["$ref"] == "#/components/parameters/Header"))
            .collect();
        assert_eq!(filtered.len(), 5);
        for part in PARTS {
            assert!(question["properties"][part].is_object(), "{part}");
            assert!(operators.trim_matches(['^', '(']).split([')', '|']).any(|name| name == part), "{part}");
            for parameters in &filtered {
                let mut names = parameters.iter().filter_map(|one| one["$ref"].as_str()?.rsplit('/').next());
                assert!(names.any(|name| components["parameters"][name]["name"] == part), "{part}");
            }
        }
    }

    #[test]
    fn nothing_but_white_space_is_left_out() {
        let text = decompress_to_vec(DEFLATED).unwrap();
        let document: Value = serde_json::from_slice(&text).unwrap();
        assert!(document == serde_json::from_slice::<Value>(SOURCE).unwrap(), "{} bytes", text.len());
        assert!(!text.contains(&b'\n') && DEFLATED.len() < SOURCE.len() / 6);
    }
}
