//! File event or POST -> read -> compile -> swap. The one place that activates: loads run one after the other, a load that fails
//! changes nothing.

mod readiness;

pub(crate) use crate::provisioning::active::WaitId;
pub(crate) use crate::provisioning::error::ActivationError;

use crate::directory::{DirectoryError, Name, ProvisionDir};
use crate::message::epoch::Epoch;
use crate::observing::metrics::metrics;
use crate::provisioning::active::{Active, Then};
use crate::provisioning::initial;
use crate::provisioning::ledger::{Ledger, LedgerRow};
use crate::provisioning::load::{LoadOptions, load, load_first};
use crate::provisioning::provision::{Loaded, Provision, no_register_rules};
use crate::provisioning::warnings;
use crate::provisioning::watcher::Changes;
use crate::script::runtime::fault::LoadError;
use crate::script::runtime::key_value_store::KeyValueStore;
use crate::system::lock::lock;
use rhai::Engine;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

pub(crate) struct Activation {
    engine: Arc<Engine>,
    options: LoadOptions,
    directory: Arc<ProvisionDir>,
    active: Active,
    values: Arc<KeyValueStore>,
    epoch: Arc<Epoch>,
    ledger: Ledger,
    /// The generation whose file the log says is gone; 0 if there is none.
    gone: AtomicU64,
    loading: Mutex<()>,
}

impl Activation {
    /// Copies the ConfigMap mount, then activates `initial`; the built-in provision where there is none or it is broken.
    ///
    /// # Errors
    /// The built-in provision does not load, which no input can cause.
    pub(crate) fn start(
        engine: Arc<Engine>,
        options: LoadOptions,
        directory: Arc<ProvisionDir>,
        epoch: Arc<Epoch>,
    ) -> Result<Activation, LoadError> {
        let values = Arc::new(KeyValueStore::new(options.store_bytes));
        let ledger = Ledger::default();
        let refused = refresh(&directory).is_none();
        let mut first = load_first(&engine, &options, &directory, &values, &ledger, refused)?;
        first.count_with(metrics().loaded(first.router.rules()));
        if first.built_in && ledger.record(initial::name(&directory)).error.is_some() {
            metrics().set_failing();
        }
        let name = first.name.clone();
        warnings::log(&ledger, &name, &first.warnings);
        let active = Active::new(first);
        ledger.activated(&name, 1);
        let (gone, loading) = Default::default();
        let activation =
            Activation { engine, options, directory, active, values, epoch, ledger, gone, loading };
        activation.log_wait();
        Ok(activation)
    }

    /// The provision for one request.
    pub(crate) fn current(&self) -> Arc<Provision> {
        self.active.current()
    }

    /// What requests take when they begin, so that nothing of them counts after a reset.
    pub(crate) fn epoch(&self) -> &Arc<Epoch> {
        &self.epoch
    }

    /// Ends the epoch: hits start at 0, `store` is what `registerRules()` made it. Gives the generation that serves. Waits for
    /// nothing, not for a load either.
    pub(crate) fn reset(&self) -> u64 {
        let provision = self.current();
        let epoch = self.epoch.next();
        // The first request would reset the values, too; nobody knows when that comes.
        drop(provision.files.values.lock(Some(epoch)));
        provision.generation
    }

    pub(crate) fn directory(&self) -> &Arc<ProvisionDir> {
        &self.directory
    }

    pub(crate) fn generation(&self) -> u64 {
        self.current().generation
    }

    /// Calls `then` once `wanted` or a later generation serves.
    pub(crate) fn on_generation(&self, wanted: u64, then: Then) -> WaitId {
        self.active.on_generation(wanted, then)
    }

    /// Gives up a wait; tells whether it was still waiting.
    pub(crate) fn forget(&self, wait: WaitId) -> bool {
        self.active.forget(wait)
    }

    /// Waits that were not called yet.
    #[cfg(test)]
    pub(crate) fn waits(&self) -> usize {
        self.active.waiting()
    }

    /// Calls every wait with the generation that serves, reached or not: the process stops.
    pub(crate) fn release_waits(&self) {
        self.active.release();
    }

    /// Loads `source`, stores it as `name` and lets it serve; gives its generation.
    ///
    /// # Errors
    /// Nothing is stored or changed where it does not load or can't be stored.
    pub(crate) fn post(&self, name: &Name, source: &[u8]) -> Result<u64, ActivationError> {
        let _one = lock(&self.loading);
        if !name.is_provision() || Name::is_ignored(name.file_name()) {
            return Err(ActivationError::NotAProvision(name.as_str().to_owned()));
        }
        let provision = self.load_wanted(name, Some(source.to_vec()))?;
        self.directory.write(name, source)?;

        Ok(self.swap(provision))
    }

    /// Activates a file of the directory, as a touch of it does; gives its generation.
    ///
    /// # Errors
    /// There is no such provision, or it does not load.
    pub(crate) fn activate(&self, name: &Name) -> Result<u64, ActivationError> {
        let _one = lock(&self.loading);
        if !self.directory.exists(name) {
            return Err(ActivationError::Unknown(name.as_str().to_owned()));
        }
        if !name.is_provision() {
            return Err(ActivationError::NotAProvision(name.as_str().to_owned()));
        }
        let provision = self.load_wanted(name, None)?;
        Ok(self.swap(provision))
    }

    /// Stores an auxiliary file; the active provision is reloaded if it has read a file of that name.
    ///
    /// # Errors
    /// The directory refuses.
    pub(crate) fn put_file(&self, name: &Name, bytes: &[u8]) -> Result<u64, ActivationError> {
        let _one = lock(&self.loading);
        self.directory.write(name, bytes)?;
        self.ledger.rewritten(name.as_str());
        self.reload_if_read(&BTreeSet::from([name.as_str().to_owned()]));
        Ok(self.generation())
    }

    /// Removes a file that is not the active provision.
    ///
    /// # Errors
    /// It is unknown or active, or the directory refuses.
    pub(crate) fn remove(&self, name: &Name) -> Result<(), ActivationError> {
        let _one = lock(&self.loading);
        if !self.directory.exists(name) {
            return Err(ActivationError::Unknown(name.as_str().to_owned()));
        }
        if self.current().name == name.as_str() {
            return Err(ActivationError::Active(name.as_str().to_owned()));
        }
        self.directory.remove(name)?;
        self.ledger.forget(name.as_str());
        Ok(())
    }

    /// The text of a file.
    ///
    /// # Errors
    /// There is none, or it can't be read.
    pub(crate) fn source(&self, name: &Name) -> Result<Vec<u8>, ActivationError> {
        if !self.directory.exists(name) {
            return Err(ActivationError::Unknown(name.as_str().to_owned()));
        }
        Ok(self.directory.read(name)?.bytes)
    }

    /// What is known of each file in the directory.
    ///
    /// # Errors
    /// The directory can't be read.
    pub(crate) fn ledger(&self) -> Result<Vec<LedgerRow>, DirectoryError> {
        self.ledger.rows(&self.directory)
    }

    /// Does what a batch of file events asks for: the last completed provision that loads is activated; else, if a file changed
    /// that the active one has read, that one is loaded again.
    pub(crate) fn changed(&self, changes: &Changes) {
        let _one = lock(&self.loading);
        log::debug!("file events: {changes:?}");
        // What was removed may have been stored again while this waited for another load.
        let removed: Vec<&Name> =
            changes.removed.iter().filter(|name| !self.directory.exists(name)).collect();
        let mut touched: BTreeSet<String> = removed.iter().map(|name| name.as_str().to_owned()).collect();
        touched.extend(changes.written.iter().map(|name| name.as_str().to_owned()));
        if changes.config {
            let refreshed = refresh(&self.directory).unwrap_or_default();
            refreshed.iter().for_each(|name| self.ledger.rewritten(name));
            touched.extend(refreshed);
        }
        removed.iter().for_each(|name| self.ledger.forget(name.as_str()));
        let activated = changes.written.iter().rev().any(|name| self.activate_written(name));
        if !activated {
            self.reload_if_read(&touched);
        }
    }

    /// Activates a file that was written or touched, if it is a provision; tells whether it serves now.
    fn activate_written(&self, name: &Name) -> bool {
        if !name.is_provision() || name.in_subfolder() {
            return false;
        }
        let current = self.current();
        match self.load(name.as_str(), None) {
            Ok(Loaded::Provision(provision)) => {
                self.swap(*provision);
                return true;
            }
            Ok(Loaded::Library(_)) => {}
            // A file of the active provision is told of when that one is loaded again.
            Err(_)
                if name.as_str() == self.wanted(&current)
                    || current.files.dependencies().contains(name.as_str()) => {}
            Err(error) => self.failed(error),
        }
        false
    }

    fn reload_if_read(&self, touched: &BTreeSet<String>) {
        let current = self.current();
        let name = self.wanted(&current);
        if current.files.dependencies().is_disjoint(touched) && !touched.contains(name) {
            return;
        }
        if !self.is_there(name) {
            // A removed key of the ConfigMap comes here twice: with its mount, and as a file that is removed.
            let told = self.gone.swap(current.generation, Ordering::Relaxed) == current.generation;
            if !told && !current.built_in {
                log::warn!("file `{name}` of the active provision is gone: it goes on serving");
            }
            return;
        }
        self.gone.store(0, Ordering::Relaxed);
        match self.load(name, None) {
            Ok(Loaded::Provision(provision)) => {
                self.swap(*provision);
            }
            Ok(Loaded::Library(warnings)) => {
                let error = no_register_rules(name, &warnings);
                self.ledger.failed(name, &error);
                self.failed(error);
            }
            Err(error) => self.failed(error),
        }
    }

    /// The file that the active provision comes from: the built-in one stands in for a broken `initial`, until that is mended.
    fn wanted<'p>(&self, current: &'p Provision) -> &'p str {
        if current.built_in { initial::name(&self.directory) } else { &current.name }
    }

    /// Compiles `name` from `source` or the directory and enters what it is into the ledger.
    fn load(&self, name: &str, source: Option<Vec<u8>>) -> Result<Loaded, LoadError> {
        let values =
            if self.options.keep_store { self.values.clone() } else { Arc::new(self.values.other()) };
        let posted = source.is_some();
        let loaded = load(&self.engine, &self.options, &self.directory, name, source, values);
        match &loaded {
            Ok(Loaded::Library(warnings)) if !posted => {
                self.ledger.library(name);
                warnings::log(&self.ledger, name, warnings);
            }
            Ok(Loaded::Library(_)) => {}
            Ok(Loaded::Provision(provision)) => warnings::log(&self.ledger, name, &provision.warnings),
            // What was refused by POST and is not on disk leaves no trace.
            Err(error) if !posted || self.is_there(name) => self.ledger.failed(name, error),
            Err(_) => {}
        }
        loaded
    }

    /// Loads what somebody asked to be activated: a library is no provision then.
    fn load_wanted(&self, name: &Name, source: Option<Vec<u8>>) -> Result<Provision, ActivationError> {
        match self.load(name.as_str(), source) {
            Ok(Loaded::Provision(provision)) => Ok(*provision),
            Ok(Loaded::Library(warnings)) => {
                let error = no_register_rules(name.as_str(), &warnings);
                self.failed(error.clone());
                Err(ActivationError::Library(error))
            }
            Err(error) => {
                self.failed(error.clone());
                Err(ActivationError::Load(error))
            }
        }
    }

    /// Logs a failed load, and what serves: the last good provision, or `initial` if so told.
    fn failed(&self, error: LoadError) {
        metrics().load_failed(&error);
        let current = self.current();
        let keeps = if current.built_in {
            "the built-in provision keeps serving".to_owned()
        } else {
            format!("provision `{}` keeps serving", current.name)
        };
        let initial = initial::name(&self.directory);
        if !self.options.back_to_initial || current.name == initial {
            return log::error!("{}", error.noted(&keeps));
        }
        let failure = match self.load(initial, None) {
            Ok(Loaded::Provision(provision)) => {
                log::error!("{}", error.noted(&format!("going back to provision `{initial}`")));
                self.swap(*provision);
                return metrics().set_failing();
            }
            Ok(Loaded::Library(warnings)) => no_register_rules(initial, &warnings),
            Err(failure) => failure,
        };
        // The same error is `initial`'s own.
        if failure != error {
            log::error!("{}", error.noted(&format!("going back to provision `{initial}`")));
        }
        log::error!("{}", failure.noted(&keeps));
    }

    /// Whether what was configured last is not what serves: it did not load, or the files on disk are others.
    pub(crate) fn differs(&self) -> bool {
        metrics().is_failing() || self.current().files.differ(initial::BUILT_IN_SOURCE)
    }

    fn swap(&self, mut provision: Provision) -> u64 {
        provision.count_with(metrics().loaded(provision.router.rules()));
        let name = provision.name.clone();
        let readiness = self.readiness(&provision);
        let generation = self.active.swap(provision);
        self.ledger.activated(&name, generation);
        readiness.log(&name, generation);
        generation
    }

    fn is_there(&self, name: &str) -> bool {
        Name::parse(name).is_ok_and(|name| self.directory.exists(&name))
    }
}

/// Copies what has changed in the ConfigMap mount; names what was written or removed. `None`: nothing could be copied.
fn refresh(directory: &ProvisionDir) -> Option<Vec<String>> {
    let config = directory.refresh_config().map_err(|error| log::error!("{error}")).ok()?;
    config.problems.iter().for_each(|problem| log::error!("{problem}"));
    Some(config.changed.iter().chain(&config.removed).map(|name| name.as_str().to_owned()).collect())
}
