//! Reasons for refusing a request, and the page that its client gets.

use std::net::SocketAddr;
use std::sync::Arc;

/// Why the engine refuses a request by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The request is malformed (RFC 9110, section 15.5.1), in these words.
    Malformed(&'static str),
    /// The engine does not support it: a status, and a text.
    Unsupported(u16, &'static str),
    /// The client speaks another protocol, so it may not understand the answer: a status, and a text.
    OtherProtocol(u16, &'static str),
    /// The request line alone is longer than a head may be.
    LineTooLong,
    /// The head is too long.
    HeadTooLong,
    /// The head has too many fields.
    TooManyFields,
    /// The body is too long.
    BodyTooLong,
    /// The trailers are too long.
    TrailersTooLong,
    /// The request has too many trailers.
    TooManyTrailers,
    /// The head did not arrive in time.
    HeadTooSlow,
    /// The body did not arrive in time.
    BodyTooSlow,
    /// Too many connections are open.
    TooManyConnections,
    /// Requests and answers hold too much memory.
    TooManyBytes,
}

/// A field of [`Limits`](crate::extension::Limits) that a request can exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// `head`.
    Head,
    /// `headers`.
    Headers,
    /// `body`.
    Body,
    /// `connections`.
    Connections,
    /// `buffered`.
    Buffered,
    /// `head_time`.
    HeadTime,
    /// `body_time`.
    BodyTime,
}

impl Reason {
    /// Returns the status of the answer.
    pub const fn status(self) -> u16 {
        self.parts().0
    }

    /// Returns a text for the client, lower case, without a full stop.
    pub const fn text(self) -> &'static str {
        self.parts().1
    }

    /// Returns the limit that the request exceeds, if any.
    pub const fn limit(self) -> Option<Limit> {
        self.parts().2
    }

    const fn parts(self) -> (u16, &'static str, Option<Limit>) {
        match self {
            Reason::Malformed(text) => (400, text, None),
            Reason::Unsupported(status, text) | Reason::OtherProtocol(status, text) => (status, text, None),
            Reason::LineTooLong => (414, "the request line is too long", Some(Limit::Head)),
            Reason::HeadTooLong => (431, "the head of the request is too long", Some(Limit::Head)),
            Reason::TooManyFields => (431, "the request has too many header fields", Some(Limit::Headers)),
            Reason::BodyTooLong => (413, "the body of the request is too long", Some(Limit::Body)),
            Reason::TrailersTooLong => (431, "the trailers of the request are too long", Some(Limit::Head)),
            Reason::TooManyTrailers => (431, "the request has too many trailers", Some(Limit::Headers)),
            Reason::HeadTooSlow => (408, "the head of the request took too long", Some(Limit::HeadTime)),
            Reason::BodyTooSlow => (408, "the body of the request took too long", Some(Limit::BodyTime)),
            Reason::TooManyConnections => (503, "too many connections are open", Some(Limit::Connections)),
            Reason::TooManyBytes => {
                (503, "too many bytes of requests and answers wait here", Some(Limit::Buffered))
            }
        }
    }
}

/// A refused request.
#[derive(Debug, Clone, Copy)]
pub struct Refused<'r> {
    /// The reason.
    pub reason: Reason,
    /// The part of the request line that arrived.
    pub request_line: &'r str,
    /// The `Origin` field, if it arrived in full.
    pub origin: Option<&'r str>,
    /// Address of the client.
    pub peer: SocketAddr,
}

/// The answer to a refused request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Reason phrase; `None` for the standard one.
    pub reason: Option<String>,
    /// Names and values of header fields, such as `Content-Type`.
    pub fields: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

/// Writes the pages of refused requests. Any thread that receives calls it, so it must not wait.
pub type Pages = Arc<dyn Fn(&Refused<'_>) -> Page + Send + Sync>;

/// Returns pages of one line of plain text that names the reason.
pub fn plain_pages() -> Pages {
    Arc::new(|refused| Page {
        reason: None,
        fields: vec![("Content-Type".to_owned(), "text/plain; charset=utf-8".to_owned())],
        body: format!("{}\n", refused.reason.text()).into_bytes(),
    })
}
