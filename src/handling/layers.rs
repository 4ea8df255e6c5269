//! Finds the layer that handles a request: the first overlay with a rule for it, or else the base.
//!
//! A rule that would only redirect to the path with a slash, or answer OPTIONS automatically, gives way to a rule of a lower layer,
//! unless its layer has an `app.cors`. So an overlay for `GET /orders` leaves alone how the base and its hooks answer preflights.

use super::{Others, Outcome, Resumed, Route, Wait, answer, handle};
use crate::chaos::Chaos;
use crate::message::request::Request;
use crate::provisioning::layers::{Layers, Member, Overlay};
use crate::provisioning::provision::Provision;
use crate::routing::router::Found;
use crate::script::runtime::conditions::Conditions;
use std::sync::Arc;

/// Handles one request with `layers`. Hooks and error handlers are those of the layer that answers, `store` is that of the base.
pub(crate) fn handle_layers(
    layers: &Layers,
    chaos: &Chaos,
    conditions: &Conditions,
    request: &mut Arc<Request>,
) -> Outcome {
    if layers.overlays.is_empty() {
        return handle(&layers.base, chaos, conditions, request);
    }
    let overlays = overlays(layers, request);
    let has_hosts = |provision: &Provision| provision.router.has_hosts();
    let has_hosts =
        has_hosts(&layers.base) || overlays.iter().any(|(_, overlay)| has_hosts(&overlay.provision));
    let host = has_hosts.then(|| request.host());
    let (overlay, found, allow) = choose(layers, &overlays, request, host.as_deref());
    let mut conditions = conditions.clone();
    let mut base = None;
    if overlay.is_some() {
        base = Some(&*layers.base);
        conditions.values.get_or_insert_with(|| layers.base.files.values.clone());
    }
    let provision = layers.provision(overlay);
    let overlay = overlay.map(|index| (index, &layers.overlays[index]));
    let others = Others { overlay, base, allow, overlays };
    let route = Route { found, host: host.as_deref(), others: &others };
    answer(provision, route, chaos, &conditions, request)
}

/// Goes on with a request of `overlay`, or of the base, after a wait that ended with `resumed`.
pub(crate) fn resume_layers(
    layers: &Layers,
    overlay: Option<usize>,
    request: &Request,
    wait: Wait,
    resumed: Resumed,
) -> Outcome {
    let provision = layers.provision(overlay);
    let base = overlay.map(|_| &*layers.base);
    let overlay = overlay.map(|index| (index, &layers.overlays[index]));
    let others = Others { overlay, base, overlays: overlays(layers, request), ..Others::default() };
    wait.resume(provision, &others, request, resumed)
}

/// Returns the overlays for `request`, with their indices.
fn overlays<'l>(layers: &'l Layers, request: &Request) -> Vec<(usize, &'l Overlay)> {
    let carries = |member: &Member| {
        request.baggage().iter().any(|(key, value)| *key == member.key && *value == member.value)
    };
    layers.overlays_for(carries).collect()
}

/// Returns the overlay that answers (`None` for the base), its result, and the methods that other layers have for the path.
fn choose(
    layers: &Layers,
    overlays: &[(usize, &Overlay)],
    request: &Request,
    host: Option<&str>,
) -> (Option<usize>, Found, Vec<String>) {
    let (method, path) = (request.method(), request.path());
    let (mut allow, mut weak) = (Vec::new(), None);
    for overlay in overlays.iter().map(|(index, _)| Some(*index)).chain([None]) {
        let router = &layers.provision(overlay).router;
        match router.find_at(method, path, host) {
            Found::NotFound => {}
            Found::MethodNotAllowed { allow: own } => allow.extend(own),
            Found::Rule { index, values }
                if method == "OPTIONS" && router.rules()[index].automatic_options() =>
            {
                allow.extend(router.allowed(path, host));
                if weak.as_ref().is_none_or(|(above, _)| layers.provision(*above).cors.is_none()) {
                    weak = Some((overlay, Found::Rule { index, values }));
                }
            }
            Found::Redirect { path: to } if to.strip_suffix('/') == Some(path) => {
                weak.get_or_insert((overlay, Found::Redirect { path: to }));
            }
            found => return (overlay, found, allow),
        }
    }
    let (overlay, found) = weak.unwrap_or_else(|| match allow.is_empty() {
        true => (None, Found::NotFound),
        false => (None, Found::MethodNotAllowed { allow: Vec::new() }),
    });
    (overlay, found, allow)
}

#[cfg(test)]
mod tests;
