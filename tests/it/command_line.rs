//! The command line as a whole: positions, variables, exit codes.

use crate::harness::{Folder, Mock, binary};

#[test]
fn positional_arguments_work_as_in_the_original() {
    let folder = Folder::new();
    let mut command = binary();
    command.env("H1MOCK_TRAFFIC_PORT", "1").env("H1MOCK_ADMIN_PORT", "1");
    // The harness passes flags, which beat the positional arguments behind them.
    let mock = Mock::start_command(command, &["0", "0", "verbose", ""], |_| ());
    mock.get("/anything");
    mock.wait_for_log("access: mock GET /anything 404 - ");
    drop(folder);
}

#[test]
fn variables_that_kubernetes_injects_change_nothing() {
    let mut command = binary();
    for (name, value) in [
        ("H1MOCK_PORT", "tcp://10.0.0.1:8000"),
        ("H1MOCK_PORT_8000_TCP", "tcp://10.0.0.1:8000"),
        ("H1MOCK_PORT_8000_TCP_PORT", "8000"),
        ("H1MOCK_SERVICE_HOST", "10.0.0.1"),
        ("H1MOCK_SERVICE_PORT", "8000"),
        ("H1MOCK_SERVICE_PORT_HTTP_ADMIN", "8074"),
        ("H1MOCK_SOMETHING_ELSE", "x"),
        ("H1MOCK_VERBOSE", "yes"),
    ] {
        command.env(name, value);
    }
    let mock = Mock::start_command(command, &[], |_| ());
    mock.get("/x");
    mock.wait_for_log("access: mock GET /x 404");
    assert!(!mock.log().contains("H1MOCK_"), "{}", mock.log());
}

#[test]
fn wrong_usage_is_one_line_and_exit_code_2() {
    let cases: &[(&[&str], &str)] = &[
        (&["--worker", "3"], "did you mean `--workers`?"),
        (&["--max-body", "12x"], "`--max-body`"),
        (&["--workers"], "`--workers`"),
        (&["chekc", "x"], "`check`"),
        (&["check"], "check"),
        (
            &["--require-provision", "data.json"],
            "failed to parse `--require-provision`: `data.json` is no name of a provision, which has no extension or ends in `.rhai`",
        ),
        (
            &["--require-provision", "a//b"],
            "failed to parse `--require-provision`: invalid name `a//b`: empty component",
        ),
    ];
    for (arguments, part) in cases {
        let output = binary().args(*arguments).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
        assert!(text.starts_with("h1mock: ") && text.contains(part), "{arguments:?}: {text}");
        assert!(text.lines().count() <= 2, "{text}");
    }
}

#[test]
fn help_and_version_go_to_standard_output() {
    let help = binary().arg("--help").output().unwrap();
    assert_eq!(help.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&help.stdout).contains("h1mock serve --help"));
    let version = binary().arg("--version").output().unwrap();
    assert_eq!(String::from_utf8_lossy(&version.stdout), format!("h1mock {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn get_probe_and_wait_speak_to_a_mock() {
    let mock = Mock::serving("fn registerRules() { app.get(\"/word\", || \"word\"); }");
    let run = |arguments: &[&str]| {
        let output = binary().args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let url = |path: &str| format!("http://{}{path}", mock.traffic);
    assert_eq!(run(&["get", &url("/word")]), (Some(0), "word".to_owned()));
    assert_eq!(run(&["get", &url("/unknown")]).0, Some(1));
    assert_eq!(run(&["get", "--any-status", &url("/unknown")]).0, Some(0));
    assert_eq!(run(&["probe", &mock.admin]).0, Some(0));
    assert_eq!(run(&["wait", &mock.admin]).0, Some(0));
    assert_eq!(run(&["wait", "--generation", "1", &mock.admin]).0, Some(0));
    assert_eq!(run(&["wait", "--provision", "initial", &mock.admin]).0, Some(0));
    assert_eq!(run(&["wait", "--generation", "2", "--timeout", "200ms", &mock.admin]).0, Some(1));
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| run(&["wait", "--generation", "2", "--timeout", "20s", &mock.admin]).0);
        mock.activate("two", "fn registerRules() { }");
        assert_eq!(waiting.join().unwrap(), Some(0));
    });
    assert_eq!(run(&["probe", "127.0.0.1:1"]).0, Some(1));
}

#[test]
fn the_admin_port_can_be_closed_or_locked() {
    let mock = Mock::start_with(&["--no-admin"], |_| ());
    assert!(mock.banner.contains("admin off"), "{}", mock.banner);
    assert_eq!(mock.get("/x").status, 404);

    let mock = Mock::start_with(&["--admin-token", "secret"], |_| ());
    assert_eq!(mock.admin("GET /readyz", &[], b"").status, 200);
    assert_eq!(mock.admin("GET /app/v1/provision", &[], b"").status, 401);
    assert_eq!(mock.admin("GET /app/v1/provision", &[("Authorization", "Bearer secret")], b"").status, 200);
}
