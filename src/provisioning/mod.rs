//! Flow 2: a file event or a POST -> read -> compile -> swap.

pub mod activation;
pub mod active;
pub mod error;
pub mod initial;
pub mod ledger;
pub mod load;
pub mod provision;
pub mod required;
pub mod watcher;
