//! What scripts see under Python's names.

pub mod base64;
pub mod builtins;
pub mod clock;
pub mod environ;
pub mod hash;
pub mod json;
pub mod logging;
pub mod random;
pub mod regex;
pub mod text;
pub mod urllib;
pub mod uuid;
