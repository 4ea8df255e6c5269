//! What a running script belongs to: its request, its budget, the answer it prepares. One per thread, set around a call.
//! Knows no rules and no connections.

use crate::request::Request;
use rhai::EvalAltResult;
use std::cell::RefCell;
use std::sync::Arc;

thread_local! {
    static REQUEST: RefCell<Option<Arc<Request>>> = const { RefCell::new(None) };
}

/// The request being handled on this thread.
///
/// # Errors
/// Outside of a request (at load) there is none.
pub fn request() -> Result<Arc<Request>, Box<EvalAltResult>> {
    REQUEST
        .with(|slot| slot.borrow().clone())
        .ok_or_else(|| "`request` is there only while a request is handled".into())
}

/// Runs `body` with `request` as the current one.
pub fn with_request<T>(request: Arc<Request>, body: impl FnOnce() -> T) -> T {
    let before = REQUEST.with(|slot| slot.borrow_mut().replace(request));
    let result = body();
    REQUEST.with(|slot| *slot.borrow_mut() = before);
    result
}
