//! What a running script belongs to: the files of its provision, its request, the answer time it asked for. One value a thread,
//! set around a call; the zero-sized handles that scripts see (`request`, `store`, ...) look it up here. Knows no connections.

use super::files::{File, Files};
use super::key_value_store::KeyValueStore;
use super::natives::Fallible;
use super::registration::Registration;
use super::routes::Routes;
use super::view::View;
use crate::message::request::Request;
use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

#[derive(Default)]
pub(crate) struct Call {
    /// The request, while one is handled.
    pub request: Option<Arc<Request>>,
    /// What its provision registered, while a request is handled.
    pub routes: Option<Arc<Routes>>,
    pub function: CurrentFunction,
    /// Values of `store` that nobody else sees, once the store was reset while this request is handled.
    pub own_values: Option<Arc<KeyValueStore>>,
    /// Whether the script read the JSON of a request that says it has none.
    pub no_json: bool,
    /// Sum of `time.sleep`.
    pub hold: Duration,
    /// How often it was called.
    pub sleeps: u32,
    /// Imports that are being loaded, outermost first.
    pub importing: Vec<String>,
    pub loading: Option<Box<Loading>>,
}

pub(crate) struct Loading {
    pub files: Arc<Files>,
    /// What `registerRules` registered so far.
    pub registration: Registration,
}

/// The function that runs: where its constants are found, and errors that have no place of their own.
#[derive(Default, Clone)]
pub(crate) enum CurrentFunction {
    #[default]
    None,
    /// The view function of the rule with this index. Nothing is shared: its file is found when it is asked for.
    View(usize),
    /// Another function, with the file that defines it and the line that it begins in.
    Other(Arc<File>, Option<usize>),
}

impl Call {
    /// The files of the provision that runs or is loaded.
    pub(crate) fn files(&self) -> Option<&Arc<Files>> {
        let loading = self.loading.as_ref().map(|loading| &loading.files);
        loading.or_else(|| self.routes.as_ref().map(|routes| &routes.files))
    }

    /// The file that defines the function which runs.
    pub(crate) fn file(&self) -> Option<&Arc<File>> {
        match &self.function {
            CurrentFunction::None => None,
            CurrentFunction::View(index) => Some(&self.view(*index)?.file),
            CurrentFunction::Other(file, _) => Some(file),
        }
    }

    /// The line that this function begins in.
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
    static CALL: RefCell<Option<Call>> = const { RefCell::new(None) };
}

/// Runs `body` with `call` as the thread's call and gives back what became of it. Calls nest.
pub(crate) fn within<T>(call: Call, body: impl FnOnce() -> T) -> (T, Call) {
    /// Puts back the outer call, also when a native panicked.
    struct Restore(Option<Call>);
    impl Drop for Restore {
        fn drop(&mut self) {
            let before = self.0.take();
            CALL.with(|slot| *slot.borrow_mut() = before);
        }
    }
    let restore = Restore(CALL.with(|slot| slot.borrow_mut().replace(call)));
    let result = body();
    let call = CALL.with(|slot| slot.borrow_mut().take()).unwrap_or_default();
    drop(restore);
    (result, call)
}

/// Looks at the thread's call; `None` outside of one. `look` must not run a script.
pub(crate) fn with<T>(look: impl FnOnce(&mut Call) -> T) -> Option<T> {
    CALL.with(|slot| slot.borrow_mut().as_mut().map(look))
}

/// What a script is told that asks for the request where there is none.
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
