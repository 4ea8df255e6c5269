//! The functions of a provision that handle a request, in Flask's order: `before_request`, the view, error handlers, `after_request`.

use super::deferred::{Deferred, Resumed};
use super::{Others, Unmatched, near_misses, preflight};
use crate::chaos::Reply;
use crate::message::answer::Answer;
use crate::message::request::Request;
use crate::message::upstream::{Unreachable, Upstream};
use crate::provisioning::provision::Provision;
use crate::routing::quoting::encode_path;
use crate::routing::router::Found;
use crate::routing::value::Value;
use crate::script::flask::abort::escape;
use crate::script::flask::request::explain_missing_json;
use crate::script::flask::response::Response;
use crate::script::flask::wait_for::{RETURNED_NOTHING, WaitFor};
use crate::script::flask::{answer, forward, status};
use crate::script::runtime::call;
use crate::script::runtime::fault::Fault;
use crate::script::runtime::forward::Forward;
use crate::script::runtime::http_error::{self, HttpError};
use crate::script::runtime::log_capture;
use rhai::{Dynamic, EvalAltResult};
use std::cell::{Cell, OnceCell};
use std::sync::Arc;
use std::time::Duration;

/// Why a view function or a hook has no answer.
enum ViewError {
    /// A status: `abort`, a missing key of a form, 404, 405.
    Http(Box<HttpError>),
    /// Any other error of a script.
    Script(Box<EvalAltResult>),
}

impl From<HttpError> for ViewError {
    fn from(error: HttpError) -> Self {
        ViewError::Http(error.into())
    }
}

impl From<Box<EvalAltResult>> for ViewError {
    fn from(error: Box<EvalAltResult>) -> Self {
        http_error::find(&error).map_or(ViewError::Script(error), |found| ViewError::Http(found.into()))
    }
}

/// The result of the functions: a reply, or a wait for one.
pub(super) type Made = Result<Reply, Deferred>;

/// Takes what a view function or a `before_request` function returned.
fn take(value: Dynamic) -> Result<Made, ViewError> {
    if let Some(wait_for) = WaitFor::of(&value)? {
        return Ok(Err(Deferred::Key(wait_for)));
    }
    match forward::of(&value)? {
        Some(forward) => Ok(Err(Deferred::Forward(forward))),
        None => Ok(Ok(answer::from_value(value)?)),
    }
}

/// One request on its way through the functions of a provision.
pub(super) struct Flow<'r> {
    pub provision: &'r Provision,
    pub request: &'r Request,
    /// The host of the request; `None` if no rule depends on it.
    pub host: Option<&'r str>,
    pub others: &'r Others<'r>,
    pub blueprint: Option<&'r str>,
    pub unmatched: Cell<Option<Unmatched>>,
    pub error: OnceCell<Box<str>>,
}

impl Flow<'_> {
    pub(super) fn run(&self, found: Found) -> Made {
        self.end(self.before().and_then(|made| made.map_or_else(|| self.dispatch(found), Ok)))
    }

    /// Goes on after a wait.
    pub(super) fn resume(&self, deferred: &Deferred, resumed: Resumed) -> Made {
        match (deferred, resumed) {
            (Deferred::Key(wait), Resumed::Value(value)) => self.go_on(wait, Arc::unwrap_or_clone(value)),
            (Deferred::Key(wait), Resumed::Upstream(_)) => self.go_on(wait, Dynamic::UNIT),
            (Deferred::Forward(_), Resumed::Value(_)) => self.end(Err(HttpError::new(502).into())),
            (Deferred::Forward(forward), Resumed::Upstream(Ok(upstream))) => {
                self.end(self.take_upstream(forward, upstream))
            }
            (Deferred::Forward(_), Resumed::Upstream(Err(unreachable))) => {
                let Unreachable { status, message } = unreachable;
                log::debug!("{} {}: {message}", self.request.method(), self.request.target());
                self.end(Err(HttpError { description: message, ..HttpError::new(status) }.into()))
            }
        }
    }

    /// Makes the answer of another server the answer to the client, after the function that changes it.
    fn take_upstream(&self, forward: &Forward, upstream: Upstream) -> Result<Made, ViewError> {
        let Upstream { status, reason, headers, body, relay } = upstream;
        let standard = reason.is_empty() || reason.eq_ignore_ascii_case(status::reason(status));
        let answer = Answer { status, reason: (!standard).then_some(reason), headers, body: body.into() };
        let reply = Reply { answer, relay: relay.map(Box::new), forwarded: true, ..Reply::default() };
        let Some(change) = &forward.change else { return Ok(Ok(reply)) };
        let response = Response::from(reply);
        let returned = self.provision.call(change, &mut [Dynamic::from(response.clone())])?;
        match returned.is_unit() {
            true => Ok(Ok(response.reply())),
            false => take(returned),
        }
    }

    /// Goes on after a wait for a key, which ended with `value`.
    fn go_on(&self, wait: &WaitFor, value: Dynamic) -> Made {
        let called = match &wait.function {
            Some(function) => match self.provision.call(function, &mut [value]) {
                Ok(value) if value.is_unit() => Err(Box::<EvalAltResult>::from(RETURNED_NOTHING).into()),
                called => called.map_err(ViewError::from),
            },
            None if value.is_unit() => return Ok(self.after(Answer::html(204, "").into())),
            None => Ok(value),
        };
        self.end(called.and_then(take))
    }

    /// Answers an error, and calls the `after_request` functions. They run once the answer is there.
    fn end(&self, made: Result<Made, ViewError>) -> Made {
        let reply = made.unwrap_or_else(|error| Ok(self.handle_error(error)))?;
        Ok(self.after(reply))
    }

    /// Calls the `before_request` functions. The first one that returns a value answers the request. They run for 404, 405 and
    /// OPTIONS too.
    fn before(&self) -> Result<Option<Made>, ViewError> {
        for hook in self.provision.before(self.blueprint) {
            let value = self.provision.call(hook, &mut [])?;
            if !value.is_unit() {
                return take(value).map(Some);
            }
        }
        Ok(None)
    }

    fn dispatch(&self, found: Found) -> Result<Made, ViewError> {
        let unmatched = matches!(found, Found::NotFound | Found::MethodNotAllowed { .. });
        if let Some(forward) = self.provision.forward_unmatched.as_ref().filter(|_| unmatched) {
            return Ok(Err(Deferred::Forward(forward.clone())));
        }
        match found {
            Found::Rule { index, values } => self.view(index, values),
            Found::Redirect { path } => Ok(Ok(answer::redirection(308, &self.location(&path)).into())),
            Found::Moved { index, url } => {
                self.provision.count_hit(self.request.epoch, index);
                Ok(Ok(answer::redirection(308, &self.below_root(url)).into()))
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
    fn view(&self, index: usize, values: Vec<Value>) -> Result<Made, ViewError> {
        if let Some(forward) = &self.provision.routes.views[index].forward {
            self.provision.count_hit(self.request.epoch, index);
            return Ok(Err(Deferred::Forward(forward.clone())));
        }
        if self.request.method() == "OPTIONS" && self.provision.router.rules()[index].automatic_options() {
            let allowed = self.provision.router.allowed(self.request.path(), self.host);
            return Ok(Ok(preflight::options(self.others.allowed(allowed)).into()));
        }
        take(self.provision.call_view(self.request.epoch, index, values)?)
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

    /// Makes the first piece of a stream, with which the answer begins. An error in it is a 500: the answer has not begun yet. As in
    /// Flask, no error handler runs for it. An `abort` is the answer. A status without a body needs no pieces.
    pub(super) fn begin_stream(&self, reply: &mut Reply) {
        if matches!(reply.answer.status, 204 | 205 | 304) {
            (reply.stream, reply.relay) = (None, None);
        }
        let Some(stream) = reply.stream.as_mut().filter(|_| self.request.method() != "HEAD") else { return };
        let Some(mut pieces) = stream.take() else { return };
        stream.epoch = self.request.epoch;
        let made = pieces.next();
        match made.piece {
            Ok(Some(first)) => {
                let counted = if pieces.are_made() { first.capacity() } else { 0 };
                stream.space = stream.space.saturating_sub(counted);
                stream.first = Some(first);
                stream.put(pieces);
            }
            Ok(None) => {}
            Err(failure) => {
                failure.error.into_iter().for_each(|error| drop(self.error.set(error)));
                *reply = failure.answer.into();
            }
        }
        reply.hold_longer(made.hold);
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
            log::error!("{method} {target}: {error}{}", fault.help());
        }
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
    Answer::text(500, fault.page()).into()
}
