//! Requests of the administrative port that load, store or remove a file. They run one at a time.

use super::{Activation, ActivationError, Order};
use crate::directory::Name;
use crate::provisioning::provision::Provision;
use crate::provisioning::required::unknown;
use crate::provisioning::turns::Turn;
use crate::system::lock::lock;
use std::collections::BTreeSet;

impl Activation {
    /// Loads `source`, stores it as `name` and lets it serve. Returns the generation that serves then.
    ///
    /// # Errors
    /// `source` does not load, or can't be stored. Then nothing is stored or changed.
    pub(crate) fn post(&self, turn: &Turn, name: &Name, source: &[u8]) -> Result<u64, ActivationError> {
        let mut order = lock(&self.order);
        if !name.is_provision() || Name::is_ignored(name.file_name()) {
            return Err(ActivationError::NotAProvision(name.as_str().to_owned()));
        }
        let provision = self.load_wanted(&mut order, turn, name, Some(source.to_vec()))?;
        self.directory.write(name, source)?;
        self.note_rewritten(name);
        Ok(self.swap(&mut order, turn, provision))
    }

    /// Activates a stored file, as a touch of the file does. Returns the generation that serves then.
    ///
    /// # Errors
    /// The directory has no such provision, or it does not load.
    pub(crate) fn activate(&self, turn: &Turn, name: &Name) -> Result<u64, ActivationError> {
        let mut order = lock(&self.order);
        self.known(name)?;
        if !name.is_provision() {
            return Err(ActivationError::NotAProvision(name.as_str().to_owned()));
        }
        let provision = self.load_wanted(&mut order, turn, name, None)?;
        Ok(self.swap(&mut order, turn, provision))
    }

    /// Stores a file without activating it. The active provision is reloaded if it has read a file of that name.
    ///
    /// # Errors
    /// The directory refuses the file.
    pub(crate) fn put_file(&self, turn: &Turn, name: &Name, bytes: &[u8]) -> Result<u64, ActivationError> {
        let mut order = lock(&self.order);
        self.directory.write(name, bytes)?;
        self.note_rewritten(name);
        self.ledger.rewritten(name.as_str());
        self.reload_if_read(&mut order, turn, &BTreeSet::from([name.as_str().to_owned()]));
        Ok(self.generation())
    }

    /// Removes a file.
    ///
    /// # Errors
    /// The file is unknown, the active provision comes from it, or the directory refuses.
    pub(crate) fn remove(&self, name: &Name) -> Result<(), ActivationError> {
        let _order = lock(&self.order);
        self.known(name)?;
        if self.current().name == name.as_str() {
            return Err(ActivationError::Active(name.as_str().to_owned()));
        }
        self.directory.remove(name)?;
        self.note_rewritten(name);
        self.ledger.forget(name.as_str());
        Ok(())
    }

    /// Reads a file.
    ///
    /// # Errors
    /// The file is unknown or can't be read.
    pub(crate) fn source(&self, name: &Name) -> Result<Vec<u8>, ActivationError> {
        self.known(name)?;
        Ok(self.directory.read(name)?.bytes)
    }

    fn known(&self, name: &Name) -> Result<(), ActivationError> {
        // Beside a served file there may be files of the user that are nobody's business.
        let is_served = || self.watched().contains(name.as_str()) && self.directory.exists(name);
        (self.directory.holds(name) || is_served())
            .then_some(())
            .ok_or_else(|| unknown(name, &self.directory))
    }

    /// Notes that file `name` has changed, for a load of the watcher that may have read it before.
    fn note_rewritten(&self, name: &Name) {
        if let Some(rewritten) = &mut *lock(&self.rewritten) {
            rewritten.insert(name.as_str().to_owned());
        }
    }

    /// Loads a file that must be a provision, and logs a failure.
    fn load_wanted(
        &self,
        order: &mut Order,
        turn: &Turn,
        name: &Name,
        source: Option<Vec<u8>>,
    ) -> Result<Provision, ActivationError> {
        let loaded = self.load(name.as_str(), source).and_then(|loaded| loaded.into_provision(name.as_str()));
        loaded.map_err(|error| {
            self.failed(order, turn, error.clone());
            ActivationError::Load(error)
        })
    }
}
