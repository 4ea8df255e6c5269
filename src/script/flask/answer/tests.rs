use super::*;
use rhai::Engine;

fn eval(script: &str) -> Dynamic {
    Engine::new().eval(script).unwrap()
}

/// Status, reason, header values and body: `404 NO WAY|text/html|b|text`. JSON ends with a line feed.
fn show(reply: Fallible<Reply>) -> String {
    let answer = match reply {
        Ok(reply) => reply.answer,
        Err(error) => return error.to_string().replace("Runtime error: ", ""),
    };
    let reason = answer.reason.map(|reason| format!(" {reason}")).unwrap_or_default();
    let headers: String = answer.headers.iter().map(|(_, value)| format!("{value}|")).collect();
    let headers = headers.replace("; charset=utf-8", "");
    format!("{}{reason}|{headers}{}", answer.status, String::from_utf8_lossy(answer.body.bytes()))
}

#[track_caller]
fn replies(table: &[(&str, &str)]) {
    for (script, expected) in table {
        assert_eq!(show(from_value(eval(script))), *expected, "{script}");
    }
}

#[test]
fn a_single_value_is_the_body() {
    replies(&[
        ("\"text\"", "200|text/html|text"),
        ("\"\"", "200|text/html|"),
        ("blob(2, 65)", "200|text/html|AA"),
        ("#{ a: 1 }", "200|application/json|{\"a\":1}\n"),
        ("[]", "200|application/json|[]\n"),
        ("[\"a\"]", "200|application/json|[\"a\"]\n"),
        ("1", "the view function returned an integer: return a text, a map, a list or make_response(...)"),
        (
            "'x'",
            "the view function returned a character (text takes double quotes): return a text, a map, a list or make_response(...)",
        ),
        (
            "|| 1",
            "the view function returned a function: call it with (), or give it to stream(...), which calls it for each piece: return a text, a map, a list or make_response(...)",
        ),
    ]);
    assert_eq!(show(from_value(Dynamic::UNIT)), RETURNED_NOTHING);
}

#[test]
fn a_list_with_a_status_or_headers_is_a_tuple() {
    replies(&[
        ("[\"a\", 404]", "404|text/html|a"),
        ("[\"a\", \"404\"]", "404|text/html|a"),
        ("[\"a\", \"404 NO WAY\"]", "404 NO WAY|text/html|a"),
        ("[\"a\", \"404 not found\"]", "404|text/html|a"),
        ("[\"a\", #{ \"X-A\": \"b\" }]", "200|text/html|b|a"),
        ("[\"a\", [[\"X-A\", \"b\"], [\"X-A\", \"c\"]]]", "200|text/html|b|c|a"),
        ("[\"a\", #{ \"X-A\": [\"b\", 1] }]", "200|text/html|b|1|a"),
        ("[\"a\", 201, #{ \"Content-Type\": \"x/y\" }]", "201|x/y|a"),
        ("[\"a\", 201, ()]", "201|text/html|a"),
        ("[\"a\", 201, []]", "201|text/html|a"),
        ("[(), 204]", "204|text/html|"),
        ("[#{ a: 1 }, 201]", "201|application/json|{\"a\":1}\n"),
        // The inner list looks like a tuple, and is the body.
        ("[[\"a\", 404], 201]", "201|application/json|[\"a\",404]\n"),
    ]);
}

#[test]
fn a_number_that_is_no_status_is_an_error_beside_a_text() {
    let wrong = |status: &str| {
        format!(
            "status `{status}` is neither a number from 200 to 999 nor text such as \"404 NOT FOUND\"; for a list as JSON write `jsonify([...])`"
        )
    };
    for (script, status) in [
        ("[\"a\", 42]", "42"),
        ("[\"a\", 1000]", "1000"),
        ("[\"a\", -1]", "-1"),
        ("[\"a\", 2.5]", "2.5"),
        ("[#{ a: 1 }, 42]", "42"),
        ("[\"a\", 42, #{ \"X-A\": \"b\" }]", "42"),
    ] {
        assert_eq!(show(from_value(eval(script))), wrong(status), "{script}");
    }
    replies(&[("[\"a\", 150]", "status 150 comes before an answer, it can't be one: take 200 to 999")]);
}

#[test]
fn a_list_that_begins_with_a_number_or_has_no_status_is_json() {
    for script in [
        "[1.5,200]",
        "[1,200]",
        "[7,404,{}]",
        "[\"a\",\"b\"]",
        "[\"a\",42,null]",
        "[\"a\",404,1]",
        "[\"a\",404,{},1]",
        "[{\"a\":1},{\"b\":2}]",
        "[\"a\",[[\"no token\",1]]]",
        "[\"a\",[[\"X-A\"]]]",
        "[\"a\",[[\"X-A\",\"b\",\"c\"]]]",
        "[\"a\",[]]",
    ] {
        let source = script.replace('{', "#{").replace("null", "()");
        assert_eq!(show(from_value(eval(&source))), format!("200|application/json|{script}\n"));
    }
}

#[test]
fn jsonify_takes_a_status_in_second_place() {
    for (script, expected) in [
        ("[#{ a: 1 }, 404]", "404|application/json|{\"a\":1}\n"),
        ("[1, 404, #{ \"X-A\": \"b\" }]", "404|application/json|b|1\n"),
        ("[1, \"404\"]", "404|application/json|1\n"),
        ("[1, \"b\"]", "200|application/json|[1,\"b\"]\n"),
        ("[1, #{}]", "200|application/json|[1,{}]\n"),
        ("[1, 42]", "status `42` is neither a number from 200 to 999 nor text such as \"404 NOT FOUND\""),
    ] {
        assert_eq!(show(json_of(eval(script).cast())), expected, "{script}");
    }
}

#[test]
fn the_last_pair_of_a_name_counts_in_any_case() {
    let pairs = header_pairs(&eval("[[\"A\", 1], [\"B\", 2], [\"a\", 3]]")).unwrap();
    let last: Vec<_> =
        last_of_each(pairs).into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(last, ["B=2", "a=3"]);
}

#[test]
fn redirects_encode_the_url_once() {
    for (url, location) in [
        ("/a b", "/a%20b"),
        ("/a%20b?c=d&e#f", "/a%20b?c=d&e#f"),
        ("/\u{e9}\"<>{}|\\^`", "/%C3%A9%22%3C%3E%7B%7D%7C%5C%5E%60"),
    ] {
        let answer = redirection(302, url);
        assert_eq!(answer.header("location"), Some(location));
    }
    let page = String::from_utf8(redirection(302, "/?a&b").body.bytes().to_vec()).unwrap();
    assert!(page.contains("<a href=\"/?a&amp;b\">/?a&amp;b</a>"), "{page}");
}
