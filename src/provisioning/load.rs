//! Loading: a file of the provision directory -> a provision that is not active yet.

use crate::directory::{Name, ProvisionDir};
use crate::observing::metrics::metrics;
use crate::provisioning::initial;
use crate::provisioning::ledger::Ledger;
use crate::provisioning::provision::{Loaded, Provision, no_register_rules};
use crate::provisioning::required::Required;
use crate::script::runtime::budget::Budget;
use crate::script::runtime::fault::{Fault, LoadError, REPORT};
use crate::script::runtime::files::Files;
use crate::script::runtime::key_value_store::KeyValueStore;
use rhai::Engine;
use std::sync::Arc;

/// What loads are made with.
pub(crate) struct LoadOptions {
    /// Time and memory of one call.
    pub budget: Budget,
    /// `--on-error initial`: a failed load activates `initial`.
    pub back_to_initial: bool,
    /// `--keep-store`: `store` lives through activations.
    pub keep_store: bool,
    /// `--store-bytes`: what the values of `store` may take.
    pub store_bytes: usize,
    /// `--explain`: the default pages of 404 and 405 list the closest rules.
    pub explain: bool,
    /// What the server is not ready without.
    pub required: Required,
}

/// Compiles `name` from `source` or the provision directory; changes nothing.
///
/// # Errors
/// The first thing that is wrong with it.
pub(crate) fn load(
    engine: &Arc<Engine>,
    options: &LoadOptions,
    directory: &Arc<ProvisionDir>,
    name: &str,
    source: Option<Vec<u8>>,
    values: Arc<KeyValueStore>,
) -> Result<Loaded, LoadError> {
    let files = Files::new(directory.clone(), name, source, values).keeping(options.keep_store);
    let mut loaded = Provision::load(engine, options.budget, files)?;
    if let Loaded::Provision(provision) = &mut loaded {
        provision.explain = options.explain;
        if !options.keep_store {
            provision.files.values.keep_loaded();
        }
    }
    Ok(loaded)
}

/// `initial` if it is there and loads, else the built-in provision. That one is stored as `initial`, so that touching it works, but
/// not where a file of that name is awaited: `--require-provision initial`, or the provision directory has just refused (`refused`).
///
/// # Errors
/// The built-in provision does not load, which no input can cause.
pub(crate) fn load_first(
    engine: &Arc<Engine>,
    options: &LoadOptions,
    directory: &Arc<ProvisionDir>,
    values: &Arc<KeyValueStore>,
    ledger: &Ledger,
    refused: bool,
) -> Result<Provision, LoadError> {
    let built_in = |name: &str| match load(
        engine,
        options,
        directory,
        name,
        Some(initial::BUILT_IN_SOURCE.to_vec()),
        values.clone(),
    )? {
        Loaded::Provision(mut provision) => {
            provision.built_in = true;
            Ok(*provision)
        }
        Loaded::Library(warnings) => Err(no_register_rules(name, &warnings)),
    };
    let name = initial::name(directory);
    let checked = Name::parse(name).map_err(|error| Fault::of_file(name, error.to_string()))?;
    if !directory.exists(&checked) {
        if options.required.is_initial() {
            return built_in(initial::BUILT_IN);
        }
        if !refused && let Err(error) = directory.write(&checked, initial::BUILT_IN_SOURCE) {
            log::warn!("{error}");
        }
        return built_in(name);
    }
    let error = match load(engine, options, directory, name, None, values.clone()) {
        Ok(Loaded::Provision(provision)) => return Ok(*provision),
        Ok(Loaded::Library(warnings)) => no_register_rules(name, &warnings),
        Err(error) => error,
    };
    ledger.failed(name, &error);
    metrics().load_failed(&error, true);
    log::error!(target: REPORT, "{}", error.noted("the built-in provision serves, and the server is not ready"));
    built_in(initial::BUILT_IN)
}
