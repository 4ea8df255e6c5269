//! PLACEHOLDER of branch `admin`: the real file comes from the lead.
#![allow(missing_docs)]

use crate::active::WaitId;
use crate::provision::Provision;
use crate::record::Row;
use crate::script::fault::LoadError;
use crate::store::{Name, StoreError};
use std::fmt;
use std::sync::Arc;

pub struct Activation;

#[derive(Debug)]
pub enum ActivationError {
    Unknown(String),
    Active(String),
    Load(LoadError),
    Library(LoadError),
    NotAProvision(String),
    Store(StoreError),
}

impl fmt::Display for ActivationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name) => write!(f, "unknown file `{name}`"),
            Self::Active(name) => write!(f, "provision `{name}` is active"),
            Self::Load(error) | Self::Library(error) => error.fmt(f),
            Self::NotAProvision(name) => write!(f, "`{name}` is no provision"),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl Activation {
    pub fn current(&self) -> Arc<Provision> {
        Arc::new(Provision { name: "initial".into(), generation: 1 })
    }
    pub fn post(&self, name: &Name, _source: &[u8]) -> Result<u64, ActivationError> {
        Err(ActivationError::Unknown(name.as_str().into()))
    }
    pub fn activate(&self, name: &Name) -> Result<u64, ActivationError> {
        Err(ActivationError::Unknown(name.as_str().into()))
    }
    pub fn put_file(&self, name: &Name, _bytes: &[u8]) -> Result<u64, ActivationError> {
        Err(ActivationError::Unknown(name.as_str().into()))
    }
    pub fn remove(&self, name: &Name) -> Result<(), ActivationError> {
        Err(ActivationError::Unknown(name.as_str().into()))
    }
    pub fn source(&self, name: &Name) -> Result<Vec<u8>, ActivationError> {
        Err(ActivationError::Unknown(name.as_str().into()))
    }
    pub fn ledger(&self) -> Result<Vec<Row>, StoreError> {
        Ok(Vec::new())
    }
    pub fn on_generation(&self, _wanted: u64, _then: Box<dyn FnOnce(u64) + Send>) -> WaitId {
        WaitId
    }
    pub fn forget(&self, _wait: WaitId) -> bool {
        false
    }
}
