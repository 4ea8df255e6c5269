//! Request methods.

use std::fmt;

macro_rules! methods {
    ($($(#[$doc:meta])* $variant:ident $name:literal,)*) => {
        /// A method (RFC 9110, section 9). Methods are case-sensitive: `get` is not `GET`.
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub enum Method {
            $($(#[$doc])* $variant,)*
            /// Any other token.
            NonStandard(String),
        }

        impl Method {
            /// Returns the method as sent.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Method::$variant => $name,)*
                    Method::NonStandard(name) => name,
                }
            }

            pub(crate) fn from_token(token: &str) -> Method {
                match token {
                    $($name => Method::$variant,)*
                    other => Method::NonStandard(other.to_owned()),
                }
            }
        }
    };
}

methods! {
    /// `GET`
    Get "GET",
    /// `HEAD`
    Head "HEAD",
    /// `POST`
    Post "POST",
    /// `PUT`
    Put "PUT",
    /// `DELETE`
    Delete "DELETE",
    /// `CONNECT`
    Connect "CONNECT",
    /// `OPTIONS`
    Options "OPTIONS",
    /// `TRACE`
    Trace "TRACE",
    /// `PATCH` (RFC 5789)
    Patch "PATCH",
}

/// Whether `byte` may stand in a token: a method, the name of a field (RFC 9110, section 5.6.2).
pub(crate) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_token_is_a_method() {
        for name in
            ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "get", "X-1"]
        {
            assert_eq!(Method::from_token(name).to_string(), name);
        }
    }
}
