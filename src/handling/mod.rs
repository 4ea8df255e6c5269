//! Handles one request: hooks, router, view function and error handlers, in Flask's order, make a [`Reply`].

mod compression;

use crate::chaos::{Chaos, Reply};
use crate::message::answer::Answer;
use crate::message::request::Request;
use crate::observing::metrics::Counted;
use crate::provisioning::provision::Provision;
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
use rhai::{Dynamic, EvalAltResult};
use std::cell::{Cell, OnceCell};
use std::sync::Arc;
use std::time::Duration;

/// A reply, and how it was made.
#[derive(Default)]
pub struct Outcome {
    /// The answer, its delay and its faults.
    pub reply: Reply,
    /// Index of the rule that matched.
    pub rule: Option<usize>,
    /// Why no rule matched; `None` if a `before_request` hook answered instead.
    pub unmatched: Option<Unmatched>,
    /// The first error of a script: provision, line, column and message.
    pub error: Option<Box<str>>,
}

impl Outcome {
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
    let mut outcome = respond(provision, chaos, conditions, request);
    if provision.compress || outcome.reply.compress {
        compression::compress(&mut outcome.reply, request, provision.compress);
    }
    outcome
}

fn respond(
    provision: &Arc<Provision>,
    chaos: &Chaos,
    conditions: &Conditions,
    request: &mut Arc<Request>,
) -> Outcome {
    let host = provision.router.has_hosts().then(|| request.host());
    let found = provision.router.find_at(request.method(), request.path(), host.as_deref());
    let rule = match &found {
        Found::Rule { index, .. } | Found::Moved { index, .. } => Some(*index),
        _ => None,
    };
    if let Some(request) = Arc::get_mut(request) {
        request.rule = rule;
    }
    let mut effect = None;
    if chaos.is_live() {
        effect = chaos.strike(request, rule.map(|index| &provision.router.rules()[index]));
    }
    if let Some(answer) = effect.as_mut().and_then(|effect| effect.replacement.take()) {
        let mut reply = Reply::from(answer);
        effect.into_iter().for_each(|effect| effect.apply(&mut reply));
        return Outcome { reply, rule, ..Outcome::default() };
    }
    let call = Call {
        request: Some(request.clone()),
        routes: Some(provision.routes.clone()),
        conditions: conditions.clone(),
        ..Call::default()
    };
    let blueprint = rule.and_then(|index| provision.routes.blueprint(index));
    let host = host.as_deref();
    let flow =
        Flow { provision, request, host, blueprint, unmatched: Cell::default(), error: OnceCell::default() };
    let (mut reply, call) = call::within(call, || flow.run(found));
    reply.hold_longer(call.hold);
    if let Some(effect) = effect {
        effect.apply(&mut reply);
    }
    let (unmatched, error) = (flow.unmatched.get(), flow.error.into_inner());
    Outcome { reply, rule, unmatched, error }
}

/// One request on its way through the functions of a provision.
struct Flow<'r> {
    provision: &'r Provision,
    request: &'r Request,
    /// The host of the request; `None` if no rule depends on it.
    host: Option<&'r str>,
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
                Ok(answer::redirection(308, &url).into())
            }
            Found::MethodNotAllowed { allow } => {
                self.unmatched.set(Some(Unmatched::Method));
                let error = HttpError { allow: Some(allow.join(", ")), ..HttpError::new(405) };
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
            let allowed = self.provision.router.allowed(self.request.path(), self.host).join(", ");
            let mut answer = Answer::html(200, "");
            answer.headers.push(("Allow".into(), allowed.into()));
            return Ok(answer.into());
        }
        Ok(answer::from_value(self.provision.call_view(self.request.epoch, index, values)?)?)
    }

    /// Returns the value of `Location`. It is relative, as RFC 9110 (section 10.2.2) allows: the client knows its name for this host.
    fn location(&self, path: &str) -> String {
        let query = self.request.query_string();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{}{mark}{query}", encode_path(path))
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
            let misses = self.provision.router.explain(method, path, self.host);
            let lines: String =
                misses.iter().map(|miss| format!("{}\n", escape(&miss.to_string()))).collect();
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
        log::error!("{method} {target}: {error}");
        // Only the first error is kept. A later one, of an error handler or a hook, is in the log alone.
        let _ = self.error.set(error.into());
        fault
    }
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
