//! `scenario("name")`: a named state, as in WireMock's scenarios: `if scenario("order").advance("Started", "paid") { ... }`.
//!
//! The state is the value of `store` under the key `scenario:name`. So the administrative port can show, set and clear it like any
//! other value. Each operation is atomic.

use super::store::{Access, Store, with};
use crate::script::runtime::key_value_store::NotSet;
use crate::script::runtime::natives::{Fallible, Natives, ScriptValue};
use crate::script::runtime::size_limits::text_of;
use rhai::{Dynamic, ImmutableString};

/// Prefix of the keys of scenarios.
const SCENARIO: &str = "scenario:";

/// The first state of each scenario: WireMock's `Scenario.STARTED`.
const STARTED: &str = "Started";

/// Maximum length in bytes of a state that is not a text.
const MAX_STATE: usize = 1 << 10;

#[derive(Debug, Clone)]
struct Scenario {
    key: ImmutableString,
}

impl ScriptValue for Scenario {}

impl Scenario {
    fn new(store: &Store, name: &str) -> Scenario {
        Scenario { key: store.key(&format!("{SCENARIO}{name}")).into_owned().into() }
    }

    fn state(&self) -> Fallible<ImmutableString> {
        with(Access::Read, |values| text(values.look(&self.key).0))
    }

    fn set(&self, state: &str) -> Fallible<()> {
        with(Access::Change, |values| values.set(&self.key, state.into()))??;
        Ok(())
    }

    /// Changes the state from `from` to `to`. Returns whether the state was `from`: of several concurrent requests, one gets true.
    fn advance(&self, from: &str, to: &str) -> Fallible<bool> {
        Ok(with(Access::Change, |values| {
            let is = text(values.look(&self.key).0) == from;
            if is {
                values.set(&self.key, to.into())?;
            }
            Ok::<bool, NotSet>(is)
        })??)
    }
}

/// Returns the state as text. The administrative port may have set a value of another type.
fn text(value: Option<Dynamic>) -> ImmutableString {
    match value {
        None => STARTED.into(),
        Some(value) => match value.read_lock::<ImmutableString>() {
            Some(text) => text.clone(),
            None => text_of(&value, MAX_STATE),
        },
    }
}

/// Registers `scenario`, also as a method of `store` and its scopes.
pub(crate) fn register(natives: &mut Natives) {
    natives
        .register_type_with_name::<Scenario>("scenario")
        .register_fn("scenario", |name: &str| Scenario::new(&Store::default(), name))
        .register_fn("scenario", |store: &mut Store, name: &str| Scenario::new(store, name))
        .register_get("state", |scenario: &mut Scenario| scenario.state())
        .register_fn("is", |scenario: &mut Scenario, state: &str| Fallible::Ok(scenario.state()? == state))
        .register_fn("set", |scenario: &mut Scenario, state: &str| scenario.set(state))
        .register_fn("advance", |scenario: &mut Scenario, from: &str, to: &str| scenario.advance(from, to));
}
