//! Tools and rights that not every machine has.

/// Prints that something is not tested, since `what` is missing. In CI, which sets `H1MOCK_REQUIRE_TOOLS`, that is a failure.
#[track_caller]
pub(crate) fn missing(what: &str) {
    assert!(std::env::var_os("H1MOCK_REQUIRE_TOOLS").is_none(), "required in CI, and missing: {what}");
    eprintln!("not tested on this machine: {what}");
}
