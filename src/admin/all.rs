//! `/app/v1/all`: everything that tests leave behind, reset in one step.

use super::answer::success;
use super::{Admin, Provisioning};
use crate::message::answer::Answer;

/// DELETE: 200 with the generation that serves.
pub fn delete<P: Provisioning>(admin: &Admin<P>) -> Answer {
    success(200, "all has been reset", Some(reset_all(admin)))
}

/// Resets chaos, store, hits and journal; gives the generation that serves. The step is the end of the epoch, by which the store,
/// the hits and the journal go: a request of an earlier one is in none of them, one of the next in all. Chaos is removed before
/// it, so that it happens to no request of the next one. The report tells of the whole life of the process, and stays.
fn reset_all<P: Provisioning>(admin: &Admin<P>) -> u64 {
    admin.chaos.remove(None);
    admin.activation.reset()
}
