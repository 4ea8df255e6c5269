//! Overlays: rules that requests meet before those of the active provision. They are never stored in the provision directory, since the
//! watcher would activate them.

use super::Activation;
use crate::directory::Name;
use crate::observing::metrics::{LayerRules, metrics};
use crate::provisioning::error::ActivationError;
use crate::provisioning::layers::{Layers, MOST_OVERLAYS, Overlay, OverlayId};
use crate::provisioning::load::load_overlay;
use crate::script::runtime::fault::{Fault, REPORT};
use crate::system::lock::lock;
use std::sync::Arc;
use std::time::{Duration, Instant};

impl Activation {
    /// Loads `source` as overlay `id`, which serves from now on, and for the time `lasts`. It replaces an overlay of the same identity.
    /// Returns the generation that serves then, and the warnings of the load.
    ///
    /// # Errors
    /// `source` does not load or has no rules, or there are too many overlays. Then nothing changes.
    pub(crate) fn post_overlay(
        &self,
        id: OverlayId,
        lasts: Option<Duration>,
        source: &[u8],
    ) -> Result<(u64, Vec<Fault>), ActivationError> {
        let _order = lock(&self.order);
        if !Name::parse(&id.name).is_ok_and(|name| name.is_provision() && !Name::is_ignored(name.file_name()))
        {
            return Err(ActivationError::NotAProvision(id.name));
        }
        if self.layers().live().filter(|(_, overlay)| overlay.id != id).count() >= MOST_OVERLAYS {
            return Err(ActivationError::TooManyOverlays);
        }
        let values = self.current().files.values.clone();
        let (options, source) = (&self.options, source.to_vec());
        let loaded = load_overlay(&self.engine, options, &self.directory, &id.name, source, values);
        let mut provision = loaded.map_err(|error| {
            metrics().load_failed(&error, false);
            log::error!(target: REPORT, "{}", error.noted(&format!("overlay {id} does not serve in this form")));
            ActivationError::Load(error)
        })?;
        let layers = self.layers();
        let kept = layer_rules(&layers, Some(&id));
        let own = LayerRules { overlay: Some(id.to_string()), rules: provision.router.rules() };
        let counters = metrics().loaded(&own, &kept);
        provision.count_with(counters);
        let (warnings, text) = (provision.warnings.clone(), id.to_string());
        let generation = self.active.add(id, provision, lasts.map(|lasts| Instant::now() + lasts));
        log::info!("overlay {text} serves, generation {generation}");
        Ok((generation, warnings))
    }

    /// Removes overlay `id`. Returns the generation that serves then.
    ///
    /// # Errors
    /// There is no such overlay.
    pub(crate) fn remove_overlay(&self, id: &OverlayId) -> Result<u64, ActivationError> {
        let layers = self.overlay(id)?.0;
        let generation = self.active.remove(|overlay, _| overlay.id == *id);
        drop(layers);
        log::info!("overlay {id} has been removed, generation {generation}");
        Ok(generation)
    }

    /// Returns the time at which [`Activation::remove_ended`] must be called next; `None` if an earlier call is planned already.
    ///
    /// So few calls wait at a time, however often overlays are loaded.
    pub(crate) fn plan_end(&self) -> Option<Instant> {
        let end = self.layers().overlays.iter().filter_map(|overlay| overlay.until).min()?;
        let mut planned = lock(&self.ends);
        let is_new = planned.first().is_none_or(|first| end < *first) && planned.insert(end);
        is_new.then_some(end)
    }

    /// Removes the overlays whose time is over, as planned for `end`.
    pub(crate) fn remove_ended(&self, end: Instant) {
        lock(&self.ends).remove(&end);
        let before = self.layers();
        let generation = self.active.remove(Overlay::has_ended);
        if generation != before.generation {
            let now = Instant::now();
            for overlay in before.overlays.iter().filter(|overlay| overlay.has_ended(now)) {
                log::info!("overlay {} has ended, generation {generation}", overlay.id);
            }
        }
    }

    /// Returns the source of overlay `id`.
    ///
    /// # Errors
    /// There is no such overlay.
    pub(crate) fn overlay_source(&self, id: &OverlayId) -> Result<String, ActivationError> {
        let (layers, index) = self.overlay(id)?;
        let provision = &layers.overlays[index].provision;
        Ok(provision.files.text(&provision.name).unwrap_or_default())
    }

    fn overlay(&self, id: &OverlayId) -> Result<(Arc<Layers>, usize), ActivationError> {
        let layers = self.layers();
        let found = layers.live().find(|(_, overlay)| overlay.id == *id).map(|(index, _)| index);
        match found {
            Some(index) => Ok((layers, index)),
            None => Err(ActivationError::NoOverlay { wanted: id.clone(), names: layers.names() }),
        }
    }
}

/// Returns the rules of all layers except `replaced`: an overlay, or the base (`None`).
pub(super) fn layer_rules<'l>(layers: &'l Layers, replaced: Option<&OverlayId>) -> Vec<LayerRules<'l>> {
    let overlays = layers.live().filter(|(_, overlay)| Some(&overlay.id) != replaced);
    let overlays = overlays.map(|(_, overlay)| LayerRules {
        overlay: Some(overlay.id.to_string()),
        rules: overlay.provision.router.rules(),
    });
    let base = replaced.map(|_| LayerRules { overlay: None, rules: layers.base.router.rules() });
    base.into_iter().chain(overlays).collect()
}
