//! The one place that activates a provision: loads it, swaps it, and records the result.
//!
//! Swaps follow the order in which loads were asked for. A load that fails changes nothing that serves. `requests.rs` has the loads of
//! the administrative port, `changes.rs` those of file events.

mod changes;
mod overlays;
mod readiness;
mod requests;
mod saves;
mod trial;

#[cfg(test)]
mod tests;

pub(crate) use crate::provisioning::error::ActivationError;

use crate::directory::{DirectoryError, Name, ProvisionDir};
use crate::message::epoch::Epoch;
use crate::observing::metrics::{LayerRules, metrics};
use crate::provisioning::active::Active;
use crate::provisioning::initial;
use crate::provisioning::layers::Layers;
use crate::provisioning::ledger::{Ledger, LedgerRow};
use crate::provisioning::load::{LoadOptions, load, load_first};
use crate::provisioning::provision::{Loaded, Provision};
use crate::provisioning::turns::{Turn, Turns};
use crate::provisioning::warnings;
use crate::script::runtime::fault::{LoadError, REPORT};
use crate::script::runtime::key_value_store::KeyValueStore;
use crate::simulation::Simulation;
use rhai::Engine;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Instant;

pub(crate) struct Activation {
    engine: Arc<Engine>,
    options: LoadOptions,
    pub directory: Arc<ProvisionDir>,
    /// The provision that serves, and the waits for a generation.
    pub active: Active,
    values: Arc<KeyValueStore>,
    /// A request takes its number when it begins, so that nothing of the request counts after a reset.
    pub epoch: Arc<Epoch>,
    ledger: Ledger,
    /// The generation whose file is gone according to the log; 0 if there is none.
    gone: AtomicU64,
    turns: Arc<Turns>,
    order: Mutex<Order>,
    /// Files that were stored or removed since the watcher began a load; `None` while it runs none.
    rewritten: Mutex<Option<BTreeSet<String>>>,
    /// The times at which ended overlays are removed.
    ends: Mutex<BTreeSet<Instant>>,
    observer: OnceLock<Observer>,
}

/// A function that gets the provisions before and after each activation.
pub(crate) type Observer = Box<dyn Fn(&Provision, &Provision) + Send + Sync>;

/// The turn of the load that serves. A load holds its lock while it changes anything.
struct Order(u64);

impl Activation {
    /// Copies the ConfigMap mount, then activates `initial`, or the built-in provision if `initial` is missing or broken.
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
        let counters = metrics().loaded(&LayerRules { overlay: None, rules: first.router.rules() }, &[]);
        first.count_with(counters);
        if first.built_in && ledger.record(&initial::name(&directory)).error.is_some() {
            metrics().set_failing();
        }
        warnings::log(&ledger, &first.name, &first.warnings);
        ledger.activated(&first.name, 1);
        let activation = Activation {
            engine,
            options,
            directory,
            active: Active::new(first),
            values,
            epoch,
            ledger,
            gone: AtomicU64::default(),
            turns: Arc::default(),
            order: Mutex::new(Order(0)),
            rewritten: Mutex::default(),
            ends: Mutex::default(),
            observer: OnceLock::new(),
        };
        activation.log_wait();
        Ok(activation)
    }

    /// Returns the layers that serve now.
    pub(crate) fn layers(&self) -> Arc<Layers> {
        self.active.layers()
    }

    /// Returns the active provision. Its generation is that of its activation.
    pub(crate) fn current(&self) -> Arc<Provision> {
        self.layers().base.clone()
    }

    /// Returns the generation that serves now: the number of the last activation or change of an overlay.
    pub(crate) fn generation(&self) -> u64 {
        self.layers().generation
    }

    /// Returns the clock and the dice that scripts see.
    pub(crate) fn simulation(&self) -> &Simulation {
        &self.options.simulation
    }

    /// Ends the epoch: hits are 0 again, `store` has the values that `registerRules()` gave it, and all overlays are gone. The
    /// clock and the dice are those of the command line. Returns the generation that serves.
    ///
    /// The reset is atomic. It does not wait for requests or loads in progress.
    pub(crate) fn reset(&self) -> u64 {
        self.simulation().reset();
        self.current().routes.dice.restart();
        let mut epoch = 0;
        // A request reads the epoch first, so that none of the new epoch finds the old overlays.
        let generation = self.active.remove_all(|| epoch = self.epoch.next());
        // The first request of the epoch would reset the values too, but it may come late.
        drop(self.current().files.values.lock(Some(epoch)));
        generation
    }

    /// Takes the turn of a load that is asked for now.
    pub(crate) fn turn(&self) -> Turn {
        self.turns.take()
    }

    /// Lists the files of the directory with their records.
    ///
    /// # Errors
    /// The directory can't be read.
    pub(crate) fn ledger(&self) -> Result<Vec<LedgerRow>, DirectoryError> {
        self.ledger.rows(&self.directory, &self.watched())
    }

    /// Whether the configured provision is not the one that serves: its load failed, or its files on disk have changed.
    pub(crate) fn differs(&self) -> bool {
        let current = self.current();
        let initial = initial::name(&self.directory);
        match current.built_in {
            true => {
                metrics().is_failing()
                    || self.is_there(&initial) && !initial::is_built_in(&self.directory, &initial)
            }
            false => metrics().is_failing() || current.files.differ(),
        }
    }

    /// Reloads the active provision if it has read one of the `touched` files.
    fn reload_if_read(&self, order: &mut Order, turn: &Turn, touched: &BTreeSet<String>) {
        let current = self.current();
        if let Some(name) = self.to_reload(&current, touched) {
            let loaded = self.load(&name, None);
            self.reloaded(order, turn, &name, loaded);
        }
    }

    /// Returns the file to load again, if `current` has read one of the `touched` files.
    fn to_reload(&self, current: &Provision, touched: &BTreeSet<String>) -> Option<String> {
        let name = self.wanted(current);
        if current.files.dependencies().is_disjoint(touched) && !touched.contains(&name) {
            return None;
        }
        if !self.is_there(&name) {
            // A key that is removed from the ConfigMap is reported twice: by its mount, and as a removed file.
            let is_logged = self.gone.swap(current.generation, Ordering::Relaxed) == current.generation;
            if !is_logged && !current.built_in {
                log::warn!("file `{name}` of the active provision is gone: it goes on serving");
            }
            return None;
        }
        self.gone.store(0, Ordering::Relaxed);
        Some(name)
    }

    /// Handles the result of a reload of the active provision `name`.
    fn reloaded(&self, order: &mut Order, turn: &Turn, name: &str, loaded: Result<Loaded, LoadError>) {
        // Two workers may hand over their requests in another order than they took turns.
        order.0 = order.0.min(turn.number);
        match loaded.and_then(|loaded| loaded.into_provision(name)) {
            Ok(provision) => _ = self.swap(order, turn, provision),
            Err(error) => {
                self.record_failure(name, &error);
                self.failed(order, turn, error);
            }
        }
    }

    /// Returns the file of the active provision. The built-in provision stands for `initial`, until that loads.
    fn wanted(&self, current: &Provision) -> String {
        if current.built_in { initial::name(&self.directory) } else { current.name.clone() }
    }

    /// Compiles `name` from `source` or from the directory, and records the result in the ledger.
    fn load(&self, name: &str, source: Option<Vec<u8>>) -> Result<Loaded, LoadError> {
        let posted = source.is_some();
        let loaded = self.compile(name, source);
        self.record(name, posted, &loaded);
        loaded
    }

    fn compile(&self, name: &str, source: Option<Vec<u8>>) -> Result<Loaded, LoadError> {
        let values =
            if self.options.keep_store { self.values.clone() } else { Arc::new(self.values.other()) };
        load(&self.engine, &self.options, &self.directory, name, source, values)
    }

    /// Records the result of a load in the ledger. A posted file that is refused is not on disk, so it leaves no trace.
    fn record(&self, name: &str, posted: bool, loaded: &Result<Loaded, LoadError>) {
        match loaded {
            Ok(Loaded::Library(warnings)) if !posted => {
                self.ledger.library(name);
                warnings::log(&self.ledger, name, warnings);
            }
            Ok(Loaded::Library(_)) => {}
            Ok(Loaded::Provision(provision)) => warnings::log(&self.ledger, name, &provision.warnings),
            Err(error) => self.record_failure(name, error),
        }
    }

    fn record_failure(&self, name: &str, error: &LoadError) {
        if self.is_there(name) {
            self.ledger.failed(name, error);
        }
    }

    /// Logs a failed load and the provision that serves now: the same as before, or `initial` with `--on-error initial`.
    fn failed(&self, order: &mut Order, turn: &Turn, error: LoadError) {
        let newest = order.admits(turn);
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
        let goes_back = format!("going back to provision `{initial}`");
        match self.load(&initial, None).and_then(|loaded| loaded.into_provision(&initial)) {
            Ok(provision) => {
                log::error!(target: REPORT, "{}", error.noted(&goes_back));
                self.swap(order, turn, provision);
                metrics().set_failing();
            }
            Err(failure) => {
                // An equal error is the error of `initial` itself, which needs one record only.
                if failure != error {
                    log::error!(target: REPORT, "{}", error.noted(&goes_back));
                }
                log::error!(target: REPORT, "{}", failure.noted(&keeps));
            }
        }
    }

    /// Lets `provision` serve, unless a load that was asked for later serves. Returns the generation that serves.
    fn swap(&self, order: &mut Order, turn: &Turn, mut provision: Provision) -> u64 {
        let current = self.current();
        if !order.admits(turn) {
            metrics().overtaken();
            log::info!("provision `{}` loaded; `{}`, asked for later, serves", provision.name, current.name);
            return self.generation();
        }
        order.0 = turn.number;
        let layers = self.layers();
        let own = LayerRules { overlay: None, rules: provision.router.rules() };
        let counters = metrics().loaded(&own, &overlays::layer_rules(&layers, None));
        provision.count_with(counters);
        drop(layers);
        let name = provision.name.clone();
        let was_awaited = self.awaited(&current).is_some();
        let observed = self.observer.get().map(|observer| (observer, current));
        let generation = self.active.swap(provision);
        self.ledger.activated(&name, generation);
        self.log_activation(was_awaited);
        if let Some((observer, before)) = observed {
            observer(&before, &self.current());
        }
        generation
    }

    fn is_there(&self, name: &str) -> bool {
        Name::parse(name).is_ok_and(|name| self.directory.exists(&name))
    }
}

impl Order {
    /// Whether the load of `turn` may serve: no load that was asked for later serves.
    fn admits(&self, turn: &Turn) -> bool {
        self.0 <= turn.number
    }
}

/// Copies the changed keys of the ConfigMap mount. Returns the files that were written or removed; `None` if the mount can't be copied.
fn refresh(directory: &ProvisionDir) -> Option<Vec<String>> {
    let config = directory.refresh_config().map_err(|error| log::error!("{error}")).ok()?;
    config.problems.iter().for_each(|problem| log::error!("{problem}"));
    Some(config.changed.iter().chain(&config.removed).map(|name| name.as_str().to_owned()).collect())
}
