//! Rows of the settings of addresses, ports and threads.

use super::{Group, SERVE, Setting, put};
use crate::cli::subcommand::Subcommand::{Get, Probe, Report, Serve, Wait};
use crate::cli::value;

pub static ROWS: &[Setting] = &[
    Setting {
        flag: "traffic-port",
        short: None,
        value: Some("PORT"),
        default: "8000",
        group: Group::Listeners,
        help: "Port of the mock; 0 picks one",
        commands: &[Serve, Get],
        set: |v, s| put(&mut v.settings.traffic_port, value::port(s)),
    },
    Setting {
        flag: "admin-port",
        short: None,
        value: Some("PORT"),
        default: "8074",
        group: Group::Listeners,
        help: "Port of the admin interface; 0 picks one",
        commands: &[Serve, Get, Probe, Wait, Report],
        set: |v, s| put(&mut v.settings.admin_port, value::port(s)),
    },
    Setting {
        flag: "bind",
        short: None,
        value: Some("ADDRESS"),
        default: "0.0.0.0",
        group: Group::Listeners,
        help: "IP address of both listeners; `::` by default with --ipv6",
        commands: SERVE,
        set: |v, s| put(&mut v.bind, value::address(s).map(Some)),
    },
    Setting {
        flag: "ipv6",
        short: None,
        value: None,
        default: "",
        group: Group::Listeners,
        help: "Listen on IPv6 and IPv4",
        commands: SERVE,
        set: |v, s| put(&mut v.settings.ipv6, value::switch(s)),
    },
    Setting {
        flag: "workers",
        short: None,
        value: Some("N"),
        default: "",
        group: Group::Listeners,
        help: "Threads that answer the mock's requests; without it twice the CPUs, 4 to 16",
        commands: SERVE,
        set: |v, s| put(&mut v.settings.workers, value::count(s, 1..=1024).map(Some)),
    },
];
