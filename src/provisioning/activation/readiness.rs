//! Readiness: whether the required provision serves, and the log lines about it.

use super::Activation;
use crate::provisioning::provision::Provision;
use crate::provisioning::required::Required;

/// The target of the log lines, as of all others of activations.
const TARGET: &str = "h1mock::activation";

impl Activation {
    /// Returns why the server is not ready although it serves; `None` if it is ready.
    pub(crate) fn not_ready(&self) -> Option<String> {
        let current = self.current();
        Some(self.awaited(&current)?.reason(&current, &self.directory, &self.ledger))
    }

    /// Returns the provision that readiness waits for while `current` serves.
    pub(super) fn awaited(&self, current: &Provision) -> Option<&Required> {
        Some(&self.options.required).filter(|required| !required.is(current, &self.directory))
    }

    /// Logs at start which provision readiness waits for. A broken `initial` has its own log record already.
    pub(super) fn log_wait(&self) {
        if let Some(required) = self.awaited(&self.current()).filter(|required| required.0.is_some()) {
            log::info!(target: TARGET, "not ready until {}", required.goal());
        }
    }

    /// Logs an activation, and whether the server becomes ready or unready by it. `was_awaited`: it was not ready before.
    pub(super) fn log_activation(&self, was_awaited: bool) {
        let current = self.current();
        let active = format!("provision `{}` is active, generation {}", current.name, current.generation);
        match (was_awaited, self.awaited(&current)) {
            (true, None) => log::info!(target: TARGET, "{active}: ready"),
            (false, Some(required)) => {
                log::warn!(target: TARGET, "{active}: not ready until {}", required.goal());
            }
            _ => log::info!(target: TARGET, "{active}"),
        }
    }
}
