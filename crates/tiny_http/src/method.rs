//! Request methods.

use std::fmt;
use std::str::FromStr;

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

impl FromStr for Method {
    type Err = ();

    fn from_str(text: &str) -> Result<Method, ()> {
        if text.is_empty() || !text.bytes().all(is_token) {
            return Err(());
        }
        Ok(Method::from_token(text))
    }
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
    fn tokens_are_methods() {
        for name in
            ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "get", "X-1"]
        {
            assert_eq!(name.parse::<Method>().unwrap().to_string(), name);
        }
        assert_eq!("G T".parse::<Method>(), Err(()));
        assert_eq!("".parse::<Method>(), Err(()));
    }
}
