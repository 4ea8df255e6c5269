use super::*;
use crate::directory::fixture::Folder;
use crate::provisioning::provision::{Loaded, Provision};
use crate::script;
use crate::script::runtime::budget::Budget;
use crate::script::runtime::files::Files;
use crate::script::runtime::key_value_store::KeyValueStore;

#[test]
fn keys_of_different_scopes_differ() {
    let store = Store::default();
    let scope = |store: &Store, name: &str| store.scope(&name.into()).unwrap();
    assert_eq!(store.key("a"), "a");
    assert_eq!(scope(&store, "a").key("b/c"), "scope:a/b/c");
    assert_eq!(scope(&store, "a/b").key("c"), "scope:a%2Fb/c");
    assert_eq!(scope(&store, "a%2Fb").key("c"), "scope:a%252Fb/c");
    assert_eq!(scope(&scope(&store, "a"), "b").key("c"), "scope:a/scope:b/c");
    assert_eq!(store.scope(&7.into()).unwrap().key("c"), "scope:7/c");
    assert_eq!(store.scope(&Dynamic::UNIT).unwrap().key("c"), "c");
    let error = store.scope(&true.into()).unwrap_err().to_string();
    assert!(error.contains("store.scope takes a text, not bool"), "{error}");
}

#[test]
fn a_store_lists_its_own_keys_only() {
    let all = KeyValueStore::default();
    let mut values = all.lock(None).unwrap();
    for key in
        ["é", "a", "ab", "b", "scenario:s", "scope", "scope;", "scope:x/a", "scope:x/scope:y/a", "scope:y/z"]
    {
        values.set(key, Dynamic::UNIT).unwrap();
    }
    let keys = |store: &Store, prefix: &str| {
        let keys = store.pairs(&values, prefix).map(|(key, _)| store.without_prefix(key.clone()));
        keys.map(|key| key.to_string()).collect::<Vec<_>>()
    };
    let store = Store::default();
    let (x, none) = (store.scope(&"x".into()).unwrap(), store.scope(&"none".into()).unwrap());
    for (store, prefix, expected) in [
        (&store, "", &["a", "ab", "b", "scenario:s", "scope", "scope;", "é"][..]),
        (&store, "a", &["a", "ab"]),
        (&store, "s", &["scenario:s", "scope", "scope;"]),
        (&store, "scope", &["scope", "scope;"]),
        (&store, "scope:", &[]),
        (&store, "scope:x/", &[]),
        (&store, "scope;", &["scope;"]),
        (&store, "é", &["é"]),
        (&store, "z", &[]),
        (&x, "", &["a"]),
        (&x, "a", &["a"]),
        (&x, "b", &[]),
        (&none, "", &[]),
    ] {
        assert_eq!(keys(store, prefix), expected, "{prefix}");
    }
}

/// Loads a provision whose `registerRules()` runs `script`, with values that outlive the load. Returns its error.
fn load_with_kept_values(script: &str, values: &Arc<KeyValueStore>) -> Option<String> {
    let folder = Folder::new();
    let source = format!("fn registerRules() {{ {script} app.get(\"/\", view); }} fn view() {{ \"\" }}");
    let files = Files::new(folder.directory().into(), "p", Some(source.into()), values.clone()).keeping(true);
    let budget = Budget::default();
    match Provision::load(&script::engine(budget).into(), budget, files) {
        Ok(Loaded::Provision(_)) => None,
        Ok(_) => panic!("no provision"),
        Err(fault) => Some(fault.message),
    }
}

#[test]
fn a_load_with_kept_values_reads_the_store_and_can_not_change_it() {
    let values = Arc::new(KeyValueStore::default());
    values.lock(None).unwrap().set("n", 7.into()).unwrap();
    for reads in [
        "if store[\"n\"] != 7 { throw \"not 7\" }",
        "if store.get(\"m\", 1) != 1 { throw \"not 1\" }",
        "if store.keys() != [\"n\"] { throw \"not n\" }",
        "if !(\"n\" in store) { throw \"no n\" }",
        "if scenario(\"s\").state != \"Started\" { throw \"moved\" }",
    ] {
        assert_eq!(load_with_kept_values(reads, &values), None, "{reads}");
    }
    for changes in [
        "store[\"n\"] = 8;",
        "store.incr(\"n\");",
        "store.append(\"l\", 1);",
        "store.setdefault(\"m\", 1);",
        "store.update(\"n\", |n| n + 1);",
        "store.remove(\"n\");",
        "store.clear();",
        "scenario(\"s\").set(\"on\");",
        "scenario(\"s\").advance(\"Started\", \"on\");",
    ] {
        let error = load_with_kept_values(changes, &values).unwrap_or_default();
        let expected = "with --keep-store, `store` can be changed only while a request is handled";
        assert!(error.contains(expected), "{changes}: {error}");
    }
    let left = values.lock(None).unwrap();
    let left: Vec<_> = left.under("").map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(left, ["n=7"]);
}

#[test]
fn only_plain_data_can_be_stored_at_any_depth() {
    let engine = rhai::Engine::new();
    let eval = |script: &str| engine.eval::<Dynamic>(script).unwrap();
    for data in ["()", "\"a\"", "1.5", "[1, [#{ a: 'x' }]]", "#{ a: #{ b: [true, ()] } }", "blob(3)"] {
        assert!(plain("k", eval(data)).is_ok(), "{data}");
    }
    for (value, kind) in [
        ("|| 1", "Fn"),
        ("[1, || 1]", "array"),
        ("#{ a: 1, f: || 1 }", "map"),
        ("#{ a: [#{ f: || 1 }] }", "map"),
    ] {
        let error = plain("k", eval(value)).unwrap_err().to_string();
        let expected =
            format!("store: `k` can hold text, numbers, booleans, lists, maps and blobs, not {kind}");
        assert!(error.ends_with(&expected), "{value}: {error}");
    }
}

#[test]
fn stored_lists_have_a_maximum_depth_which_counts_the_list_of_an_appended_item() {
    let nested = |levels: usize| (0..levels).fold(Dynamic::UNIT, |inner, _| vec![inner].into());
    assert!(plain("k", nested(MAX_DEPTH)).is_ok());
    assert!(plain("k", nested(MAX_DEPTH + 1)).is_err());
    assert!(plain_inside("k", nested(MAX_DEPTH - 1), 1).is_ok());
    let error = plain_inside("k", nested(MAX_DEPTH), 1).unwrap_err().to_string();
    assert!(error.contains("nested 128 deep, not deeper"), "{error}");
}
