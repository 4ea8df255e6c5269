//! What scripts see under Flask's names.

pub mod abort;
pub mod answer;
pub mod app;
pub mod chaos;
pub mod cookie;
pub mod disk;
pub mod multi_dict;
pub mod property;
pub mod request;
pub mod response;
pub mod scenario;
pub mod sleep;
pub mod status;
pub mod store;
pub mod url_for;
