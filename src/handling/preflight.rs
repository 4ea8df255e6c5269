//! OPTIONS requests that h1mock answers itself.

use super::Others;
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
    others: &Others,
) -> Option<Answer> {
    let cors = provision.cors.as_deref().or_else(|| others.base?.cors.as_deref())?;
    let serves = |index: usize| !provision.router.rules()[index].automatic_options();
    let by_view = matches!(found, Found::Rule { index, .. } if serves(*index));
    let allowed = || others.allowed(provision.router.allowed(request.path(), host));
    (!by_view && cors.is_preflight(request)).then(|| options(allowed()))
}

/// Returns the answer to OPTIONS: the methods `allowed` for the path, and no body.
pub(super) fn options(allowed: String) -> Answer {
    let mut answer = Answer::html(200, "");
    if !allowed.is_empty() {
        answer.headers.push(("Allow".into(), allowed.into()));
    }
    answer
}
