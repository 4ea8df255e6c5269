//! Loads that change nothing: a provision that is only tried, and a private copy of the one that serves.

use super::{Activation, ActivationError};
use crate::directory::Name;
use crate::provisioning::provision::Provision;
use crate::script::runtime::conditions::Conditions;
use crate::script::runtime::fault::LoadError;
use crate::script::runtime::files::Files;
use crate::script::runtime::key_value_store::KeyValueStore;
use crate::script::runtime::log_capture;
use crate::script::runtime::same::same;
use rhai::{Dynamic, ImmutableString};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most keys in a list of changes.
const MOST_KEYS: usize = 100;

/// The keys of `store` that an activation would change.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(crate) struct StoreChanges {
    /// Keys that would be removed.
    pub lost: Vec<String>,
    /// Keys that would have another value: that of `registerRules()`.
    pub initial: Vec<String>,
    /// Number of further keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub more: Option<usize>,
}

impl Activation {
    /// Loads `source` under `conditions`, as a POST of `name` would. Nothing is stored, recorded, counted or logged.
    ///
    /// # Errors
    /// Those of the POST, except those that only writing the file would show.
    pub(crate) fn check(
        &self,
        name: &Name,
        source: &[u8],
        conditions: &Conditions,
    ) -> Result<Provision, ActivationError> {
        if !name.is_provision() || Name::is_ignored(name.file_name()) {
            return Err(ActivationError::NotAProvision(name.as_str().to_owned()));
        }
        let (directory, values) = (self.directory.clone(), self.values_of_load());
        let files = Files::new(directory, name.as_str(), Some(source.to_vec()), values);
        let files = files.keeping(self.options.keep_store);
        let provision = self.load_privately(files, conditions).map_err(ActivationError::Load)?;
        self.directory.admits(name)?;
        Ok(provision)
    }

    /// Loads the sources of `provision` once more under `conditions`, as they were when it was loaded. The copy counts nothing, and has random
    /// sequences of its own.
    ///
    /// # Errors
    /// A file that the provision reads while it is loaded has changed since.
    pub(crate) fn copy_of(
        &self,
        provision: &Provision,
        conditions: &Conditions,
    ) -> Result<Provision, LoadError> {
        self.load_privately(provision.files.again(self.values_of_load()), conditions)
    }

    /// Returns the values that a load meets: none, or with `--keep-store` a copy of those that requests meet.
    fn values_of_load(&self) -> Arc<KeyValueStore> {
        Arc::new(if self.options.keep_store { self.values.copy() } else { self.values.other() })
    }

    fn load_privately(&self, files: Files, conditions: &Conditions) -> Result<Provision, LoadError> {
        let (name, conditions) = (files.main.clone(), conditions.clone());
        let load = || Provision::load_under(conditions, &self.engine, self.options.budget, files);
        let (loaded, _) = log_capture::within(load);
        let mut provision = loaded?.into_provision(&name)?;
        self.options.apply(&mut provision);
        Ok(provision)
    }

    /// Returns the file name of the active provision, for a check that names none.
    pub(crate) fn active_name(&self) -> String {
        self.wanted(&self.current()).to_owned()
    }

    /// Returns the keys of `store` that would change if `next` replaced `current`.
    pub(crate) fn store_changes(&self, current: &Provision, next: &Provision) -> StoreChanges {
        if self.options.keep_store {
            return StoreChanges::default();
        }
        let (before, after) = (self.values_of(current), self.values_of(next));
        let lost = before.keys().filter(|key| !after.contains_key(*key));
        let initial =
            after.iter().filter(|(key, value)| before.get(*key).is_none_or(|before| !same(before, value)));
        let (lost, initial): (Vec<&ImmutableString>, Vec<&ImmutableString>) =
            (lost.collect(), initial.map(|(key, _)| key).collect());
        let more = [&lost, &initial].map(|keys| keys.len().saturating_sub(MOST_KEYS)).iter().sum();
        let first =
            |keys: Vec<&ImmutableString>| keys.into_iter().take(MOST_KEYS).map(ToString::to_string).collect();
        StoreChanges { lost: first(lost), initial: first(initial), more: Some(more).filter(|more| *more > 0) }
    }

    /// Returns a copy of the values that requests meet now, with those that `registerRules()` of `next` adds.
    pub(crate) fn values_for(&self, current: &Provision, next: &Provision) -> KeyValueStore {
        let copy = current.files.values.copy();
        if let Some(mut values) = copy.lock(Some(self.epoch.now())) {
            for (key, value) in self.values_of(next) {
                if !values.contains(&key) {
                    // Without room the key stays unset, as after a write that fails.
                    let _ = values.set(&key, (*value).clone());
                }
            }
        }
        copy
    }

    fn values_of(&self, provision: &Provision) -> BTreeMap<ImmutableString, Arc<Dynamic>> {
        let values = provision.files.values.lock(None);
        let pairs = values.iter().flat_map(|values| values.under(""));
        pairs.map(|(key, value)| (key.clone(), value.clone())).collect()
    }
}
