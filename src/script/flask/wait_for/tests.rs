use super::*;
use crate::directory::fixture::Folder;
use crate::handling::trial::attempt;
use crate::message::request::Request;
use crate::provisioning::provision::Provision;
use crate::script;
use crate::script::runtime::budget::Budget;
use crate::script::runtime::conditions::Conditions;
use crate::script::runtime::files::Files;
use std::sync::Arc;

fn load(source: &str) -> Result<Arc<Provision>, String> {
    let directory = Arc::new(Folder::new().directory());
    let files = Files::new(directory, "tested", Some(source.into()), Arc::default());
    let engine = Arc::new(script::engine(Budget::default()));
    let loaded = Provision::load(&engine, Budget::default(), files).map_err(|error| error.to_string())?;
    Ok(Arc::new(loaded.into_provision("tested").map_err(|error| error.to_string())?))
}

/// Returns status and body of a view whose body is `script`, where the key `k` is set. Nobody sets another one.
fn answer(script: &str) -> (u16, String) {
    let source = format!(
        "fn registerRules() {{ store[\"k\"] = \"v\"; store[\"n\"] = 7; store[\"none\"] = (); app.get(\"/\", view); }}\n\
         fn view() {{ {script} }}\n\
         fn shown(value) {{ `shown ${{value}}` }}"
    );
    let request = Request::from_parts("GET", "/", None::<(&str, &str)>, Vec::new(), None, None);
    let answer = attempt(&load(&source).unwrap(), &Conditions::default(), request).outcome.reply.answer;
    (answer.status, String::from_utf8_lossy(answer.body.bytes()).into_owned())
}

#[test]
fn a_wait_answers_as_its_function_or_its_value_does() {
    for (script, status, body) in [
        ("wait_for(\"k\", 10.0, |value| `got ${value}`)", 200, "got v"),
        ("wait_for(\"k\", 10, |value| [value, 201])", 201, "v"),
        ("wait_for(\"k\", 10)", 200, "v"),
        (
            "return wait_for(\"other\", 10.5, |value| if value == () { [\"late\", 408] } else { value });",
            408,
            "late",
        ),
        ("wait_for(\"other\", 3600)", 204, ""),
        ("wait_for(\"none\", 0, |value| `${value == ()}`)", 200, "true"),
        ("wait_for(\"k\", 10, shown)", 200, "shown v"),
        ("wait_for(\"k\", 10, Fn(\"shown\"))", 200, "shown v"),
        ("let path = request.path; wait_for(\"k\", 10, |value| path + value)", 200, "/v"),
        ("wait_for(\"k\", 1, |first| wait_for(\"n\", 1, |second| `${first}${second}`))", 200, "v7"),
        // The value of the last statement is that of the function, also with a `;` behind it.
        ("wait_for(\"k\", 1);", 200, "v"),
        ("store.wait_for(\"k\", 1)", 200, "v"),
        ("store.scope(\"a\").wait_for(\"k\", 1)", 204, ""),
        ("store.scope(\"a\").set(\"k\", \"own\"); store.scope(\"a\").wait_for(\"k\", 1, |v| v)", 200, "own"),
        ("wait_for(\"k\", 1, |value| { store.remove(\"k\"); `${value}${\"k\" in store}` })", 200, "vfalse"),
        ("wait_for(\"k\", 1, |value| abort(418))", 418, ""),
    ] {
        let got = answer(script);
        assert!(got.0 == status && (got.1 == body || status == 418), "{script}: {got:?}");
    }
}

#[test]
fn an_error_says_what_to_write_instead() {
    let alone = NOT_RETURNED;
    for (script, error) in [
        ("wait_for(7, 1)", "wait_for takes a key of `store`, which is a text, not i64 `7`"),
        ("wait_for((), 1)", "wait_for takes a key of `store`, which is a text, not () ``"),
        (
            "wait_for(\"k\", \"1\")",
            "wait_for(key, seconds, |value| ...) takes seconds from 0 to 3600, not string `1`",
        ),
        (
            "wait_for(\"k\", |v| v)",
            "wait_for(key, seconds, |value| ...) takes seconds from 0 to 3600, not a function",
        ),
        ("wait_for(\"k\", -1)", "wait_for(key, seconds, |value| ...) takes seconds from 0 to 3600, not -1"),
        (
            "wait_for(\"k\", 3600.5)",
            "wait_for(key, seconds, |value| ...) takes seconds from 0 to 3600, not 3600.5",
        ),
        (
            "wait_for(\"k\", 1, \"x\")",
            "wait_for takes a function |value| that makes the answer, not string `x`: name the function and do not call it",
        ),
        (
            "wait_for(\"k\", 1, || \"x\")",
            "wait_for calls the function with the value of the key, or with (), but closure takes `()`",
        ),
        (
            "wait_for(\"k\", 1, |a, b| a)",
            "wait_for calls the function with the value of the key, or with (), but closure takes `(a, b)`",
        ),
        ("wait_for(\"k\", 1, Fn(\"gone\"))", "no function `gone`: define it by `fn gone(...) { ... }`"),
        ("wait_for(\"k\", 1); \"x\"", alone),
        ("[wait_for(\"k\", 1), 201]", alone),
        ("make_response(wait_for(\"k\", 1))", alone),
        ("wait_for(\"k\", 1, |value| [wait_for(\"k\", 1), 201])", alone),
        ("wait_for(\"n\", 1)", "the view function returned an integer"),
        ("wait_for(\"k\", 1, |value| { })", RETURNED_NOTHING),
        ("wait_for(\"gone\", 1, |value| value)", RETURNED_NOTHING),
        (
            "while \"other\" !in store { wait_for(\"other\", 1.0); } \"x\"",
            "wait_for was called more than 1000 times for one request, last for `other`: it does not pause the script, so a loop can't wait by it; return what it returns, and go on in its function",
        ),
    ] {
        let (status, body) = answer(script);
        assert!(status == 500 && body.contains(error), "{script}\n    expected {error}\n    got      {body}");
    }
}

#[test]
fn only_views_and_hooks_before_them_wait() {
    let source = |hooks: &str| {
        format!("fn registerRules() {{ store[\"k\"] = \"v\"; {hooks} app.get(\"/\", || abort(409)); }}")
    };
    let wait = "wait_for(\"k\", 1, |value| `waited ${value}`)";
    for (hooks, status, body) in [
        (format!("app.before_request(|| {wait});"), 200, "waited v"),
        (
            format!(
                "app.before_request(|| {wait}); app.after_request(|r| {{ r.set_data(r.text + \"!\"); }});"
            ),
            200,
            "waited v!",
        ),
        (format!("app.register_error_handler(409, |error| {wait});"), 500, NOT_RETURNED),
        (format!("app.after_request(|response| {wait});"), 500, NOT_RETURNED),
    ] {
        let request = Request::from_parts("GET", "/", None::<(&str, &str)>, Vec::new(), None, None);
        let provision = load(&source(&hooks)).unwrap();
        let answer = attempt(&provision, &Conditions::default(), request).outcome.reply.answer;
        let text = String::from_utf8_lossy(answer.body.bytes()).into_owned();
        assert!(answer.status == status && text.contains(body), "{hooks}: {} {text}", answer.status);
    }
    let error = load(&source(&format!("{wait};"))).err().unwrap();
    let expected = "wait_for is there only while a request is handled: a view function calls it, and returns what it returns";
    assert!(error.contains(expected), "{error}");
}
