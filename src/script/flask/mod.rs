//! The topics with Flask's and Werkzeug's names, and `store`, `scenario`, `sleep` and the chaos methods of responses.

pub(crate) mod abort;
pub(crate) mod answer;
pub(crate) mod app;
pub(crate) mod cache_control;
pub(crate) mod callback;
pub(crate) mod chaos;
pub(crate) mod conditional;
pub(crate) mod content_range;
pub(crate) mod cookie;
pub(crate) mod cors;
pub(crate) mod disk;
pub(crate) mod files;
pub(crate) mod forward;
pub(crate) mod header_date;
pub(crate) mod multi_dict;
pub(crate) mod property;
pub(crate) mod request;
pub(crate) mod response;
mod rule_options;
pub(crate) mod scenario;
pub(crate) mod sleep;
pub(crate) mod sse;
pub(crate) mod status;
pub(crate) mod store;
pub(crate) mod stream;
pub(crate) mod url_for;
pub(crate) mod wait_for;
