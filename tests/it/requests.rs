//! `requests.*`: scripts that ask another server, a mock or one that is broken, and wait for its answer.

use crate::harness::{Client, Mock, eventually};
use crate::metrics::busy;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

const UPSTREAM: &str = r#"
fn registerRules() {
    app.route("/users/<id>", ["GET", "PUT", "DELETE"], |id| {
        let response = make_response(#{ id: id, method: request.method, q: request.args.to_dict(), body: request.get_json(#{ silent: true }) });
        response.headers["X-Trace"] = request.headers.get("X-Trace", "none");
        response
    });
    app.get("/secret", || if request.authorization?.password == "pass" { "open" } else { abort(401) });
    app.get("/moved", || redirect("/users/9"));
    app.get("/fails", || abort(503));
}
"#;

const PROVISION: &str = r#"
fn registerRules() {
    app.get("/user/<id>", |id| {
        let r = requests.get("UP/users/" + id, #{ params: #{ full: 1 }, headers: #{ "X-Trace": request.headers.get("X-Trace", "mine") } });
        r.raise_for_status();
        #{ user: r.json(), trace: r.headers["x-trace"], fast: r.elapsed.total_seconds() < 2.0 }
    });
    app.put("/user/<id>", |id| requests.put("UP/users/" + id, #{ json: request.json }).text);
    app.get("/secret", || requests.get("UP/secret", #{ auth: ["me", "pass"] }).text);
    app.get("/moved", || requests.get("UP/moved").url);
    app.get("/passes", || { let r = requests.get("UP/fails"); [r.content, r.status_code] });
    app.get("/throws", || requests.get("UP/fails").raise_for_status());
    app.get("/hook", || "view");
    app.get("/wait", || wait_for("k", 0.0, |value| requests.get("UP/users/1").text));
    app.get("/stream", || stream(|n| if n < 2 { requests.get("UP/users/" + n).json().id }));
    app.get("/ask", || {
        try { requests.get("http://" + request.args["at"] + "/", #{ timeout: 1.5 }).text }
        catch (e) { return [e.type, 502]; }
    });
    app.get("/fast", || "fast");
    app.before_request(|| if request.path == "/hook" { `hooked ${requests.get("UP/users/7").json().id}` });
}
"#;

/// Starts a mock whose scripts ask another one.
fn pair() -> (Mock, Mock) {
    let upstream = Mock::serving(UPSTREAM);
    let source = PROVISION.replace("UP", &format!("http://{}", upstream.traffic));
    (Mock::serving(&source), upstream)
}

/// Starts a server that passes each connection to the test once a request has arrived.
fn raw() -> (String, std::sync::mpsc::Receiver<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (send, receive) = channel();
    thread::spawn(move || accept(&listener, &send));
    (address, receive)
}

fn accept(listener: &TcpListener, send: &Sender<TcpStream>) {
    for mut stream in listener.incoming().flatten() {
        let _ = stream.read(&mut [0; 4096]);
        if send.send(stream).is_err() {
            return;
        }
    }
}

#[test]
fn views_and_hooks_ask_another_mock() {
    let (mock, upstream) = pair();
    for (target, status, expected) in [
        (
            "/user/5",
            200,
            r#"{"fast":true,"trace":"mine","user":{"body":null,"id":"5","method":"GET","q":{"full":"1"}}}"#,
        ),
        ("/secret", 200, "open"),
        ("/hook", 200, "hooked 7"),
        ("/wait", 200, r#"{"body":null,"id":"1","method":"GET","q":{}}"#),
        ("/stream", 200, "01"),
    ] {
        let reply = mock.get(target);
        assert_eq!((reply.status, reply.text().trim_end()), (status, expected), "{target}");
    }
    let reply = mock.send("PUT", "/user/6", &[("Content-Type", "application/json")], br#"{"a":[1]}"#);
    assert_eq!(reply.json()["body"]["a"][0], 1, "{}", reply.text());
    assert_eq!(mock.get("/moved").text(), format!("http://{}/users/9", upstream.traffic));
    assert_eq!(mock.get("/passes").status, 503);
    let reply = mock.get("/throws");
    assert_eq!(reply.status, 500);
    let expected = format!(
        "requests.HTTPError: 503 Server Error: Service Unavailable for url: http://{}/fails",
        upstream.traffic
    );
    assert!(reply.text().contains(&expected), "{}", reply.text());
}

#[test]
fn faults_of_the_other_server_are_errors_that_the_script_catches() {
    let mock = Mock::serving(PROVISION);
    let (address, connections) = raw();
    let ask = |answer: &(dyn Fn(TcpStream) + Sync)| {
        thread::scope(|scope| {
            let asked = scope.spawn(|| mock.get(&format!("/ask?at={address}")));
            answer(connections.recv_timeout(Duration::from_secs(20)).unwrap());
            let reply = asked.join().unwrap();
            (reply.status, reply.text())
        })
    };
    let write = |bytes: &'static [u8]| move |mut stream: TcpStream| drop(stream.write_all(bytes));
    let error = |class: &str| (502, format!("requests.{class}"));
    assert_eq!(ask(&write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")), (200, "hi".to_owned()));
    assert_eq!(ask(&write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut")), error("ConnectionError"));
    assert_eq!(ask(&write(b"SSH-2.0-OpenSSH\r\n")), error("ConnectionError"));
    assert_eq!(ask(&|stream| stream.shutdown(Shutdown::Both).unwrap()), error("ConnectionError"));
    let kept = std::sync::Mutex::new(Vec::new());
    assert_eq!(ask(&|stream| kept.lock().unwrap().push(stream)), error("ReadTimeout"));
    // Endless: the answer ends at its part of the script's memory, or with the time.
    let endless = |mut stream: TcpStream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while stream.write_all(&[b'x'; 1 << 16]).is_ok() {}
    };
    assert_eq!(ask(&endless), error("RequestException"));
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(mock.get(&format!("/ask?at={closed}")).text(), "requests.ConnectionError");
}

#[test]
fn one_worker_stays_free_while_the_others_wait() {
    let source = PROVISION.replace("timeout: 1.5", "timeout: 60");
    let arguments = ["--workers", "3", "--script-timeout", "60s"];
    let mock = Mock::start_with(&arguments, |folder| folder.write("provision/initial", &source));
    let (address, connections) = raw();
    let target = format!("/ask?at={address}");
    let mut waiting = Vec::new();
    let mut asked = Vec::new();
    for count in 1..=2 {
        let mut client = Client::new(&mock.traffic);
        client.write(format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
        waiting.push(client);
        asked.push(connections.recv_timeout(Duration::from_secs(20)).unwrap());
        eventually(|| match busy(&mock, "mock") {
            found if found == f64::from(count) => Ok(()),
            found => Err(format!("{found} workers are busy")),
        });
    }
    let reply = mock.get(&target);
    assert_eq!((reply.status, reply.text().as_str()), (502, "requests.ConnectionError"));
    assert_eq!(mock.get("/fast").text(), "fast");
    for mut stream in asked {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone").unwrap();
    }
    for client in &mut waiting {
        assert_eq!(client.read(false).text(), "done");
    }
    let asked = thread::scope(|scope| {
        let asked = scope.spawn(|| mock.get(&target));
        let mut stream = connections.recv_timeout(Duration::from_secs(20)).unwrap();
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
        drop(stream);
        asked.join().unwrap()
    });
    assert_eq!(asked.status, 200, "the places are free again: {}", asked.text());
}

#[test]
fn the_only_worker_cannot_wait() {
    let source = r#"fn registerRules() { app.get("/ask", || requests.get("http://localhost:1/").text); }"#;
    let mock = Mock::start_with(&["--workers", "1"], |folder| folder.write("provision/initial", source));
    let reply = mock.get("/ask");
    assert_eq!(reply.status, 500);
    let expected = "line 1, column 50: requests.ConnectionError: the only worker of the mock can't wait for another server: start h1mock with `--workers 2` or more";
    assert!(reply.text().contains(expected), "{}", reply.text());
}

#[test]
fn nothing_leaves_while_a_provision_loads_or_is_tried() {
    let mock = Mock::start();
    let loads = r#"fn registerRules() { let r = requests.get("http://localhost:1/"); }"#;
    let reply = mock.provision("loads", loads);
    assert!(
        reply.text().contains("requests leave from views and hooks, not while a provision loads"),
        "{}",
        reply.text()
    );
    let tried = r#"fn registerRules() { app.get("/", || requests.get("http://localhost:1/").text); }"#;
    let folder = crate::harness::Folder::new();
    folder.write("p.rhai", tried);
    let output =
        crate::harness::binary().arg("try").arg(folder.0.join("p.rhai")).args(["GET", "/"]).output().unwrap();
    let text =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(
        text.contains("requests.ConnectionError: a trial sends no requests: try it with a mock that serves"),
        "{text}"
    );
}
