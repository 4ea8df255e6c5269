//! Listeners and their addresses.

use std::net::{SocketAddr, TcpListener};

/// A bound socket.
#[derive(Debug)]
pub enum Listener {
    /// TCP over IPv4 or IPv6.
    Tcp(TcpListener),
}

impl From<TcpListener> for Listener {
    fn from(listener: TcpListener) -> Listener {
        Listener::Tcp(listener)
    }
}

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
