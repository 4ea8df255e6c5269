//! Why a request is not taken: the status that its sender gets, the words, and the limit that it is over.

/// What is wrong with a request that the engine answers by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It is no request that may be taken (RFC 9110, section 15.5.1), in these words.
    Malformed(&'static str),
    /// It asks for what the engine doesn't do: this status, these words.
    Unsupported(u16, &'static str),
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
    /// There are too many trailers.
    TooManyTrailers,
    /// The head did not arrive in time.
    HeadTooSlow,
    /// The body did not arrive in time.
    BodyTooSlow,
    /// Its connection is one too many.
    TooManyConnections,
    /// There is no memory for it.
    TooManyBytes,
}

/// A field of [`Limits`](crate::extension::Limits) that a request can be over.
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
    /// Status of the answer.
    pub const fn status(self) -> u16 {
        self.parts().0
    }

    /// What is wrong, lower case, without a full stop.
    pub const fn text(self) -> &'static str {
        self.parts().1
    }

    /// The limit that the request is over, if it is over one.
    pub const fn limit(self) -> Option<Limit> {
        self.parts().2
    }

    const fn parts(self) -> (u16, &'static str, Option<Limit>) {
        match self {
            Reason::Malformed(text) => (400, text, None),
            Reason::Unsupported(status, text) => (status, text, None),
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
