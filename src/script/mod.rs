//! Scripts: the engine that compiles and runs provisions, one file per topic that they see.

pub mod abort;
pub mod base64;
pub mod bound;
pub mod builtins;
pub mod call;
pub mod clock;
pub mod environ;
pub mod hash;
pub mod json;
pub mod logging;
pub mod random;
pub mod regex;
pub mod status;
pub mod text;
pub mod urllib;
pub mod uuid;
