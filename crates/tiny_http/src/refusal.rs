//! Why a request is not taken: the status that its sender gets, and the words.

/// A request that the engine answers by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// Status of the answer.
    pub status: u16,
    /// What is wrong, lower case, without a full stop.
    pub why: &'static str,
}

impl Refusal {
    /// `status` with the reason `why`.
    pub const fn new(status: u16, why: &'static str) -> Refusal {
        Refusal { status, why }
    }

    /// 400 (RFC 9110, section 15.5.1).
    pub const fn bad(why: &'static str) -> Refusal {
        Refusal::new(400, why)
    }
}
