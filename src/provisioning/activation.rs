//! File event or POST -> read -> compile -> swap. The one place that activates: swaps follow the order in which loads were asked for, a
//! load that fails changes nothing.

mod changes;
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
use crate::provisioning::turns::{Turn, Turns};
use crate::provisioning::warnings;
use crate::script::runtime::fault::{LoadError, REPORT};
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
    turns: Arc<Turns>,
    order: Mutex<Order>,
    /// Files that were stored or removed since the watcher began a load; none while it runs none.
    rewritten: Mutex<Option<BTreeSet<String>>>,
}

/// What is held while a load changes anything: the turn of the load that serves.
struct Order(u64);

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
        let (gone, turns, rewritten) = Default::default();
        let order = Mutex::new(Order(0));
        let activation = Activation {
            engine,
            options,
            directory,
            active,
            values,
            epoch,
            ledger,
            gone,
            turns,
            order,
            rewritten,
        };
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

    /// The place in the order of a load that is asked for now.
    pub(crate) fn turn(&self) -> Turn {
        self.turns.take()
    }

    /// Loads `source`, stores it as `name` and lets it serve; gives its generation.
    ///
    /// # Errors
    /// Nothing is stored or changed where it does not load or can't be stored.
    pub(crate) fn post(&self, turn: &Turn, name: &Name, source: &[u8]) -> Result<u64, ActivationError> {
        let mut order = lock(&self.order);
        if !name.is_provision() || Name::is_ignored(name.file_name()) {
            return Err(ActivationError::NotAProvision(name.as_str().to_owned()));
        }
        let provision = self.load_wanted(&mut order, turn, name, Some(source.to_vec()))?;
        self.directory.write(name, source)?;
        self.note(name);
        Ok(self.swap(&mut order, turn, provision))
    }

    /// Activates a file of the directory, as a touch of it does; gives its generation.
    ///
    /// # Errors
    /// There is no such provision, or it does not load.
    pub(crate) fn activate(&self, turn: &Turn, name: &Name) -> Result<u64, ActivationError> {
        let mut order = lock(&self.order);
        if !self.directory.exists(name) {
            return Err(ActivationError::Unknown(name.as_str().to_owned()));
        }
        if !name.is_provision() {
            return Err(ActivationError::NotAProvision(name.as_str().to_owned()));
        }
        let provision = self.load_wanted(&mut order, turn, name, None)?;
        Ok(self.swap(&mut order, turn, provision))
    }

    /// Stores an auxiliary file; the active provision is reloaded if it has read a file of that name.
    ///
    /// # Errors
    /// The directory refuses.
    pub(crate) fn put_file(&self, turn: &Turn, name: &Name, bytes: &[u8]) -> Result<u64, ActivationError> {
        let mut order = lock(&self.order);
        self.directory.write(name, bytes)?;
        self.note(name);
        self.ledger.rewritten(name.as_str());
        self.reload_if_read(&mut order, turn, &BTreeSet::from([name.as_str().to_owned()]));
        Ok(self.generation())
    }

    /// Removes a file that is not the active provision.
    ///
    /// # Errors
    /// It is unknown or active, or the directory refuses.
    pub(crate) fn remove(&self, name: &Name) -> Result<(), ActivationError> {
        let _order = lock(&self.order);
        if !self.directory.exists(name) {
            return Err(ActivationError::Unknown(name.as_str().to_owned()));
        }
        if self.current().name == name.as_str() {
            return Err(ActivationError::Active(name.as_str().to_owned()));
        }
        self.directory.remove(name)?;
        self.note(name);
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

    /// File `name` is another one now, or gone: a load that the watcher runs may have read it before.
    fn note(&self, name: &Name) {
        if let Some(rewritten) = &mut *lock(&self.rewritten) {
            rewritten.insert(name.as_str().to_owned());
        }
    }

    /// Loads the active provision again, if it has read one of these files.
    fn reload_if_read(&self, order: &mut Order, turn: &Turn, touched: &BTreeSet<String>) {
        let current = self.current();
        if let Some(name) = self.to_reload(&current, touched) {
            let loaded = self.load(name, None);
            self.reloaded(order, turn, name, loaded);
        }
    }

    /// The file of the active provision, if that has read one of these files.
    fn to_reload<'p>(&self, current: &'p Provision, touched: &BTreeSet<String>) -> Option<&'p str> {
        let name = self.wanted(current);
        if current.files.dependencies().is_disjoint(touched) && !touched.contains(name) {
            return None;
        }
        if !self.is_there(name) {
            // A removed key of the ConfigMap comes here twice: with its mount, and as a file that is removed.
            let told = self.gone.swap(current.generation, Ordering::Relaxed) == current.generation;
            if !told && !current.built_in {
                log::warn!("file `{name}` of the active provision is gone: it goes on serving");
            }
            return None;
        }
        self.gone.store(0, Ordering::Relaxed);
        Some(name)
    }

    /// What became of the active provision `name`, which was loaded again after it had begun to serve.
    fn reloaded(&self, order: &mut Order, turn: &Turn, name: &str, loaded: Result<Loaded, LoadError>) {
        // Two workers may hand over their requests in another order than they took turns.
        order.0 = order.0.min(turn.number());
        match loaded {
            Ok(Loaded::Provision(provision)) => drop(self.swap(order, turn, *provision)),
            Ok(Loaded::Library(warnings)) => {
                let error = no_register_rules(name, &warnings);
                self.ledger.failed(name, &error);
                self.failed(order, turn, error);
            }
            Err(error) => self.failed(order, turn, error),
        }
    }

    /// The file that the active provision comes from: the built-in one stands in for a broken `initial`, until that is mended.
    fn wanted<'p>(&self, current: &'p Provision) -> &'p str {
        if current.built_in { initial::name(&self.directory) } else { &current.name }
    }

    /// Compiles `name` from `source` or the directory and enters what it is into the ledger.
    fn load(&self, name: &str, source: Option<Vec<u8>>) -> Result<Loaded, LoadError> {
        let posted = source.is_some();
        let loaded = self.compile(name, source);
        self.enter(name, posted, &loaded);
        loaded
    }

    fn compile(&self, name: &str, source: Option<Vec<u8>>) -> Result<Loaded, LoadError> {
        let values =
            if self.options.keep_store { self.values.clone() } else { Arc::new(self.values.other()) };
        load(&self.engine, &self.options, &self.directory, name, source, values)
    }

    /// Enters into the ledger what `name` was found to be.
    fn enter(&self, name: &str, posted: bool, loaded: &Result<Loaded, LoadError>) {
        match loaded {
            Ok(Loaded::Library(warnings)) if !posted => {
                self.ledger.library(name);
                warnings::log(&self.ledger, name, warnings);
            }
            Ok(Loaded::Library(_)) => {}
            Ok(Loaded::Provision(provision)) => warnings::log(&self.ledger, name, &provision.warnings),
            // What was refused by POST and is not on disk leaves no trace.
            Err(error) if self.is_there(name) => self.ledger.failed(name, error),
            Err(_) => {}
        }
    }

    /// Loads what somebody asked to be activated: a library is no provision then.
    fn load_wanted(
        &self,
        order: &mut Order,
        turn: &Turn,
        name: &Name,
        source: Option<Vec<u8>>,
    ) -> Result<Provision, ActivationError> {
        match self.load(name.as_str(), source) {
            Ok(Loaded::Provision(provision)) => Ok(*provision),
            Ok(Loaded::Library(warnings)) => {
                let error = no_register_rules(name.as_str(), &warnings);
                self.failed(order, turn, error.clone());
                Err(ActivationError::Library(error))
            }
            Err(error) => {
                self.failed(order, turn, error.clone());
                Err(ActivationError::Load(error))
            }
        }
    }

    /// Logs a failed load, and what serves: the last good provision, or `initial` if so told.
    fn failed(&self, order: &mut Order, turn: &Turn, error: LoadError) {
        let newest = order.lets(turn);
        metrics().load_failed(&error, newest);
        let current = self.current();
        let keeps = if current.built_in {
            "the built-in provision keeps serving".to_owned()
        } else {
            format!("provision `{}` keeps serving", current.name)
        };
        let initial = initial::name(&self.directory);
        if !self.options.back_to_initial || current.name == initial || !newest {
            return log::error!(target: REPORT, "{}", error.noted(&keeps));
        }
        let failure = match self.load(initial, None) {
            Ok(Loaded::Provision(provision)) => {
                log::error!(target: REPORT, "{}", error.noted(&format!("going back to provision `{initial}`")));
                self.swap(order, turn, *provision);
                return metrics().set_failing();
            }
            Ok(Loaded::Library(warnings)) => no_register_rules(initial, &warnings),
            Err(failure) => failure,
        };
        // The same error is `initial`'s own.
        if failure != error {
            log::error!(target: REPORT, "{}", error.noted(&format!("going back to provision `{initial}`")));
        }
        log::error!(target: REPORT, "{}", failure.noted(&keeps));
    }

    /// Whether what was configured last is not what serves: it did not load, or the files on disk are others.
    pub(crate) fn differs(&self) -> bool {
        metrics().is_failing() || self.current().files.differ(initial::BUILT_IN_SOURCE)
    }

    /// Lets `provision` serve, unless something does that was asked for later; gives the generation that serves.
    fn swap(&self, order: &mut Order, turn: &Turn, mut provision: Provision) -> u64 {
        if !order.lets(turn) {
            metrics().overtaken();
            let current = self.current();
            log::info!("provision `{}` loaded; `{}`, asked for later, serves", provision.name, current.name);
            return current.generation;
        }
        order.0 = turn.number();
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

impl Order {
    /// Whether nothing serves that was asked for later.
    fn lets(&self, turn: &Turn) -> bool {
        self.0 <= turn.number()
    }
}

/// Copies what has changed in the ConfigMap mount; names what was written or removed. `None`: nothing could be copied.
fn refresh(directory: &ProvisionDir) -> Option<Vec<String>> {
    let config = directory.refresh_config().map_err(|error| log::error!("{error}")).ok()?;
    config.problems.iter().for_each(|problem| log::error!("{problem}"));
    Some(config.changed.iter().chain(&config.removed).map(|name| name.as_str().to_owned()).collect())
}
