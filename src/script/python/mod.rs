//! Functions, methods and modules that scripts know by their Python names.

pub(crate) mod base64;
pub(crate) mod builtins;
pub(crate) mod bytes;
pub(crate) mod clock;
pub(crate) mod datetime;
pub(crate) mod environ;
pub(crate) mod gzip;
pub(crate) mod hash;
pub(crate) mod json;
pub(crate) mod logging;
pub(crate) mod random;
pub(crate) mod regex;
pub(crate) mod requests;
pub(crate) mod secrets;
pub(crate) mod text;
pub(crate) mod urllib;
pub(crate) mod uuid;

use crate::system::truncate::beginning;
use rhai::EvalAltResult;

/// Lists names for a message: "`key` and `reverse`".
fn listed(names: &[&str]) -> String {
    let (last, others) = names.split_last().unwrap_or((&"", &[]));
    format!("`{}` and `{last}`", others.join("`, `"))
}

/// Returns the error for an option that `function` does not have.
fn unknown_option(function: &str, option: &str, known: &[&str]) -> Box<EvalAltResult> {
    let (shown, known) = (beginning(option, 80), listed(known));
    format!("{function}: unknown option `{shown}`: there are {known}").into()
}
