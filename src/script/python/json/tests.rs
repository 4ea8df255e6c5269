use crate::script::runtime::json::{Unread, from_json, to_json};
use crate::script::tests::trial::{engine, fails, yields};
use rhai::{Dynamic, Map};

#[test]
fn values_are_written_as_json() {
    yields(&[
        (
            r#"json.dumps(#{b: [1, 2.0, ()], a: "ä\"\n", c: true, d: 'x'})"#,
            r#""{\"a\": \"\\u00e4\\\"\\n\", \"b\": [1, 2.0, null], \"c\": true, \"d\": \"x\"}""#,
        ),
        (r#"json.dumps(1e300)"#, r#""1e+300""#),
        (r#"json.dumps(-9223372036854775807)"#, r#""-9223372036854775807""#),
        (r#"json.dumps("a")"#, r#""\"a\"""#),
        (
            r#"json.dumps(#{a: [1], b: #{}, c: []}, #{ indent: 2 })"#,
            r#""{\n  \"a\": [\n    1\n  ],\n  \"b\": {},\n  \"c\": []\n}""#,
        ),
        (r#"json.dumps([1], #{ indent: "\t", sort_keys: true })"#, r#""[\n\t1\n]""#),
        (r#"json.dumps([1, 2], #{ indent: None, separators: () })"#, r#""[1, 2]""#),
        (r#"json.dumps([1, [2]], #{ indent: 0 })"#, r#""[\n1,\n[\n2\n]\n]""#),
        (r#"json.dumps(#{a: [1, 2]}, #{ separators: [",", ":"] })"#, r#""{\"a\":[1,2]}""#),
        (r#"json.dumps([1, 2], #{ indent: 1, separators: ["; ", "="] })"#, r#""[\n 1; \n 2\n]""#),
        (r#"json.dumps(["é", 'é'], #{ ensure_ascii: false })"#, r#""[\"é\", \"é\"]""#),
        (
            r#"let m = json.loads("{\"b\": 1, \"a\": {\"d\": 2, \"c\": 3}}");
            [json.dumps(m), json.dumps(m, #{ sort_keys: true })]"#,
            r#"["{\"b\": 1, \"a\": {\"d\": 2, \"c\": 3}}", "{\"a\": {\"c\": 3, \"d\": 2}, \"b\": 1}"]"#,
        ),
        (r#"json.dumps([1], #{ indent: "-" * 16 })"#, r#""[\n----------------1\n]""#),
        (r#"#{a: ()}.to_json()"#, r#""{\"a\":null}""#),
    ]);
}

#[test]
fn json_is_read() {
    yields(&[
        (
            r#"json.loads("{\"b\": [1, 2.0, null, true, \"\\u00e4\\/\"], \"a\": {}}")"#,
            r##"#{"b": [1, 2.0, (), true, "ä/"], "a": #{}}"##,
        ),
        (r#"json.loads("1")"#, "1"),
        (r#"json.loads(" \"\\ud83d\\ude00\" ")"#, r#""😀""#),
        (r#"json.loads("9223372036854775808")"#, "9223372036854775808"),
        (
            r#"json.loads("[-9223372036854775808, 123456789012345678901234567890]")"#,
            "[-9223372036854775808, 123456789012345678901234567890]",
        ),
        (
            r#"json.loads("[1, -1e400, {\"a\": 1e400, \"b\": 1.5e0}, 2]")"#,
            r##"[1, -inf, #{"a": inf, "b": 1.5}, 2]"##,
        ),
        (r#"json.loads("12345678901234567890e400")"#, "inf"),
        (r#"json.dumps(json.loads("48.220664291306804"))"#, r#""48.220664291306804""#),
        (r#"json.loads("{\"a\": 1, \"a\": 2}")"#, r##"#{"a": 2}"##),
        (r#"json.loads("[1]".encode())"#, "[1]"),
        (r#"parse_json("[1]")"#, "[1]"),
        (
            r#"let x = json.loads("{\"a\": {\"b\": 1}}"); x.a.b += 1; json.dumps(x)"#,
            r#""{\"a\": {\"b\": 2}}""#,
        ),
    ]);
}

/// A character of UTF-16 may have the byte of a quote. The maps behind it count, too.
#[test]
fn the_memory_of_json_is_that_of_its_text() {
    let text = format!("[\"\u{2201}\",{}1]", "{},".repeat(1 << 18));
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for bytes in [text.as_bytes(), &utf16] {
        assert!(matches!(from_json(bytes), Err(Unread::TooLarge(_))), "{}", bytes.len());
    }
}

#[test]
fn a_value_without_json_form_is_an_error_with_its_place() {
    fails(&[
        (
            "json.dumps(#{a: [1, blob(1)]})",
            "json.dumps: at `a[1]`: a blob has no JSON form: use `base64.b64encode(...)`, or `.decode()` for text",
        ),
        (
            "json.dumps(blob(1))",
            "json.dumps: a blob has no JSON form: use `base64.b64encode(...)`, or `.decode()` for text",
        ),
        ("fn f() {} json.dumps([f])", "json.dumps: at `[0]`: the function `f` has no JSON form: call it"),
        ("json.dumps(json)", "json.dumps: a value of type `Json` has no JSON form"),
        ("json.dumps(#{x: 1.0 / 0.0})", "json.dumps: at `x`: the number inf has no JSON form"),
        (
            "json.dumps(1, #{ indnt: 2 })",
            "json.dumps: unknown option `indnt`: there are `indent`, `separators`, `ensure_ascii` and `sort_keys`",
        ),
        (
            "json.dumps(1, #{ indent: 99 })",
            "json.dumps: `indent` is 0 to 16 blanks, or a text of at most 16 bytes",
        ),
        (
            "json.dumps(1, #{ separators: [\",\"] })",
            "json.dumps: `separators` is a list of two short texts: `[\",\", \":\"]`",
        ),
        ("json.dumps(1, #{ sort_keys: 1 })", "json.dumps: `sort_keys` is true or false, not `i64`"),
        ("json.loads(\"{\")", "json.loads: EOF while parsing an object at line 1 column 1"),
        ("json.loads(\"[1,]\")", "json.loads: trailing comma at line 1 column 4"),
        ("json.loads(\"\")", "json.loads: EOF while parsing a value at line 1 column 0"),
        (
            "json.loads(\"[\" * 200)",
            "json.loads: lists and maps are nested deeper than 127 levels at line 1 column 128",
        ),
        ("parse_json(\"x\")", "parse_json: expected value at line 1 column 1"),
    ]);
}

/// Each line has JSON, the options of `json.dumps`, and the result of Python 3.11.
#[test]
fn json_is_written_as_python_does() {
    let engine = engine();
    let mut scope = rhai::Scope::new();
    for line in include_str!("python.txt").lines() {
        let [input, options, expected] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        scope.clear();
        scope.push("input", input.to_owned()).push("options", options.to_owned());
        let written = engine
            .eval_with_scope::<String>(
                &mut scope,
                "json.dumps(json.dumps(json.loads(input), json.loads(options)))",
            )
            .unwrap();
        assert_eq!(written, expected, "{input} {options}");
    }
}

#[test]
fn writing_stops_at_the_limit() {
    let text: Dynamic = "x".repeat(1000).into();
    let list: Dynamic = vec![text; 1000].into();
    assert_eq!(to_json(&list, 2000), Err("the result is longer than 2000 bytes".into()));
    assert_eq!(to_json(&Dynamic::UNIT, 4), Ok(b"null".to_vec()));
    let map: Map = (0..100).map(|key| (key.to_string().into(), list.clone())).collect();
    assert_eq!(to_json(&map.into(), 8 << 20), Err("the result is longer than 8388608 bytes".into()));
}

#[test]
fn nesting_is_bounded() {
    let deep = (0..200).fold(Dynamic::UNIT, |inner, _| vec![inner].into());
    assert!(to_json(&deep, 10_000).is_err_and(|error| error.ends_with("nested more than 128 levels deep")));
}

#[test]
fn small_values_without_number_are_refused() {
    let maps = format!("[{}{{}}]", "{},".repeat(300_000));
    assert!(matches!(from_json(maps.as_bytes()), Err(Unread::TooLarge(50_000_000..))));
    let quoted = format!("\"{}\"", "{,[\\\"".repeat(300_000));
    assert!(from_json(quoted.as_bytes()).is_ok());
}
