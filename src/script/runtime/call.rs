//! The context of the running script call: its provision's files, its request, the delay of its answer.
//!
//! Each thread has at most one, set by [`within`]. The variables `request`, `store` and others are empty handles; their natives
//! read the context here.

use super::conditions::Conditions;
use super::files::{File, Files};
use super::key_value_store::KeyValueStore;
use super::natives::Fallible;
use super::registration::{Registration, Routes};
use super::view::View;
use crate::message::request::Request;
use crate::outgoing::Callback;
use crate::simulation::Clock;
use fastrand::Rng;
use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

#[derive(Default)]
pub(crate) struct Call {
    /// The request that is handled; `None` while a provision is loaded.
    pub request: Option<Arc<Request>>,
    /// The registrations of the provision that handles the request; `None` while a provision is loaded.
    pub routes: Option<Arc<Routes>>,
    /// The registrations of the active provision, if an overlay handles the request.
    pub base: Option<Arc<Routes>>,
    /// State that scripts find apart from the request.
    pub conditions: Conditions,
    pub function: CurrentFunction,
    /// The generator of `random.*` for the rest of this request, once a script has set a seed.
    pub random: Option<Rng>,
    /// A private store for the rest of this request, if `store` was reset while the request was handled.
    pub own_values: Option<Arc<KeyValueStore>>,
    /// Whether the script read `request.json` although the request's `Content-Type` is not JSON.
    pub no_json: bool,
    /// Sum of all `time.sleep` calls.
    pub hold: Duration,
    /// Number of `time.sleep` calls.
    pub sleeps: u32,
    /// Number of `wait_for` calls.
    pub waits: u32,
    /// Whether `wait_for` was called, and its result not returned yet.
    pub waits_for: bool,
    /// Whether `forward` was called, and its result not returned yet.
    pub forwards: bool,
    /// Number of `forward` calls.
    pub forward_calls: u32,
    /// The requests of `callback(...)`, which leave after the answer.
    pub callbacks: Vec<Callback>,
    /// Whether the answer has begun to leave: a stream goes on.
    pub answered: bool,
    /// Names of the imported files that are being loaded, outermost first.
    pub importing: Vec<String>,
    pub loading: Option<Box<Loading>>,
}

pub(crate) struct Loading {
    pub files: Arc<Files>,
    /// Registrations of `registerRules()` so far.
    pub registration: Registration,
    /// The last seed that the script passed to `random.seed`. It holds for the requests of the provision.
    pub seed: Option<i64>,
}

/// The running function. Its file has the constants that it can use; its line is the place of errors that have none.
#[derive(Default, Clone)]
pub(crate) enum CurrentFunction {
    #[default]
    None,
    /// The view function of the rule with this index. An index needs no shared counter; [`Call::file`] looks the file up.
    View(usize),
    /// Another function: the file that defines it, and its first line.
    Other(Arc<File>, Option<usize>),
}

impl Call {
    /// Returns the context for calls after the view function has returned, for example for the pieces of a stream.
    pub(crate) fn for_later(&self) -> Call {
        Call {
            request: self.request.clone(),
            routes: self.routes.clone(),
            base: self.base.clone(),
            conditions: self.conditions.clone(),
            random: self.random.clone(),
            own_values: self.own_values.clone(),
            answered: true,
            ..Call::default()
        }
    }

    /// Returns the files of the provision that runs or is loaded.
    pub(crate) fn files(&self) -> Option<&Arc<Files>> {
        let loading = self.loading.as_ref().map(|loading| &loading.files);
        loading.or_else(|| self.routes.as_ref().map(|routes| &routes.files))
    }

    /// Returns the file that defines the running function.
    pub(crate) fn file(&self) -> Option<&Arc<File>> {
        match &self.function {
            CurrentFunction::None => None,
            CurrentFunction::View(index) => Some(&self.view(*index)?.file),
            CurrentFunction::Other(file, _) => Some(file),
        }
    }

    /// Returns the first line of the running function.
    pub(crate) fn line(&self) -> Option<usize> {
        match &self.function {
            CurrentFunction::None => None,
            CurrentFunction::View(index) => self.view(*index)?.line,
            CurrentFunction::Other(_, line) => *line,
        }
    }

    fn view(&self, rule: usize) -> Option<&View> {
        Some(&self.routes.as_ref()?.views.get(rule)?.function.as_ref()?.view)
    }
}

thread_local! {
    static CALL: RefCell<Option<Box<Call>>> = const { RefCell::new(None) };
}

/// Runs `body` with `call` as the context of the thread. Returns the result and the context afterwards. Calls can nest.
///
/// The context is boxed: it changes places several times, and an allocation costs less than these copies.
pub(crate) fn within<T>(call: Call, body: impl FnOnce() -> T) -> (T, Box<Call>) {
    /// Restores the outer context, also when a native panicked.
    struct Restore(Option<Box<Call>>);
    impl Drop for Restore {
        fn drop(&mut self) {
            let before = self.0.take();
            CALL.with(|slot| *slot.borrow_mut() = before);
        }
    }
    let restore = Restore(CALL.with(|slot| slot.borrow_mut().replace(Box::new(call))));
    let result = body();
    let call = CALL.with(|slot| slot.borrow_mut().take()).unwrap_or_default();
    drop(restore);
    (result, call)
}

/// Runs `look` with the context of the thread, or returns `None` without one. `look` must not run a script.
pub(crate) fn with<T>(look: impl FnOnce(&mut Call) -> T) -> Option<T> {
    CALL.with(|slot| slot.borrow_mut().as_deref_mut().map(look))
}

/// Returns the time that scripts see, in nanoseconds since 1970.
pub(crate) fn now() -> i128 {
    clock().wall()
}

/// Returns the clock that scripts see.
pub(crate) fn clock() -> Clock {
    with(|call| call.conditions.clock.clone()).unwrap_or_default()
}

/// The error for a script that uses `request` while it is loaded.
pub(crate) const NO_REQUEST: &str = "`request` is there only while a request is handled";

pub(crate) fn request() -> Fallible<Arc<Request>> {
    with(|call| call.request.clone()).flatten().ok_or_else(|| NO_REQUEST.into())
}

pub(crate) fn routes() -> Fallible<Arc<Routes>> {
    with(|call| call.routes.clone())
        .flatten()
        .ok_or_else(|| "rules can be looked up only while a request is handled".into())
}

pub(crate) fn files() -> Fallible<Arc<Files>> {
    with(|call| call.files().cloned()).flatten().ok_or_else(|| "no provision runs here".into())
}

/// Whether no request is handled: a provision is being loaded.
pub(crate) fn is_loading() -> bool {
    with(|call| call.request.is_none()).unwrap_or(true)
}

#[cfg(test)]
pub(crate) fn with_request<T>(request: Arc<Request>, body: impl FnOnce() -> T) -> T {
    within(Call { request: Some(request), ..Call::default() }, body).0
}
