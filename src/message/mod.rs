//! A request and an answer as HTTP has them, without sockets and scripts.

pub(crate) mod answer;
pub(crate) mod baggage;
pub(crate) mod content_coding;
pub(crate) mod cookie;
pub(crate) mod epoch;
pub(crate) mod form;
pub(crate) mod json;
pub(crate) mod request;
pub(crate) mod stream;

/// Whether `text` is a token (RFC 9110, section 5.6.2): a method, the name of a header.
pub(crate) fn is_token(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(fits)
}
