//! What scripts see under Python's names.

pub(crate) mod base64;
pub(crate) mod builtins;
pub(crate) mod bytes;
pub(crate) mod clock;
pub(crate) mod datetime;
pub(crate) mod environ;
pub(crate) mod hash;
pub(crate) mod json;
pub(crate) mod logging;
pub(crate) mod random;
pub(crate) mod regex;
pub(crate) mod secrets;
pub(crate) mod text;
pub(crate) mod urllib;
pub(crate) mod uuid;
