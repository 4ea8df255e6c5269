//! Errors of activations.

use crate::directory::DirectoryError;
use crate::provisioning::layers::{MOST_OVERLAYS, OverlayId};
use crate::script::runtime::analysis::near::did_you_mean;
use crate::script::runtime::fault::LoadError;
use std::fmt;

/// Why a request to activate, store or remove a file was refused.
#[derive(Debug)]
pub(crate) enum ActivationError {
    /// The directory has no file of this name. `meant` is a file with a similar one.
    Unknown {
        name: String,
        meant: Option<String>,
    },
    /// The file of the active provision can't be removed.
    Active(String),
    /// The file does not load, or has no `registerRules()`.
    Load(LoadError),
    /// The name is that of an auxiliary file.
    NotAProvision(String),
    Directory(DirectoryError),
    /// No overlay has this identity. `names` lists the overlays that serve.
    NoOverlay {
        wanted: OverlayId,
        names: String,
    },
    TooManyOverlays,
}

impl fmt::Display for ActivationError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ActivationError::Unknown { name, meant } => {
                write!(out, "there is no file `{name}` in the provision directory")?;
                meant.iter().try_for_each(|meant| write!(out, ": {}", did_you_mean(meant)))
            }
            ActivationError::Active(name) => {
                write!(out, "provision `{name}` is active: activate another one first")
            }
            ActivationError::Load(error) => error.fmt(out),
            ActivationError::NotAProvision(name) => {
                write!(
                    out,
                    "`{name}` is no name of a provision: those have no extension, or `.rhai`, and no `~` at the end"
                )
            }
            ActivationError::Directory(error) => error.fmt(out),
            ActivationError::NoOverlay { wanted, names } if names.is_empty() => {
                write!(out, "there is no overlay {wanted}, nor any other")
            }
            ActivationError::NoOverlay { wanted, names } => {
                write!(out, "there is no overlay {wanted}: there are {names}")
            }
            ActivationError::TooManyOverlays => {
                write!(
                    out,
                    "{MOST_OVERLAYS} overlays serve, which is the most: remove one first, with DELETE"
                )
            }
        }
    }
}

impl From<DirectoryError> for ActivationError {
    fn from(error: DirectoryError) -> Self {
        ActivationError::Directory(error)
    }
}
