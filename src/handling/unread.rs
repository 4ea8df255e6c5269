//! Requests that go on to another server while their body still arrives: no function of a script can look at it.

use crate::chaos::Chaos;
use crate::message::request::Request;
use crate::provisioning::layers::Layers;
use crate::routing::router::Found;

/// Whether a request with this `method`, `target` and field `Host` is forwarded without a look at its body: by a rule of `app.forward` or
/// by `app.forward_unmatched`, without hooks, error handlers and `change`, which may want all of it. Faults may, too.
pub(crate) fn is_forwarded_unread(
    layers: &Layers,
    chaos: &Chaos,
    method: &str,
    target: &str,
    host: Option<&str>,
) -> bool {
    let provision = &layers.base;
    if !layers.overlays.is_empty() || chaos.is_live() || provision.has_functions_for_all() {
        return false;
    }
    let request =
        Request::from_parts(method, target, host.map(|host| ("Host", host)), Vec::new(), None, None);
    let host = provision.router.has_hosts().then(|| request.host());
    let forward = match provision.router.find_at(request.method(), request.path(), host.as_deref()) {
        Found::Rule { index, .. } => provision.routes.views[index].forward.as_ref(),
        Found::NotFound | Found::MethodNotAllowed { .. } => provision.forward_unmatched.as_ref(),
        Found::Redirect { .. } | Found::Moved { .. } => None,
    };
    forward.is_some_and(|forward| forward.change.is_none())
}
