//! The provision that serves first, `initial`, and the built-in one that replaces it where it is missing or broken.

use crate::directory::{Name, ProvisionDir};

/// The file names of the provision that is activated at start, and to which `--on-error initial` goes back.
pub(crate) const NAMES: [&str; 2] = ["initial", "initial.rhai"];
/// The name of the built-in provision when it serves although there is, or must be, a file `initial`.
pub(crate) const BUILT_IN: &str = "built-in";
/// The source of the built-in provision, which answers each path by a 404 with a link to the documentation.
pub(crate) const BUILT_IN_SOURCE: &[u8] = include_bytes!("../../provisions/default");

/// Returns the file name of the initial provision: `initial`, or `initial.rhai` if only that exists.
pub(crate) fn name(directory: &ProvisionDir) -> &'static str {
    let has = |name: &str| Name::parse(name).is_ok_and(|name| directory.exists(&name));
    NAMES.into_iter().find(|name| has(name)).unwrap_or(NAMES[0])
}
