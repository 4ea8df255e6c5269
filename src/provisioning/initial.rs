//! Names of the provision that serves first, and the built-in one that stands in for it.

use crate::directory::{Name, ProvisionDir};

/// The provision that is activated at start, and that `--on-error initial` goes back to. Also as `initial.rhai`.
const INITIAL: &str = "initial";
const INITIAL_RHAI: &str = "initial.rhai";
/// The names of its file.
pub(crate) const NAMES: [&str; 2] = [INITIAL, INITIAL_RHAI];
/// Name of the built-in provision where it does not stand for a file: `initial` is broken, or readiness waits for one.
pub(crate) const BUILT_IN: &str = "built-in";
/// The built-in provision: every path is 404 with a link to the documentation.
pub(crate) const BUILT_IN_SOURCE: &[u8] = include_bytes!("../../provisions/default");

/// The name of the initial provision in the provision directory.
pub(crate) fn name(directory: &ProvisionDir) -> &'static str {
    let has = |name: &str| Name::parse(name).is_ok_and(|name| directory.exists(&name));
    if !has(INITIAL) && has(INITIAL_RHAI) { INITIAL_RHAI } else { INITIAL }
}
