//! PLACEHOLDER of branch `admin`: the real file comes from the lead.
#![allow(missing_docs)]

use crate::script::fault::LoadError;
use std::time::SystemTime;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Provision,
    Library,
    Auxiliary,
    Skipped,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::Provision => "provision",
            Kind::Library => "library",
            Kind::Auxiliary => "auxiliary",
            Kind::Skipped => "skipped",
        }
    }
}

#[derive(Debug, Clone)]
pub struct Row {
    pub name: String,
    pub size: u64,
    pub sha256: String,
    pub modified: Option<SystemTime>,
    pub resolved: Option<String>,
    pub kind: Kind,
    pub generation: Option<u64>,
    pub error: Option<LoadError>,
    pub skipped: Option<String>,
}
