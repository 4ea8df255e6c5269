//! The event that a request waits for without a worker, and the end of its wait.

use crate::message::upstream::{Unreachable, Upstream};
use crate::script::flask::wait_for::WaitFor;
use crate::script::runtime::forward::Forward;
use crate::script::runtime::key_value_store::Value;
use std::sync::Arc;

/// The event that a request waits for.
pub(crate) enum Deferred {
    /// A key of `store` is set.
    Key(WaitFor),
    /// Another server answers.
    Forward(Arc<Forward>),
}

/// The end of a wait.
pub(crate) enum Resumed {
    /// With the value of the key, which is `()` if it was not set.
    Value(Value),
    /// With the answer of the server.
    Upstream(Result<Upstream, Unreachable>),
}
