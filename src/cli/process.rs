//! What the system says of this process and of process 1: where the command line takes from what it was not told.

use crate::cli::Sources;
use std::ffi::OsString;

/// The environment, and the arguments of process 1, which in a container is the server.
pub(crate) fn sources() -> Sources<'static> {
    Sources { env: &variable, first_process: &first_process }
}

fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// Empty where it can't be read.
fn first_process() -> Vec<u8> {
    std::fs::read("/proc/1/cmdline").unwrap_or_default()
}
