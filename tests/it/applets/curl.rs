//! curl, against a mock that answers with the request that it received.

use super::Image;
use crate::harness::Mock;
use std::net::TcpListener;

const ECHO: &str = r#"
fn registerRules() {
    app.add_url_rule("/echo", "echo", echo, ["GET", "POST", "PUT", "DELETE"]);
    app.get("/moved", || redirect("/echo", 302));
    app.get("/slow", || { time.sleep(30); "" });
}
fn echo() {
    let type = request.headers.get("Content-Type", "none");
    let more = request.headers.get("X-More", "none");
    [request.method + " " + type + " " + more + " " + request.get_data().len(), 200, #{ "X-Seen": "yes" }]
}
"#;

struct Lines<'a> {
    image: &'a Image,
    base: String,
}

impl Lines<'_> {
    fn run(&self, args: &[&str], path: &str) -> super::Left {
        let url = format!("{}{path}", self.base);
        self.image.feed(&[&["curl"], args, &[url.as_str()]].concat(), b"in\nput\n")
    }
}

#[test]
fn curl_sends_the_request_that_its_options_describe() {
    let (mock, image) = (Mock::serving(ECHO), Image::new());
    image.write("body", "a\nb\r\n");
    let lines = Lines { image: &image, base: format!("http://{}", mock.traffic) };
    let form = "application/x-www-form-urlencoded";
    for (args, expected) in [
        (&[][..], "GET none none 0".to_owned()),
        (&["-XDELETE"], "DELETE none none 0".to_owned()),
        (&["-d", "a=1"], format!("POST {form} none 3")),
        (&["-d", "a=1", "-d", "b=2"], format!("POST {form} none 7")),
        (&["-d", ""], format!("POST {form} none 0")),
        (&["-d", "@body"], format!("POST {form} none 2")),
        (&["--data-binary", "@body"], format!("POST {form} none 5")),
        (&["--data-binary", "@-"], format!("POST {form} none 7")),
        (&["--data-raw", "@body"], format!("POST {form} none 5")),
        (&["-X", "PUT", "-H", "content-type: text/plain", "-d", "x"], "PUT text/plain none 1".to_owned()),
        (&["-H", "X-More: a: b"], "GET none a: b 0".to_owned()),
        (&["-s", "-S", "-f"], "GET none none 0".to_owned()),
    ] {
        assert_eq!(lines.run(args, "/echo").all(), (0, expected.as_str(), ""), "{args:?}");
    }
}

#[test]
fn an_answer_that_comes_before_the_body_was_sent_counts() {
    let mock = Mock::start_with(&["--max-body", "1k"], |folder| folder.write("provision/initial", ECHO));
    let image = Image::new();
    let url = format!("http://{}/echo", mock.traffic);
    let left = image.feed(&["curl", "-i", "--data-binary", "@-", &url], &vec![b'x'; 20 << 20]);
    assert!(left.code == 0 && left.text().starts_with("HTTP/1.1 413 "), "{left:?}");
}

#[test]
fn heads_are_shown_on_request() {
    let (mock, image) = (Mock::serving(ECHO), Image::new());
    let lines = Lines { image: &image, base: format!("http://{}", mock.traffic) };
    let left = lines.run(&["-i"], "/echo");
    assert!(
        left.text().starts_with("HTTP/1.1 200 OK\r\n") && left.text().contains("\r\nX-Seen: yes\r\n"),
        "{left:?}"
    );
    assert!(left.text().ends_with("\r\n\r\nGET none none 0"), "{left:?}");
    let left = lines.run(&["-I"], "/echo");
    assert!(left.text().ends_with("\r\n\r\n") && left.text().contains("X-Seen: yes"), "{left:?}");
    let left = lines.run(&["-v", "-H", "User-Agent: me", "-H", "Accept:"], "/echo");
    let expected = format!(
        "> GET /echo HTTP/1.1\n> Host: {}\n> Connection: close\n> User-Agent: me\n> \n",
        mock.traffic
    );
    assert!(left.err.starts_with(&expected), "{left:?}");
    let answer = left.err.strip_prefix(&expected).unwrap();
    assert!(answer.starts_with("< HTTP/1.1 200 OK\n") && answer.ends_with("\n< \n"), "{left:?}");
    assert_eq!(left.text(), "GET none none 0");
    let left = lines.run(&[], "/moved");
    assert!(left.code == 0 && left.text().contains("/echo"), "redirects are not followed: {left:?}");
}

#[test]
fn output_goes_to_a_file() {
    let (mock, image) = (Mock::serving(ECHO), Image::new());
    let lines = Lines { image: &image, base: format!("http://{}", mock.traffic) };
    assert_eq!(lines.run(&["-o", "saved"], "/echo").all(), (0, "", ""));
    assert_eq!(image.read("saved"), "GET none none 0");
    let expected = "curl: (23) failed to write `no/x`: no such file or directory\n";
    assert_eq!(lines.run(&["-o", "no/x"], "/echo").all(), (23, "", expected));
}

#[test]
fn exit_codes_are_those_of_curl() {
    let (mock, image) = (Mock::serving(ECHO), Image::new());
    let lines = Lines { image: &image, base: format!("http://{}", mock.traffic) };
    let missing = format!("curl: (22) failed to get `http://{}/no`: 404 Not Found\n", mock.traffic);
    assert_eq!(lines.run(&["-f"], "/no").all(), (22, "", missing.as_str()));
    assert_eq!(lines.run(&["-sf"], "/no").all(), (22, "", ""));
    assert_eq!(lines.run(&["-sSf"], "/no").all(), (22, "", missing.as_str()));
    assert_eq!(lines.run(&[], "/no").code, 0);
    let unread = "curl: (26) failed to read `no`: no such file or directory\n";
    assert_eq!(lines.run(&["-d", "@no"], "/echo").all(), (26, "", unread));
    let late = format!("curl: (28) failed to get an answer from `{}`: none within 50ms\n", mock.traffic);
    assert_eq!(lines.run(&["-m", "0.05"], "/slow").all(), (28, "", late.as_str()));
    // The port is bound, but nothing listens any more.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (argv, code, message) in [
        (vec!["https://x/"], 3, "(3) failed to use URL `https://x/`: there is no TLS here, use http".to_owned()),
        (vec![&*format!("http://{closed}/")], 7, format!("(7) failed to connect to `{closed}`: connection refused")),
        (vec!["-H", "A: \u{fc}", "/"], 2, "(2) failed to send header `A`: not visible ASCII".to_owned()),
        (vec!["-k", "/"], 2, "unknown option `-k`: this curl takes one URL, -X, -H, -d, --data-raw, --data-binary, -I, -i, -f, -s, -S, -v, -o, -m".to_owned()),
    ] {
        let left = image.run(&[&["curl"], &argv[..]].concat());
        assert_eq!(left.all(), (code, "", format!("curl: {message}\n").as_str()));
    }
    let left = image.run(&["curl", "http://no.such.host.invalid/"]);
    assert!(
        left.code == 6 && left.err.starts_with("curl: (6) failed to resolve `no.such.host.invalid`: "),
        "{left:?}"
    );
}

#[test]
fn missing_parts_of_a_url_are_those_of_the_server_on_this_machine() {
    let (mock, image) = (Mock::serving(ECHO), Image::new());
    let mut command = image.command(&["curl", "/echo"]);
    let (host, port) = mock.traffic.rsplit_once(':').unwrap();
    command.env("H1MOCK_BIND", host).env("H1MOCK_TRAFFIC_PORT", port);
    assert_eq!(super::feed(command, b"").all(), (0, "GET none none 0", ""));
}
