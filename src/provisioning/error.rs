//! Why nothing was activated, in words.

use crate::directory::DirectoryError;
use crate::script::runtime::fault::LoadError;
use std::fmt;

/// Why a request to activate, store or remove was refused.
#[derive(Debug)]
pub(crate) enum ActivationError {
    /// There is no such file.
    Unknown(String),
    /// The active provision can't be removed.
    Active(String),
    Load(LoadError),
    /// It has no `registerRules()`.
    Library(LoadError),
    /// Its name is that of an auxiliary file.
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
            ActivationError::Load(error) | ActivationError::Library(error) => error.fmt(out),
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
