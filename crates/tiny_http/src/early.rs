//! The head of a request whose body has not arrived.

use crate::header;
use crate::parse::head::{Framing, Head};
use std::borrow::Cow;

/// The head of a request whose body has not arrived.
pub struct EarlyHead<'h>(pub(crate) &'h Head);

impl EarlyHead<'_> {
    /// Returns the method.
    pub fn method(&self) -> &str {
        self.0.method.as_str()
    }

    /// Returns the request target as sent.
    pub fn target(&self) -> &str {
        &self.0.target
    }

    /// Returns the declared length of the body; `None` if it comes in chunks.
    pub fn length(&self) -> Option<u64> {
        match self.0.framing {
            Framing::Empty => Some(0),
            Framing::Length(length) => Some(length),
            Framing::Chunked => None,
        }
    }

    /// Returns the first field with this `name`, in any case, as text of ISO 8859-1.
    pub fn field(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut fields = self.0.fields();
        let found = fields.find(|(known, _)| known.eq_ignore_ascii_case(name.as_bytes()));
        found.map(|(_, value)| header::latin1(value))
    }
}
