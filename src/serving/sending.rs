//! The way of a reply to its client: at once, after its delay, as a stream, or as the body of another server arrives.

use crate::chaos::Reply;
use crate::message::stream::{Follow, Relay, Sink};
use crate::observing::access_log::Line;
use crate::serving::callbacks::Unplanned;
use crate::serving::http::{self, Incoming};
use crate::serving::listeners::Shared;
use crate::serving::pending::Permit;
use crate::serving::relaying::Relayed;
use crate::system::io_error::describe_io;
use crate::system::lock::lock;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

impl Shared {
    /// Begins the line of the access log for a request; `None` without an access log.
    pub(super) fn line(&self, incoming: &Incoming, listener: &'static str, generation: u64) -> Option<Line> {
        let line = || Line::new(listener, incoming.method().as_str(), incoming.url(), generation);
        self.access.is_on().then(line)
    }

    /// Sends `reply` to the client of `incoming`, from any thread.
    pub(super) fn send(
        &self,
        incoming: Incoming,
        mut reply: Reply,
        mut line: Option<Line>,
        permit: Option<Permit>,
    ) {
        let (close, status) = (self.draining.load(Ordering::Acquire), reply.status_sent());
        if reply.stream.is_some() && incoming.has_body(status) {
            return self.stream(incoming, reply, line, permit);
        }
        if let Some(relay) = reply.relay.take().filter(|_| status != 0 && incoming.has_body(status)) {
            reply.relay = Some(self.relayed(*relay, &mut reply, (line.take(), status)).into());
        }
        let sent = http::send(incoming, reply, close, permit);
        if let Err(error) = &sent {
            log::debug!("the client did not take its answer: {}", describe_io(error));
        }
        if let Some(line) = line {
            self.access.write(&line, status, sent.is_err());
        }
    }

    /// Begins to send a stream. The access log has its line when it ends.
    fn stream(&self, incoming: Incoming, reply: Reply, line: Option<Line>, permit: Option<Permit>) {
        let Reply { answer, stream: Some(stream), injected, .. } = reply else { return };
        let faults = injected.map(|injected| injected.stream).unwrap_or_default();
        let (close, status, access) = (self.draining.load(Ordering::Acquire), answer.status, self.access);
        let progress = stream.progress.clone();
        let on_end = Box::new(move |_| {
            if let Some(line) = line {
                access.write_stream(&line, status, &progress.now());
            }
        });
        if let Err(error) = self.streaming.start(incoming, answer, (*stream, faults), close, (permit, on_end))
        {
            log::debug!("the client did not take the beginning of its stream: {}", describe_io(&error));
        }
    }

    /// Sends `reply` now, or after its delay on the timer. If the client leaves before, the job runs at once: nobody gets the answer,
    /// but its memory is free and the access log has its line. Callbacks leave after it.
    #[inline(always)]
    pub(super) fn leave(
        self: &Arc<Self>,
        incoming: Incoming,
        reply: Reply,
        line: Option<Line>,
        permit: Option<Permit>,
        callbacks: Option<Box<Unplanned>>,
    ) {
        match callbacks {
            None if reply.hold.is_zero() => self.send(incoming, reply, line, permit),
            callbacks => self.hold(incoming, reply, line, permit, callbacks),
        }
    }

    #[inline(never)]
    fn hold(
        self: &Arc<Self>,
        incoming: Incoming,
        reply: Reply,
        line: Option<Line>,
        permit: Option<Permit>,
        callbacks: Option<Box<Unplanned>>,
    ) {
        let (hold, client, shared) = (reply.hold, incoming.client(), self.clone());
        let epoch = reply.stream.as_ref().map(|stream| stream.epoch);
        let send = move || shared.send(incoming, reply, line, permit);
        let send = move || match callbacks {
            Some(callbacks) => (*callbacks).after(send),
            None => send(),
        };
        if hold.is_zero() {
            return send();
        }
        let key = self.timer.after(hold, Box::new(send));
        let streaming = self.streaming.clone();
        epoch.into_iter().for_each(|epoch| streaming.hold(key, epoch));
        if let Some(client) = client {
            client.on_gone(move || streaming.hurry(key));
        }
    }

    /// Lets the body of another server pass the faults of the reply. The access log has its line at the end.
    fn relayed(&self, relay: Relay, reply: &mut Reply, (line, status): (Option<Line>, u16)) -> Relay {
        let faults = reply.injected.take().map(|injected| injected.stream).unwrap_or_default();
        let Relay { length, progress, follow: Follow(follow) } = relay;
        let (counted, timer, access) = (progress.clone(), self.timer.clone(), self.access);
        let parts = Mutex::new(Some((faults, line)));
        let follow = move |sink: Box<dyn Sink>| {
            let (faults, line) = lock(&parts).take().unwrap_or_default();
            let (progress, timer) = (counted.clone(), timer.clone());
            let faults = Mutex::new(faults);
            let relayed = Relayed { sink, progress, faults, timer, access, line, status };
            if relayed.goes_on() {
                follow(Box::new(relayed));
            }
        };
        Relay { length, progress, follow: Follow(Arc::new(follow)) }
    }
}
