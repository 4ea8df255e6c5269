//! The provision that serves first: `initial` of the directory, else a built-in one. Knows no events and no swaps.

use crate::directory::{Name, ProvisionDir};
use crate::observing::metrics::metrics;
use crate::provisioning::activation::{LoadOptions, load};
use crate::provisioning::ledger::Ledger;
use crate::provisioning::provision::{Loaded, Provision, no_register_rules};
use crate::script::runtime::fault::{Fault, LoadError};
use crate::script::runtime::key_value_store::KeyValueStore;
use rhai::Engine;
use std::sync::Arc;

/// The provision that is activated at start, and that `--on-error initial` goes back to. Also as `initial.rhai`.
const INITIAL: &str = "initial";
const INITIAL_RHAI: &str = "initial.rhai";
/// The names of its file.
pub const NAMES: [&str; 2] = [INITIAL, INITIAL_RHAI];
/// Name of the built-in provision where it does not stand for a file: `initial` is broken, or readiness waits for one.
pub const BUILT_IN: &str = "built-in";
/// The built-in provision: every path is 404 with a link to the documentation.
pub const BUILT_IN_SOURCE: &[u8] = include_bytes!("../../provisions/default");

/// The name of the initial provision in `store`.
pub fn name(directory: &ProvisionDir) -> &'static str {
    let has = |name: &str| Name::parse(name).is_ok_and(|name| directory.exists(&name));
    if !has(INITIAL) && has(INITIAL_RHAI) { INITIAL_RHAI } else { INITIAL }
}

/// `initial` if it is there and loads, else the built-in provision. That one is stored as `initial`, so that touching it works, but
/// not where a file of that name is awaited: `--require-provision initial`, or `store` has just refused (`refused`).
///
/// # Errors
/// The built-in provision does not load, which no input can cause.
pub fn first(
    engine: &Arc<Engine>,
    options: &LoadOptions,
    directory: &Arc<ProvisionDir>,
    data: &Arc<KeyValueStore>,
    ledger: &Ledger,
    refused: bool,
) -> Result<Provision, LoadError> {
    let built_in = |name: &str| match load(
        engine,
        options,
        directory,
        name,
        Some(BUILT_IN_SOURCE.to_vec()),
        data.clone(),
    )? {
        Loaded::Provision(mut provision) => {
            provision.built_in = true;
            Ok(*provision)
        }
        Loaded::Library => Err(no_register_rules(name)),
    };
    let name = name(directory);
    let checked = Name::parse(name).map_err(|error| Fault::of_file(name, error.to_string()))?;
    if !directory.exists(&checked) {
        if options.required.is_initial() {
            return built_in(BUILT_IN);
        }
        if !refused && let Err(error) = directory.write(&checked, BUILT_IN_SOURCE) {
            log::warn!("{error}");
        }
        return built_in(name);
    }
    let error = match load(engine, options, directory, name, None, data.clone()) {
        Ok(Loaded::Provision(provision)) => return Ok(*provision),
        Ok(Loaded::Library) => no_register_rules(name),
        Err(error) => error,
    };
    ledger.failed(name, &error);
    metrics().load_failed(&error);
    log::error!("{}", error.noted("the built-in provision serves, and the server is not ready"));
    built_in(BUILT_IN)
}
