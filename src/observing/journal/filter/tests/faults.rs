//! Filters that are refused, and their errors.

use super::*;

#[test]
fn faults_are_named_with_their_place() {
    let table = [
        ("json~=/a", "`json~=/a`: character 9: no `=` between the pointer and the pattern"),
        ("method=GET&json~=/a", "`json~=/a`: character 20: no `=` between the pointer and the pattern"),
        ("%6Ason~=%2Fa", "`json~=/a`: character 13: no `=` between the pointer and the pattern"),
        ("json=a=1", "`json=a=1`: character 6: pointer `a` does not start with `/`"),
        (
            "methd=GET",
            "`methd=GET`: character 1: unknown parameter `methd`: did you mean `method`, or `query=methd=GET` for",
        ),
        (
            "é=1&page=2",
            "`é=1`: character 1: unknown parameter `é`: for a parameter of the request's query write `query=é=1`; known are method, path, target, rule, endpoint, overlay, status, header, body, json, query, form, part, cookie, baggage, generation, stream, pieces, forwarded, kind, cause, attempt, since, limit",
        ),
        ("method=é&xpath=/", "`xpath=/`: character 10: unknown parameter `xpath`: did you mean `path`, or"),
        ("port=1", "did you mean `part`, or `query=port=1` for a parameter of the request's query?"),
        ("!header=X", "`!header=X`: character 1: unknown parameter `!header`: did you mean `header!=`?"),
        ("body~!=x", "unknown parameter `body~!`: did you mean `body!~=`?"),
        ("status>=400", "unknown parameter `status>`: operators are `=`, `!=`, `~=` and `!~=`"),
        ("method", "`method`: character 7: no `=` after `method`"),
        ("method!", "`method!`: character 8: no `=` after `method!`"),
        (
            "method=post",
            "`method=post`: character 8: methods are in capitals: write `POST`, or `method~=^post$` for one that was sent so",
        ),
        (
            "count=1",
            "`count=1`: character 1: unknown parameter `count`: for a parameter of the request's query write `query=count=1`; known are ",
        ),
        ("path=orders", "`path=orders`: character 6: rule `orders`: must start with `/`: write `/orders`"),
        (
            "path=/o?x=1",
            "`path=/o?x=1`: character 6: a path has no query: write `/o` and beside it `query=x=1`, or `target=/o?x=1` alone",
        ),
        (
            "path!=/o?a=1%26b",
            "write `/o` and beside it `query=a=1` and `query=b`, or `target=/o?a=1&b` alone",
        ),
        (
            "target=/o?q=a+b",
            "character 8: a target has no blanks: in a query write `%2520` for its `%20` and `%2B` for its `+`",
        ),
        ("path=/<nt:id>", "`path=/<nt:id>`: character 6: rule `/<nt:id>`: unknown converter `nt`"),
        ("path=/<int:id", "`path=/<int:id`: character 6: rule `/<int:id`: `<` without `>`"),
        ("body~=a(", "`body~=a(`: character 7: bad pattern: "),
        ("body~=(?:a{90}){90}", "character 7: bad pattern: compiled regex exceeded size limit"),
        ("status=2x", "character 8: `2x` is neither a status nor a class such as `2xx`"),
        ("status=6xx", "character 8: `6xx` is neither"),
        ("status=99", "character 8: `99` is neither"),
        ("status=abc", "character 8: `abc` is neither a status nor a class such as `2xx`"),
        ("header=X-A=1", "`header=X-A=1`: character 8: `X-A=1` is no name of a header: write `X-A: 1`"),
        ("header~=X-A=^1:2", "character 9: `X-A=^1` is no name of a header: write `X-A: ^1:2`"),
        ("header=X A", "character 8: `X A` is no name of a header"),
        ("baggage=a b=1", "character 9: `a b` is no name of a member"),
        ("cookie=a;b=1", "character 8: `a;b` is no name of a cookie"),
        ("form==1", "character 6: no name of a field"),
        ("part=", "character 6: no name of a part"),
        ("part=a=b", "character 6: `=` after the name: write `a;content=b`, or `;filename=`, `;type=`"),
        ("part~=a", "character 8: no `;filename=`, `;type=` or `;content=` between the name and the pattern"),
        (
            "part!=a;filename=b;type=c",
            "character 7: `;type=` after another one: give it as a condition of its own, `part!=a;type=...`",
        ),
        ("header=:x", "`header=:x`: character 8: no name of a header"),
        ("header~=X-Id", "`header~=X-Id`: character 13: no `:` between the name and the pattern"),
        ("query==x", "character 7: no name of a parameter"),
        ("baggage=", "character 9: no name of a member"),
        ("since=-1", "`since=-1`: character 7: `-1` is not a whole number from 0 to 9223372036854775807"),
        ("limit=10001", "`limit=10001`: character 7: `10001` is not a whole number from 0 to 10000"),
        ("generation=x", "character 12: `x` is not a whole number from 0 to 9223372036854775807"),
        ("since~=1", "`since~=1`: character 1: `since` is a number and takes no `~=`"),
        ("since!=1", "`since!=1`: character 1: `since` is a number and takes no `!=`"),
        (
            "since=1&since=2",
            "`since=2`: character 9: `since` is given twice: for a parameter of the request's query write `query=since=2`",
        ),
        ("since=%FF", "`since=%FF`: character 7: `%FF` is not a whole number from 0 to 9223372036854775807"),
    ];
    for (text, expected) in table {
        let error = query(text, LIST).unwrap_err().to_string();
        assert!(error.starts_with("failed to parse filter `") && error.contains(expected), "{text}: {error}");
    }
    let error = query("timeout=601", WAIT).unwrap_err().to_string();
    assert_eq!(
        error,
        "failed to parse filter `timeout=601`: character 9: `601` is not a number of seconds from 0 to 600"
    );
}

#[test]
fn filters_are_bounded() {
    let many = vec!["method=GET"; 33].join("&");
    let error = query(&many, LIST).unwrap_err().to_string();
    assert_eq!(error, "failed to parse filter `method=GET`: character 353: more than 32 conditions");
    let patterns = ["body~=[a-z]{120}", "body~=[a-z]{120}", "body~=a"].join("&");
    let error = query(&patterns, LIST).unwrap_err().to_string();
    assert!(error.ends_with("character 41: bad pattern: too large beside the others"), "{error}");
    let long = format!("body~={}", "a".repeat(4097));
    let error = query(&long, LIST).unwrap_err().to_string();
    assert!(error.len() < 250 && error.ends_with("bad pattern: longer than 4096 bytes"), "{error}");
}

#[test]
fn faults_of_json_are_named_without_a_place() {
    let table = [
        ("[]", "`[]`: not a JSON object"),
        (r#"{"methd":"GET"}"#, "`methd=GET`: unknown parameter `methd`: did you mean `method`?"),
        (r#"{"methd":[true]}"#, "`methd=true`: unknown parameter `methd`: did you mean `method`?"),
        (r#"{"method":true}"#, "`method=true`: `true` is no text"),
        (r#"{"method":{"a":1}}"#, r#"`method={"a":1}`: `{"a":1}` is no text"#),
        (r#"{"json~":"/a"}"#, "`json~=/a`: no `=` between the pointer and the pattern"),
        (r#"{"header!=":"X"}"#, "`header!==X`: unknown parameter `header!=`: did you mean `header!`?"),
        (r#"{"header":"X-A=1"}"#, "`header=X-A=1`: `X-A=1` is no name of a header: write `X-A: 1`"),
        (
            r#"{"header":{"X-A=1":"2"}}"#,
            r#"`header={"X-A=1":"2"}`: `X-A=1` is no name of a header: write `X-A: 1`"#,
        ),
        (
            r#"{"header":{"X":null}}"#,
            r#"`header={"X":null}`: `null` is no text: for one that is not there write {"header!": "X"}"#,
        ),
        (r#"{"query":{"a":[["1"]]}}"#, r#"`query={"a":[["1"]]}`: `["1"]` is no text"#),
        (r#"{"query":{"a":{"b":1}}}"#, r#"`query={"a":{"b":1}}`: `{"b":1}` is no text"#),
        (r#"{"query":{"a":[]}}"#, r#"`query={"a":[]}`: an empty list has no value"#),
        (
            r#"{"part":{"a":{"name":"b"}}}"#,
            r#"`part={"a":{"name":"b"}}`: `name` of a part: known are filename, type, content"#,
        ),
        (
            r#"{"part":{"a":"b"}}"#,
            r#"`part={"a":"b"}`: `"b"` is no object such as {"filename": "a.png"}, with filename, type or content"#,
        ),
        (
            r#"{"status":[200,404]}"#,
            "`status=404`: contradicts another condition: status is `200`; a pattern takes both: `status~=^(200|404)$`",
        ),
        (r#"{"json":{"a":1}}"#, r#"`json={"a":1}`: pointer `a` does not start with `/`"#),
        (r#"{"json~":{"/a":1}}"#, r#"`json~={"/a":1}`: a pattern is a text"#),
        (r#"{"since":1.5}"#, "`since=1.5`: `1.5` is not a whole number from 0 to 9223372036854775807"),
        (r#"{"since":[1,2]}"#, "`since=[1,2]`: `[1,2]` is no number"),
        (r#"{"limit":"2"}"#, "`limit=2`: `\"2\"` is no number"),
    ];
    for (text, expected) in table {
        let error =
            json(&crate::message::json::read(text.as_bytes()).unwrap(), LIST).unwrap_err().to_string();
        assert_eq!(error, format!("failed to parse filter {expected}"));
    }
}

#[test]
fn filters_that_no_request_can_fit_are_refused() {
    let table = [
        ("status=200&status=404", "status is `200`; a pattern takes both: `status~=^(200|404)$`"),
        ("method=GET&method=POST", "method is `GET`; a pattern takes both: `method~=^(GET|POST)$`"),
        ("path=/a&path=/b", "path is `/a`; a pattern takes both: `path~=^(/a|/b)$`"),
        ("path=/a&path=/<int:id>", "path is `/a`"),
        ("path=/<id>&path!=/<id>", "path is `/<id>`"),
        ("status=404&status=2xx", "status is `404`"),
        ("status=2xx&status=4xx", "status is `2xx`"),
        ("status=2xx&status!=2xx", "status is `2xx`"),
        ("status=200&status!=200", "status is `200`"),
        ("status!=2xx&status=200", "status is `not 2xx`"),
        ("status=200&status~=^4", "status is `200`"),
        ("header=X-A&header!=x-a", "header X-A is `present`"),
        ("header!=X-A&header=X-A: 1", "header X-A is `absent`"),
        ("header=X-A: 1&header!=X-A: 1", "header X-A is `1`"),
        ("header=X-A: 1&header!~=X-A: 1", "header X-A is `1`"),
        ("query~=a=b&query!~=a=b", "query a is `a match of b`"),
        ("json=/id=7&json=/id=8", "json /id is `7`"),
        ("json=/id=7&json!=/id", "json /id is `7`"),
        ("body=a&body=b", "body is `a`; a pattern takes both: `body~=^(a|b)$`"),
        ("part=a;type=b&part!=a;type=b", "type of part a is `b`"),
    ];
    for (text, expected) in table {
        let error = query(text, LIST).unwrap_err().to_string();
        assert!(error.ends_with(&format!(": contradicts another condition: {expected}")), "{text}: {error}");
    }
    let may_hold = [
        "header=X-A: 1&header=X-A: 2",
        "header=X-A: 1&header!=X-A: 2",
        "header=X-A: 1&header!=X-B",
        "path=/<a>&path=/<int:b>",
        "path=/a&path=/<b>",
        "status=2xx&status!=200",
        "status~=^2&status~=0$",
        "status!=200&status!=2xx",
        "json=/id=7&json=/id=\"7\"",
        "json=/id=7&json~=/id=\\.0$",
        "json=/id=7&json=/id=7.0",
        "json!=/id&json!=/id=7",
        "query=a&query!=a=1",
        "part=a&part!=a;type=b",
        "method=GET&method=GET",
    ];
    for text in may_hold {
        assert!(query(text, LIST).is_ok(), "{text}");
    }
}
