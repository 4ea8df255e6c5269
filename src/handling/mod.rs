//! Handles one request: hooks, router, view function and error handlers, in Flask's order, make a [`Reply`].
//!
//! 1. `layers.rs` finds the layer that answers: an overlay, or the active provision.
//! 2. `flow.rs` calls its functions, unless `preflight.rs` or chaos answers.
//! 3. Where a function returns `wait_for(...)`, `wait.rs` keeps the request until its key is set, and then goes on with the flow.
//! 4. `compression.rs` compresses the answer, and the policy of CORS adds its headers.
//!
//! `unread.rs` says which requests need no body before they are handled. `trial.rs` handles a request without a trace, and `differences.rs` compares two outcomes.

mod compression;
mod deferred;
pub(crate) mod differences;
mod flow;
mod layers;
mod preflight;
pub(crate) mod trial;
mod unread;
mod wait;

pub(crate) use deferred::Resumed;
pub(crate) use layers::{handle_layers, resume_layers};
pub(crate) use unread::is_forwarded_unread;
pub(crate) use wait::Wait;

use crate::chaos::{Chaos, ChaosEffect, Reply};
use crate::message::answer::Answer;
use crate::message::request::Request;
use crate::observing::metrics::Counted;
use crate::outgoing::Callback;
use crate::provisioning::layers::Overlay;
use crate::provisioning::provision::Provision;
use crate::routing::near_miss::Miss;
use crate::routing::router::Found;
use crate::script::runtime::call::{self, Call};
use crate::script::runtime::conditions::Conditions;
use flow::{Flow, Made};
use std::cell::{Cell, OnceCell};
use std::sync::Arc;

/// A reply, and how it was made.
#[derive(Default)]
pub struct Outcome {
    /// The answer, its delay and its faults.
    pub reply: Reply,
    /// Index of the overlay that handled the request; `None` for the base.
    pub overlay: Option<usize>,
    /// Index of the rule that matched, in that layer.
    pub rule: Option<usize>,
    /// Why no rule matched; `None` if a `before_request` hook answered instead.
    pub unmatched: Option<Unmatched>,
    /// The first error of a script: provision, line, column and message.
    pub error: Option<Box<str>>,
    /// A function returned `wait_for(...)` or `forward(...)`: there is no reply yet.
    pub(crate) wait: Option<Box<Wait>>,
    /// The exchange with another server, if the request was forwarded.
    pub(crate) forwarded: Option<Box<Forwarded>>,
    /// The requests that leave after the answer.
    pub(crate) callbacks: Vec<Callback>,
}

impl Outcome {
    /// The outcome of a request whose handling panicked.
    pub(crate) fn panicked() -> Outcome {
        let text = "a native function panicked while this request was handled: see the log";
        let reply = Answer::text(500, format!("{text}\n")).into();
        Outcome { reply, error: Some(text.into()), ..Outcome::default() }
    }

    /// Collects what metrics count of a request. `provision` served it, within `nanoseconds`.
    pub fn counted<'o>(
        &'o self,
        provision: &'o Provision,
        (method, target): (&'o str, &'o str),
        nanoseconds: u64,
    ) -> Counted<'o> {
        Counted {
            method,
            target,
            status: self.reply.status_sent(),
            nanoseconds,
            served: self.rule.is_some(),
            counters: self.rule.and_then(|index| provision.views[index].counters.as_deref()),
            unmatched: self.unmatched.is_some(),
            error: self.error.as_deref(),
        }
    }
}

/// An exchange with another server.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Forwarded {
    /// The URL at the server.
    pub url: String,
    /// The reason why there was no answer.
    pub error: Option<String>,
}

/// Why no rule matches a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unmatched {
    /// 404.
    Path,
    /// 405.
    Method,
}

impl Unmatched {
    /// Returns the reason as text, for the journal.
    pub fn words(self) -> &'static str {
        match self {
            Unmatched::Path => "no rule matches the path",
            Unmatched::Method => "no rule for the path serves the method",
        }
    }
}

/// Handles one request with `provision` under `conditions`, on this thread.
///
/// Nothing sleeps here: `Reply::hold` has the delay of scripts and `chaos`, `Reply::injected` their faults. The caller must hold the
/// only reference to `request`, so that the index of its rule can be stored in it.
pub fn handle(
    provision: &Arc<Provision>,
    chaos: &Chaos,
    conditions: &Conditions,
    request: &mut Arc<Request>,
) -> Outcome {
    let host = provision.router.has_hosts().then(|| request.host());
    let found = provision.router.find_at(request.method(), request.path(), host.as_deref());
    let route = Route { found, host: host.as_deref(), others: &Others::default() };
    answer(provision, route, chaos, conditions, request)
}

/// The result of routing one request.
struct Route<'l> {
    found: Found,
    /// The host of the request; `None` if no rule depends on it.
    host: Option<&'l str>,
    others: &'l Others<'l>,
}

/// The overlay that answers, and the layers beside it; empty if a provision serves alone.
#[derive(Default)]
struct Others<'l> {
    /// The overlay that answers, and its index; `None` for the base.
    overlay: Option<(usize, &'l Overlay)>,
    /// The base, if an overlay answers.
    base: Option<&'l Provision>,
    /// The methods that other layers have for the path.
    allow: Vec<String>,
    /// All overlays for the request, with their indices.
    overlays: Vec<(usize, &'l Overlay)>,
}

impl Others<'_> {
    /// Returns the value of `Allow`: `methods` of the layer that answers, and those of the others.
    fn allowed(&self, mut methods: Vec<String>) -> String {
        if !self.allow.is_empty() {
            methods.extend_from_slice(&self.allow);
            methods.sort_unstable();
            methods.dedup();
        }
        methods.join(", ")
    }
}

/// Answers a request whose rule was found in `provision`.
fn answer(
    provision: &Arc<Provision>,
    route: Route,
    chaos: &Chaos,
    conditions: &Conditions,
    request: &mut Arc<Request>,
) -> Outcome {
    let Route { found, host, others } = route;
    let overlay = others.overlay.map(|(index, _)| index);
    let rule = match &found {
        Found::Rule { index, .. } | Found::Moved { index, .. } => Some(*index),
        _ => None,
    };
    if let Some(request) = Arc::get_mut(request) {
        request.rule = rule;
    }
    let preflight = preflight::preflight(provision, request, &found, host, others);
    let mut effect = None;
    if chaos.is_live() {
        let rule = rule.map(|index| &provision.router.rules()[index]);
        let name = others.overlay.map_or("", |(_, overlay)| &overlay.id.name);
        effect = chaos.strike(request, name, rule, preflight.is_some());
    }
    if let Some(answer) = effect.as_mut().and_then(|effect| effect.replacement.take()).or(preflight) {
        let mut reply = Reply::from(answer);
        effect.into_iter().for_each(|effect| effect.apply(&mut reply));
        complete(&mut reply, provision, others, request);
        return Outcome { reply, overlay, rule, ..Outcome::default() };
    }
    let call = Call {
        request: Some(request.clone()),
        routes: Some(provision.routes.clone()),
        base: others.base.map(|base| base.routes.clone()),
        conditions: conditions.clone(),
        ..Call::default()
    };
    let blueprint = rule.and_then(|index| provision.routes.blueprint(index));
    let (unmatched, error) = (Cell::default(), OnceCell::default());
    let flow = Flow { provision, request, host, others, blueprint, unmatched, error };
    let (made, call) = call::within(call, || flow.run(found));
    conclude(flow, made, call, effect)
}

/// Makes the outcome of the functions, whose context was `call`. It is a part of its callers, since moving the arguments costs more.
#[inline(always)]
fn conclude(flow: Flow, made: Made, call: Box<Call>, effect: Option<Box<ChaosEffect>>) -> Outcome {
    let Flow { provision, request, others, .. } = flow;
    let (overlay, rule) = (others.overlay.map(|(index, _)| index), request.rule);
    let mut reply = match made {
        Ok(reply) => reply,
        Err(deferred) => {
            let wait = Wait::new(deferred, call, effect, flow.host).into();
            return Outcome { wait: Some(wait), overlay, rule, ..Outcome::default() };
        }
    };
    reply.hold_longer(call.hold);
    flow.begin_stream(&mut reply);
    if let Some(effect) = effect {
        effect.apply(&mut reply);
    }
    complete(&mut reply, provision, others, request);
    let (unmatched, error) = (flow.unmatched.get(), flow.error.into_inner());
    Outcome { reply, overlay, rule, unmatched, error, wait: None, forwarded: None, callbacks: call.callbacks }
}

/// Completes a reply of `provision` that nothing else changes any more: its length, its coding, and the headers of CORS.
fn complete(reply: &mut Reply, provision: &Provision, others: &Others, request: &Request) {
    reply.settle_stream(request.method() != "HEAD");
    if request.method() == "HEAD" && !reply.forwarded {
        // The answer has the length that GET would have, unless the rule lists HEAD.
        if !request.rule.is_some_and(|index| provision.router.rules()[index].lists_head()) {
            reply.answer.remove_header("content-length");
        }
    }
    let base = others.base.unwrap_or(provision);
    compression::compress(reply, request, base.compress);
    if let Some(cors) = provision.cors.as_ref().or(base.cors.as_ref()) {
        cors.apply(request, &mut reply.answer);
    }
}

/// Returns the rules of all layers that are closest to a request without serving it, in words: those of the overlays first.
pub(crate) fn near_misses<'l>(
    base: &Provision,
    overlays: impl Iterator<Item = &'l Overlay>,
    method: &str,
    path: &str,
    host: Option<&str>,
) -> Vec<String> {
    let of = |provision: &Provision| provision.router.explain(method, path, host);
    let mut misses = Vec::new();
    for overlay in overlays {
        let found = of(&overlay.provision);
        misses.extend(found.iter().map(|miss| format!("{miss} (overlay {})", overlay.id)));
    }
    misses.extend(of(base).iter().map(Miss::to_string));
    misses
}

#[cfg(test)]
mod tests;
