//! The layers that serve: the active provision, which is the base, and the overlays before it.
//!
//! A request keeps the layers with which it began. Each change makes new ones, which share the provisions that stay.

use crate::message::answer::Answer;
use crate::message::request::Request;
use crate::provisioning::provision::Provision;
use crate::provisioning::rule_row::RuleRow;
use crate::routing::rule::Rule;
use crate::routing::shadows::Shapes;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Most overlays at a time. A request tries the rules of each one.
pub(crate) const MOST_OVERLAYS: usize = 100;

/// The base and its overlays.
#[derive(Clone)]
pub(crate) struct Layers {
    /// The number of the last change, from 1.
    pub generation: u64,
    /// The active provision.
    pub base: Arc<Provision>,
    /// The newest overlay first. One whose time is over serves no request, and is removed a moment later.
    pub overlays: Vec<Overlay>,
}

/// Rules of a test before those of the base.
#[derive(Clone)]
pub(crate) struct Overlay {
    pub id: OverlayId,
    pub provision: Arc<Provision>,
    /// The end of `for`.
    pub until: Option<Instant>,
}

/// The identity of an overlay. Loading the same one again replaces it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OverlayId {
    pub name: String,
    /// The overlay serves only requests that carry this member; `None` for all requests.
    pub member: Option<Member>,
}

/// A member of `baggage`: `test=17`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub key: String,
    pub value: String,
}

/// An overlay, as the administrative port lists it.
#[derive(serde::Serialize)]
pub(crate) struct OverlayRow {
    name: String,
    baggage: Option<String>,
    /// Seconds until it ends, with milliseconds.
    seconds_left: Option<f64>,
    /// The generation that began to serve it.
    generation: u64,
    pub rules: Vec<RuleRow>,
}

/// `` `busy` ``, `` `busy` for baggage `test=17` ``
impl fmt::Display for OverlayId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "`{}`", self.name)?;
        match &self.member {
            Some(member) => write!(out, " for baggage `{member}`"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Member {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}={}", self.key, self.value)
    }
}

impl Overlay {
    pub(crate) fn has_ended(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

impl Layers {
    /// Returns the provision of the overlay with this index; the base without one.
    pub(crate) fn provision(&self, overlay: Option<usize>) -> &Arc<Provision> {
        overlay.map_or(&self.base, |index| &self.overlays[index].provision)
    }

    /// Adds the headers of CORS to an answer of the overlay with this index, or of the base. An overlay without `app.cors` has the policy
    /// of the base.
    pub(crate) fn add_cors(&self, overlay: Option<usize>, request: &Request, answer: &mut Answer) {
        let layer = Some(self.provision(overlay)).filter(|layer| layer.cors.is_some());
        layer.unwrap_or(&self.base).add_cors(request, answer);
    }

    /// Returns the overlays that have not ended, with their indices.
    pub(crate) fn live(&self) -> impl Iterator<Item = (usize, &Overlay)> {
        let now = Instant::now();
        self.overlays.iter().enumerate().filter(move |(_, overlay)| !overlay.has_ended(now))
    }

    /// Returns the overlays for a request: those without a member, and those whose member it `carries`.
    pub(crate) fn overlays_for(
        &self,
        carries: impl Fn(&Member) -> bool,
    ) -> impl Iterator<Item = (usize, &Overlay)> {
        self.live().filter(move |(_, overlay)| overlay.id.member.as_ref().is_none_or(&carries))
    }

    /// Lists the overlays as errors name them: `` `a`, `b` for baggage `test=17` ``.
    pub(crate) fn names(&self) -> String {
        self.live().map(|(_, overlay)| overlay.id.to_string()).collect::<Vec<_>>().join(", ")
    }

    /// Lists the rules of the base and the overlays, with their hits of `epoch`.
    pub(crate) fn rows(&self, epoch: u64) -> (Vec<RuleRow>, Vec<OverlayRow>) {
        let (now, mut rows, mut above) = (Instant::now(), Vec::new(), Vec::new());
        for (_, overlay) in self.live() {
            let Overlay { id, provision, until } = overlay;
            let left = until.map(|until| until.saturating_duration_since(now));
            rows.push(OverlayRow {
                name: id.name.clone(),
                baggage: id.member.as_ref().map(Member::to_string),
                seconds_left: left.map(seconds),
                generation: provision.generation,
                rules: rules(provision, epoch, &above),
            });
            // An overlay with a member leaves other requests to the layers below.
            if id.member.is_none() {
                above.push((id, provision.router.rules(), provision.router.shapes()));
            }
        }
        (rules(&self.base, epoch, &above), rows)
    }

    /// Lists the rules that served no request since the process began: `` GET /foo ``, `` GET /foo of overlay `busy` ``.
    pub(crate) fn unused(&self) -> Vec<String> {
        let overlays = self.live().flat_map(|(_, overlay)| {
            let unused = overlay.provision.unused().into_iter();
            unused.map(|rule| format!("{rule} of overlay {}", overlay.id))
        });
        self.base.unused().into_iter().chain(overlays).collect()
    }
}

/// Lists the rules of a layer. `above` are the layers before it that serve all requests.
fn rules(provision: &Provision, epoch: u64, above: &[(&OverlayId, &[Rule], Shapes)]) -> Vec<RuleRow> {
    let mut rows = provision.rules(epoch);
    for (row, rule) in rows.iter_mut().zip(provision.router.rules()) {
        let winner = |(id, rules, shapes): &(&OverlayId, &[Rule], Shapes)| {
            let winner = &rules[shapes.before(rules, rule)?];
            Some(format!("{} of overlay {id}", winner.display()))
        };
        if let Some(text) = above.iter().find_map(winner) {
            row.shadowed_by = Some(text);
        }
    }
    rows
}

fn seconds(time: Duration) -> f64 {
    time.as_millis() as f64 / 1000.0
}
