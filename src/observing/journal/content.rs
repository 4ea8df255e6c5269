//! Bodies of entries without their content coding, for filters and readers.

use crate::message::content_coding::{Bounds, Flaw, decode};

/// Longest content that a body is decoded to, in bytes: it takes a few ms.
pub(super) const MAX_CONTENT: usize = 1 << 20;

/// Decodes a whole `body` by the `Content-Encoding` among `headers`; `None` where it has no coding.
///
/// # Errors
/// The body can't be decoded, or its content is longer than [`MAX_CONTENT`].
pub(super) fn decoded(headers: &[(String, String)], body: &[u8]) -> Result<Option<Vec<u8>>, Flaw> {
    let named = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("content-encoding"));
    let mut bounds = Bounds { most: MAX_CONTENT, go_on: &mut |_| true };
    decode(named.map(|(_, value)| value.as_str()), body, &mut bounds)
}
