//! The values before the command line changes them: defaults, variables, and for clients the arguments of the running server.

use super::line::Line;
use super::setting::{Setting, Values};
use super::settings_table::TABLE;
use super::subcommand::Subcommand;
use super::{Sources, assign, positions};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

/// Returns the defaults, changed by the environment.
///
/// A client subcommand finds its server by these values. In a container it sees the same variables as the server, but not the
/// server's arguments: it reads those of process 1 first, and variables beat them.
pub(super) fn values(subcommand: Subcommand, sources: &Sources) -> Result<Values, String> {
    let mut values = Values::default();
    if subcommand.is_client() {
        values = served((sources.first_process)(), subcommand).unwrap_or_default();
    }
    for setting in TABLE.iter().filter(|setting| setting.is_read_by(subcommand)) {
        let Some(variable) = setting.variable() else { continue };
        if let Some(given) =
            (sources.env)(&variable).filter(|given| !given.is_empty() && !is_injected(setting, given))
        {
            assign(setting, &mut values, &given, &variable)?;
        }
    }
    Ok(values)
}

/// Whether Kubernetes set the variable. For a Service named h1mock-admin it sets `H1MOCK_ADMIN_PORT=tcp://10.0.0.1:8074`.
fn is_injected(setting: &Setting, given: &OsStr) -> bool {
    let given = given.as_encoded_bytes();
    setting.flag.ends_with("-port")
        && [&b"tcp://"[..], b"udp://", b"sctp://"].iter().any(|p| given.starts_with(p))
}

/// Returns the values of the arguments of process 1, as far as `subcommand` needs them to find it. `None`: process 1 is no
/// server.
fn served(arguments: Vec<u8>, subcommand: Subcommand) -> Option<Values> {
    let mut arguments: Vec<OsString> = arguments
        .strip_suffix(b"\0")?
        .split(|byte| *byte == 0)
        .map(|arg| OsString::from_vec(arg.to_vec()))
        .collect();
    let program = arguments.remove(0);
    if Path::new(&program).file_name() != Some(OsStr::new("h1mock")) {
        return None;
    }
    // Where the server was started, there may be other files than here. Its ports are at the end.
    let line = Line::read(arguments, &|_| false).ok()?;
    if line.help || line.version || line.subcommand() != Subcommand::Serve {
        return None;
    }
    let mut values = Values::default();
    positions(&line.operands, &mut values).ok()?;
    for (option, given) in line.options.iter().filter(|(option, _)| option.is_read_by(subcommand)) {
        assign(option, &mut values, given, option.flag).ok()?;
    }
    Some(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Command, Server, Token, parse};

    /// Returns the server that `args` reach, beside a process 1 with these arguments.
    fn server(first_process: &str, env: &[(&str, &str)], args: &str) -> Server {
        let lookup =
            |name: &str| env.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value));
        let sources = Sources {
            env: &lookup,
            exists: &|_| false,
            first_process: &|| first_process.replace(' ', "\0").into_bytes(),
        };
        match parse(args.split(' ').map(OsString::from), &sources) {
            Ok(
                Command::Get { server, .. } | Command::Probe { server, .. } | Command::Wait { server, .. },
            ) => server,
            other => panic!("{other:?}"),
        }
    }

    fn addresses(traffic: &str, admin: &str) -> Server {
        Server { traffic: traffic.parse().unwrap(), admin: admin.parse().unwrap(), token: None }
    }

    #[test]
    fn the_arguments_of_process_1_say_where_the_server_is() {
        for (arguments, traffic, admin) in [
            ("h1mock ", "127.0.0.1:8000", "127.0.0.1:8074"),
            ("/h1mock 9000 9001 ", "127.0.0.1:9000", "127.0.0.1:9001"),
            ("/bin/h1mock serve 9000  true ", "127.0.0.1:9000", "127.0.0.1:8074"),
            ("h1mock --admin-port=9001 --workers 3 -v ", "127.0.0.1:8000", "127.0.0.1:9001"),
            ("h1mock --bind 10.1.2.3 --traffic-port 7 ", "10.1.2.3:7", "10.1.2.3:8074"),
            ("h1mock --bind :: ", "[::1]:8000", "[::1]:8074"),
            ("h1mock serve shop.rhai users 9000 9001 ", "127.0.0.1:9000", "127.0.0.1:9001"),
            ("h1mock ./shop 9000 ", "127.0.0.1:9000", "127.0.0.1:8074"),
        ] {
            for args in ["probe", "get /", "wait"] {
                assert_eq!(server(arguments, &[], args), addresses(traffic, admin), "{arguments} {args}");
            }
        }
        let token = server("h1mock --admin-token=t --no-admin ", &[], "wait").token;
        assert_eq!(token, Some(Token::new("t")));
    }

    #[test]
    fn the_arguments_of_other_processes_are_ignored() {
        for arguments in [
            "",
            "h1mock",
            "/sbin/init --traffic-port=9 ",
            "tini -- h1mock 9 9 ",
            "h1mock.old 9 9 ",
            "h1mock probe --admin-port=9 ",
            "h1mock get --traffic-port=9 / ",
            "h1mock --help 9 9 ",
            "h1mock --traffic-port=9 --wrong ",
            "h1mock --traffic-port=x ",
            "h1mock 9 9 9 9 9 ",
        ] {
            assert_eq!(
                server(arguments, &[], "probe"),
                addresses("127.0.0.1:8000", "127.0.0.1:8074"),
                "{arguments}"
            );
        }
    }

    #[test]
    fn a_flag_beats_a_variable_beats_process_1() {
        let arguments = "h1mock 1 2 ";
        let env = [("H1MOCK_ADMIN_PORT", "3")];
        assert_eq!(server(arguments, &[], "probe"), addresses("127.0.0.1:1", "127.0.0.1:2"));
        assert_eq!(server(arguments, &env, "probe"), addresses("127.0.0.1:1", "127.0.0.1:3"));
        assert_eq!(server(arguments, &env, "probe --admin-port 4"), addresses("127.0.0.1:1", "127.0.0.1:4"));
        let injected = [("H1MOCK_ADMIN_PORT", "tcp://10.0.0.3:80")];
        assert_eq!(server(arguments, &injected, "probe"), addresses("127.0.0.1:1", "127.0.0.1:2"));
        assert_eq!(
            server(arguments, &[("H1MOCK_BIND", "10.0.0.9")], "wait"),
            addresses("10.0.0.9:1", "10.0.0.9:2")
        );
    }

    #[test]
    fn the_server_itself_does_not_read_process_1() {
        let sources = Sources { env: &|_| None, exists: &|_| false, first_process: &|| panic!("asked") };
        assert!(matches!(parse([], &sources), Ok(Command::Serve(_))));
        assert!(matches!(parse(["check".into(), "x".into()], &sources), Ok(Command::Check { .. })));
    }
}
