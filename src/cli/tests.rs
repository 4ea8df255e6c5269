//! Command lines and environments as tables.

mod files;

use super::settings::{CONFIG_DIR, PROVISION_DIR};
use super::settings_table::TABLE;
use super::*;

type Env = [(&'static str, &'static str)];

fn run(args: &[&str], env: &Env) -> Result<Command, String> {
    let lookup =
        |name: &str| env.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value));
    let sources = Sources { env: &lookup, exists: &|name| name == "there", first_process: &Vec::new };
    parse(args.iter().map(OsString::from), &sources)
}

#[track_caller]
fn served(args: &[&str], env: &Env) -> Settings {
    match run(args, env) {
        Ok(Command::Serve(settings)) => settings,
        other => panic!("{args:?}: {other:?}"),
    }
}

#[track_caller]
fn assert_error(args: &[&str], env: &Env, expected: &str) {
    assert_eq!(run(args, env).unwrap_err(), expected, "{args:?} {env:?}");
}

#[test]
fn nothing_given_is_the_default() {
    assert_eq!(served(&[], &[]), Settings::default());
    assert_eq!(served(&["serve"], &[]), Settings::default());
    assert_eq!(served(&["", "", "", ""], &[]), Settings::default());
}

#[test]
fn defaults_in_the_table_are_the_defaults() {
    let mut values = Values::default();
    for setting in TABLE.iter().filter(|setting| !setting.default.is_empty()) {
        (setting.set)(&mut values, OsStr::new(setting.default)).unwrap();
    }
    // Whether these two were given makes a difference.
    assert_eq!(values.settings.provision_dir.take(), Some(PROVISION_DIR.into()));
    assert_eq!(values.settings.config_dir.take(), Some(CONFIG_DIR.into()));
    assert_eq!(values.color.take(), Some(Color::Auto));
    assert_eq!(values.settings, Settings::default());
    assert_eq!(values.bind, Some(Settings::default().bind));
    assert_eq!(values.timeout, Some(TIMEOUT));
}

#[test]
fn positional_arguments_are_those_of_the_original() {
    for args in [
        &["9000", "9001", "true", "yes"][..],
        &["serve", "9000", "9001", "false", "0"],
        &["--", "9000", "9001", "v", "6"],
    ] {
        let settings = served(args, &[]);
        assert_eq!((settings.traffic_port, settings.admin_port), (9000, 9001));
        assert!(settings.verbose && settings.ipv6);
        assert_eq!(settings.bind.to_string(), "::");
    }
    let settings = served(&["", "9001", "", "x"], &[]);
    assert_eq!((settings.traffic_port, settings.admin_port), (8000, 9001));
    assert!(!settings.verbose && settings.ipv6);
    assert_eq!(served(&["0", "0"], &[]).admin_port, 0);
}

#[test]
fn a_flag_beats_a_position_beats_a_variable() {
    let env = [("H1MOCK_TRAFFIC_PORT", "1"), ("H1MOCK_VERBOSE", "on"), ("H1MOCK_ADMIN_PORT", "")];
    assert_eq!(served(&[], &env).traffic_port, 1);
    assert_eq!(served(&["2"], &env).traffic_port, 2);
    assert_eq!(served(&["--traffic-port=3", "2"], &env).traffic_port, 3);
    assert_eq!(served(&["--traffic-port=3", "--traffic-port", "4"], &env).traffic_port, 4);
    assert_eq!(served(&[], &env).admin_port, 8074);
    assert!(served(&[], &env).verbose);
    assert!(!served(&["--verbose=off"], &env).verbose);
    assert!(served(&["-v"], &[]).verbose);
}

#[test]
fn every_setting_has_a_flag_and_a_variable_that_do_the_same() {
    let samples = |value: Option<&str>| match value {
        None => "1",
        Some("PORT") => "81",
        Some("ADDRESS") => "127.0.0.1",
        Some("N") => "3",
        Some("SIZE") => "3M",
        Some("DIR") => "/d",
        Some("NAME" | "TOKEN") => "abc",
        Some("TIME") => "7s",
        Some(_) => "",
    };
    for setting in TABLE.iter().filter(|setting| setting.variable().is_some()) {
        let sample = match setting.flag {
            "on-error" => "initial",
            "log-format" => "json",
            "color" => "never",
            "max-head" => "3k",
            "report" => "/f",
            "clock" => "+2h",
            "cors" => "https://a.example",
            "admin-host" | "allow-outgoing" => "a.example",
            "forward-unmatched" => "http://a.example",
            "fail-on" => "unused,errors",
            _ => samples(setting.value),
        };
        let by_flag = served(&[&format!("--{}={sample}", setting.flag)], &[]);
        let variable = setting.variable().unwrap();
        let lookup = |name: &str| (name == variable).then(|| OsString::from(sample));
        let sources = Sources { env: &lookup, exists: &|name| name == "there", first_process: &Vec::new };
        let by_variable = parse([], &sources).unwrap();
        assert_eq!(Command::Serve(by_flag.clone()), by_variable, "{variable}");
        assert_ne!(by_flag, Settings::default(), "{variable}");
        assert_eq!(variable, format!("H1MOCK_{}", setting.flag.to_uppercase().replace('-', "_")));
    }
}

/// The variables that Kubernetes sets for Services named h1mock, h1mock-traffic and h1mock-admin.
#[test]
fn variables_of_kubernetes_are_ignored() {
    let env = [
        ("H1MOCK_PORT", "tcp://10.0.0.1:8000"),
        ("H1MOCK_SERVICE_HOST", "10.0.0.1"),
        ("H1MOCK_SERVICE_PORT", "8000"),
        ("H1MOCK_SERVICE_PORT_HTTP_ADMIN", "8074"),
        ("H1MOCK_PORT_8000_TCP", "tcp://10.0.0.1:8000"),
        ("H1MOCK_PORT_8000_TCP_PROTO", "tcp"),
        ("H1MOCK_PORT_8000_TCP_PORT", "8000"),
        ("H1MOCK_PORT_8000_TCP_ADDR", "10.0.0.1"),
        ("H1MOCK_TRAFFIC_PORT", "tcp://10.0.0.2:80"),
        ("H1MOCK_ADMIN_PORT", "tcp://10.0.0.3:80"),
        ("H1MOCK_ADMIN_SERVICE_HOST", "10.0.0.3"),
        ("H1MOCK_FOO", "bar"),
    ];
    assert_eq!(served(&[], &env), Settings::default());
    assert_eq!(run(&["probe"], &env), run(&["probe"], &[]));
    for injected in ["tcp://10.0.0.1:80", "udp://10.0.0.1:80", "sctp://10.0.0.1:80"] {
        assert_eq!(served(&[], &[("H1MOCK_ADMIN_PORT", injected)]), Settings::default(), "{injected}");
    }
}

#[test]
fn no_setting_takes_a_name_that_kubernetes_injects() {
    for variable in TABLE.iter().filter_map(Setting::variable) {
        assert!(!variable.starts_with("H1MOCK_PORT"), "{variable}");
        assert!(!variable.contains("_SERVICE_"), "{variable}");
        assert!(!variable.contains("_PORT_"), "{variable}");
    }
}

#[test]
fn values_reach_their_fields() {
    let settings =
        served(&["--workers", "7", "--require-provision", "a/b", "--drain=1.5", "--bind", "::1"], &[]);
    assert_eq!(settings.workers, Some(7));
    assert_eq!(settings.require_provision.unwrap().as_str(), "a/b");
    assert_eq!(settings.drain, Duration::from_millis(1500));
    assert_eq!(settings.bind.to_string(), "::1");
    let env = [("H1MOCK_REQUIRE_PROVISION", ""), ("H1MOCK_ADMIN_TOKEN", ""), ("H1MOCK_POLL", "")];
    assert_eq!(served(&[], &env), Settings::default());
    assert_eq!(served(&["--admin-token="], &[("H1MOCK_ADMIN_TOKEN", "x")]).admin_token, None);
    assert_eq!(served(&["--bind", "127.0.0.1", "--ipv6"], &[]).bind.to_string(), "127.0.0.1");
}

#[test]
fn bad_values_name_where_they_came_from() {
    assert_error(&["--max-body", "12x"], &[], "failed to parse `--max-body`: `12x` is no size (try 8M)");
    let env = [("H1MOCK_VERBOSE", "maybe")];
    assert_error(&[], &env, "failed to parse `H1MOCK_VERBOSE`: `maybe` is no switch (try 1 or 0)");
    assert_error(&["8000x"], &[], "failed to parse `TRAFFIC_PORT`: `8000x` is no port (0 to 65535)");
    assert_error(&["8000", "x"], &[], "failed to parse `ADMIN_PORT`: `x` is no port (0 to 65535)");
    let expected =
        "failed to parse `--forward-unmatched`: `http://a?b` has a query, which the URL of a server has not";
    assert_error(&["--forward-unmatched=http://a?b"], &[], expected);
    let expected = "failed to parse `--forward-unmatched`: there is no TLS here, use http";
    assert_error(&["--forward-unmatched=https://a"], &[], expected);
    assert_error(&["--workers=0"], &[], "failed to parse `--workers`: `0` is no number from 1 to 1024");
    let expected = "failed to parse `--script-timeout`: `2m` is out of range (1ms to 60s)";
    assert_error(&["--script-timeout=2m"], &[], expected);
    let expected = "failed to parse `--script-memory`: `10k` is too small (at least 1M)";
    assert_error(&["--script-memory=10k"], &[], expected);
    let expected = "failed to parse `--max-head`: `2M` is too large (at most 1M)";
    assert_error(&["--max-head=2M"], &[], expected);
    let expected = "failed to parse `H1MOCK_MAX_BUFFERED`: `1k` is too small (at least 64k)";
    assert_error(&[], &[("H1MOCK_MAX_BUFFERED", "1k")], expected);
    let expected = "failed to parse `--max-connections`: `0` is no number from 1 to 1000000";
    assert_error(&["--max-connections=0"], &[], expected);
    let expected = "failed to parse `--idle-timeout`: `0` is out of range (10ms to 1h)";
    assert_error(&["--idle-timeout=0"], &[], expected);
    let expected = "failed to parse `--on-error`: `kep` is neither `keep` nor `initial`";
    assert_error(&["--on-error=kep"], &[], expected);
    let expected =
        "failed to parse `--fail-on`: `erors` is no condition (unmatched, unused, errors or loads)";
    assert_error(&["--fail-on=unused,erors"], &[], expected);
    let expected = "failed to parse `--require-provision`: `a.json` is no name of a provision, which has no extension or ends in `.rhai`";
    assert_error(&["--require-provision=a.json"], &[], expected);
    let expected = "failed to parse `H1MOCK_REQUIRE_PROVISION`: invalid name `a/`: empty component (try initial or foo-bar.rhai)";
    assert_error(&[], &[("H1MOCK_REQUIRE_PROVISION", "a/")], expected);
    let expected = "failed to parse `H1MOCK_ADMIN_TOKEN`: the token is not visible ASCII";
    assert_error(&[], &[("H1MOCK_ADMIN_TOKEN", "a secret")], expected);
    let expected = "failed to use port 9000 twice: `--traffic-port` and `--admin-port` are the same";
    assert_error(&["9000", "9000"], &[], expected);
    assert_eq!(served(&["9000", "9000", "--no-admin"], &[]).admin_port, 9000);
}

#[test]
fn typing_mistakes_get_a_suggestion() {
    for (args, expected) in [
        (&["--worker", "3"][..], "unknown option `--worker`: did you mean `--workers`?"),
        (&["--trafic-port=1"], "unknown option `--trafic-port`: did you mean `--traffic-port`?"),
        (&["--hlep"], "unknown option `--hlep`: did you mean `--help`?"),
        (&["--colour"], "unknown option `--colour`: did you mean `--color`?"),
        (&["--frobnicate"], "unknown option `--frobnicate`: `h1mock serve --help` lists them"),
        (&["shop.rhai", "--port", "80"], "unknown option `--port`: did you mean `--traffic-port`?"),
        (&["-p", "80"], "unknown option `-p`: did you mean `--traffic-port`?"),
        (&["check", "--port", "80"], "unknown option `--port`: `h1mock check --help` lists them"),
        (&["run"], "unknown command `run`: did you mean `serve`?"),
        (&["version"], "unknown command `version`: did you mean `--version`?"),
        (&["wait", "--timout=1"], "unknown option `--timout`: did you mean `--timeout`?"),
        (&["check", "--colour"], "unknown option `--colour`: `h1mock check --help` lists them"),
        (&["-x"], "unknown option `-x`: `h1mock serve --help` lists them"),
        (&["chekc", "f"], "unknown command `chekc`: did you mean `check`?"),
        (
            &["initial"],
            "unknown command `initial`: `h1mock --help` lists them, and there is no file of that name",
        ),
        (&["help", "chek"], "unknown command `chek`: did you mean `check`?"),
        (&["check", "--workers=2", "f"], "failed to use `--workers`: it is no option of `h1mock check`"),
        (&["--timeout=2"], "failed to use `--timeout`: it is no option of `h1mock serve`"),
    ] {
        assert_error(args, &[], expected);
    }
}

#[test]
fn missing_and_superfluous_words_are_named() {
    for (args, expected) in [
        (&["--max-body"][..], "missing value: `--max-body` needs one, `--max-body=SIZE`"),
        (
            &["--require-provision", "-v"],
            "missing value: `--require-provision` needs one, `--require-provision=NAME`",
        ),
        (&["--help=check"], "unexpected value: `--help` takes none"),
        (&["-v=1"], "unexpected value: `-v` takes none"),
        (&["1", "2", "3", "4", "5"], "unexpected argument `5`: `h1mock serve` takes at most four"),
        (&["check"], "missing argument: `h1mock check FILE...`"),
        (&["routes"], "missing argument: `h1mock routes FILE`"),
        (&["get", ""], "missing argument: `h1mock get URL`"),
        (&["routes", "a", "b"], "unexpected argument `b`: `h1mock routes` takes one"),
        (&["new", "a", "b"], "unexpected argument `b`: `h1mock new` takes one"),
        (&["completions"], "missing argument: `h1mock completions bash|zsh|fish`"),
        (&["completions", "fihs"], "`fihs` is none of bash, zsh and fish: did you mean `fish`?"),
        (&["man", "check"], "unexpected argument `check`: `h1mock man` takes none"),
    ] {
        assert_error(args, &[], expected);
    }
}

#[test]
fn help_and_version_win_over_the_rest() {
    let main = run(&["--help"], &[]).unwrap();
    let check = run(&["help", "check"], &[]).unwrap();
    let serve = run(&["help", "serve"], &[]).unwrap();
    assert!(matches!(&main, Command::Help(text) if text.starts_with("h1mock: an HTTP/1 mock server")));
    assert!(matches!(&check, Command::Help(text) if text.contains("Usage: h1mock check [OPTIONS] FILE...")));
    let broken = [("H1MOCK_WORKERS", "none")];
    assert!(
        matches!(&serve, Command::Help(text) if text.contains("Usage: h1mock [serve] [OPTIONS] [FILE...]"))
    );
    for args in [&["-h"][..], &["help"], &["-h", "--workers=x"]] {
        assert_eq!(run(args, &broken).as_ref(), Ok(&main), "{args:?}");
    }
    for args in [&["serve", "--help"][..], &["--help", "serve", "--workers=x"]] {
        assert_eq!(run(args, &broken).as_ref(), Ok(&serve), "{args:?}");
    }
    for args in [&["check", "--help"][..], &["--help", "check"], &["check", "a", "-h"]] {
        assert_eq!(run(args, &[]).as_ref(), Ok(&check), "{args:?}");
    }
    for args in [&["-V"][..], &["--version"], &["wait", "-V"]] {
        assert_eq!(run(args, &broken), Ok(Command::Version), "{args:?}");
    }
}

#[test]
fn check_and_routes_take_files_and_script_budgets() {
    let env = [("H1MOCK_SCRIPT_TIMEOUT", "3s"), ("H1MOCK_WORKERS", "none")];
    let settings = Settings { script_timeout: Duration::from_secs(3), ..Settings::default() };
    let files = vec![PathBuf::from("a"), PathBuf::from("-b")];
    for (strict, args) in
        [(false, &["check", "a", "--", "-b"][..]), (true, &["check", "--strict", "a", "--", "-b"])]
    {
        let (format, settings) = (Format::Text, settings.clone());
        let expected = Command::Check { files: files.clone(), strict, format, settings };
        assert_eq!(run(args, &env), Ok(expected));
    }
    let expected = Command::Routes { file: PathBuf::from("serve"), overlays: Vec::new(), settings };
    assert_eq!(run(&["routes", "serve"], &env), Ok(expected));
}

#[test]
fn client_subcommands_know_the_server_on_this_machine() {
    let env = [("H1MOCK_ADMIN_PORT", "9"), ("H1MOCK_ADMIN_TOKEN", "t"), ("H1MOCK_WORKERS", "none")];
    let server = |traffic: &str, admin: &str, token: Option<&str>| Server {
        traffic: traffic.parse().unwrap(),
        admin: admin.parse().unwrap(),
        token: token.map(Token::new),
    };
    let expected =
        Command::Probe { address: None, server: server("127.0.0.1:8000", "127.0.0.1:9", Some("t")) };
    assert_eq!(run(&["probe"], &env), Ok(expected));
    let expected = Command::Get {
        url: "/foo".to_string(),
        any_status: true,
        server: server("10.0.0.5:7", "10.0.0.5:8074", None),
        timeout: Duration::from_secs(30),
    };
    assert_eq!(
        run(&["get", "/foo", "--any-status", "--traffic-port=7"], &[("H1MOCK_BIND", "10.0.0.5")]),
        Ok(expected)
    );
    let expected = Command::Wait {
        goal: WaitGoal { generation: Some(3), provision: Some("v2".to_string()), requests: None },
        timeout: Duration::from_secs(60),
        address: Some(":8074".to_string()),
        server: server("127.0.0.1:8000", "127.0.0.1:9", Some("other")),
    };
    let args =
        ["wait", "--generation=3", "--provision=v2", "--timeout=1m", "--admin-token", "other", ":8074"];
    assert_eq!(run(&args, &env), Ok(expected));
    let fail_on = FailOn::parse("errors").ok();
    let address = Some(":9".to_string());
    let expected =
        Command::Report { fail_on, address, server: server("127.0.0.1:8000", "127.0.0.1:9", Some("t")) };
    assert_eq!(run(&["report", "--fail-on", "errors", ":9"], &env), Ok(expected));
}

#[test]
fn requests_to_wait_for_have_a_count_and_a_beginning() {
    let requests = |args: &[&str]| match run(&[&["wait"], args].concat(), &[]) {
        Ok(Command::Wait { goal, .. }) => Ok(goal.requests.map(|r| (r.wanted, r.count, r.since))),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error),
    };
    assert_eq!(requests(&[]), Ok(None));
    assert_eq!(requests(&["--for", "POST /orders"]), Ok(Some(("POST /orders".into(), 1, 0))));
    assert_eq!(requests(&["--for=/x", "--count=3", "--since", "7"]), Ok(Some(("/x".into(), 3, 7))));
    assert_eq!(requests(&["--count=3"]), Err("failed to use `--count`: it needs `--for`".into()));
    assert_eq!(requests(&["--since=3"]), Err("failed to use `--since`: it needs `--for`".into()));
    let expected = "failed to parse `--for`: `orders` has no path that starts with `/` (try `POST /orders`)";
    assert_eq!(requests(&["--for", "orders"]), Err(expected.into()));
}

#[test]
fn arguments_that_are_not_utf8_are_reported() {
    use std::os::unix::ffi::OsStringExt;
    let args = ["get".into(), OsString::from_vec(b"/\xff".to_vec())];
    let sources = Sources { env: &|_| None, exists: &|name| name == "there", first_process: &Vec::new };
    assert_eq!(parse(args, &sources).unwrap_err(), "failed to read `/\u{fffd}`: not UTF-8");
}

#[test]
fn a_client_on_the_same_machine_finds_the_server() {
    for (bind, ipv6, expected) in [
        ("0.0.0.0", false, "127.0.0.1:8000"),
        ("::", true, "127.0.0.1:8000"),
        ("::", false, "[::1]:8000"),
        ("10.1.2.3", false, "10.1.2.3:8000"),
        ("fd00::7", true, "[fd00::7]:8000"),
    ] {
        let settings = Settings { bind: bind.parse().unwrap(), ipv6, ..Settings::default() };
        let server = Server::from_settings(&settings);
        assert_eq!(server.traffic.to_string(), expected);
        assert_eq!((server.admin.ip(), server.admin.port()), (server.traffic.ip(), 8074));
    }
}
