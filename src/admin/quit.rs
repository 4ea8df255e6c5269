//! `/app/v1/quit`: ends the process. Knows no signal.

use super::answer::success;
use super::{Admin, Provisioning, Respond};

/// POST: 202, then a stop as by SIGTERM.
pub fn post<P: Provisioning>(admin: &Admin<P>, respond: Respond) {
    // The answer first: with `--grace 0` nothing would wait for it.
    respond(success(202, "the server stops", None).into());
    (admin.observing.quit)();
}
