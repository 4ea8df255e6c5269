use crate::message::request::Request;
use crate::script::flask::request::tests::{request, run};
use crate::script::runtime::multi_dict::{Headers, MultiDict, Part, to_dict};

use rhai::Dynamic;
use std::sync::Arc;

#[track_caller]
fn expect(request: &Request, cases: &[(&str, &str)]) {
    for (script, expected) in cases {
        assert_eq!(run(request.clone(), script), *expected, "{script}");
    }
}

#[test]
fn query_parameters_are_looked_up_listed_and_looped_over() {
    let request = request("GET", "/?b=2&a=1&b=3&n=x&f=1.5", &[], b"");
    expect(
        &request,
        &[
            (r#"request.args["b"]"#, r#""2""#),
            ("request.args.b", r#""2""#),
            (r#"request.args.get("b")"#, r#""2""#),
            (r#"request.args.get("z")"#, "null"),
            (r#"request.args.get("z", 5)"#, "5"),
            (r#"request.args.getlist("b")"#, r#"["2","3"]"#),
            (r#"request.args.getlist("z")"#, "[]"),
            (r#"["b" in request.args, "B" in request.args, "z" !in request.args]"#, "[true,false,true]"),
            ("request.args.keys()", r#"["b","a","n","f"]"#),
            ("request.args.values()", r#"["2","1","x","1.5"]"#),
            ("request.args.items()[0]", r#"["b","2"]"#),
            ("request.args.lists()[0]", r#"["b",["2","3"]]"#),
            ("request.args.to_dict()", r#"{"a":"1","b":"2","f":"1.5","n":"x"}"#),
            ("request.args.to_dict(false).b", r#"["2","3"]"#),
            ("[request.args.len(), request.args.length, request.args.is_empty()]", "[4,4,false]"),
            ("let names = []; for k in request.args { names.push(k); } names", r#"["b","a","n","f"]"#),
            ("let names = []; for k in request.args.keys() { names.push(k); } names.len()", "4"),
            ("type_of(request.args)", r#""MultiDict""#),
            ("`${request.args}`.len() > 10", "true"),
            ("let a = request.args; a.get(\"a\") + a.b", r#""12""#),
        ],
    );
}

#[test]
fn a_missing_name_is_a_bad_request() {
    let request = request("GET", "/", &[], b"");
    let cases = [
        (r#"request.args["x"]"#, "400 `request.args` has no `x`"),
        (r#"request.form["x"]"#, "400 `request.form` has no `x`"),
        (r#"request.values["x"]"#, "400 `request.values` has no `x`"),
        (r#"request.cookies["x"]"#, "400 `request.cookies` has no `x`"),
        (r#"request.headers["X"]"#, "400 `request.headers` has no `X`"),
        (r#"request.files["x"]"#, "400 `request.files` has no `x`"),
        (r#"request.files["x"].read()"#, "400 `request.files` has no `x`"),
    ];
    expect(&request, &cases);
}

#[test]
fn get_converts_by_name_of_a_type_or_by_a_function() {
    let request = request("GET", "/?i=%207&f=1.5&s=x&i=8&i=y", &[], b"");
    expect(
        &request,
        &[
            (r#"request.args.get("i", 1, "int") == 7"#, "true"),
            (r#"request.args.get("s", 1, "int")"#, "1"),
            (r#"request.args.get("z", (), "int")"#, "null"),
            (r#"request.args.get("f", 0.0, "float") == 1.5"#, "true"),
            (r#"request.args.get("f", "", "str")"#, r#""1.5""#),
            (r#"request.args.getlist("i", "int")"#, "[7,8]"),
            (r#"request.args.get("f", (), |v| v + "!")"#, r#""1.5!""#),
            (r#"request.args.get("s", -1, Fn("parse_int"))"#, "-1"),
            (
                r#"request.args.get("f", 1, "number")"#,
                r#"Runtime error: `get` has no type `number`: it takes "int", "float", "str", a function"#,
            ),
        ],
    );
}

#[test]
fn values_are_arguments_then_the_form() {
    let content_type = ("Content-Type", "application/x-www-form-urlencoded");
    let cases = [("POST", r#"["1","2"]"#), ("DELETE", r#"["1","2"]"#), ("GET", r#"["1"]"#)];
    for (method, expected) in cases {
        let request = request(method, "/?a=1", &[content_type], b"a=2&b=x+y");
        assert_eq!(run(request.clone(), r#"request.values.getlist("a")"#), expected, "{method}");
        assert_eq!(run(request, r#"request.form["b"]"#), r#""x y""#, "{method}");
    }
}

#[test]
fn headers_have_one_spelling_and_are_joined() {
    let request = request("GET", "/", &[("x-tag", "1"), ("HOST", "h"), ("X-Tag", "2"), ("x-2fa", "")], b"");
    expect(
        &request,
        &[
            (r#"request.headers["X-TAG"]"#, r#""1,2""#),
            (r#"request.headers.get("x-tag")"#, r#""1,2""#),
            (r#"request.headers.get("x-none", "d")"#, r#""d""#),
            (r#"request.headers.getlist("X-Tag")"#, r#"["1","2"]"#),
            (r#"["X-tag" in request.headers, "x_tag" in request.headers]"#, "[true,false]"),
            ("request.headers.keys()", r#"["X-Tag","Host","X-2Fa"]"#),
            ("request.headers.to_dict()", r#"{"Host":"h","X-2Fa":"","X-Tag":"1,2"}"#),
            (
                "let all = []; for h in request.headers { all.push(h[0] + h[1]); } all",
                r#"["X-Tag1,2","Hosth","X-2Fa"]"#,
            ),
            ("request.headers.len()", "3"),
        ],
    );
}

#[test]
fn the_first_cookie_of_a_name_counts() {
    let request = request("GET", "/", &[("Cookie", r#"a="x=y"; a=2; b"#)], b"");
    expect(
        &request,
        &[
            (r#"request.cookies["a"]"#, r#""x=y""#),
            (r#"request.cookies.getlist("a")"#, r#"["x=y","2"]"#),
            ("request.cookies.to_dict()", r#"{"a":"x=y","b":""}"#),
        ],
    );
}

const UPLOAD: &str = "--b\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\n1\r\n\
    --b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a \\\"b\\\".txt\"\r\n\
    Content-Type: Text/Plain; charset=x\r\nX-A: 1\r\n\r\nhé\r\n--b\r\n\
    Content-Disposition: form-data; name=\"f\"; filename=\"\"\r\n\r\n\r\n--b--\r\n";

#[test]
fn files_have_a_content_and_properties() {
    let content_type = ("Content-Type", "multipart/form-data; boundary=\"b\"");
    let request = request("POST", "/", &[content_type], UPLOAD.as_bytes());
    expect(
        &request,
        &[
            ("request.form.n", r#""1""#),
            (r#"request.files["f"].filename"#, r#""a \"b\".txt""#),
            (r#"request.files.get("f").name"#, r#""f""#),
            (
                r#"[request.files.f.content_type, request.files.f.mimetype]"#,
                r#"["Text/Plain; charset=x","text/plain"]"#,
            ),
            (r#"request.files.getlist("f")[1].content_type"#, "null"),
            (r#"[request.files.f.size, request.files.f.content_length]"#, "[3,3]"),
            (r#"request.files["f"].read()"#, "[104,195,169]"),
            (r#"let f = request.files["f"]; f.read(); f.text()"#, "\"hé\""),
            (r#"request.files["f"].headers["x-a"]"#, r#""1""#),
            (r#"request.files["f"].headers.get("x-b", "none")"#, r#""none""#),
            (r#"request.files["f"].headers["x-b"]"#, "400 `file.headers` has no `x-b`"),
            ("[request.files.len(), request.files.keys()]", r#"[1,["f"]]"#),
            (r#"let f = "g"; for name in request.files { f = request.files[name].filename; } f.len()"#, "9"),
            ("request.data.len()", "0"),
            (r#"`${request.files["f"]}`"#, r#""<FileStorage: 'a \"b\".txt' ('Text/Plain; charset=x')>""#),
            (
                "request.files.f.file_name",
                "Runtime error: a file has no property `file_name`: did you mean `filename`?",
            ),
            (
                r#"let f = request.files["f"]; f.filename = "x""#,
                "Runtime error: `a file` is read-only: copy it to a variable to change the copy",
            ),
        ],
    );
}

#[test]
fn a_form_beyond_the_limits_is_refused_as_too_large() {
    let body = "--b\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\n1\r\n".repeat(1_001) + "--b--";
    let request =
        request("POST", "/", &[("Content-Type", "multipart/form-data; boundary=b")], body.as_bytes());
    let expected = "413 failed to read the form: more than 1000 parts";
    for script in ["request.form", "request.files", "request.values"] {
        assert_eq!(run(request.clone(), script), expected, "{script}");
    }
    assert_eq!(run(request, "request.text.len() > 1000"), "true");
}

#[test]
fn dictionaries_become_maps_in_json() {
    let request = Arc::new(request("GET", "/?b=2&b=3", &[("x-a", "1")], b""));
    let shown = |value: Dynamic| to_dict(&value).map(|map| format!("{map:?}"));
    let args = Dynamic::from(MultiDict::new(&request, Part::Args).unwrap());
    assert_eq!(shown(args).as_deref(), Some(r#"{"b": "2"}"#));
    assert_eq!(shown(Dynamic::from(Headers::new(&request))).as_deref(), Some(r#"{"X-A": "1"}"#));
    assert_eq!(shown(Dynamic::from(1_i64)), None);
}
