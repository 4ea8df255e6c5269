//! `/app/v1/provision/NAME?overlay`: rules that requests meet before those of the active provision.

use super::answer::{failed, refused, success_of, success_with};
use super::fields::SHOWN;
use super::{Admin, Call, Job};
use crate::cli::value::duration;
use crate::directory::Name;
use crate::message::answer::Answer;
use crate::message::request::Request;
use crate::provisioning::layers::{Member, OverlayId};
use crate::routing::method::is_token;
use crate::system::spelling::nearest;
use crate::system::truncate::beginning;
use std::ffi::OsStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Longest time of `for`: that of an entry of chaos.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// Pause before ended overlays are removed again if too many loads wait.
const AGAIN: Duration = Duration::from_secs(1);

/// The query parameters of a request for an overlay.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Asked {
    pub member: Option<Member>,
    /// The time of `for`; `None` for an overlay without an end.
    pub lasts: Option<Duration>,
}

/// The parameters beside `overlay` that a method takes.
type Names = &'static [&'static str];
pub(super) const LOAD: Names = &["baggage", "for"];
pub(super) const NAMED: Names = &["baggage"];

/// Parses the query of a request for a provision or an overlay. `None` without `overlay`: the request is for a provision.
pub(super) fn asked(request: &Request, names: Names) -> Result<Option<Asked>, Answer> {
    let pairs: Vec<(&str, &str)> =
        request.args().iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    parse(&pairs, names).map_err(|why| failed(400, &format!("query parameter {why}")))
}

fn parse(pairs: &[(&str, &str)], names: Names) -> Result<Option<Asked>, String> {
    let is_overlay = pairs.iter().any(|(name, _)| *name == "overlay");
    let mut asked = Asked::default();
    for (place, (name, value)) in pairs.iter().enumerate() {
        let (name, shown) = (*name, beginning(value, SHOWN));
        if !is_overlay {
            // A provision would replace a shared mock, or remove its file, where a test meant its overlay.
            let meant = name.contains("overlay") || nearest(name, ["overlay"]).is_some();
            if meant || LOAD.contains(&name) {
                return Err(format!(
                    "`{}` is for overlays: write `?overlay`, then `&baggage=KEY=VALUE` or `&for=30s`",
                    beginning(name, SHOWN)
                ));
            }
            continue;
        }
        if pairs[..place].iter().any(|(earlier, _)| *earlier == name) {
            return Err(format!("`{}` is given twice", beginning(name, SHOWN)));
        }
        match name {
            "overlay" if value.is_empty() => {}
            "overlay" => {
                return Err(format!(
                    "`overlay` is `{shown}`, but takes no value: the path has the name of the overlay"
                ));
            }
            "baggage" => {
                asked.member = Some(member(value).ok_or_else(|| {
                    format!("`baggage` is `{shown}`: write KEY=VALUE, for example `baggage=test=17`")
                })?)
            }
            "for" if names.contains(&"for") => {
                let range = Duration::from_millis(1)..=LONGEST;
                asked.lasts =
                    Some(duration(OsStr::new(value), range).map_err(|why| format!("`for`: {why}"))?);
            }
            "for" => return Err("`for` is given, but only POST takes it".to_owned()),
            _ => {
                return Err(format!(
                    "`{}` is unknown: there are overlay, {}",
                    beginning(name, SHOWN),
                    names.join(", ")
                ));
            }
        }
    }
    Ok(is_overlay.then_some(asked))
}

/// Parses `test=17`.
fn member(text: &str) -> Option<Member> {
    let (key, value) = text.split_once('=')?;
    is_token(key).then(|| Member { key: key.to_owned(), value: value.to_owned() })
}

impl Asked {
    pub(super) fn id(&self, name: &Name) -> OverlayId {
        OverlayId { name: name.as_str().to_owned(), member: self.member.clone() }
    }
}

/// POST: 201 once the overlay serves, 422 where it does not load, 409 where there are too many.
pub(super) fn post(call: &Call, name: &Name, asked: &Asked) -> Result<Answer, Answer> {
    let posted = call.admin.activation.post_overlay(asked.id(name), asked.lasts, &call.request.body);
    let (generation, warnings) = posted.map_err(|error| refused(&error))?;
    plan_end(call.admin);
    Ok(success_with(201, &format!("overlay '{name}' has been loaded"), generation, &warnings))
}

/// DELETE: removes the overlay with this name and member.
pub(super) fn delete(call: &Call, name: &Name, asked: &Asked) -> Result<Answer, Answer> {
    let removed = call.admin.activation.remove_overlay(&asked.id(name));
    let generation = removed.map_err(|error| refused(&error))?;
    Ok(success_of(200, &format!("overlay '{name}' has been removed"), generation))
}

/// GET of the source.
pub(super) fn source(call: &Call, name: &Name, asked: &Asked) -> Result<Answer, Answer> {
    let source = call.admin.activation.overlay_source(&asked.id(name)).map_err(|error| refused(&error))?;
    Ok(Answer::new(200, "text/plain; charset=utf-8", source))
}

/// GET of the provision, which would activate the file of that name.
pub(super) fn refuse_get(name: &Name) -> Answer {
    failed(
        400,
        &format!(
            "GET activates the stored provision `{name}`, and no overlay: POST loads an overlay, GET /app/v1/source/{name}?overlay returns its source, GET /app/v1/provision lists all"
        ),
    )
}

/// Plans the removal of the overlay that ends first.
fn plan_end(admin: &Arc<Admin>) {
    if let Some(end) = admin.activation.plan_end() {
        remove_ended_after(admin.clone(), end, end.saturating_duration_since(Instant::now()));
    }
}

/// Removes ended overlays after `delay`, on the thread of the loads: freeing a large provision takes time and stack, which the timer
/// has not. Until then requests pass the overlay by.
fn remove_ended_after(admin: Arc<Admin>, end: Instant, delay: Duration) {
    let then = admin.clone();
    let due = move || {
        let admin = then.clone();
        let remove = move || {
            admin.activation.remove_ended(end);
            plan_end(&admin);
        };
        if !Job::run_on(&then.loads, remove) {
            remove_ended_after(then, end, AGAIN);
        }
    };
    (admin.after)(delay, Box::new(due));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(query: &str, names: Names) -> Result<Option<Asked>, String> {
        let request =
            Request::from_parts("POST", &format!("/?{query}"), None::<(&str, &str)>, Vec::new(), None, None);
        let pairs: Vec<(&str, &str)> =
            request.args().iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        parse(&pairs, names)
    }

    fn asked(member: Option<(&str, &str)>, seconds: Option<f64>) -> Asked {
        let member = member.map(|(key, value)| Member { key: key.to_owned(), value: value.to_owned() });
        Asked { member, lasts: seconds.map(Duration::from_secs_f64) }
    }

    #[test]
    fn an_overlay_has_a_member_and_a_time() {
        for (query, expected) in [
            ("", None),
            ("x=1", None),
            ("overlay", Some(asked(None, None))),
            ("overlay=", Some(asked(None, None))),
            ("overlay&for=30s", Some(asked(None, Some(30.0)))),
            ("for=1.5m&overlay", Some(asked(None, Some(90.0)))),
            ("overlay&for=5", Some(asked(None, Some(5.0)))),
            ("overlay&baggage=test=17", Some(asked(Some(("test", "17")), None))),
            ("overlay&baggage=test%3D17", Some(asked(Some(("test", "17")), None))),
            ("overlay&baggage=test=a=b%20c&for=1ms", Some(asked(Some(("test", "a=b c")), Some(0.001)))),
            ("overlay&baggage=test=", Some(asked(Some(("test", "")), None))),
        ] {
            assert_eq!(parsed(query, LOAD), Ok(expected), "{query}");
        }
    }

    #[test]
    fn a_wrong_parameter_is_named_with_the_right_form() {
        let overlays = "is for overlays: write `?overlay`, then `&baggage=KEY=VALUE` or `&for=30s`";
        let baggage =
            |given: &str| format!("`baggage` is `{given}`: write KEY=VALUE, for example `baggage=test=17`");
        for (query, names, expected) in [
            ("overlays", LOAD, format!("`overlays` {overlays}")),
            ("Overlay", LOAD, format!("`Overlay` {overlays}")),
            ("for=30s", LOAD, format!("`for` {overlays}")),
            ("baggage=test=17", LOAD, format!("`baggage` {overlays}")),
            (
                "overlay=busy",
                LOAD,
                "`overlay` is `busy`, but takes no value: the path has the name of the overlay".into(),
            ),
            ("overlay;for=30s", LOAD, format!("`overlay;for` {overlays}")),
            ("overlay&overlay", LOAD, "`overlay` is given twice".into()),
            ("overlay&baggage=a=1&baggage=b=2", LOAD, "`baggage` is given twice".into()),
            ("overlay&baggage=test", LOAD, baggage("test")),
            ("overlay&baggage", LOAD, baggage("")),
            ("overlay&baggage==17", LOAD, baggage("=17")),
            ("overlay&baggage=a%20b=17", LOAD, baggage("a b=17")),
            ("overlay&for=soon", LOAD, "`for`: `soon` is no duration (try 500ms, 2s or 1m)".into()),
            ("overlay&for=25h", LOAD, "`for`: `25h` is out of range (1ms to 24h)".into()),
            ("overlay&for=0", LOAD, "`for`: `0` is out of range (1ms to 24h)".into()),
            ("overlay&For=1s", LOAD, "`For` is unknown: there are overlay, baggage, for".into()),
            ("overlay&for=30s", NAMED, "`for` is given, but only POST takes it".into()),
            ("overlay&x", NAMED, "`x` is unknown: there are overlay, baggage".into()),
        ] {
            assert_eq!(parsed(query, names), Err(expected), "{query}");
        }
    }
}
