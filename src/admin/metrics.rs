//! `/metrics`: the counters of the process, for Prometheus. Knows no counter.

use super::answer::typed;
use super::{Admin, Provisioning};
use crate::message::answer::Answer;
use crate::observing::metrics::CONTENT_TYPE;

/// GET: the text format, version 0.0.4.
pub fn get<P: Provisioning>(admin: &Admin<P>) -> Answer {
    typed(200, CONTENT_TYPE, (admin.observing.metrics)().into_bytes())
}
