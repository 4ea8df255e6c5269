//! `wait_for(key, seconds, |value| ...)`: the answer of a view that waits until another request sets a key of `store`.
//!
//! The script does not pause. The view returns what `wait_for` returned, its worker goes on with other requests, and the function
//! is called when the key has a value, or with `()` when the time is over.

use super::sleep;
use super::store::Store;
use crate::script::runtime::call::{self, Call};
use crate::script::runtime::natives::{Fallible, Natives, ScriptValue};
use crate::script::runtime::size_limits::{text_of, type_name};
use crate::script::runtime::view::View;
use rhai::{Dynamic, FnPtr, ImmutableString, NativeCallContext};
use std::time::Duration;

/// Maximum number of calls for one request. It ends scripts that call `wait_for` in a loop, which waits for nothing, and functions
/// that return another `wait_for` of a key that is set, without end.
const MOST_WAITS: u32 = 1000;

/// The value that `wait_for` returns.
#[derive(Debug, Clone)]
pub(crate) struct WaitFor {
    /// The key, with the prefix of its scope.
    pub key: ImmutableString,
    pub time: Duration,
    /// Makes the answer. Without it, the value of the key is the answer.
    pub function: Option<View>,
}

/// The error for a `wait_for` that is no answer: inside of another value, or dropped.
pub(crate) const NOT_RETURNED: &str = "wait_for waits only where a view function or a before_request function returns it alone, as in `return wait_for(...)`; its function |value| makes the whole answer, with status and headers";

/// The error for a function of `wait_for` that returns `()`, often the value itself after the time.
pub(crate) const RETURNED_NOTHING: &str = "the function of wait_for returned nothing: return a text, a map, a list or make_response(...), also where it gets () because the time is over, as in `if value == () { [\"\", 204] } else { value }`";

impl ScriptValue for WaitFor {}

impl WaitFor {
    /// Returns the wait that `value` is, if it is one. A function of the running call returned `value`.
    ///
    /// # Errors
    /// `value` is another one, although the script has called `wait_for`.
    pub(crate) fn of(value: &Dynamic) -> Fallible<Option<WaitFor>> {
        if !call::with(|call| std::mem::take(&mut call.waits_for)).unwrap_or(false) {
            return Ok(None);
        }
        let wait = value.read_lock::<WaitFor>().map(|wait| wait.clone());
        if wait.is_some() { Ok(wait) } else { Err(NOT_RETURNED.into()) }
    }

    /// Returns the memory that the wait holds, in bytes. The count of its variables ends beyond `most`.
    pub(crate) fn space(&self, most: usize) -> usize {
        self.key.len() + self.function.as_ref().map_or(0, |function| function.captured(most))
    }
}

fn wait_for(
    context: &NativeCallContext,
    store: &Store,
    (key, seconds): (&Dynamic, &Dynamic),
    function: Option<Dynamic>,
) -> Fallible<WaitFor> {
    if call::is_loading() {
        return Err("wait_for is there only while a request is handled: a view function calls it, and returns what it returns".into());
    }
    let Some(key) = key.read_lock::<ImmutableString>().map(|key| key.clone()) else {
        let shown = text_of(key, 80);
        return Err(format!(
            "wait_for takes a key of `store`, which is a text, not {} `{shown}`",
            type_name(key)
        )
        .into());
    };
    let key: ImmutableString = store.key(&key).into_owned().into();
    let time = sleep::seconds("wait_for(key, seconds, |value| ...)", seconds)?;
    let function = function.map(|function| find(context, function)).transpose()?;
    call::with(|call| count(call, &key)).unwrap_or(Ok(()))?;
    Ok(WaitFor { key, time, function })
}

/// Finds the function that makes the answer.
fn find(context: &NativeCallContext, function: Dynamic) -> Fallible<View> {
    let given = format!("{} `{}`", type_name(&function), text_of(&function, 80));
    let Some(function) = function.try_cast::<FnPtr>() else {
        return Err(format!("wait_for takes a function |value| that makes the answer, not {given}: name the function and do not call it").into());
    };
    View::find(&*call::files()?, context, function)?
        .taking(1, "wait_for calls the function with the value of the key, or with ()")
}

/// Counts a call for the running request.
fn count(call: &mut Call, key: &str) -> Fallible<()> {
    call.waits += 1;
    call.waits_for = true;
    if call.waits <= MOST_WAITS {
        return Ok(());
    }
    Err(format!("wait_for was called more than {MOST_WAITS} times for one request, last for `{key}`: it does not pause the script, so a loop can't wait by it; return what it returns, and go on in its function").into())
}

pub(crate) fn register(natives: &mut Natives) {
    natives
        .register_type_with_name::<WaitFor>("wait_for")
        .register_fn("wait_for", |context: NativeCallContext, key: Dynamic, seconds: Dynamic| {
            wait_for(&context, &Store::default(), (&key, &seconds), None)
        })
        .register_fn(
            "wait_for",
            |context: NativeCallContext, key: Dynamic, seconds: Dynamic, function: Dynamic| {
                wait_for(&context, &Store::default(), (&key, &seconds), Some(function))
            },
        )
        .register_fn(
            "wait_for",
            |context: NativeCallContext, store: &mut Store, key: Dynamic, seconds: Dynamic| {
                wait_for(&context, store, (&key, &seconds), None)
            },
        )
        .register_fn(
            "wait_for",
            |context: NativeCallContext,
             store: &mut Store,
             key: Dynamic,
             seconds: Dynamic,
             function: Dynamic| { wait_for(&context, store, (&key, &seconds), Some(function)) },
        );
}

#[cfg(test)]
mod tests;
