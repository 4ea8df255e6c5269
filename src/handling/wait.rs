//! Requests that wait for their answer without a worker: their function returned `wait_for(...)` or `forward(...)`.

use super::deferred::{Deferred, Resumed};
use super::flow::Flow;
use super::{Forwarded, Others, Outcome, conclude};
use crate::chaos::ChaosEffect;
use crate::message::request::Request;
use crate::provisioning::provision::Provision;
use crate::script::flask::wait_for::WaitFor;
use crate::script::runtime::call::{self, Call};
use crate::script::runtime::forward::Forward;
use crate::script::runtime::key_value_store::{Awaited, KeyValueStore, Value};
use std::cell::{Cell, OnceCell};
use std::sync::Arc;
use std::time::Duration;

/// A request between its view function and the function of `wait_for`. It holds values of the script, so only a worker may drop it:
/// see [`Budget::stack`](crate::script::runtime::budget::Budget::stack).
pub(crate) struct Wait {
    deferred: Deferred,
    /// The context of the functions: delays, random numbers and the store go on as they were.
    call: Box<Call>,
    effect: Option<Box<ChaosEffect>>,
    host: Option<String>,
}

impl Wait {
    pub(super) fn new(
        deferred: Deferred,
        call: Box<Call>,
        effect: Option<Box<ChaosEffect>>,
        host: Option<&str>,
    ) -> Wait {
        Wait { deferred, call, effect, host: host.map(str::to_owned) }
    }

    /// Returns the server that answers, if that is what the request waits for.
    pub(crate) fn forward(&self) -> Option<&Arc<Forward>> {
        match &self.deferred {
            Deferred::Forward(forward) => Some(forward),
            Deferred::Key(_) => None,
        }
    }

    fn wait_for(&self) -> Option<&WaitFor> {
        match &self.deferred {
            Deferred::Key(wait_for) => Some(wait_for),
            Deferred::Forward(_) => None,
        }
    }

    /// The longest time to wait for a key.
    pub(crate) fn time(&self) -> Duration {
        self.wait_for().map_or(Duration::ZERO, |wait_for| wait_for.time)
    }

    /// Returns the memory that the wait holds beside its request, in bytes.
    pub(crate) fn space(&self) -> usize {
        let most = self.call.routes.as_ref().map_or(0, |routes| routes.budget.memory);
        size_of::<Call>() + self.wait_for().map_or(0, |wait_for| wait_for.space(most))
    }

    /// Returns the key that the request of `epoch` waits for; `None` without a store.
    pub(crate) fn awaited(&self, epoch: u64) -> Option<Awaited> {
        Some(Awaited { store: self.store()?.clone(), key: self.wait_for()?.key.clone(), epoch })
    }

    fn store(&self) -> Option<&Arc<KeyValueStore>> {
        let own = self.call.conditions.values.as_ref();
        own.or_else(|| self.call.routes.as_ref().map(|routes| &routes.files.values))
    }

    /// Returns the value of the key, if it is set. A request that began before a reset has values of its own.
    pub(crate) fn look(&self, epoch: u64) -> Option<Value> {
        let values = self.store().and_then(|store| store.lock(Some(epoch)));
        let own = || self.call.own_values.as_ref().and_then(|own| own.lock(None));
        let value = values.or_else(own)?.look(&self.wait_for()?.key).0?;
        (!value.is_unit()).then(|| value.into())
    }

    /// Goes on with the request, whose wait ended with `resumed`.
    pub(super) fn resume(
        self,
        provision: &Provision,
        others: &Others,
        request: &Request,
        resumed: Resumed,
    ) -> Outcome {
        let Wait { deferred, call, effect, host } = self;
        let blueprint = request.rule.and_then(|index| provision.routes.blueprint(index));
        let (host, unmatched, error) = (host.as_deref(), Cell::default(), OnceCell::default());
        let flow = Flow { provision, request, host, others, blueprint, unmatched, error };
        let forwarded = match (&deferred, &resumed) {
            (Deferred::Forward(forward), Resumed::Upstream(result)) => {
                let error = result.as_ref().err().map(|unreachable| unreachable.message.clone());
                Some(Forwarded { url: forward.url_for(request).to_string(), error }.into())
            }
            _ => None,
        };
        let (made, call) = call::within(*call, || flow.resume(&deferred, resumed));
        Outcome { forwarded, ..conclude(flow, made, call, effect) }
    }
}
