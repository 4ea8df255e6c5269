use super::*;
use crate::directory::fixture::Folder;
use crate::handling::trial::attempt;
use crate::message::request::Request;
use crate::provisioning::provision::Provision;
use crate::script;
use crate::script::runtime::budget::Budget;
use crate::script::runtime::conditions::Conditions;
use crate::script::runtime::files::Files;

fn load(source: &str) -> Result<Arc<Provision>, String> {
    let directory = Arc::new(Folder::new().directory());
    let files = Files::new(directory, "tested", Some(source.into()), Arc::default());
    let engine = Arc::new(script::engine(Budget::default()));
    let loaded = Provision::load(&engine, Budget::default(), files).map_err(|error| error.to_string())?;
    Ok(Arc::new(loaded.into_provision("tested").map_err(|error| error.to_string())?))
}

/// Returns the URL to which a view whose body is `script` forwards `GET /a/b?c`, or its error.
fn forwarded(script: &str) -> Result<String, String> {
    let source = format!(
        "fn registerRules() {{ app.get(\"/a/<b>\", view); }}\n\
         fn view(b) {{ {script} }}\n\
         fn changed(r) {{ r }}"
    );
    let request = Request::from_parts("GET", "/a/b?c", None::<(&str, &str)>, Vec::new(), None, None);
    let outcome = attempt(&load(&source)?, &Conditions::default(), request).outcome;
    let error = || outcome.error.as_deref().unwrap_or("not forwarded").to_owned();
    outcome.forwarded.as_ref().map(|forwarded| forwarded.url.clone()).ok_or_else(error)
}

#[test]
fn a_view_forwards_by_returning_it() {
    for (script, url) in [
        ("forward(\"http://real\")", "http://real/a/b?c"),
        ("return forward(\"HTTP://real:8080/base/\", #{});", "http://real:8080/base/a/b?c"),
        ("forward(\"http://[::1]:80\", #{ strip: \"/a\" })", "http://[::1]/b?c"),
        ("forward(\"http://real\", #{ path: \"/x?y\", strip: \"/a\" })", "http://real/x?y"),
        (
            "forward(\"http://real\", #{ headers: #{ \"X-A\": 7, \"X-B\": () }, timeout: 0.5 })",
            "http://real/a/b?c",
        ),
        ("forward(\"http://real\", #{ change: changed })", "http://real/a/b?c"),
        ("forward(\"http://real\", #{ change: Fn(\"changed\") })", "http://real/a/b?c"),
        (
            "let to = \"http://real\"; forward(to, #{ change: |r| `${b} ${r.status_code}` })",
            "http://real/a/b?c",
        ),
        // Only the last one is returned.
        ("forward(\"http://one\"); forward(\"http://two\")", "http://two/a/b?c"),
    ] {
        assert_eq!(forwarded(script).as_deref(), Ok(url), "{script}");
    }
}

#[test]
fn errors_say_what_to_write_instead() {
    let alone = NOT_RETURNED;
    let tls = "`https://real` needs TLS, which h1mock does not speak: take `http://` and a sidecar that adds TLS (docs/forwarding.md)";
    let path = |name: &str, text: &str| {
        format!("option `{name}` of forward is a path such as `/api`, percent-encoded, not `{text}`")
    };
    for (script, error) in [
        ("forward(\"https://real\")", tls.to_owned()),
        ("forward(\"HTTPS://real\")", tls.replace("https://real", "HTTPS://real")),
        ("forward(7)", "no function `forward (i64)`".to_owned()),
        ("forward()", "no function `forward ()`".to_owned()),
        ("forward(\"http://real\", 7)", "no function `forward (string, i64)`".to_owned()),
        ("forward(\"http://real\", #{ strp: \"/a\" })", "`forward` has no option `strp`: did you mean `strip`?".to_owned()),
        (
            "forward(\"http://real\", #{ methods: [\"GET\"] })",
            "`forward` has no option `methods`: it takes path, strip, headers, timeout, change".to_owned(),
        ),
        ("forward(\"http://real\", #{ path: \"api\" })", path("path", "api")),
        ("forward(\"http://real\", #{ path: \"/a b\" })", path("path", "/a b")),
        ("forward(\"http://real\", #{ path: \"/a\\r\\nX: y\" })", path("path", "/a\\r\\nX: y")),
        ("forward(\"http://real\", #{ strip: \"/é\" })", path("strip", "/é")),
        ("forward(\"http://real\", #{ headers: [1] })", "headers are a map: `#{ \"X-A\": \"b\" }`, not array".to_owned()),
        ("forward(\"http://real\", #{ headers: #{ \"X A\": \"b\" } })", "header name `X A` has characters that headers can't have".to_owned()),
        ("forward(\"http://real\", #{ headers: #{ \"X-A\": \"b\\r\\nX-B: c\" } })", "header `X-A` has a line end or control character in its value `b\\r\\nX-B: c`".to_owned()),
        ("forward(\"http://real\", #{ timeout: \"1\" })", "option `timeout` of forward takes seconds from 0 to 3600, not string `1`".to_owned()),
        ("forward(\"http://real\", #{ timeout: 0 })", "option `timeout` of forward takes more than 0 seconds".to_owned()),
        ("forward(\"http://real\", #{ timeout: -1 })", "option `timeout` of forward takes seconds from 0 to 3600, not -1".to_owned()),
        ("forward(\"http://real\", #{ change: 7 })", "option `change` of forward is a function |response|, not i64".to_owned()),
        ("forward(\"http://real\", #{ change: || 7 })", "forward calls `change` with the response, but closure takes `()`".to_owned()),
        ("forward(\"\")", "failed to use URL ``: it has no host, as `http://real:8080` has".to_owned()),
        ("forward(\"real:8080\")", "failed to use URL `real:8080`: write `http://` before it, as in `http://real:8080`".to_owned()),
        ("forward(\"/api\")", "failed to use URL `/api`: it has no host, as `http://real:8080` has".to_owned()),
        ("forward(\"http://\")", "failed to use URL `http://`: it has no host".to_owned()),
        ("forward(\"http://real:99999\")", "failed to use URL `http://real:99999`: `99999` is no port".to_owned()),
        ("forward(\"http://real/?a=1\")", "failed to use URL `http://real/?a=1`: the URL of a server has no query; option `path` may have one".to_owned()),
        ("make_response(forward(\"http://real\"))", alone.to_owned()),
        ("forward(\"ftp://real\")", "failed to use URL `ftp://real`: `ftp` is not supported, use http".to_owned()),
        ("forward(\"http://user@real\")", "failed to use URL `http://user@real`: user names are not supported".to_owned()),
        ("forward(\"http://real\"); \"dropped\"", alone.to_owned()),
        ("[forward(\"http://real\"), 201]", alone.to_owned()),
        ("let f = forward(\"http://real\"); `${f.url}`", "forward has no property `url`".to_owned()),
        ("for n in 0..20 { forward(\"http://real\"); } forward(\"http://real\")", "forward was called more than 10 times for one request, last for `http://real`: it does not pause the script; return what it returns, and go on in `change`".to_owned()),
        ("forwrd(\"http://real\")", "no function `forwrd (string)`".to_owned()),
        ("app.forward(\"/x\", \"http://real\")", "rules can be registered only while registerRules() runs".to_owned()),
    ] {
        let result = forwarded(script).unwrap_err();
        let message = result.split_once(": ").map_or(result.as_str(), |(_, rest)| rest);
        assert!(!error.is_empty() && message.ends_with(&error), "{script}: {message}");
    }
}

#[test]
fn wrong_rules_do_not_load() {
    for (script, error) in [
        ("app.forward(\"/api/<path:rest>\")", "`app.forward` takes 2 or 3 arguments, not 1"),
        ("app.forward(\"api\", \"http://real\")", "rule `api`: must start with `/`"),
        (
            "app.forward(\"/api\", \"https://real\")",
            "`https://real` needs TLS, which h1mock does not speak: take `http://` and a sidecar that adds TLS (docs/forwarding.md)",
        ),
        (
            "app.forward(\"/api\", \"http://real\", #{ method: \"GET\" })",
            "`app.forward` has no option `method`: did you mean `methods`?",
        ),
        (
            "app.forward(\"/api\", \"http://real\", #{ methods: \"GET\" })",
            "methods must be a list of texts: `[\"GET\"]`",
        ),
        (
            "app.forward(\"/api\", \"http://real\", #{ endpoint: \"x\" })",
            "`app.forward` has no option `endpoint`: it takes path, strip, headers, timeout, change, methods",
        ),
        ("app.forwrd(\"/api\", \"http://real\")", "`app` has no method `forwrd`"),
        ("app.forward_unmatched()", "`app.forward_unmatched` takes 1 or 2 arguments, not 0"),
        (
            "app.forward_unmatched(\"https://real\")",
            "`https://real` needs TLS, which h1mock does not speak: take `http://` and a sidecar that adds TLS (docs/forwarding.md)",
        ),
        (
            "app.forward_unmatched(\"http://real\", #{ methods: [\"GET\"] })",
            "`app.forward_unmatched` has no option `methods`: it takes path, strip, headers, timeout, change",
        ),
        (
            "app.forward_unmatched(\"/x\", \"http://real\")",
            "`app.forward_unmatched` can't be called with (string, string)",
        ),
        (
            "forward(\"http://real\")",
            "forward is there only while a request is handled: a view function returns it; a rule without a view is `app.forward(rule, url)`",
        ),
        (
            "app.forward(\"/x\", forward(\"http://real\"))",
            "forward is there only while a request is handled: a view function returns it; a rule without a view is `app.forward(rule, url)`",
        ),
    ] {
        let result = load(&format!("fn registerRules() {{ {script} }}"));
        let message = result.map_or_else(|error| error, |_| "it loads".to_owned());
        assert!(message.ends_with(error), "{script}: {message}");
    }
}
