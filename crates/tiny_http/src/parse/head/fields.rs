//! The meaning of a head's fields for the connection: framing, persistence, expectations, and the host.

use super::{Framing, target};
use crate::refusal::Reason;

/// The meaning of the fields so far.
#[derive(Default)]
pub(super) struct Meaning {
    host: bool,
    length: Option<u64>,
    coding: Option<Coding>,
    close: bool,
    keep_alive: bool,
    expects: bool,
    other_expectation: bool,
}

/// The transfer codings, in the order of their fields.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Coding {
    /// `chunked` and nothing else.
    Chunked,
    /// Others, then `chunked`.
    OthersThenChunked,
    /// The last one is not `chunked`, so the end of the body is unknown.
    Endless,
}

impl Meaning {
    /// Adds one field.
    ///
    /// # Errors
    /// The field is not allowed, not allowed twice, or has an invalid value.
    pub(super) fn add(&mut self, name: &[u8], value: &[u8]) -> Result<(), Reason> {
        match name.len() {
            4 if name.eq_ignore_ascii_case(b"host") => self.host(value),
            6 if name.eq_ignore_ascii_case(b"expect") => self.expect(value),
            10 if name.eq_ignore_ascii_case(b"connection") => self.connection(value),
            14 if name.eq_ignore_ascii_case(b"content-length") => self.length(value),
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => self.coding(value),
            _ => Ok(()),
        }
    }

    /// Adds Host (RFC 9112, section 3.2).
    fn host(&mut self, value: &[u8]) -> Result<(), Reason> {
        if self.host {
            return Err(Reason::Malformed("the request has two Host fields"));
        }
        self.host = true;
        if !value.is_empty() && !target::is_authority(value) {
            return Err(Reason::Malformed("the Host field is no host name with an optional port"));
        }
        Ok(())
    }

    /// Adds Content-Length (RFC 9112, section 6.3). A second one is refused even if it is equal, since proxies might read the
    /// request in another way.
    fn length(&mut self, value: &[u8]) -> Result<(), Reason> {
        if self.length.is_some() {
            return Err(Reason::Malformed("the request has two Content-Length fields"));
        }
        let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
        let text = std::str::from_utf8(value).ok().filter(|_| digits);
        let length = text.and_then(|text| text.parse().ok());
        self.length = Some(length.ok_or(Reason::Malformed("Content-Length is no number of bytes"))?);
        Ok(())
    }

    /// Adds Transfer-Encoding (RFC 9112, sections 6.1 and 7): `chunked` may come once, as the last coding.
    fn coding(&mut self, value: &[u8]) -> Result<(), Reason> {
        for coding in options(value) {
            let chunked = coding.eq_ignore_ascii_case(b"chunked");
            self.coding = Some(match (self.coding, chunked) {
                (None, true) => Coding::Chunked,
                (Some(Coding::Endless), true) => Coding::OthersThenChunked,
                (Some(_), true) => {
                    return Err(Reason::Malformed("the transfer coding `chunked` is applied twice"));
                }
                (_, false) => Coding::Endless,
            });
        }
        self.coding = self.coding.or(Some(Coding::Endless));
        Ok(())
    }

    fn connection(&mut self, value: &[u8]) -> Result<(), Reason> {
        for option in options(value) {
            self.close |= option.eq_ignore_ascii_case(b"close");
            self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
        }
        Ok(())
    }

    fn expect(&mut self, value: &[u8]) -> Result<(), Reason> {
        for expectation in options(value) {
            match expectation.eq_ignore_ascii_case(b"100-continue") {
                true => self.expects = true,
                false => self.other_expectation = true,
            }
        }
        Ok(())
    }

    /// Returns the framing of the body. `old` means HTTP/1.0.
    ///
    /// # Errors
    /// The framing is ambiguous or unknown, or a request of HTTP/1.1 has no Host.
    pub(super) fn framing(&self, old: bool) -> Result<Framing, Reason> {
        if !old && !self.host {
            return Err(Reason::Malformed("the request has no Host field"));
        }
        match (self.coding, self.length) {
            (None, None | Some(0)) => Ok(Framing::Empty),
            (None, Some(length)) => Ok(Framing::Length(length)),
            (Some(_), Some(_)) => {
                Err(Reason::Malformed("the request has both Content-Length and Transfer-Encoding"))
            }
            (Some(_), None) if old => Err(Reason::Malformed("HTTP/1.0 has no transfer codings")),
            (Some(Coding::Chunked), None) => Ok(Framing::Chunked),
            (Some(Coding::OthersThenChunked), None) => {
                Err(Reason::Unsupported(501, "no transfer coding but `chunked` is known"))
            }
            (Some(Coding::Endless), None) => Err(Reason::Malformed(
                "the last transfer coding is not `chunked`: the end of the body is unknown",
            )),
        }
    }

    /// Whether the connection stays open (RFC 9112, section 9.3).
    pub(super) fn keeps_alive(&self, old: bool) -> bool {
        !self.close && (!old || self.keep_alive)
    }

    /// Whether the client waits for `100 Continue` (RFC 9110, section 10.1.1). Expectations of HTTP/1.0 are ignored.
    ///
    /// # Errors
    /// 417 for an unknown expectation.
    pub(super) fn expects_continue(&self, old: bool) -> Result<bool, Reason> {
        if self.other_expectation && !old {
            return Err(Reason::Unsupported(417, "no expectation but `100-continue` can be met"));
        }
        Ok(self.expects && !old)
    }
}

/// Returns the members of a list (RFC 9110, section 5.6.1) without empty ones.
fn options(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|option| !option.is_empty())
}
