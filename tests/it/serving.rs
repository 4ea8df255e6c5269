//! Listeners, pools and limits.

use crate::harness::{Client, Folder, Mock, binary, binary_under, eventually, skip_without};
use std::net::TcpListener;
use std::time::Instant;

const HELLO: &str = r#"fn registerRules() { app.get("/hello", || "hello"); app.post("/hello", || `${request.data.len()}`); }"#;

#[test]
fn the_banner_has_the_addresses_and_the_provision() {
    let mock = Mock::start();
    let expected = format!(
        "h1mock {}: mock {}, admin {}, provision `initial`, generation 1\n",
        env!("CARGO_PKG_VERSION"),
        mock.traffic,
        mock.admin
    );
    assert_eq!(mock.banner, expected);
    assert_eq!(mock.admin("GET /healthz", &[], b"").status, 200);
    assert_eq!(mock.admin("GET /readyz", &[], b"").status, 200);
}

#[test]
fn ipv6_is_served_alone_and_together_with_ipv4() {
    if TcpListener::bind("[::1]:0").is_err() {
        return skip_without("IPv6");
    }
    for (bind, reach) in [("::1", &["[::1]"][..]), ("::", &["[::1]", "127.0.0.1"][..])] {
        let mock = Mock::start_with(&["--bind", bind], |folder| folder.write("provision/initial", HELLO));
        let port = mock.traffic.rsplit(':').next().unwrap();
        for host in reach {
            let reply = Client::new(&format!("{host}:{port}")).send("GET", "/hello", &[], b"");
            assert_eq!(reply.text(), "hello");
        }
    }
}

#[test]
fn a_port_in_use_is_one_line_and_exit_code_1() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for flag in ["--traffic-port", "--admin-port"] {
        let folder = Folder::new();
        let other = if flag == "--admin-port" { "--traffic-port" } else { "--admin-port" };
        let output = binary()
            .args(["--bind", "127.0.0.1", flag, &port, other, "0"])
            .current_dir(&folder.0)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        let expected = format!(
            "h1mock: failed to listen on `127.0.0.1:{port}`: address already in use, perhaps by another h1mock; `{flag} PORT` chooses another port\n"
        );
        assert_eq!(String::from_utf8_lossy(&output.stderr), expected);
    }
}

#[test]
fn bodies_over_the_limit_are_413_on_both_ports() {
    let mock = Mock::start_with(&["--max-body", "2000"], |folder| folder.write("provision/initial", HELLO));
    assert_eq!(mock.post("/hello", "text/plain", &[b'x'; 2000]).text(), "2000");
    let large = mock.post("/hello", "text/plain", &[b'x'; 2001]);
    assert_eq!(large.status, 413);
    assert!(
        large.text().contains("the body of the request is longer than 2000 bytes (--max-body)"),
        "{}",
        large.text()
    );
    let chunked = b"POST /hello HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut client = Client::new(&mock.traffic);
    client.write(chunked);
    client.write(format!("fff\r\n{}\r\n0\r\n\r\n", "x".repeat(0xfff)).as_bytes());
    assert_eq!(client.read(false).status, 413);
    let admin = mock.admin("POST /app/v1/provision/x", &[("Content-Type", "text/plain")], &[b' '; 3000]);
    assert_eq!(admin.status, 413);
    assert_eq!(
        admin.json()["result"],
        "failed: the body of the request is longer than 2000 bytes (--max-body)"
    );
    assert_eq!(mock.get("/hello").text(), "hello");
}

#[test]
fn connections_are_kept_and_answers_have_their_length() {
    let mock = Mock::serving(HELLO);
    let mut client = Client::new(&mock.traffic);
    for _ in 0..3 {
        assert_eq!(client.send("GET", "/hello", &[], b"").text(), "hello");
        let head = client.send("HEAD", "/hello", &[], b"");
        assert_eq!((head.header("content-length"), head.body.len()), ("5", 0));
    }
    client.write(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\nGET /unknown HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!((client.read(false).status, client.read(false).status), (200, 404));
    let closing = client.send("GET", "/hello", &[("Connection", "close")], b"");
    assert_eq!(closing.header("connection"), "close");
    assert!(client.try_read(false).is_err());
}

#[test]
fn odd_targets_never_end_a_worker() {
    let mock = Mock::start_with(&["--workers", "4"], |folder| {
        folder.write(
            "provision/initial",
            r#"fn registerRules() { app.get("/<path:p>", |p| p); app.get("/", || "root"); }"#,
        );
    });
    let cases = [
        ("/%zz%", "%zz%"),
        ("/%ff%fe", "%FF%FE"),
        ("/a%2Fb%00c", "a/b\0c"),
        ("/../x", "../x"),
        ("/%E2%82%AC", "€"),
        ("/a?%ff=%zz&&=&a", "a"),
        ("http://other.test/abs?x", "abs"),
    ];
    for (target, body) in cases {
        for _ in 0..5 {
            assert_eq!(mock.get(target).text(), body, "{target}");
        }
    }
    let long = format!("/{}", "x".repeat(5000));
    assert_eq!(mock.get(&long).status, 200);
}

#[test]
fn a_native_that_fails_is_a_500_and_the_worker_lives_on() {
    // An overflow inside a native function is an error and no panic. src/serving/listeners.rs tests real panics.
    let mock = Mock::start_with(&["--workers", "1"], |folder| {
        folder.write("provision/initial", r#"fn registerRules() { app.get("/bad", || (-9223372036854775808).abs()); app.get("/ok", || "ok"); }"#);
    });
    for _ in 0..5 {
        assert_eq!(mock.get("/bad").status, 500);
        assert_eq!(mock.get("/ok").text(), "ok");
    }
}

#[test]
fn the_admin_port_works_while_all_mock_workers_are_busy() {
    let mock = Mock::start_with(&["--workers", "2", "--script-timeout", "3s"], |folder| {
        folder.write("provision/initial", r#"fn registerRules() { app.get("/busy", || { loop {} }); }"#);
    });
    let mut clients: Vec<Client> = (0..4).map(|_| Client::new(&mock.traffic)).collect();
    for client in &mut clients {
        client.write(b"GET /busy HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    let began = Instant::now();
    assert_eq!(mock.admin("GET /readyz", &[], b"").status, 200);
    assert_eq!(mock.provision("hello", HELLO).status, 201);
    assert!(began.elapsed().as_secs_f64() < 2.5, "{:?}", began.elapsed());
    // The new provision serves the requests that waited for a worker.
    assert!(clients.iter_mut().all(|client| matches!(client.read(false).status, 404 | 500)));
}

#[test]
fn the_workers_that_the_system_grants_serve() {
    // 3 GiB of address space: enough for some stacks of 260 MB (debug builds) but not for 64.
    let mock = Mock::start_command(binary_under("ulimit -v 3000000"), &["--workers", "256"], |folder| {
        folder.write("provision/initial", HELLO);
    });
    mock.wait_for_log("of 256 mock workers serve");
    assert_eq!(mock.get("/hello").text(), "hello");
    // Some workers ended again, so that other processes of the container can start threads.
    let log = mock.log();
    let logged = log.split(" of 256 mock workers serve").next().and_then(|text| text.rsplit(' ').next());
    let logged: usize = logged.unwrap().parse().unwrap();
    let task = format!("/proc/{}/task", mock.pid());
    eventually(|| {
        let names = std::fs::read_dir(&task).unwrap().flatten().map(|task| task.path().join("comm"));
        let names = names.filter_map(|name| std::fs::read_to_string(name).ok());
        let mock_workers = names.filter(|name| name.starts_with("mock-")).count();
        (mock_workers == logged).then_some(()).ok_or(format!("{mock_workers} workers, {logged} in the log"))
    });
    assert_eq!(mock.get("/hello").text(), "hello");
}
