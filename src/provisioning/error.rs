//! Errors of activations.

use crate::directory::DirectoryError;
use crate::script::runtime::fault::LoadError;
use std::fmt;

/// Why a request to activate, store or remove a file was refused.
#[derive(Debug)]
pub(crate) enum ActivationError {
    /// The directory has no file of this name.
    Unknown(String),
    /// The file of the active provision can't be removed.
    Active(String),
    /// The file does not load, or has no `registerRules()`.
    Load(LoadError),
    /// The name is that of an auxiliary file.
    NotAProvision(String),
    Directory(DirectoryError),
}

impl fmt::Display for ActivationError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ActivationError::Unknown(name) => {
                write!(out, "there is no file `{name}` in the provision directory")
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
        }
    }
}

impl From<DirectoryError> for ActivationError {
    fn from(error: DirectoryError) -> Self {
        ActivationError::Directory(error)
    }
}
