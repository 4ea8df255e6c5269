use super::*;
use crate::directory::fixture::Folder;
use crate::handling::{Outcome, trial};
use crate::message::request::Request;
use crate::outgoing::Allowed;
use crate::outgoing::callback::MOST;
use crate::provisioning::provision::Provision;
use crate::script;
use crate::script::runtime::budget::Budget;
use crate::script::runtime::conditions::Conditions;
use crate::script::runtime::files::Files;
use std::sync::Arc;

fn outgoing() -> &'static Outgoing {
    Outgoing::new(Allowed::default(), 1).leak()
}

/// Returns the outcome of a view whose body is `script`.
fn outcome(script: &str, outgoing: Option<&'static Outgoing>) -> Outcome {
    let source =
        format!("fn registerRules() {{ app.get(\"/\", view); }}\nfn view() {{ {script}; \"done\" }}");
    let directory = Arc::new(Folder::new().directory());
    let files = Files::new(directory, "tested", Some(source.into()), Arc::default());
    let engine = Arc::new(script::engine(Budget::default()));
    let loaded = Provision::load(&engine, Budget::default(), files).map_err(|error| error.to_string());
    let provision = loaded.unwrap().into_provision("tested").map_err(|error| error.to_string()).unwrap();
    let request =
        Request::from_parts("GET", "/", [("Baggage", "test=17"), ("baggage", "a=b")], Vec::new(), None, None);
    let conditions = Conditions { outgoing, ..Conditions::default() };
    trial::attempt(&Arc::new(provision), &conditions, request).outcome
}

/// Returns the callbacks of a view, each as text, or the error.
fn shown(script: &str) -> Result<Vec<String>, String> {
    let outcome = outcome(script, Some(outgoing()));
    if let Some(error) = outcome.error {
        let message = error.split_once(", column ").and_then(|(_, rest)| rest.split_once(": "));
        return Err(message.map_or(&*error, |(_, message)| message).to_owned());
    }
    Ok(outcome.callbacks.iter().map(show).collect())
}

fn show(callback: &Callback) -> String {
    let Callback { method, url, headers, body, after, retries, backoff, timeout, .. } = callback;
    let fields: Vec<String> = headers
        .iter()
        .map(|(name, value)| format!("{name}={}", value.as_deref().unwrap_or("none")))
        .filter(|field| field != "baggage=test=17,a=b")
        .collect();
    let body = body.as_deref().map_or("-".into(), String::from_utf8_lossy);
    format!("{method} {url} [{}] {body} {after:?} {retries} {backoff:?} {timeout:?}", fields.join(" "))
}

#[test]
fn a_callback_has_what_its_options_say() {
    for (script, expected) in [
        ("callback(\"http://a/b?c=d\")", "POST http://a/b?c=d []  0ns 0 500ms 5s"),
        (
            "callback(\"http://a:81\", #{ method: \"get\", after: 2, retries: 3, backoff: 0.25, timeout: 1.5 })",
            "GET http://a:81/ [] - 2s 3 250ms 1.5s",
        ),
        (
            "callback(#{ url: \"http://a/\", json: #{ id: 1, paid: true } })",
            "POST http://a/ [Content-Type=application/json] {\"id\":1,\"paid\":true} 0ns 0 500ms 5s",
        ),
        (
            "callback(\"http://a/\", #{ form: #{ a: \"x y\", b: [1, 2] }, headers: #{ \"X-A\": \"1\", \"User-Agent\": () } })",
            "POST http://a/ [User-Agent=none X-A=1 Content-Type=application/x-www-form-urlencoded] a=x+y&b=1&b=2 0ns 0 500ms 5s",
        ),
        (
            "callback(\"http://a/\", #{ method: \"PUT\", body: json.dumps([1, 2]), headers: #{ \"content-type\": \"text/x\" } })",
            "PUT http://a/ [content-type=text/x] [1, 2] 0ns 0 500ms 5s",
        ),
        ("callback(\"http://a/\", #{ body: \"é\".to_blob() })", "POST http://a/ [] é 0ns 0 500ms 5s"),
        (
            "callback(\"http://a/\", #{ json: (), headers: #{ baggage: () } })",
            "POST http://a/ [baggage=none Content-Type=application/json] null 0ns 0 500ms 5s",
        ),
        ("callback(\"http://a/\", #{ after: 31536000 })", "POST http://a/ []  31536000s 0 500ms 5s"),
    ] {
        assert_eq!(shown(script), Ok(vec![expected.to_owned()]), "{script}");
    }
    let two = shown("callback(\"http://a/\"); callback(\"http://b/\")").unwrap();
    assert_eq!(two.len(), 2);
    assert_eq!(shown("if false { callback(\"http://a/\") }"), Ok(vec![]));
}

#[test]
fn an_error_says_what_to_write_instead() {
    for (script, error) in [
        (
            "callback(\"https://a/\")",
            "`https://a/` needs TLS, which h1mock does not speak: take `http://` and a sidecar that adds TLS (docs/forwarding.md)",
        ),
        ("callback(\"a/b\")", "failed to use URL `a/b`: write `http://` before it, as in `http://a/b`"),
        ("callback(#{ json: 1 })", "callback needs the option `url`: `callback(#{ url: \"http://...\" })`"),
        (
            "callback(\"http://a/\", #{ url: \"http://b/\" })",
            "callback has its URL twice: as first argument, and as option `url`",
        ),
        ("callback(#{ url: 7 })", "option `url` of callback is a text, not i64"),
        (
            "callback(\"http://a/\", #{ retry: 3 })",
            "`callback` has no option `retry`: it takes method, url, headers, json, form, body, after, retries, backoff, timeout",
        ),
        (
            "callback(\"http://a/\", #{ timeuot: 3 })",
            "`callback` has no option `timeuot`: did you mean `timeout`?",
        ),
        (
            "callback(\"http://a/\", #{ method: \"A B\" })",
            "option `method` of callback is a method such as `POST`, not `A B`",
        ),
        (
            "callback(\"http://a/\", #{ method: \"connect\" })",
            "option `method` of callback is a method such as `POST`, not `connect`",
        ),
        (
            "callback(\"http://a/\", #{ retries: 101 })",
            "option `retries` of callback is a whole number from 0 to 100, not i64 `101`",
        ),
        (
            "callback(\"http://a/\", #{ retries: \"3\" })",
            "option `retries` of callback is a whole number from 0 to 100, not string `3`",
        ),
        (
            "callback(\"http://a/\", #{ after: -1 })",
            "option `after` of callback takes seconds from 0 to 31536000, not -1",
        ),
        (
            "callback(\"http://a/\", #{ backoff: 3601 })",
            "option `backoff` of callback takes seconds from 0 to 3600, not 3601",
        ),
        (
            "callback(\"http://a/\", #{ timeout: 0 })",
            "option `timeout` of callback takes more than 0 seconds",
        ),
        (
            "callback(\"http://a/\", #{ json: 1, body: \"x\" })",
            "callback has one body: give `json` or `body`, not both",
        ),
        (
            "callback(\"http://a/\", #{ form: \"a=b\" })",
            "option `form` of callback is a map: `#{ key: \"value\" }`, not string",
        ),
        (
            "callback(\"http://a/\", #{ body: #{ a: 1 } })",
            "option `body` of callback is a text or a blob, not map: `json` takes a map or a list",
        ),
        (
            "callback(\"http://a/\", #{ headers: #{ \"Content-Length\": \"3\" } })",
            "callback sets the header `Content-Length` itself: leave it out",
        ),
        (
            "callback(\"http://a/\", #{ headers: #{ \"X-A\": \"é\" } })",
            "callback: failed to send header `X-A`: not visible ASCII",
        ),
    ] {
        let got = shown(script).unwrap_err();
        assert!(got.starts_with(error), "{script}: {got}");
    }
}

#[test]
fn a_callback_belongs_to_a_view_or_a_hook() {
    let streamed = "return stream(|n| { callback(\"http://a/\"); \"x\" })";
    let error = shown(streamed).unwrap_err();
    assert!(error.contains("callback leaves after the answer, which has begun"), "{error}");
    assert_eq!(shown("callback(\"http://a/\"); return stream([\"x\"])").map(|all| all.len()), Ok(1));
    // The view fails after it: the callback leaves all the same.
    let failed = outcome("callback(\"http://a/\"); throw 7", Some(outgoing()));
    assert_eq!((failed.reply.answer.status, failed.callbacks.len()), (500, 1));
}

#[test]
fn a_trial_only_checks_the_arguments() {
    let tried = |script: &str| outcome(script, None);
    assert_eq!(tried("callback(\"http://a/\")").callbacks.len(), 0);
    assert!(tried("callback(\"http://a/\", #{ timeout: 0 })").error.is_some());
}

#[test]
fn too_many_callbacks_are_an_error_of_the_view() {
    let outgoing = outgoing();
    let add = format!("for n in 0..{} {{ callback(\"http://a/\") }}", MOST - 1);
    let many = outcome(&add, Some(outgoing));
    assert_eq!((many.error.as_deref(), many.callbacks.len()), (None, MOST - 1));
    let over = outcome("callback(\"http://a/\"); callback(\"http://a/\")", Some(outgoing));
    let error = "callback: 10000 callbacks wait already, more is not possible";
    assert!(over.error.as_deref().is_some_and(|message| message.contains(error)), "{:?}", over.error);
    drop((many, over));
    assert_eq!(outcome("callback(\"http://a/\")", Some(outgoing)).error, None);
}
