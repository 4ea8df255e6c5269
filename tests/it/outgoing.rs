//! `--allow-outgoing`: where requests may go. The table of hosts is in `src/outgoing/allowed.rs`.

use crate::harness::{Mock, binary};

/// Forwards to the host, and for `to` to the port, that the path names.
const PROVISION: &str = r#"fn registerRules() {
    app.get("/host/<host>", |host| forward(`http://${host}/`, #{ path: "/seen", timeout: 10 }));
    app.get("/to/<host>/<port>", |host, port| forward(`http://${host}:${port}`, #{ path: "/seen", timeout: 10 }));
    app.get("/seen", || "seen");
}
"#;

fn serving(arguments: &[&str]) -> Mock {
    Mock::start_with(arguments, |folder| folder.write("provision/initial", PROVISION))
}

/// Asserts that a request to `host` is not sent.
fn assert_refused(mock: &Mock, host: &str, why: &str) {
    let reply = mock.get(&format!("/host/{host}"));
    assert_eq!(reply.status, 502, "{host}: {}", reply.text());
    let text = reply.text().replace("&#39;", "'").replace("&lt;", "<").replace("&gt;", ">");
    let expected = format!("requests to `{host}` are not allowed: {why}");
    assert!(text.contains(&expected), "{host}: {text}");
}

/// Returns the answer of the mock itself to a request that it forwards to `host`.
fn forwarded(mock: &Mock, host: &str) -> (u16, String) {
    let port = mock.traffic.rsplit(':').next().unwrap();
    let reply = mock.get(&format!("/to/{host}/{port}"));
    (reply.status, reply.text())
}

#[test]
fn a_provision_is_no_open_proxy() {
    let mock = serving(&[]);
    for (host, why) in [
        ("8.8.8.8", "it is outside of the cluster; `--allow-outgoing default,8.8.8.8` allows it"),
        ("169.254.169.254", "only `--allow-outgoing 169.254.169.254` allows this special address"),
        ("0.0.0.0", "only `--allow-outgoing 0.0.0.0` allows this special address"),
    ] {
        assert_refused(&mock, host, why);
    }
    for host in ["127.0.0.1", "localhost", "LOCALHOST"] {
        assert_eq!(forwarded(&mock, host), (200, "seen".to_owned()), "{host}");
    }
}

#[test]
fn a_list_replaces_the_default() {
    let mock = serving(&["--allow-outgoing", "localhost,*.a.example"]);
    assert_eq!(forwarded(&mock, "localhost"), (200, "seen".to_owned()));
    let why = "`--allow-outgoing` does not name it";
    assert_refused(&mock, "127.0.0.1", why);

    // A name passes where its address is in a network of the list.
    let mock = serving(&["--allow-outgoing", "127.0.0.0/8"]);
    assert_eq!(forwarded(&mock, "localhost"), (200, "seen".to_owned()));
}

#[test]
fn a_list_that_is_wrong_stops_the_start() {
    for (list, why) in [
        ("http://a", "`http://a` is no host: it takes no scheme and no port"),
        ("10.0.0.1/33", "`10.0.0.1/33` is no network such as `10.0.0.0/8`"),
    ] {
        let output = binary().args(["--allow-outgoing", list]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(&format!("failed to parse `--allow-outgoing`: {why}")), "{text}");
    }
}
