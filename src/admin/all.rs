//! `/app/v1/all`: everything that tests leave behind, reset in one step.

use super::answer::success;
use super::{Admin, Provisioning};
use crate::response::Answer;

/// DELETE: 200 with the generation that serves.
pub fn delete<P: Provisioning>(admin: &Admin<P>) -> Answer {
    success(200, "all has been reset", Some(reset_all(admin)))
}

/// Resets chaos, store, hits and journal; gives the generation that serves. The step is the end of the epoch: what requests of an
/// earlier one leave behind after it does not count, in the journal as in the rest.
fn reset_all<P: Provisioning>(admin: &Admin<P>) -> u64 {
    admin.chaos.remove(None);
    let (_epoch, generation) = admin.activation.reset();
    admin.journal.clear();
    generation
}
