//! The conditions of a call: state that scripts find apart from the request.

use super::key_value_store::KeyValueStore;
use crate::outgoing::Outgoing;
use crate::simulation::{Clock, Dice};
use std::sync::Arc;

/// The conditions under which a request is handled. By default, a provision serves alone, in real time,
/// and random numbers are random.
#[derive(Debug, Clone, Default)]
pub struct Conditions {
    /// The values of `store`; `None` for the values of the provision itself.
    pub values: Option<Arc<KeyValueStore>>,
    /// The time that scripts see.
    pub clock: Clock,
    /// The random numbers that scripts draw.
    pub dice: Dice,
    /// Requests that leave; `None` where none may leave, as in a trial.
    pub(crate) outgoing: Option<&'static Outgoing>,
}
