//! What the admin interface asks of the process behind it. The one file here that names the modules of
//! the core; it knows no HTTP.

use crate::directory::Name;
use crate::message::epoch::Epoch;
pub use crate::provisioning::activation::{Activation, ActivationError};
use crate::provisioning::active::WaitId;
pub use crate::provisioning::ledger::LedgerRow;
pub use crate::provisioning::provision::RuleRow;
use crate::routing::near_miss::Miss;
pub use crate::script::runtime::fault::LoadError;
use crate::script::runtime::key_value_store::KeyValueStore;
use std::sync::Arc;

/// Called once with the generation that serves.
pub type Served = Box<dyn FnOnce(u64) + Send>;

/// The provision that serves, seen at one moment.
pub struct Active {
    /// Its name in the provision directory.
    pub name: String,
    /// Its generation, 1 for the first activation of the process.
    pub generation: u64,
    /// Its rules in order of registration, with their hits so far.
    pub rules: Vec<RuleRow>,
}

/// The values of `store`, of the provision that serves at one moment.
pub struct Values {
    /// The values.
    pub data: Arc<KeyValueStore>,
    /// Tells which of them count.
    pub epoch: Arc<Epoch>,
    /// Generation of the provision.
    pub generation: u64,
}

/// Storing, activating and listing provisions. A trait so that the interface is tested without files and scripts.
pub trait Provisioning: Send + Sync + 'static {
    /// Names one call of `on_generation`.
    type Wait: Send;

    /// The provision that serves now.
    fn active(&self) -> Active;
    /// Why the server is not ready although it serves; `None` where it is ready.
    fn not_ready(&self) -> Option<String>;
    /// Compiles, stores and activates; the generation that serves it.
    fn post(&self, name: &Name, source: &[u8]) -> Result<u64, ActivationError>;
    /// Activates a stored provision; the generation that serves it.
    fn activate(&self, name: &Name) -> Result<u64, ActivationError>;
    /// Stores a file; the generation that serves after it.
    fn put_file(&self, name: &Name, bytes: &[u8]) -> Result<u64, ActivationError>;
    /// Removes a stored file that is not the active provision.
    fn remove(&self, name: &Name) -> Result<(), ActivationError>;
    /// The bytes of a stored file.
    fn source(&self, name: &Name) -> Result<Vec<u8>, ActivationError>;
    /// All files of the provision directory.
    fn ledger(&self) -> Result<Vec<LedgerRow>, ActivationError>;
    /// The values of `store`.
    fn values(&self) -> Values;
    /// The rules of `generation` that are closest to a request which none of them served, each with what differs; `None` where
    /// another generation serves by now. Goes through all rules: thousands take milliseconds.
    fn closest(&self, generation: u64, method: &str, path: &str) -> Option<Vec<String>>;
    /// Ends the epoch: `store`, hits and what else goes by it are reset in one step; the generation that serves.
    fn reset(&self) -> u64;
    /// Calls `then` as soon as `wanted` or a later generation serves: at once where one already does.
    fn on_generation(&self, wanted: u64, then: Served) -> Self::Wait;
    /// Drops a wait whose call has not come.
    fn forget(&self, wait: Self::Wait);
}

impl Provisioning for Activation {
    type Wait = WaitId;

    fn active(&self) -> Active {
        let serving = Activation::current(self);
        Active {
            name: serving.name.clone(),
            generation: serving.generation,
            rules: serving.rules(self.epoch().now()),
        }
    }

    fn not_ready(&self) -> Option<String> {
        Activation::not_ready(self)
    }

    fn post(&self, name: &Name, source: &[u8]) -> Result<u64, ActivationError> {
        Activation::post(self, name, source)
    }

    fn activate(&self, name: &Name) -> Result<u64, ActivationError> {
        Activation::activate(self, name)
    }

    fn put_file(&self, name: &Name, bytes: &[u8]) -> Result<u64, ActivationError> {
        Activation::put_file(self, name, bytes)
    }

    fn remove(&self, name: &Name) -> Result<(), ActivationError> {
        Activation::remove(self, name)
    }

    fn source(&self, name: &Name) -> Result<Vec<u8>, ActivationError> {
        Activation::source(self, name)
    }

    fn ledger(&self) -> Result<Vec<LedgerRow>, ActivationError> {
        Activation::ledger(self).map_err(ActivationError::Directory)
    }

    fn values(&self) -> Values {
        let serving = Activation::current(self);
        let data = serving.files.values.clone();
        Values { data, epoch: self.epoch().clone(), generation: serving.generation }
    }

    fn closest(&self, generation: u64, method: &str, path: &str) -> Option<Vec<String>> {
        let serving = Activation::current(self);
        let misses = (serving.generation == generation).then(|| serving.router.explain(method, path))?;
        Some(misses.iter().map(Miss::to_string).collect())
    }

    fn reset(&self) -> u64 {
        Activation::reset(self)
    }

    fn on_generation(&self, wanted: u64, then: Served) -> WaitId {
        Activation::on_generation(self, wanted, then)
    }

    fn forget(&self, wait: WaitId) {
        Activation::forget(self, wait);
    }
}
