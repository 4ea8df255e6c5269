//! Loads that the saved files of `h1mock serve FILE` cause.

use super::{Activation, Observer};
use crate::directory::Name;
use crate::observing::metrics::metrics;
use crate::provisioning::initial;
use crate::provisioning::load::load;
use crate::script::runtime::fault::LoadError;
use crate::system::lock::lock;
use std::collections::BTreeSet;
use std::sync::Arc;

impl Activation {
    /// Sets the function that gets the provisions before and after each activation. The first one counts.
    pub(crate) fn observe(&self, observer: Observer) {
        let _ = self.observer.set(observer);
    }

    /// Returns the files whose change causes a load: those that are served, and those that a load or a request has read.
    pub(crate) fn watched(&self) -> BTreeSet<String> {
        let mut names = self.current().files.dependencies();
        if let Some(served) = self.directory.served() {
            names.extend(served.names().iter().map(|name| name.as_str().to_owned()));
            names.extend(lock(&self.options.failed_reads).iter().cloned());
        }
        names
    }

    /// Handles files that the user has saved: loads the served files again if they are among them, or have read one. Otherwise the active
    /// provision is loaded again, if it has read one.
    pub(crate) fn saved(&self, saved: &BTreeSet<String>) {
        let Some(served) = self.directory.served() else { return };
        let turn = self.turn();
        for name in saved {
            Name::parse(name).iter().for_each(|name| self.directory.uncover(name));
            self.ledger.rewritten(name);
        }
        let (name, current) = (served.name().as_str(), self.current());
        let is_active = current.built_in || current.name == name;
        let concerns = served.names().iter().any(|own| saved.contains(own.as_str()))
            || !lock(&self.options.failed_reads).is_disjoint(saved)
            || is_active && !current.files.dependencies().is_disjoint(saved);
        if !concerns || is_active && !self.directory.exists(served.name()) {
            return self.reload_beside(&turn, saved);
        }
        let built_in = current.built_in;
        drop(current);
        let (mut order, loaded) = self.load_beside(&turn, name);
        match loaded.and_then(|loaded| loaded.into_provision(name)) {
            Ok(provision) => _ = self.swap(&mut order, &turn, provision),
            Err(error) => {
                self.record_failure(name, &error);
                self.failed(&mut order, &turn, error.clone());
                if built_in {
                    self.show(&mut order, &turn, &error);
                }
            }
        }
    }

    /// Lets the built-in provision answer with `error`, as no provision has loaded so far.
    fn show(&self, order: &mut super::Order, turn: &super::Turn, error: &LoadError) {
        let (page, values) = (initial::page_of(error), Arc::new(self.values.other()));
        let name = initial::BUILT_IN;
        let loaded = load(&self.engine, &self.options, &self.directory, name, Some(page), values);
        if let Ok(mut provision) = loaded.and_then(|loaded| loaded.into_provision(name)) {
            provision.built_in = true;
            self.swap(order, turn, provision);
            metrics().set_failing();
        }
    }
}
