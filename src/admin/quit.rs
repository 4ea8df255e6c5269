//! `/app/v1/quit`: ends the process. Knows no signal.

use super::answer::success;
use super::{Admin, Provisioning, Reply};

/// POST: 202, then a stop as by SIGTERM.
pub fn post<P: Provisioning>(admin: &Admin<P>, reply: Reply) {
    // The answer first: with `--grace 0` nothing would wait for it.
    reply(success(202, "the server stops", None));
    (admin.observing.quit)();
}
