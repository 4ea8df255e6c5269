//! Each provision in `provisions/` compiles and works as its comment says.

use crate::harness::{Folder, Mock, Reply, binary, example, project};
use serde_json::Value;

#[test]
fn every_example_loads() {
    let output = binary().args(["check", "--strict"]).arg(project().join("provisions")).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let scripts = ["orders.rhai", "oauth2.rhai", "cities.rhai", "llm.rhai", "events.rhai", "payment.rhai"];
    for name in ["default", "foo-bar", "healthz", "initial"].into_iter().chain(scripts) {
        assert!(text.contains(&format!("provisions/{name}: ok")), "{text}");
    }
}

#[test]
fn the_examples_of_the_original_give_the_same_answers() {
    let mock = Mock::serving(&example("foo-bar"));
    assert_eq!(mock.get("/app/v1/foo/bar").text(), "{\"resultCode\":0,\"resultData\":\"answering a get\"}\n");
    let posted = mock.post("/app/v1/foo/bar", "application/json", b"{}");
    assert_eq!(posted.text(), "{\"resultCode\":0,\"resultData\":\"answering a post\"}\n");
    assert_eq!(posted.header("x-version"), "1.1.0");
    let number: u32 = posted.header("location").strip_prefix("/app/v1/foo/bar/").unwrap().parse().unwrap();
    assert!((10_000..=20_000).contains(&number));

    mock.activate("healthz", &example("healthz"));
    assert_eq!(mock.get("/healthz").text(), "I'm here!");
}

#[test]
fn the_built_in_and_the_default_answer_404_with_help() {
    let help =
        "<a href=\"https://github.com/testillano/h1mock#how-it-works\">help here for mock provisions</a>";
    let mock = Mock::start();
    for _ in 0..2 {
        for method in ["GET", "POST", "DELETE"] {
            let reply = mock.send(method, "/any/path", &[], b"");
            assert_eq!((reply.status, reply.header("content-type")), (404, "text/html"));
            assert_eq!(reply.text(), help);
        }
        mock.activate("default", &example("default"));
    }
    assert_eq!(std::fs::read_to_string(mock.directory().join("initial")).unwrap(), example("default"));
}

#[test]
fn orders_are_created_read_changed_listed_and_deleted() {
    let mock = Mock::serving(&example("orders.rhai"));
    let created = mock.post("/orders", "application/json", b"{\"item\": \"tea\"}");
    assert_eq!((created.status, created.header("location")), (201, "/orders/1"));
    assert_eq!(created.text(), "{\"id\":1,\"item\":\"tea\"}\n");
    assert_eq!(mock.get("/orders/1").json()["item"], "tea");
    let changed =
        mock.send("PUT", "/orders/1", &[("Content-Type", "application/json")], b"{\"item\": \"coffee\"}");
    assert_eq!(changed.json()["item"], "coffee");
    mock.post("/orders", "application/json", b"{\"item\": \"milk\"}");
    assert_eq!(mock.get("/orders").text(), "[{\"id\":1,\"item\":\"coffee\"},{\"id\":2,\"item\":\"milk\"}]\n");
    assert_eq!(mock.send("DELETE", "/orders/1", &[], b"").status, 204);
    let log = mock.get("/orders/log?first=1").text();
    assert_eq!(log, "{\"lines\":[\"changed 1\",\"created 2\",\"deleted 1\"],\"total\":4}\n");
    assert_eq!(mock.get("/orders/log").json()["lines"].as_array().map(Vec::len), Some(4));
    let gone = mock.get("/orders/1");
    assert_eq!((gone.status, gone.text().as_str()), (404, "{\"error\":\"there is no order 1\"}\n"));
    for body in [&b"{}"[..], b"[]", b"{\"item\": 1}"] {
        assert_eq!(mock.post("/orders", "application/json", body).status, 400);
    }
}

#[test]
fn tokens_are_signed_and_checked() {
    let mock = Mock::serving(&example("oauth2.rhai"));
    let form = "application/x-www-form-urlencoded";
    let basic = ("Authorization", "Basic dGVzdGVyOnNlY3JldA==");
    let token =
        mock.send("POST", "/token", &[basic, ("Content-Type", form)], b"grant_type=client_credentials");
    assert_eq!((token.status, token.header("cache-control")), (200, "no-store"));
    let jwt = token.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(jwt.split('.').count(), 3);
    let bearer = format!("Bearer {jwt}");
    let reply = mock.send("GET", "/protected", &[("Authorization", &bearer)], b"");
    assert_eq!(reply.text(), "{\"hello\":\"tester\"}\n");
    for wrong in [format!("{bearer}x"), "Bearer a.b".to_owned(), "Basic dGVzdGVyOnNlY3JldA==".to_owned()] {
        assert_eq!(mock.send("GET", "/protected", &[("Authorization", &wrong)], b"").status, 401, "{wrong}");
    }
    assert_eq!(mock.post("/token", form, b"grant_type=client_credentials").status, 401);
    assert_eq!(mock.send("POST", "/token", &[basic, ("Content-Type", form)], b"grant_type=x").status, 400);
}

#[test]
fn cities_are_paged_and_reloaded() {
    let files = |folder: &Folder| {
        folder.write("provision/initial", &example("cities.rhai"));
        folder.write("provision/cities.json", &example("cities.json"));
    };
    let mock = Mock::start_with(&[], files);
    let page = mock.get("/cities?page=2&size=3");
    assert_eq!(page.json()["items"][0]["name"], "Dublin");
    assert_eq!(page.header("link"), "</cities?page=3&size=3>; rel=\"next\"");
    let last = mock.get("/cities?page=3&size=3");
    assert_eq!((last.json()["items"].as_array().unwrap().len(), last.header("link")), (1, ""));
    assert_eq!(mock.get("/cities?country=ES").json()["total"], 1);
    assert_eq!(mock.get("/cities?page=0").status, 400);
    let generation = mock.active().1;
    mock.folder.write("provision/cities.json", "[]");
    mock.admin(&format!("GET /app/v1/wait?generation={}", generation + 1), &[], b"");
    assert_eq!(mock.get("/cities").json()["total"], 0);
}

/// Asks `llm.rhai` for a completion. ct/clients/test_llm.py does the same with the package of OpenAI.
fn complete(mock: &Mock, more: &str) -> Reply {
    let body =
        format!(r#"{{"model": "gpt-4o", "messages": [{{"role": "user", "content": "two words"}}]{more}}}"#);
    let headers = [("Authorization", "Bearer sk-test"), ("Content-Type", "application/json")];
    mock.send("POST", "/v1/chat/completions", &headers, body.as_bytes())
}

#[test]
fn the_language_model_answers_whole_and_in_chunks() {
    let mock = Mock::serving(&example("llm.rhai"));
    let whole = complete(&mock, "").json();
    assert_eq!(whole["choices"][0]["message"]["content"], "two words");
    assert_eq!(whole["usage"]["total_tokens"], 4);
    let stream = complete(&mock, r#", "stream": true"#);
    assert_eq!(stream.header("content-type"), "text/event-stream; charset=utf-8");
    let text = stream.text();
    let events: Vec<&str> =
        text.split_terminator("\n\n").map(|event| event.strip_prefix("data: ").unwrap()).collect();
    let (end, chunks) = events.split_last().unwrap();
    assert_eq!(*end, "[DONE]");
    let chunks: Vec<Value> = chunks.iter().map(|chunk| serde_json::from_str(chunk).unwrap()).collect();
    let of = |key: &str| chunks.iter().map(|chunk| chunk["choices"][0][key].clone()).collect::<Vec<_>>();
    let deltas = [
        r#"{"role": "assistant", "content": ""}"#,
        r#"{"content": "two"}"#,
        r#"{"content": " words"}"#,
        "{}",
    ];
    assert_eq!(of("delta"), deltas.map(|delta| serde_json::from_str::<Value>(delta).unwrap()));
    assert_eq!(of("finish_reason"), [Value::Null, Value::Null, Value::Null, "stop".into()]);
}

#[test]
fn the_language_model_gives_the_replies_of_a_test() {
    let mock = Mock::serving(&example("llm.rhai"));
    let replies = br#"[{"status": 429, "retry_after": 2}, {"tool": "weather", "arguments": {"city": "Oslo"}}, "Rain."]"#;
    mock.admin("PUT /app/v1/store/replies", &[], replies);
    let limited = complete(&mock, "");
    assert_eq!((limited.status, limited.header("retry-after")), (429, "2"));
    assert!(limited.header("x-request-id").starts_with("req_"), "{limited:?}");
    let call = complete(&mock, "").json()["choices"][0].clone();
    assert_eq!(call["finish_reason"], "tool_calls");
    assert_eq!(call["message"]["tool_calls"][0]["function"]["arguments"], r#"{"city": "Oslo"}"#);
    assert_eq!(complete(&mock, "").json()["choices"][0]["message"]["content"], "Rain.");
    let refused = mock.get("/v1/models");
    assert_eq!((refused.status, &refused.json()["error"]["type"]), (401, &"invalid_request_error".into()));
}

#[test]
fn events_go_on_after_the_last_one_and_are_polled() {
    let mock = Mock::serving(&example("events.rhai"));
    let json = "application/json";
    for data in [r#"{"event": "price", "data": {"tea": 3}}"#, r#"{"data": "two\nlines"}"#] {
        assert_eq!(mock.post("/events", json, data.as_bytes()).status, 201);
    }
    assert_eq!(mock.post("/events", json, b"{}").status, 400);
    let read = |last: &str| {
        let reply = mock.send("GET", "/events", &[("Last-Event-ID", last)], b"");
        let events = reply.text();
        events
            .split_terminator("\n\n")
            .filter(|event| !event.starts_with(':'))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let (all, rest) = std::thread::scope(|scope| {
        let rest = scope.spawn(|| read("1"));
        (read("0"), rest.join().unwrap())
    });
    let expected = ["retry: 200", "event: price\nid: 1\ndata: {\"tea\":3}", "id: 2\ndata: two\ndata: lines"];
    assert_eq!(all, expected);
    assert_eq!(rest, [expected[0], expected[2]]);
    assert_eq!(mock.get("/events/after/1").json()["data"], "two\nlines");
    std::thread::scope(|scope| {
        let polled = scope.spawn(|| mock.get("/events/after/2").json());
        mock.admin("PUT /app/v1/store/event:3", &[], b"{\"data\": 3}");
        assert_eq!(polled.join().unwrap()["id"], 3);
    });
    assert_eq!(mock.post("/events", json, b"{\"data\": 4}").header("location"), "/events/after/3");
}
