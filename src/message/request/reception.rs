//! How requests reach the mock, as far as scripts see it. Workers and replays receive requests alike.

use super::Request;
use std::net::SocketAddr;

/// The settings of the mock's listener that change what scripts see of a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reception {
    /// Address of the listener.
    pub address: SocketAddr,
    /// `--max-body`: most bytes of a body without its content coding.
    pub max_content: usize,
    /// `--trust-proxy`: the proxies in front whose `X-Forwarded-*` count.
    pub trusted_proxies: usize,
}

impl Reception {
    /// Completes a request that is handled in `epoch`.
    pub(crate) fn receive(&self, request: &mut Request, epoch: u64) {
        (request.epoch, request.max_content) = (epoch, self.max_content);
        request.local_addr = Some(self.address);
        request.trust(self.trusted_proxies);
    }
}
