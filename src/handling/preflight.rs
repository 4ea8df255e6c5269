//! OPTIONS requests that h1mock answers itself.

use crate::message::answer::Answer;
use crate::message::request::Request;
use crate::provisioning::provision::Provision;
use crate::routing::router::Found;

/// Returns the answer to a preflight of a browser, for provisions with `app.cors` or `--cors`. No function of the provision runs, so that
/// a hook that wants a token doesn't refuse it: preflights have no token. A path that no rule serves is answered too, as its page
/// of 404 can be read only then. `None` for other requests, and if a rule serves OPTIONS by its own view function.
pub(super) fn preflight(
    provision: &Provision,
    request: &Request,
    found: &Found,
    host: Option<&str>,
) -> Option<Answer> {
    let cors = provision.cors.as_deref()?;
    let serves = |index: usize| !provision.router.rules()[index].automatic_options();
    let by_view = matches!(found, Found::Rule { index, .. } if serves(*index));
    (!by_view && cors.is_preflight(request)).then(|| options(provision, request, host))
}

/// Returns the answer to OPTIONS: the methods of the path, and no body.
pub(super) fn options(provision: &Provision, request: &Request, host: Option<&str>) -> Answer {
    let mut answer = Answer::html(200, "");
    let allowed = provision.router.allowed(request.path(), host);
    if !allowed.is_empty() {
        answer.headers.push(("Allow".into(), allowed.join(", ").into()));
    }
    answer
}
