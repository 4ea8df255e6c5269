//! `docs/openapi.json` and the table of resources describe the same.

use super::*;

fn document() -> Value {
    let (admin, _) = started();
    serde_json::from_slice(answer(&admin, "GET /app/v1/openapi.json", "", b"").body.bytes()).unwrap()
}

/// Readers of JSON take one of two members of the same name without a word: the schema of the other is lost.
#[test]
fn no_object_of_the_document_has_two_members_of_one_name() {
    let source = include_str!("../../../docs/openapi.json");
    let read: Value = serde_json::from_str(source).unwrap();
    assert_eq!(serde_json::to_string_pretty(&read).unwrap().lines().count(), source.lines().count());
}

#[test]
fn the_openapi_document_names_every_path_and_method() {
    let document = document();
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    let paths = document["paths"].as_object().unwrap();
    for (_, path) in resources::rows() {
        let described = path.replace("<path:", "{").replace('<', "{").replace('>', "}");
        assert!(paths.contains_key(&described), "docs/openapi.json does not describe `{described}`");
    }
    for (path, item) in paths {
        let resource = Resource::find(path).unwrap();
        // HEAD and OPTIONS are the same everywhere, and the text of the document describes them once.
        let allowed: Vec<String> = resource.allow().to_lowercase().split(", ").map(String::from).collect();
        let expected: Vec<&String> =
            allowed.iter().filter(|one| *one != "head" && *one != "options").collect();
        let described: Vec<&String> =
            item.as_object().unwrap().keys().filter(|key| *key != "parameters").collect();
        assert_eq!(described, expected, "{path}");
        for method in expected {
            let responses = &item[method]["responses"];
            for (status, there) in
                [("403", true), ("405", true), ("401", !resource.is_probe()), ("421", !resource.is_probe())]
            {
                assert_eq!(responses[status].is_object(), there, "{path}: {status}");
            }
        }
    }
}

/// A pattern that allowed other names than the server would mislead clients that are generated from the document.
#[test]
fn the_patterns_of_the_document_are_the_rules_of_names() {
    let document = document();
    let pattern = |name: &str| {
        let schema = &document["components"]["parameters"][name]["schema"];
        regex_lite::Regex::new(schema["pattern"].as_str().unwrap()).unwrap()
    };
    let (any, provision) = (pattern("Name"), pattern("ProvisionName"));
    let names = [
        "a",
        "foo-bar",
        "v2/foo-bar",
        "a b",
        "a.rhai",
        "a.b.rhai",
        "v.2/a",
        "data.json",
        "\u{e9}",
        "\u{1f642}",
        "a%2fb",
        "a\\b",
        "",
        "/",
        "/a",
        "a/",
        "a//b",
        ".",
        "..",
        "../a",
        "a/..",
        "a/../b",
        ".a",
        "a/.b",
        "a\0b",
        "a\nb",
        "a\u{7f}",
        "a\u{85}b",
        "a.",
    ];
    for name in names {
        let parsed = Name::parse(name).ok();
        assert_eq!(any.is_match(name), parsed.is_some(), "{name:?}");
        assert_eq!(provision.is_match(name), parsed.is_some_and(|name| name.is_provision()), "{name:?}");
    }
}
