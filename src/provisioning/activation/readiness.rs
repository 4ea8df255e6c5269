//! What an activation means for readiness: whether the server becomes ready by it, and the line of the log.

use super::Activation;
use crate::provisioning::provision::Provision;
use crate::provisioning::required::Required;

/// Target of the records, as of all others of activations.
const TARGET: &str = "h1mock::activation";

/// What a swap changes.
pub(super) enum Readiness {
    /// Nothing: ready or not, as before.
    Same,
    /// What was required serves from now on.
    Begins,
    /// It serves no longer; what the server waits for.
    Ends(String),
}

impl Activation {
    /// Why the server is not ready although it serves; `None` where it is ready.
    pub(crate) fn not_ready(&self) -> Option<String> {
        let current = self.current();
        Some(self.awaited(&current)?.reason(&current, &self.directory, &self.ledger))
    }

    /// The provision that readiness waits for while `current` serves.
    fn awaited(&self, current: &Provision) -> Option<&Required> {
        Some(&self.options.required).filter(|required| !required.is(current, &self.directory))
    }

    /// The log says at start which provision readiness waits for. A stand-in for `initial` has its record already.
    pub(super) fn log_wait(&self) {
        if let Some(required) = self.awaited(&self.current()).filter(|required| required.is_named()) {
            log::info!(target: TARGET, "not ready until {}", required.goal());
        }
    }

    /// What changes once `next` serves.
    pub(super) fn readiness(&self, next: &Provision) -> Readiness {
        match (self.awaited(&self.current()), self.awaited(next)) {
            (Some(_), None) => Readiness::Begins,
            (None, Some(required)) => Readiness::Ends(required.goal()),
            _ => Readiness::Same,
        }
    }
}

impl Readiness {
    /// The one line of an activation.
    pub(super) fn log(&self, name: &str, generation: u64) {
        let active = format!("provision `{name}` is active, generation {generation}");
        match self {
            Readiness::Same => log::info!(target: TARGET, "{active}"),
            Readiness::Begins => log::info!(target: TARGET, "{active}: ready"),
            Readiness::Ends(goal) => log::warn!(target: TARGET, "{active}: not ready until {goal}"),
        }
    }
}
