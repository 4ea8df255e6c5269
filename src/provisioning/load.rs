//! Loads a file of the provision directory into a provision that is not active yet.

use crate::directory::{Name, ProvisionDir};
use crate::message::cors::Cors;
use crate::observing::metrics::metrics;
use crate::provisioning::initial;
use crate::provisioning::ledger::Ledger;
use crate::provisioning::provision::{Loaded, Provision};
use crate::provisioning::required::Required;
use crate::script::runtime::budget::Budget;
use crate::script::runtime::conditions::Conditions;
use crate::script::runtime::fault::{Fault, LoadError, REPORT};
use crate::script::runtime::files::Files;
use crate::script::runtime::forward::Forward;
use crate::script::runtime::key_value_store::KeyValueStore;
use crate::simulation::Simulation;
use crate::system::lock::lock;
use rhai::Engine;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

/// The options of the command line that concern loads.
#[derive(Default)]
pub(crate) struct LoadOptions {
    /// The time and memory of one call.
    pub budget: Budget,
    /// `--on-error initial`: a failed load activates `initial`.
    pub back_to_initial: bool,
    /// `--keep-store`: activations keep the values of `store`.
    pub keep_store: bool,
    /// `--store-bytes`: most bytes of the values of `store`.
    pub store_bytes: usize,
    /// `--explain`: the default pages of 404 and 405 list the closest rules.
    pub explain: bool,
    /// The clock and the dice that scripts see.
    pub simulation: Arc<Simulation>,
    /// `--cors`: the policy of provisions without `app.cors`.
    pub cors: Option<Arc<Cors>>,
    /// `--forward-unmatched`.
    pub forward_unmatched: Option<Arc<Forward>>,
    /// `--compress`: answers of text are compressed.
    pub compress: bool,
    /// `--require-provision`.
    pub required: Required,
    /// The files that the provision of `h1mock serve FILE` has read, if its last load failed.
    pub failed_reads: Mutex<BTreeSet<String>>,
}

impl LoadOptions {
    /// Sets the options that complete the answers of `provision`.
    pub(crate) fn apply(&self, provision: &mut Provision) {
        (provision.explain, provision.compress) = (self.explain, self.compress);
        provision.cors = provision.cors.take().or_else(|| self.cors.clone());
        provision.forward_unmatched =
            provision.forward_unmatched.take().or_else(|| self.forward_unmatched.clone());
    }
}

/// Loads `name` from `source`, or from the provision directory. Changes nothing that serves.
///
/// # Errors
/// The first fault of the file or its imports.
pub(crate) fn load(
    engine: &Arc<Engine>,
    options: &LoadOptions,
    directory: &Arc<ProvisionDir>,
    name: &str,
    source: Option<Vec<u8>>,
    values: Arc<KeyValueStore>,
) -> Result<Loaded, LoadError> {
    let (clock, dice) = options.simulation.of_load();
    let conditions = Conditions { clock, dice, ..Conditions::default() };
    let files = Files::new(directory.clone(), name, source, values).keeping(options.keep_store);
    let files = files.beside(directory.beside(name));
    let reads = files.reads();
    let loaded = Provision::load_under(conditions, engine, options.budget, files);
    if directory.served().is_some_and(|served| served.name().as_str() == name) {
        let failed = loaded.is_err().then(|| lock(&reads).clone());
        *lock(&options.failed_reads) = failed.unwrap_or_default();
    }
    let mut loaded = loaded?;
    if let Loaded::Provision(provision) = &mut loaded {
        options.apply(provision);
        if !options.keep_store {
            provision.files.values.keep_loaded();
        }
    }
    Ok(loaded)
}

/// Loads the overlay `name` from `source`. Its scripts find the `values` of the active provision, and can't change them while they load.
///
/// # Errors
/// The first fault of the source or its imports, or it has no rule.
pub(crate) fn load_overlay(
    engine: &Arc<Engine>,
    options: &LoadOptions,
    directory: &Arc<ProvisionDir>,
    name: &str,
    source: Vec<u8>,
    values: Arc<KeyValueStore>,
) -> Result<Provision, LoadError> {
    // The values of its own stay empty: requests bring those of the provision that is active then.
    let files = Files::new(directory.clone(), name, Some(source), Arc::new(values.other())).sharing();
    let (clock, dice) = options.simulation.of_load();
    let conditions = Conditions { values: Some(values), clock, dice, ..Conditions::default() };
    let loaded = Provision::load_under(conditions, engine, options.budget, files);
    let loaded = loaded.and_then(|loaded| loaded.into_provision(name));
    let mut provision = loaded.and_then(with_rules).map_err(|fault| Fault { in_overlay: true, ..fault })?;
    provision.explain = options.explain;
    Ok(provision)
}

/// Refuses an overlay without a rule, and one that would forward what no rule matches: only requests for its rules come to it.
///
/// # Errors
/// `the overlay registers no rule`
pub(crate) fn with_rules(overlay: Provision) -> Result<Provision, LoadError> {
    let (error, hint) = match (overlay.views.is_empty(), &overlay.forward_unmatched) {
        (false, None) => return Ok(overlay),
        (_, Some(_)) => (
            "an overlay can't have app.forward_unmatched",
            "requests without a rule go to the provision below it: forward paths, for example \
             `app.forward(\"/api/<path:rest>\", url)`",
        ),
        (true, None) => (
            "the overlay registers no rule",
            "hooks and error handlers of an overlay run only for requests that its own rules serve: \
             add a rule, for example `app.get(\"/foo\", foo)`",
        ),
    };
    let fault = Fault::of_file(&overlay.name, error);
    Err(Fault { in_overlay: true, hint: Some(hint.to_owned()), ..fault })
}

/// Loads the provision that serves first ([`initial::name`]), or the built-in one if that is missing or broken.
///
/// Into a directory without files the built-in provision is stored as `initial`, so that a touch of the file activates it. It is not
/// stored if a file of that name is expected: with `--require-provision initial`, and if the ConfigMap mount could not be copied
/// (`refused`).
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
    let first = |name: &str, source: Option<Vec<u8>>| {
        load(engine, options, directory, name, source, values.clone())?.into_provision(name)
    };
    let built_in = |name: &str, source: Vec<u8>| {
        let mut provision = first(name, Some(source))?;
        provision.built_in = true;
        Ok(provision)
    };
    let name = initial::name(directory);
    let checked = Name::parse(&name).map_err(|error| Fault::of_file(&name, error.to_string()))?;
    let is_there = directory.exists(&checked);
    if !is_there && options.required.is_initial() {
        return built_in(initial::BUILT_IN, initial::BUILT_IN_SOURCE.to_vec());
    }
    if !is_there || initial::is_built_in(directory, &name) {
        let source = match initial::choice(&initial::others(directory)) {
            Some((warning, source)) if !refused => {
                log::warn!("{warning}");
                source
            }
            _ => initial::BUILT_IN_SOURCE.to_vec(),
        };
        if !is_there
            && !refused
            && directory.was_empty()
            && let Err(error) = directory.write(&checked, initial::BUILT_IN_SOURCE)
        {
            log::warn!("{error}");
        }
        return built_in(&name, source);
    }
    let error = match first(&name, None) {
        Ok(provision) => return Ok(provision),
        Err(error) => error,
    };
    ledger.failed(&name, &error);
    metrics().load_failed(&error, true);
    log::error!(target: REPORT, "{}", error.noted("the built-in provision serves, and the server is not ready"));
    match directory.served() {
        Some(_) => built_in(initial::BUILT_IN, initial::page_of(&error)),
        None => built_in(initial::BUILT_IN, initial::BUILT_IN_SOURCE.to_vec()),
    }
}
