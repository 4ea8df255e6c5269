//! A request and an answer as HTTP has them, without sockets and scripts.

pub mod answer;
pub mod baggage;
pub mod cookie;
pub mod epoch;
pub mod form;
pub mod request;
pub mod stream;

/// Whether `text` is a token (RFC 9110, section 5.6.2): a method, the name of a header.
pub fn is_token(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(fits)
}
