use super::*;
use crate::chaos::Chaos;
use crate::directory::fixture::Folder;
use crate::handling::handle;
use crate::provisioning::provision::{Loaded, Provision};
use crate::script;
use crate::script::flask::multi_dict;
use crate::script::runtime::budget::Budget;
use crate::script::runtime::conditions::Conditions;
use crate::script::runtime::files::Files;
use crate::script::runtime::frozen;
use crate::script::runtime::http_error::HttpError;
use crate::script::runtime::imports;
use crate::script::runtime::json::to_json;
use crate::script::runtime::natives::Natives;

/// Replaces a blob, which has no JSON form, by a list of numbers.
fn with_lists_for_blobs(value: Dynamic) -> Dynamic {
    if let Ok(bytes) = value.as_blob_ref() {
        return bytes.iter().map(|byte| Dynamic::from(i64::from(*byte))).collect::<Vec<_>>().into();
    }
    match value.as_array_ref() {
        Ok(items) => items.iter().cloned().map(with_lists_for_blobs).collect::<Vec<_>>().into(),
        Err(_) => value.clone(),
    }
}

/// Builds a request.
pub(crate) fn request(method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Request {
    let client = Some(([10, 0, 0, 9], 40_000).into());
    let listener = Some(([127, 0, 0, 1], 8000).into());
    Request::from_parts(method, target, headers.iter().copied(), body.to_vec(), client, listener)
}

/// Runs `script` for `request`. Returns its value as JSON, or `<code> <description>`, or the text of its error.
pub(crate) fn run(request: Request, script: &str) -> String {
    let mut engine = rhai::Engine::new();
    let mut natives = Natives::new(&mut engine);
    register(&mut natives);
    multi_dict::register(&mut natives);
    frozen::natives::register(&mut natives);
    let handles = natives.finish();
    imports::register(&mut engine, handles);
    // The script is put into a function, since only functions see `request`.
    let script = format!("fn view() {{ {script} }} view()");
    match call::with_request(Arc::new(request), || engine.eval::<Dynamic>(&script)) {
        Ok(value) => String::from_utf8(to_json(&with_lists_for_blobs(value), 1 << 20).unwrap()).unwrap(),
        Err(error) => match error.unwrap_inner() {
            EvalAltResult::ErrorRuntime(thrown, _) if thrown.is::<HttpError>() => {
                let error = thrown.clone_cast::<HttpError>();
                format!("{} {}", error.code, error.description)
            }
            other => other.to_string().split(" (line ").next().unwrap_or_default().to_owned(),
        },
    }
}

#[track_caller]
fn expect(request: &Request, cases: &[(&str, &str)]) {
    for (script, expected) in cases {
        assert_eq!(run(request.clone(), script), *expected, "{script}");
    }
}

#[test]
fn properties_have_the_values_of_the_request() {
    let headers = [
        ("Host", "mock:8000"),
        ("content-type", "Application/JSON; charset=utf-8"),
        ("Content-Length", "2"),
        ("User-Agent", "curl/8"),
        ("Referer", "http://r/"),
        ("Authorization", "Basic dXNlcjpwYXNz"),
        ("Accept", "text/html"),
        ("Accept", "*/*;q=0.1"),
        ("Origin", "http://o"),
    ];
    expect(
        &request("PUT", "/a%20b/7?x=1&y", &headers, b"{}"),
        &[
            ("request.method", r#""PUT""#),
            ("request.path", r#""/a b/7""#),
            ("request.full_path", r#""/a b/7?x=1&y""#),
            ("request.url", r#""http://mock:8000/a%20b/7?x=1&y""#),
            ("request.base_url", r#""http://mock:8000/a%20b/7""#),
            (
                "[request.url_root, request.root_url, request.host_url].all(|url| url == \"http://mock:8000/\")",
                "true",
            ),
            ("request.host", r#""mock:8000""#),
            (
                "[request.scheme, request.is_secure, request.script_root, request.root_path]",
                r#"["http",false,"",""]"#,
            ),
            ("request.query_string", r#""x=1&y""#),
            ("request.remote_addr", r#""10.0.0.9""#),
            ("[request.is_json, request.mimetype]", r#"[true,"application/json"]"#),
            ("request.mimetype_params", r#"{"charset":"utf-8"}"#),
            ("request.content_type", r#""Application/JSON; charset=utf-8""#),
            ("request.content_length == 2", "true"),
            (
                "[request.user_agent, request.referrer, request.origin]",
                r#"["curl/8","http://r/","http://o"]"#,
            ),
            ("request.authorization.username + request.authorization.password", r#""userpass""#),
            ("`${request.accept_mimetypes}`", r#""text/html,*/*;q=0.1""#),
            (r#"request.accept_mimetypes.best_match(["a/b", "text/html"])"#, r#""text/html""#),
            (r#"[request.accept_mimetypes.accept_json, "a/b" in request.accept_mimetypes]"#, "[true,true]"),
            ("request.to_string()", r#""<Request 'http://mock:8000/a%20b/7?x=1&y' [PUT]>""#),
            ("type_of(request)", r#""Request""#),
        ],
    );
}

#[test]
fn properties_have_the_rule_that_serves() {
    let source = r#"
        fn registerRules() {
            let v1 = Blueprint("v1");
            v1.add_url_rule("/<name>/<int:id>", show, #{ defaults: #{ page: 1 } });
            app.register_blueprint(v1);
            app.get("/plain", plain);
        }
        fn show(id, page, name) { all() + [id, page, name] }
        fn plain() { all() }
        fn all() { [request.endpoint, request.url_rule, request.blueprint, request.view_args] }
    "#;
    let (folder, budget) = (Folder::new(), Budget::default());
    let files = Files::new(folder.directory().into(), "p", Some(source.into()), Arc::default());
    let loaded = Provision::load(&script::engine(budget).into(), budget, files);
    let Ok(Loaded::Provision(provision)) = loaded else { panic!("no provision") };
    let provision = Arc::new(*provision);
    let cases = [
        ("//a%20b/7?x", r#"["v1.show","/<name>/<int:id>","v1",{"id":7,"name":"a b","page":1},7,1,"a b"]"#),
        ("/plain", r#"["plain","/plain",null,{}]"#),
    ];
    for (target, body) in cases {
        let answer = handle(
            &provision,
            &Chaos::default(),
            &Conditions::default(),
            &mut request("GET", target, &[], b"").into(),
        )
        .reply
        .answer;
        assert_eq!(String::from_utf8_lossy(answer.body.bytes()).trim_end(), body);
    }
}

#[test]
fn properties_without_a_value_are_unit_or_empty() {
    let request = request("GET", "/", &[], b"");
    let nothing = "endpoint url_rule blueprint view_args json content_type content_length content_encoding referrer \
                   origin authorization accept_charsets accept_encodings accept_languages";
    for name in nothing.split_whitespace() {
        assert_eq!(run(request.clone(), &format!("request.{name}")), "null", "{name}");
    }
    expect(
        &request,
        &[
            ("request.host", r#""127.0.0.1:8000""#),
            ("[request.mimetype, request.user_agent, request.text]", r#"["","",""]"#),
            (
                "[request.args.len(), request.form.len(), request.cookies.len(), request.files.len()]",
                "[0,0,0,0]",
            ),
            (r#"request.accept_mimetypes.best_match(["a/b"])"#, "null"),
            (r#"request.accept_mimetypes.best_match(["a/b"], "a/b")"#, r#""a/b""#),
            ("request.data.len()", "0"),
        ],
    );
}

#[test]
fn json_is_parsed_only_with_a_json_content_type() {
    let cases = [
        ("application/json", r#"{"a":[1,2.5,null]}"#, "request.json", r#"{"a":[1,2.5,null]}"#),
        ("application/json", r#"{"a":{"b":3}}"#, "request.json.a.b == 3", "true"),
        ("application/vnd.x+json", "[1]", "request.get_json()", "[1]"),
        ("text/plain", "[1]", "request.json", "null"),
        ("text/plain", "[1]", "request.get_json(#{ force: true })", "[1]"),
        ("text/plain", "[", "request.get_json()", "null"),
        ("application/json", "[", "request.get_json(#{ silent: true })", "null"),
        ("application/json", "", "request.get_json(#{ silent: true, force: false, cache: false })", "null"),
        ("application/json", "", "request.json", "400 failed to decode json: the body is empty"),
        (
            "application/json",
            "{\n \"a\": x}",
            "request.json",
            "400 failed to decode json: expected value at line 2 column 7",
        ),
        (
            "application/json",
            "1",
            "request.get_json(#{ sillent: true })",
            "Runtime error: `get_json` has no option `sillent`: it takes force, silent, cache",
        ),
        (
            "application/json",
            "1",
            "request.get_json(#{ force: 1 })",
            "Runtime error: `get_json` takes true or false as `force`, not i64",
        ),
    ];
    for (content_type, body, script, expected) in cases {
        let request = request("POST", "/", &[("Content-Type", content_type)], body.as_bytes());
        assert_eq!(run(request, script), expected, "{body} {script}");
    }
}

#[test]
fn the_body_can_be_read_as_bytes_and_as_text() {
    let plain = request("POST", "/", &[("Content-Type", "text/plain")], b"h\xc3\xa9\xff");
    expect(
        &plain,
        &[
            ("request.data", "[104,195,169,255]"),
            ("request.get_data().len() == 4", "true"),
            ("request.get_data(#{ as_text: true })", "\"hé\u{fffd}\""),
            ("request.text", "\"hé\u{fffd}\""),
        ],
    );
    let form = request("GET", "/", &[("Content-Type", "application/x-www-form-urlencoded")], b"a=1");
    expect(
        &form,
        &[
            ("request.data", "[]"),
            ("request.text", r#""a=1""#),
            ("request.get_data(#{ as_text: true })", r#""a=1""#),
            ("request.get_data(#{ as_text: true, parse_form_data: true })", r#""""#),
            ("request.form.a", r#""1""#),
            ("request.values.len()", "0"),
        ],
    );
}

#[test]
fn unknown_properties_are_errors_with_a_suggestion() {
    let cases = [
        ("request.methd", "Runtime error: `request` has no property `methd`: did you mean `method`?"),
        ("request.query", "Runtime error: `request` has no property `query`: did you mean `args`?"),
        ("request.body.len()", "Runtime error: `request` has no property `body`: did you mean `data`?"),
        ("request.colour", "Runtime error: `request` has no property `colour`"),
        ("request.argz = 1", "Runtime error: `request` has no property `argz`: did you mean `args`?"),
        (r#"request["x y"]"#, "Runtime error: `request` has no property `x y`"),
    ];
    expect(&request("GET", "/", &[], b""), &cases);
}

#[test]
fn assigning_to_a_property_is_an_error_and_calling_methods_on_it_is_not() {
    let json = br#"{"list":[3,1],"text":"x"}"#;
    let read_only = |what: &str| {
        format!("Runtime error: `{what}` is read-only: copy it to a variable to change the copy")
    };
    let request = request("POST", "/?a=1", &[("Content-Type", "application/json"), ("X-A", "b")], json);
    let refused = [
        ("request.method = \"PUT\"", "request.method"),
        ("request.args = #{}", "request.args"),
        ("request.args[\"a\"] = \"2\"", "request.args"),
        ("request.args.b = 2", "request.args"),
        ("request.headers[\"X-B\"] = \"2\"", "request.headers"),
        ("request.path += \"x\"", "request.path"),
        ("request.json.list.push(1)", "request.json"),
        ("request.json.text = 1", "request.json"),
        ("request.data[0] = 1", "request.data"),
    ];
    for (script, what) in refused {
        assert_eq!(run(request.clone(), script), read_only(what), "{script}");
    }
    expect(
        &request,
        &[
            ("let j = request.json; j.list.push(1); j.list", "[3,1,1]"),
            ("request.json.list.len()", "2"),
            ("request.json.list.map(|x| x * 2)", "[6,2]"),
            ("request.json.keys()", r#"["list","text"]"#),
            ("request.json.text.len() + request.path.len() + request.data.len()", "27"),
            (r#"request.headers["X-A"].to_upper()"#, r#""B""#),
            (r#"request.args.a.len()"#, "1"),
        ],
    );
}

#[test]
fn request_is_an_error_outside_of_a_request() {
    let mut engine = rhai::Engine::new();
    let mut natives = Natives::new(&mut engine);
    register(&mut natives);
    let handles = natives.finish();
    imports::register(&mut engine, handles);
    let error = engine.eval::<Dynamic>("request.method").unwrap_err().to_string();
    assert!(error.contains("`request` is there only while a request is handled"), "{error}");
}
