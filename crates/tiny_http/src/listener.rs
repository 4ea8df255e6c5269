//! The address of a server, and settings for TLS, which is not supported.

use std::net::SocketAddr;

/// The address of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenAddr {
    /// Address and port.
    IP(SocketAddr),
}

impl ListenAddr {
    /// Returns address and port of a TCP listener.
    pub fn to_ip(self) -> Option<SocketAddr> {
        let ListenAddr::IP(address) = self;
        Some(address)
    }
}

/// Settings for TLS. This engine does not support it, and refuses to start a server with them.
#[derive(Debug, Clone)]
pub struct SslConfig {
    /// Certificate chain in PEM.
    pub certificate: Vec<u8>,
    /// Private key in PEM.
    pub private_key: Vec<u8>,
}
