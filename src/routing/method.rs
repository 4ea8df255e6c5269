//! The methods of HTTP by number. Rules have a bit for each, counters have the number in their key.

/// Methods that have a number. The first entry stands for all others.
pub(crate) const METHODS: [&str; 10] =
    ["other", "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"];

/// Returns the place of `method` in [`METHODS`].
pub(crate) fn method_index(method: &str) -> u32 {
    // Byte by byte: to compare texts costs a call for each.
    match method.as_bytes() {
        [b'G', b'E', b'T'] => 1,
        [b'H', b'E', b'A', b'D'] => 2,
        [b'P', b'O', b'S', b'T'] => 3,
        [b'P', b'U', b'T'] => 4,
        b"DELETE" => 5,
        b"PATCH" => 6,
        b"OPTIONS" => 7,
        b"TRACE" => 8,
        b"CONNECT" => 9,
        _ => 0,
    }
}

/// Whether `text` is a token (RFC 9110, section 5.6.2), as methods and names of headers are.
pub(crate) fn is_token(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(fits)
}
