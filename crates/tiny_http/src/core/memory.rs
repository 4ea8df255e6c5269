//! Counts the memory that requests and answers hold, and closes connections when it is short.

use crate::clock;
use crate::connection::slots::{Held, Lease, Phase};
use crate::core::state::Core;
use crate::lock::lock;
use crate::refusal::Reason;
use std::sync::TryLockError;
use std::sync::atomic::Ordering;

/// Milliseconds that a client may take for an answer while memory is short.
const STALLED_MS: u64 = 1000;

/// Bytes up to which a lent request doesn't count. There are no more lent requests than workers and held-back answers, and
/// counting would slow down each request.
pub(crate) const SMALL: usize = 4 << 10;

impl Core {
    /// Frees memory until requests and answers are within their limit again. First it resets clients that have not taken their
    /// answer for a second. If `requests` is true, it then refuses the newest incomplete requests, one by one. The oldest one
    /// goes on, so one client is always served.
    pub(crate) fn make_space(&self, requests: bool) {
        // A worker that reads waits for the thread that frees memory; otherwise it would read on above the limit. A thread that
        // writes doesn't wait: it may be the thread that frees memory, with a refusal that did not fit into its socket.
        let _one = match requests {
            true => lock(&self.refusing),
            false => match self.refusing.try_lock() {
                Ok(one) => one,
                Err(TryLockError::Poisoned(one)) => one.into_inner(),
                Err(TryLockError::WouldBlock) => return,
            },
        };
        while self.is_full() && self.cut_stalled() {}
        while requests && self.is_full() {
            let arriving = self.slots.stamps().filter(|(phase, ..)| phase.is_incomplete());
            let newest = arriving.max_by_key(|(phase, since, _)| (*phase == Phase::Body, *since));
            let Some((.., index)) = newest else { return };
            // Another worker may have completed or closed it since.
            let held = self.slots.lock_at(index).filter(|held| held.phase().0.is_incomplete());
            held.into_iter().for_each(|held| self.refuse(held, Reason::TooManyBytes));
        }
    }

    /// Whether requests and answers hold more memory than the limit. A body of the full limit fits beside its head.
    pub(crate) fn is_full(&self) -> bool {
        self.buffered.load(Ordering::Relaxed) > self.limits.buffered.saturating_add(self.limits.head)
    }

    /// Resets the connection that has been taking its answer for longest. False if none takes longer than a second.
    fn cut_stalled(&self) -> bool {
        let now = clock::milliseconds();
        let is_stalled = |(phase, since): (Phase, u64)| phase == Phase::Writing && now >= since + STALLED_MS;
        let stalled = self.slots.stamps().filter(|(phase, since, _)| is_stalled((*phase, *since)));
        let oldest = stalled.min_by_key(|(_, since, _)| *since);
        let held = oldest.and_then(|(.., index)| self.slots.lock_at(index));
        let Some(mut held) = held.filter(|held| is_stalled(held.phase())) else { return false };
        if let Some(connection) = held.connection() {
            log::info!("cut {}: memory is short, and it does not take its answer", connection.socket.peer);
        }
        self.reset(held);
        true
    }

    /// Counts the memory that a connection holds now.
    pub(crate) fn count(&self, held: &mut Held<'_>) {
        let Some(connection) = held.connection() else { return };
        let (before, now) = (connection.counted, connection.space());
        connection.counted = now;
        match now.checked_sub(before) {
            Some(0) => {}
            Some(more) => drop(self.buffered.fetch_add(more, Ordering::Relaxed)),
            None => drop(self.buffered.fetch_sub(before - now, Ordering::Relaxed)),
        }
    }

    /// Reserves memory for an answer of `bytes`. False if requests and answers are over their limit.
    pub(crate) fn reserve(&self, lease: &Lease, bytes: usize) -> bool {
        if self.is_full() {
            self.make_space(false);
        }
        if self.is_full() {
            return false;
        }
        lease.bytes.update(|counted| counted + bytes);
        match self.slots.lock(lease.token) {
            Some(held) => self.count_lent(held, lease),
            None => drop(self.buffered.fetch_add(bytes, Ordering::Relaxed)),
        }
        true
    }

    /// Releases `bytes` of a request that the program freed before its answer.
    pub(crate) fn release(&self, lease: &Lease, bytes: usize) {
        let bytes = bytes.min(lease.bytes.get());
        if bytes <= SMALL {
            return;
        }
        lease.bytes.update(|counted| counted - bytes);
        match self.slots.lock(lease.token) {
            Some(held) => self.count_lent(held, lease),
            None => self.uncount(bytes),
        }
    }

    fn count_lent(&self, mut held: Held<'_>, lease: &Lease) {
        if let Some(connection) = held.connection() {
            connection.lent = lease.bytes.get();
            self.count(&mut held);
        }
    }

    /// Releases `bytes` of a closed connection.
    pub(crate) fn uncount(&self, bytes: usize) {
        self.buffered.fetch_sub(bytes, Ordering::Relaxed);
    }
}
