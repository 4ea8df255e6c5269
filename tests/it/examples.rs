//! Each provision in `provisions/` compiles and works as its comment says.

use crate::harness::{Folder, Mock, binary, example, project};

#[test]
fn every_example_loads() {
    let output = binary().args(["check", "--strict"]).arg(project().join("provisions")).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    for name in ["default", "foo-bar", "healthz", "initial", "orders.rhai", "oauth2.rhai", "cities.rhai"] {
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
