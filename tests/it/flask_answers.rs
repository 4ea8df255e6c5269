//! Less frequent return values of views, and arguments of `make_response`, `jsonify` and `abort`: one view for each case.

use crate::harness::Mock;

/// Columns: the returned expression, status, body (after `~`: a part of it), a header that the answer must have.
type Case = (&'static str, u16, &'static str, &'static str);

#[track_caller]
fn answers(cases: &[Case]) {
    let mut source = String::from("fn registerRules() {\n");
    for (index, (view, ..)) in cases.iter().enumerate() {
        source += &format!("    app.get(\"/{index}\", || {view});\n");
    }
    let mock = Mock::serving(&(source + "}\n"));
    for (index, (view, status, body, header)) in cases.iter().enumerate() {
        let reply = mock.get(&format!("/{index}"));
        assert_eq!(reply.status, *status, "{view}: {}", reply.text());
        match body.strip_prefix('~') {
            Some(part) => assert!(reply.text().contains(part), "{view}: {}", reply.text()),
            None => assert_eq!(reply.text(), *body, "{view}"),
        }
        if let Some((name, value)) = header.split_once(": ") {
            assert_eq!(reply.all(name).join("|"), value, "{view}");
        }
    }
}

#[test]
fn a_list_is_a_tuple_or_json() {
    answers(&[
        (r#"["x", 200, [["A", "1"], ["A", "2"]]]"#, 200, "x", "a: 1|2"),
        (r#"["x", [["A", 1], ["B", ["2", "3"]]]]"#, 200, "x", "b: 2|3"),
        (r#"["x", [["Content-Type", "text/plain"]]]"#, 200, "x", "content-type: text/plain"),
        (r#"[#{ a: 1 }, 201, [["A", "1"], ["a", "2"]]]"#, 201, "{\"a\":1}\n", "a: 1|2"),
        (r#"make_response("x", 201, [["A", "1"], ["A", "2"]])"#, 201, "x", "a: 1|2"),
        (r#"make_response("x", [["A", "1"]])"#, 200, "x", "a: 1"),
        (r#"Response("x", #{ status: 202, headers: [["A", "1"]] })"#, 202, "x", "a: 1"),
        (r#"["x", 404, ()]"#, 404, "x", ""),
        (r#"["x", 404, []]"#, 404, "x", ""),
        (r#"["x", 404, #{}]"#, 404, "x", ""),
        (r#"[[1, 2], 201]"#, 201, "[1,2]\n", ""),
        (r#"["a", "b"]"#, 200, "[\"a\",\"b\"]\n", "content-type: application/json"),
        (r#"["a", "4040"]"#, 200, "[\"a\",\"4040\"]\n", ""),
        (r#"["a", ["b", "c"]]"#, 200, "[\"a\",[\"b\",\"c\"]]\n", ""),
        (r#"["a", [["b c", 1]]]"#, 200, "[\"a\",[[\"b c\",1]]]\n", ""),
        (r#"["a", 7, "b"]"#, 200, "[\"a\",7,\"b\"]\n", ""),
        (r#"["a", 7, ()]"#, 200, "[\"a\",7,null]\n", ""),
        (r#"[1, 404]"#, 200, "[1,404]\n", ""),
        (r#"[1.5, 404, #{}]"#, 200, "[1.5,404,{}]\n", ""),
        (r#"[[1, 2], [3, 4]]"#, 200, "[[1,2],[3,4]]\n", ""),
        (r#"[#{ a: 1 }, #{ a: 2 }]"#, 200, "[{\"a\":1},{\"a\":2}]\n", ""),
    ]);
}

#[test]
fn only_a_status_from_200_to_999_is_accepted() {
    let none = |status: &str| {
        format!(
            "status `{status}` is neither a number from 200 to 999 nor text such as \"404 NOT FOUND\"; for a list as JSON write `jsonify([...])`"
        )
    };
    let mut source = String::from("fn registerRules() {\n");
    let cases = [
        (r#"["x", 404.0]"#, none("404.0")),
        (r#"["x", 99]"#, none("99")),
        (r#"["x", 1000]"#, none("1000")),
        (r#"["x", 42]"#, none("42")),
        (r#"["x", -1]"#, none("-1")),
        (r#"["x", 42, #{}]"#, none("42")),
        (r#"["x", 404.5, [["A", "1"]]]"#, none("404.5")),
        (r#"["x", 100]"#, "status 100 comes before an answer, it can't be one: take 200 to 999".to_owned()),
        (
            r#"["x", "101 Switching"]"#,
            "status 101 comes before an answer, it can't be one: take 200 to 999".to_owned(),
        ),
        (
            r#"make_response("x", "a")"#,
            "status `a` is neither a number from 200 to 999 nor text such as \"404 NOT FOUND\"".to_owned(),
        ),
        (
            r#"make_response("x", 200, "a")"#,
            "status `a` is neither a number from 200 to 999 nor text such as \"404 NOT FOUND\"".to_owned(),
        ),
        (
            r#"make_response("x", 200, [["A"]])"#,
            "headers are a map or a list of pairs: `[[\"X-A\", \"1\"]]`, not [[\"A\"]]".to_owned(),
        ),
        (
            r#"{ let r = make_response("x"); r.status_code = 1000; r }"#,
            "status 1000 is not from 200 to 999".to_owned(),
        ),
    ];
    for (index, (view, _)) in cases.iter().enumerate() {
        source += &format!("    app.get(\"/{index}\", || {view});\n");
    }
    let mock = Mock::serving(&(source + "}\n"));
    for (index, (view, error)) in cases.iter().enumerate() {
        let reply = mock.get(&format!("/{index}"));
        assert_eq!(reply.status, 500, "{view}: {}", reply.text());
        assert!(reply.text().contains(&format!(": {error}\n")), "{view}: {}", reply.text());
    }
}

#[test]
fn statuses_that_no_list_knows_are_sent_and_205_has_no_body() {
    let mock = Mock::serving(
        r#"fn registerRules() {
    app.get("/600", || ["x", 600]);
    app.get("/999", || ["x", "999 Denied"]);
    app.get("/set", || { let r = make_response("x"); r.status_code = 799; r });
    app.get("/own", || { let r = make_response("x", "200 Fine"); r.status_code = 404; r });
    app.get("/reset", || ["x", 205]);
}"#,
    );
    for (target, status, reason, body, length) in [
        ("/600", 600, "Unknown", "x", "1"),
        ("/999", 999, "Denied", "x", "1"),
        ("/set", 799, "Unknown", "x", "1"),
        ("/own", 404, "Not Found", "x", "1"),
        ("/reset", 205, "Reset Content", "", "0"),
    ] {
        let reply = mock.get(target);
        assert_eq!((reply.status, reply.reason.as_str()), (status, reason));
        assert_eq!((reply.text().as_str(), reply.header("content-length")), (body, length), "{target}");
    }
}

#[test]
fn maps_are_bodies_of_errors_and_of_jsonify() {
    answers(&[
        (
            r#"abort(404, #{ error: "none", id: 7 })"#,
            404,
            "{\"error\":\"none\",\"id\":7}\n",
            "content-type: application/json",
        ),
        ("abort(409, [1, 2])", 409, "[1,2]\n", "content-type: application/json"),
        ("abort(404, ())", 404, "~<h1>Not Found</h1>", ""),
        ("abort(404, 7)", 500, "~the description of an error is text, a map or a list, not 7", ""),
        (r#"throw NotFound("why")"#, 404, "~<p>why</p>", ""),
        ("throw Conflict(#{ a: 1 })", 409, "{\"a\":1}\n", ""),
        ("throw ServiceUnavailable()", 503, "~<h1>Service Unavailable</h1>", ""),
        (
            r#"try { abort(404, "why") } catch (e) { return `${e} ${e.code}`; }"#,
            200,
            "404 Not Found: why 404",
            "",
        ),
        (
            r#"try { abort(404, #{ a: 1 }) } catch (e) { return [e.description.a == 1, type_of(e)]; }"#,
            200,
            "[true,\"HTTPException\"]\n",
            "",
        ),
        ("jsonify([1], 404)", 404, "[1]\n", "content-type: application/json"),
        (r#"jsonify("x", 201, #{ "A": "1" })"#, 201, "\"x\"\n", "a: 1"),
        (r#"jsonify(#{ a: 1 }, "418 SHORT", [["A", "1"], ["A", "2"]])"#, 418, "{\"a\":1}\n", "a: 1|2"),
        ("jsonify(1, 42)", 500, "~status `42` is neither", ""),
    ]);
}

#[test]
fn headers_and_etags_work_as_in_werkzeug() {
    answers(&[
        (
            r#"{ let r = make_response("x"); r.headers["A"] = "0"; r.headers.update(#{ "A": ["1", "2"] }); r }"#,
            200,
            "x",
            "a: 1|2",
        ),
        (
            r#"{ let r = make_response("x"); r.headers.update([["A", "1"], ["a", "2"]]); r }"#,
            200,
            "x",
            "a: 2",
        ),
        (
            r#"{ let r = make_response("x"); r.headers["A"] = "0"; r.headers.extend([["A", "1"], ["A", 2]]); r }"#,
            200,
            "x",
            "a: 0|1|2",
        ),
        (r#"{ let r = make_response("x"); r.headers.extend(#{ "A": ["1", "2"] }); r }"#, 200, "x", "a: 1|2"),
        (
            r#"{ let r = make_response("x"); r.headers.update(7); r }"#,
            500,
            "~headers are a map or a list of pairs",
            "",
        ),
        (
            r#"{ let r = make_response("x"); let a = r.headers.setdefault("A", 1); r.headers.setdefault("a", 2) + a }"#,
            200,
            "11",
            "",
        ),
        (r#"{ let r = make_response("x"); r.set_etag("v1"); r }"#, 200, "x", "etag: \"v1\""),
        (r#"{ let r = make_response("x"); r.set_etag("v1", true); r }"#, 200, "x", "etag: W/\"v1\""),
        (r#"{ let r = make_response("x"); r.set_etag("v\"1"); r }"#, 500, "~etag `v\"1` has a quote", ""),
        (
            r#"{ let r = make_response("x"); r.set_etag("v1", true); jsonify(r.get_etag()) }"#,
            200,
            "[\"v1\",true]\n",
            "",
        ),
        (
            r#"{ let r = make_response("x"); r.set_etag("v1"); r.add_etag(); jsonify(r.get_etag()) }"#,
            200,
            "[\"v1\",false]\n",
            "",
        ),
        (r#"jsonify(make_response("x").get_etag())"#, 200, "[null,null]\n", ""),
        (
            r#"{ let r = make_response("x"); r.set_etag("v1"); r.add_etag(true); r }"#,
            200,
            "x",
            "etag: \"11f6ad8ec52a2984abaafd7c3b516503785c2072\"",
        ),
    ]);
}

#[test]
fn wrong_arguments_are_errors_and_not_ignored() {
    let cases: &[(&str, u16, &str, &str)] = &[
        (r#"jsonify(#{ a: 1 }, #{ b: 2 })"#, 200, "[{\"a\":1},{\"b\":2}]\n", ""),
        (r#"jsonify("a", "b")"#, 200, "[\"a\",\"b\"]\n", ""),
        (r#"jsonify("a", "b", "c")"#, 200, "[\"a\",\"b\",\"c\"]\n", ""),
        (r#"jsonify("x", 201, [["A", 1], ["A", 2]])"#, 201, "\"x\"\n", "a: 1|2"),
        (r#"jsonify(#{ a: 1 }, 42)"#, 500, "~status `42` is neither a number from 200 to 999", ""),
        (r#"{ let r = make_response("x"); r.headers = [["A", "1"], ["A", "2"]]; r }"#, 200, "x", "a: 1|2"),
        (
            r#"{ let r = make_response("x"); r.headers = Response("", 200, #{ A: 1 }).headers; r }"#,
            200,
            "x",
            "a: 1",
        ),
        (
            r#"{ let r = make_response("x"); r.headers = 7; r }"#,
            500,
            "~: headers are a map or a list of pairs",
            "",
        ),
        (
            r#"{ let r = make_response("x"); r.headers["A"] = 1; r.headers.pop("a") + r.headers.pop("A", "2") }"#,
            200,
            "12",
            "",
        ),
        (
            r#"{ let r = make_response("x"); r.headers = #{ A: 1 }; r.headers.items() + r.headers.values() }"#,
            200,
            "[[\"A\",\"1\"],\"1\"]\n",
            "",
        ),
        (r#"{ let r = make_response("x"); r.headers.clear(); jsonify(r.headers.keys()) }"#, 200, "[]\n", ""),
        (r#"throw Forbidden"#, 403, "~<h1>Forbidden</h1>", ""),
        (r#"abort("404")"#, 500, "~: abort takes a number (`abort(404)`) or a response, not `404`\n", ""),
    ];
    answers(cases);
}

/// Sets too many headers in each possible way: the script fails at once, and the error has their number.
#[test]
fn an_answer_has_at_most_1000_headers() {
    let pairs = r#"let all = []; for i in 0..5000 { all.push([`X-${i}`, "1"]); }"#;
    let ways = [
        r#"["x", 200, all]"#,
        r#"make_response("x", 200, all)"#,
        r#"Response("x", #{ headers: all })"#,
        r#"let r = make_response("x"); r.headers = all; r"#,
        r#"let r = make_response("x"); r.headers.update(all); r"#,
        r#"let r = make_response("x"); r.headers.extend(all); r"#,
        r#"let r = make_response("x"); r.headers["X"] = all.map(|pair| pair[0]); r"#,
        r#"let r = make_response("x"); r.headers.add("X", all.map(|pair| pair[0])); r"#,
        r#"["x", 200, #{ "X": all.map(|pair| pair[0]) }]"#,
    ];
    let loops = [
        r#"r.headers.add(`X-${i}`, "1")"#,
        r#"r.headers[`X-${i}`] = "1""#,
        r#"r.header(`X-${i}`, "1")"#,
        r#"r.set_cookie(`x${i}`, "1")"#,
        r#"r.delete_cookie(`x${i}`)"#,
    ];
    let mut views: Vec<(String, usize)> = ways.iter().map(|way| (format!("{pairs} {way}"), 5_000)).collect();
    views.extend(
        loops
            .iter()
            .map(|step| (format!(r#"let r = make_response("x"); for i in 0..5000 {{ {step}; }} r"#), 1_001)),
    );
    let mut source = String::from("fn registerRules() {\n");
    for (index, (view, _)) in views.iter().enumerate() {
        source += &format!("app.get(\"/{index}\", || {{ {view} }});\n");
    }
    source += r#"
        app.get("/most", || { let r = make_response("x"); for i in 1..1000 { r.headers.add(`X-${i}`, "1"); } r });
        app.get("/last", || { let r = make_response("x"); r.headers.update([["A", "1"], ["B", "2"], ["a", "3"]]); r });
        app.get("/map", || { let m = #{}; for i in 0..500 { m[`X-${i}`] = LONG; } ["x", m] });
        app.get("/list", || { let l = []; for i in 0..500 { l.push(LONG); } ["x", 200, #{ "X-A": l }] });
        app.get("/pairs", || { let l = []; for i in 0..500 { l.push(["X-A", LONG]); } make_response("x", 200, l) });
    }
    const LONG = "x" * 1000000;"#;
    let mock = Mock::serving(&source);
    for (index, (view, count)) in views.iter().enumerate() {
        let reply = mock.get(&format!("/{index}"));
        let text = reply.text();
        assert_eq!(reply.status, 500, "{view}");
        let wrong = |number| format!("an answer has at most 1000 headers, and this one would have {number}");
        let told = (*count..=count + 1).any(|number| text.contains(&wrong(number)));
        assert!(told, "{view}: {text}");
    }
    for path in ["/map", "/list", "/pairs"] {
        let reply = mock.get(path);
        let wrong = "the headers of an answer take at most 1048576 bytes";
        assert!(reply.status == 500 && reply.text().contains(wrong), "{path}: {}", reply.text());
    }
    let reply = mock.get("/most");
    assert_eq!((reply.status, reply.header("x-999")), (200, "1"));
    let reply = mock.get("/last");
    assert_eq!((reply.all("a").join("|"), reply.header("b")), ("3".to_owned(), "2"));
}
