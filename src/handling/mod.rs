//! Handles one request: hooks, router, view function and error handlers, in Flask's order, make a [`Reply`].
//!
//! `trial.rs` does so without a trace, and `differences.rs` compares two outcomes.

pub(crate) mod differences;
pub(crate) mod trial;

mod layers;

pub(crate) use layers::handle_layers;

mod preflight;

use crate::chaos::{Chaos, Reply};
use crate::message::answer::Answer;
use crate::message::request::Request;
use crate::observing::metrics::Counted;
use crate::provisioning::layers::Overlay;
use crate::provisioning::provision::Provision;
use crate::routing::near_miss::Miss;
use crate::routing::quoting::encode_path;
use crate::routing::router::Found;
use crate::routing::value::Value;
use crate::script::flask::abort::escape;
use crate::script::flask::answer;
use crate::script::flask::request::explain_missing_json;
use crate::script::flask::response::Response;
use crate::script::runtime::call::{self, Call};
use crate::script::runtime::conditions::Conditions;
use crate::script::runtime::fault::Fault;
use crate::script::runtime::http_error::{self, HttpError};
use crate::script::runtime::log_capture;
use rhai::{Dynamic, EvalAltResult};
use std::cell::{Cell, OnceCell};
use std::sync::Arc;
use std::time::Duration;

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

/// Why a view function or a hook has no answer.
enum ViewError {
    /// A status: `abort`, a missing key of a form, 404, 405.
    Http(Box<HttpError>),
    /// Any other error of a script.
    Script(Box<EvalAltResult>),
}

impl From<Box<EvalAltResult>> for ViewError {
    fn from(error: Box<EvalAltResult>) -> Self {
        http_error::find(&error).map_or(ViewError::Script(error), |found| ViewError::Http(found.into()))
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
    let route = Route { found, host, others: Others::default() };
    let mut outcome = answer(provision, route, chaos, conditions, request);
    provision.add_cors(request, &mut outcome.reply.answer);
    outcome
}

/// The result of routing one request.
struct Route<'l> {
    found: Found,
    /// The host of the request; `None` if no rule depends on it.
    host: Option<String>,
    others: Others<'l>,
}

/// The layers beside the one that answers; empty if a provision serves alone.
#[derive(Default)]
struct Others<'l> {
    /// The methods that other layers have for the path.
    allow: Vec<String>,
    /// All overlays for the request, with their indices.
    overlays: Vec<(usize, &'l Overlay)>,
    /// The base, if an overlay answers.
    base: Option<&'l Provision>,
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

/// Answers a request whose rule was found in `provision`, without the headers of CORS.
fn answer(
    provision: &Arc<Provision>,
    route: Route,
    chaos: &Chaos,
    conditions: &Conditions,
    request: &mut Arc<Request>,
) -> Outcome {
    let Route { found, host, others } = route;
    let rule = match &found {
        Found::Rule { index, .. } | Found::Moved { index, .. } => Some(*index),
        _ => None,
    };
    if let Some(request) = Arc::get_mut(request) {
        request.rule = rule;
    }
    let preflight = preflight::preflight(provision, request, &found, host.as_deref(), &others);
    let mut effect = None;
    if chaos.is_live() {
        let rule = rule.map(|index| &provision.router.rules()[index]);
        effect = chaos.strike(request, rule, preflight.is_some());
    }
    if let Some(answer) = effect.as_mut().and_then(|effect| effect.replacement.take()).or(preflight) {
        let mut reply = Reply::from(answer);
        effect.into_iter().for_each(|effect| effect.apply(&mut reply));
        drop_false_length(provision, request, rule, &mut reply.answer);
        return Outcome { reply, rule, ..Outcome::default() };
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
    let flow =
        Flow { provision, request, host: host.as_deref(), others: &others, blueprint, unmatched, error };
    let (mut reply, call) = call::within(call, || flow.run(found));
    reply.hold_longer(call.hold);
    if let Some(effect) = effect {
        effect.apply(&mut reply);
    }
    drop_false_length(provision, request, rule, &mut reply.answer);
    let (unmatched, error) = (flow.unmatched.get(), flow.error.into_inner());
    Outcome { reply, overlay: None, rule, unmatched, error }
}

/// Removes the `Content-Length` of an answer to HEAD, unless the rule lists HEAD: the answer has the length that GET would have.
fn drop_false_length(provision: &Provision, request: &Request, rule: Option<usize>, answer: &mut Answer) {
    if request.method() == "HEAD" && !rule.is_some_and(|index| provision.router.rules()[index].lists_head()) {
        answer.remove_header("content-length");
    }
}

/// One request on its way through the functions of a provision.
struct Flow<'r> {
    provision: &'r Provision,
    request: &'r Request,
    /// The host of the request; `None` if no rule depends on it.
    host: Option<&'r str>,
    others: &'r Others<'r>,
    blueprint: Option<&'r str>,
    unmatched: Cell<Option<Unmatched>>,
    error: OnceCell<Box<str>>,
}

impl Flow<'_> {
    fn run(&self, found: Found) -> Reply {
        let reply = self.before().and_then(|reply| reply.map_or_else(|| self.dispatch(found), Ok));
        self.after(reply.unwrap_or_else(|error| self.handle_error(error)))
    }

    /// Calls the `before_request` functions. The first one that returns a value answers the request. They run for 404, 405 and
    /// OPTIONS too.
    fn before(&self) -> Result<Option<Reply>, ViewError> {
        for hook in self.provision.before(self.blueprint) {
            let value = self.provision.call(hook, &mut [])?;
            if !value.is_unit() {
                return Ok(Some(answer::from_value(value)?));
            }
        }
        Ok(None)
    }

    fn dispatch(&self, found: Found) -> Result<Reply, ViewError> {
        match found {
            Found::Rule { index, values } => self.view(index, values),
            Found::Redirect { path } => Ok(answer::redirection(308, &self.location(&path)).into()),
            Found::Moved { index, url } => {
                self.provision.count_hit(self.request.epoch, index);
                Ok(answer::redirection(308, &self.below_root(url)).into())
            }
            Found::MethodNotAllowed { allow } => {
                self.unmatched.set(Some(Unmatched::Method));
                let header = Some(("Allow", self.others.allowed(allow)));
                let error = HttpError { header, ..HttpError::new(405) };
                Err(ViewError::Http(error.into()))
            }
            Found::NotFound => {
                self.unmatched.set(Some(Unmatched::Path));
                Err(ViewError::Http(HttpError::new(404).into()))
            }
        }
    }

    /// Calls the view function of rule `index`, or answers OPTIONS if the rule leaves that to h1mock.
    fn view(&self, index: usize, values: Vec<Value>) -> Result<Reply, ViewError> {
        if self.request.method() == "OPTIONS" && self.provision.router.rules()[index].automatic_options() {
            let allowed = self.provision.router.allowed(self.request.path(), self.host);
            return Ok(preflight::options(self.others.allowed(allowed)).into());
        }
        Ok(answer::from_value(self.provision.call_view(self.request.epoch, index, values)?)?)
    }

    /// Returns the value of `Location`. It is relative, as RFC 9110 (section 10.2.2) allows: the client knows its name for this host.
    fn location(&self, path: &str) -> String {
        let query = self.request.query_string();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{}{}{mark}{query}", self.request.prefix(), encode_path(path))
    }

    /// Returns the URL of a `redirect_to`. A relative one is below the prefix of a trusted proxy, as in Werkzeug.
    fn below_root(&self, url: String) -> String {
        let is_absolute = url.starts_with('/') || url.contains("://");
        if is_absolute { url } else { format!("{}/{url}", self.request.prefix()) }
    }

    /// Answers an error by the error handler of its status, or by the default page.
    ///
    /// An error of a script has status 500. A handler that returns no status answers 200, and a handler that throws or aborts is
    /// answered by a plain 500. `abort(response)` runs no handler.
    fn handle_error(&self, error: ViewError) -> Reply {
        let (error, fault) = match error {
            ViewError::Http(error) => (*error, None),
            ViewError::Script(error) => {
                let fault = self.fault(&error);
                let (original, thrown) = (Some(fault.at_run_time()), Some(thrown(&error, &fault)));
                (HttpError { original, thrown, ..HttpError::new(500) }, Some(fault))
            }
        };
        let plain = || fault.as_ref().map_or_else(|| self.page(&error), failure);
        if error.reply.is_some() {
            return plain();
        }
        let Some(handler) = self.provision.error_handler(self.blueprint, error.status(), fault.is_some())
        else {
            return plain();
        };
        let returned = self.provision.call(handler, &mut [Dynamic::from(error)]);
        returned.and_then(answer::from_value).unwrap_or_else(|error| failure(&self.fault(&error)))
    }

    /// Returns the default page of an error. With `--explain`, the pages of 404 and 405 list the closest rules.
    fn page(&self, error: &HttpError) -> Reply {
        let mut reply = error.reply();
        let page = &mut reply.answer;
        let unserved =
            error.reply.is_none() && self.request.rule.is_none() && matches!(page.status, 404 | 405);
        if self.provision.explain && unserved {
            let (method, path) = (self.request.method(), self.request.path());
            let overlays = self.others.overlays.iter().map(|(_, overlay)| *overlay);
            let misses = near_misses(self.provision, overlays, method, path, self.host);
            let lines: String = misses.iter().map(|miss| format!("{}\n", escape(miss))).collect();
            let text = match misses.len() {
                0 => "<p>No rule is close to it.</p>\n".to_owned(),
                _ => format!("<p>The closest rules:</p>\n<pre>\n{lines}</pre>\n"),
            };
            page.body = [page.body.bytes(), text.as_bytes()].concat().into();
        }
        reply
    }

    /// Calls the `after_request` functions. Each one may change the response that it gets, or return another one.
    fn after(&self, mut reply: Reply) -> Reply {
        for hook in self.provision.after(self.blueprint) {
            let response = Response::from(reply);
            let returned = self.provision.call(hook, &mut [Dynamic::from(response.clone())]);
            let replaced = returned.and_then(|value| match value.is_unit() {
                true => Ok(response.reply()),
                false => answer::from_value(value),
            });
            reply = replaced.unwrap_or_else(|error| failure(&self.fault(&error)));
        }
        reply
    }

    /// Finds where `error` happened, and logs it. Delays of `time.sleep` are dropped, so that the 500 leaves at once.
    fn fault(&self, error: &EvalAltResult) -> Fault {
        let (file, line) = call::with(|call| {
            call.hold = Duration::ZERO;
            (call.file().cloned(), call.line())
        })
        .unwrap_or_default();
        let (name, files) =
            (file.as_ref().map_or(&self.provision.name, |file| &file.name), &self.provision.files);
        let fault = Fault::new(error, name, files).or_line(files, line);
        let fault = explain_missing_json(fault.or_hint_of(&self.provision.warnings), self.request);
        let (method, target) = (self.request.method(), self.request.target());
        let error = fault.at_run_time();
        if !log_capture::take(log::Level::Error, || format!("{method} {target}: {error}")) {
            log::error!("{method} {target}: {error}");
        }
        // Only the first error is kept. A later one, of an error handler or a hook, is in the log alone.
        let _ = self.error.set(error.into());
        fault
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

/// Returns the value that a script threw; for other errors, the message.
fn thrown(error: &EvalAltResult, fault: &Fault) -> Dynamic {
    match error.unwrap_inner() {
        EvalAltResult::ErrorRuntime(thrown, _) => thrown.clone(),
        _ => fault.message.clone().into(),
    }
}

/// Returns the 500 with the message, the place and the hint of a fault.
fn failure(fault: &Fault) -> Reply {
    let hint = fault.hint.as_ref().map(|hint| format!("  = help: {hint}\n")).unwrap_or_default();
    Answer::text(500, format!("{}\n{}{hint}", fault.at_run_time(), fault.excerpt())).into()
}

#[cfg(test)]
mod tests;
