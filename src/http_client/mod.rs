//! The HTTP client: of the subcommands `get`, `probe`, `wait` and `report`, of the `curl` applet, of callbacks, of `requests` in
//! scripts, and of forwarding.
//!
//! [`head`] and [`body`] know the bytes and no sockets. [`connection`] blocks; forwarding has sockets of its own, which do not.

pub(crate) mod body;
pub(crate) mod connection;
pub(crate) mod error;
pub(crate) mod head;
pub(crate) mod reply;
pub(crate) mod url;

pub(crate) use connection::Request;
pub(crate) use error::ClientError;
pub(crate) use reply::Reply;
pub(crate) use url::Url;
