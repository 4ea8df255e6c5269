//! What the server gives the resources that tell of the process as a whole, and the one that ends it.

use crate::cli::FailOn;

/// Made once by the server.
pub struct Observing {
    /// The page of `/metrics`.
    pub metrics: Box<dyn Fn() -> String + Send + Sync>,
    /// The report, with the verdict by these conditions; without any, by those of the server.
    pub report: Box<dyn Fn(Option<FailOn>) -> String + Send + Sync>,
    /// Begins the stop.
    pub quit: Box<dyn Fn() + Send + Sync>,
}
