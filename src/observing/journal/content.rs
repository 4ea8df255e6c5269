//! Bodies of entries without their content coding, for filters and readers.

use crate::message::content_coding::{Bounds, Flaw, decode};
use crate::script::runtime::load_time;
use std::time::Duration;

/// Longest content that a body is decoded to, in bytes: it takes a few ms.
pub(super) const MAX_CONTENT: usize = 1 << 20;
/// Most processor time for a body. Streams of empty blocks take far longer than others, and a reader decodes many bodies.
const MAX_TIME: Duration = Duration::from_millis(250);

/// Decodes a whole `body` by the `Content-Encoding` among `headers`; `None` where it has no coding.
///
/// # Errors
/// The body can't be decoded, or its content is longer than [`MAX_CONTENT`].
pub(super) fn decoded(headers: &[(String, String)], body: &[u8]) -> Result<Option<Vec<u8>>, Flaw> {
    let named = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("content-encoding"));
    let end = load_time::used() + MAX_TIME;
    let mut bounds = Bounds { most: MAX_CONTENT, go_on: &mut |_| load_time::used() < end };
    decode(named.map(|(_, value)| value.as_str()), body, &mut bounds)
}
