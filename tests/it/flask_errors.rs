//! Error handlers by class: which of several is called for an error, and the properties of the error.

use crate::harness::{Folder, Mock, binary};

#[test]
fn the_most_specific_handler_is_called() {
    let mock = Mock::serving(
        r#"fn registerRules() {
    app.get("/abort/<int:code>", |code| abort(code, "why"));
    app.get("/throw", || throw #{ id: 7 });
    app.get("/text", || throw "oops");
    app.get("/wrong", || 1 + ());
    app.get("/reply", || abort(make_response("own", 499)));
    app.register_error_handler(NotFound, |e| [`code ${e.code}`, 404]);
    app.register_error_handler(500, |e| [`five ${e.original_exception}`, 500]);
    app.register_error_handler(HTTPException, |e| [`http ${e}`, e.code]);
    let bp = Blueprint("bp", #{ url_prefix: "/bp" });
    bp.get("/abort/<int:code>", |code| abort(code));
    bp.get("/throw", || throw #{ id: 7 });
    bp.get("/wrong", || 1 + ());
    bp.register_error_handler(Exception, |e| {
        [#{ code: e.code, thrown: e.original_exception, text: `${e}`, description: e.description }, 500]
    });
    app.register_blueprint(bp);
}"#,
    );
    let failed = "The server failed while it handled the request.";
    let wrong = "no function `+ (i64, ())`";
    let conflict = "The request conflicts with the state of the resource.";
    for (target, status, body) in [
        ("/abort/404", 404, "code 404".to_owned()),
        ("/unknown", 404, "code 404".to_owned()),
        ("/abort/500", 500, "five ".to_owned()),
        ("/abort/418", 418, "http 418 I'm a teapot: why".to_owned()),
        ("/text", 500, "five oops".to_owned()),
        ("/reply", 499, "own".to_owned()),
        ("/bp/abort/404", 404, "code 404".to_owned()),
        (
            "/bp/abort/409",
            500,
            format!(
                "{{\"code\":409,\"description\":\"{conflict}\",\"text\":\"409 Conflict: {conflict}\",\"thrown\":null}}\n"
            ),
        ),
        (
            "/bp/throw",
            500,
            format!(
                "{{\"code\":500,\"description\":\"{failed}\",\"text\":\"#{{\\\"id\\\": 7}}\",\"thrown\":{{\"id\":7}}}}\n"
            ),
        ),
        (
            "/bp/wrong",
            500,
            format!(
                "{{\"code\":500,\"description\":\"{failed}\",\"text\":\"{wrong}\",\"thrown\":\"{wrong}\"}}\n"
            ),
        ),
    ] {
        let reply = mock.get(target);
        assert_eq!((reply.status, reply.text()), (status, body), "{target}");
    }
    assert_eq!(mock.send("PUT", "/text", &[], b"").status, 405);
}

#[test]
fn a_handler_of_exception_is_called_for_errors_without_another_handler() {
    let mock = Mock::serving(
        r#"fn registerRules() {
    app.get("/abort", || abort(403));
    app.get("/throw", || throw 7);
    app.errorhandler(Exception, |e| `all ${e.code} ${e.original_exception}`);
    app.errorhandler(500, |e| "not reached: Exception is asked first, as in Flask");
}"#,
    );
    for (target, body) in [("/abort", "all 403 "), ("/throw", "all 500 7"), ("/unknown", "all 404 ")] {
        assert_eq!(mock.get(target).text(), body, "{target}");
    }
}

#[test]
fn a_wrong_class_is_an_error_with_a_suggestion() {
    let expected = "an error handler is for a code from 400 to 599 or a class such as `NotFound`, `HTTPException`, `Exception`, not ";
    for (key, error) in [
        ("\"404\"", "an error handler is not for a text: write the number 404".to_owned()),
        ("\"NotFound\"", "an error handler is not for a text: write the class NotFound".to_owned()),
        ("\"x\"", format!("{expected}x")),
        ("200", format!("{expected}200")),
        ("404.0", format!("{expected}404.0")),
    ] {
        let folder = Folder::new();
        folder.write("p", &format!("fn registerRules() {{ app.register_error_handler({key}, |e| \"x\"); }}"));
        let output = binary().arg("check").arg(folder.0.join("p")).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(text.contains(&format!(": {error}\n")), "{key}: {text}");
    }
}
