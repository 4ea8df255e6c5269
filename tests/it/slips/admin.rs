//! Slips at the admin interface: names, ports, and the prompt of a shell behind an answer.

use super::run;
use crate::harness::{Client, Folder, Mock};

#[test]
fn a_name_without_its_ending_says_which_file_there_is() {
    let source = "fn registerRules() { app.get(\"/x\", || \"x\"); }";
    let mock = Mock::start_with(&[], |folder| {
        folder.write("provision/users.rhai", source);
        folder.write("provision/orders", source);
    });
    for (line, name, meant) in [
        ("GET /app/v1/provision/users", "users", "users.rhai"),
        ("DELETE /app/v1/provision/users", "users", "users.rhai"),
        ("GET /app/v1/source/users", "users", "users.rhai"),
        ("GET /app/v1/provision/orders.rhai", "orders.rhai", "orders"),
        ("GET /app/v1/provision/user.rhai", "user.rhai", "users.rhai"),
    ] {
        let reply = mock.admin(line, &[], b"");
        let why =
            format!("failed: there is no file `{name}` in the provision directory: did you mean `{meant}`?");
        assert_eq!((reply.status, reply.json()["result"].as_str()), (404, Some(why.as_str())), "{line}");
    }
    let reply = mock.admin("GET /app/v1/provision/payments", &[], b"");
    let why = "failed: there is no file `payments` in the provision directory";
    assert_eq!((reply.status, reply.json()["result"].as_str()), (404, Some(why)));
    // An exact name wins.
    assert_eq!(mock.provision("users", &source.replace("\"x\")", "\"y\")")).status, 201);
    assert_eq!(mock.admin("GET /app/v1/provision/users", &[], b"").status, 200);
    assert_eq!(mock.active().0, "users");
}

#[test]
fn get_of_an_admin_path_on_the_port_of_the_mock_asks_for_the_other_port() {
    let mock = Mock::start();
    let folder = Folder::new();
    let (traffic, admin) = (mock.traffic.rsplit_once(':').unwrap().1, mock.admin.rsplit_once(':').unwrap().1);
    let ports = ["--traffic-port", traffic, "--admin-port", admin];
    let question = |command: &str, target: &str| {
        format!(
            "; is {traffic} the admin port, and not the mock's? Try `h1mock {command} :{admin}{target}`\n"
        )
    };
    for target in ["/app/v1/provision", "/app/v1/requests?limit=1", "/metrics", "/readyz", "/healthz"] {
        let (code, _, error) = run(&folder, &[&["get", target], &ports[..]].concat());
        assert_eq!(code, Some(1), "{target}");
        assert_eq!(
            error,
            format!(
                "h1mock: failed to get `http://{}{target}`: 404 Not Found{}",
                mock.traffic,
                question("get", target)
            )
        );
        assert_eq!(run(&folder, &["get", &format!(":{admin}{target}"), "--admin-port", admin]).0, Some(0));
    }
    for (arguments, ends) in [
        (["get", "/nothing"], ": 404 Not Found\n".to_owned()),
        (["get", &format!("{}/app/v1/nothing", mock.admin)], ": 404 Not Found\n".to_owned()),
        (["probe", &mock.traffic], question("probe", "")),
        (["report", &mock.traffic], question("report", "")),
    ] {
        // Only `get` may lead to the mock, so only `get` has the flag of its port.
        let ports = if arguments[0] == "get" { &ports[..] } else { &ports[2..] };
        let (code, _, error) = run(&folder, &[&arguments, ports].concat());
        assert_eq!(code, Some(1), "{arguments:?}");
        assert!(error.ends_with(&ends) && error.lines().count() == 1, "{error}");
    }
}

#[test]
fn all_json_of_the_admin_interface_ends_with_one_line_end() {
    let mock = Mock::start();
    let large = format!("\"{}\"", "x".repeat(2 << 20));
    mock.get("/none");
    for (line, body, status) in [
        ("GET /app/v1/provision", "", 200),
        ("POST /app/v1/provision/p", "fn registerRules() { }", 201),
        ("POST /app/v1/provision/p", "fn registerRules() { ( }", 422),
        ("POST /app/v1/check?name=p", "fn registerRules() { }", 200),
        ("PUT /app/v1/store/small", "1", 201),
        ("GET /app/v1/store/small", "", 200),
        ("GET /app/v1/store", "", 200),
        ("PUT /app/v1/store/large", &large, 201),
        ("GET /app/v1/store/large", "", 200),
        ("GET /app/v1/store", "", 200),
        ("GET /app/v1/requests", "", 200),
        ("GET /app/v1/requests/1", "", 200),
        ("GET /app/v1/requests/wait?path=/none", "", 200),
        ("GET /app/v1/requests.har", "", 200),
        ("GET /app/v1/verify?path=/none", "", 200),
        ("GET /app/v1/verify?path=/other&count=1", "", 200),
        ("GET /app/v1/chaos", "", 200),
        ("GET /app/v1/clock", "", 200),
        ("GET /app/v1/random", "", 200),
        ("GET /app/v1/report", "", 200),
        ("GET /app/v1/openapi.json", "", 200),
        ("GET /app/v1/none", "", 404),
        ("PATCH /app/v1/all", "", 405),
        ("DELETE /app/v1/all", "", 200),
        ("GET none", "", 400),
    ] {
        let kind: &[(&str, &str)] =
            if line.starts_with("POST") { &[("Content-Type", "text/plain")] } else { &[] };
        let (method, target) = line.split_once(' ').unwrap();
        let reply = Client::new(&mock.admin).send(method, target, kind, body.as_bytes());
        assert_eq!(reply.status, status, "{line}: {}", reply.text());
        assert_eq!(reply.header("Content-Type"), "application/json", "{line}");
        assert!(
            reply.body.ends_with(b"}\n") || reply.body.ends_with(b"\"\n") || reply.text() == "1\n",
            "{line}"
        );
        reply.json();
    }
    assert_eq!(mock.admin("GET /healthz", &[], b"").body, b"");
}
