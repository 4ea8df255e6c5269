//! `requests.*`: a script asks another server, and goes on when the answer is there, as with Python's library.
//!
//! The call holds its worker, within the time of the script. At most all workers but one wait at once
//! ([`Slots`](crate::outgoing::slots::Slots)). No lock is held meanwhile.

mod exchange;
mod order;
mod response;
#[cfg(test)]
mod tests;

use crate::outgoing::Sent;
use crate::script::runtime::call;
use crate::script::runtime::natives::{Fallible, Natives, Receiver, ScriptValue};
use crate::script::runtime::request_error::{Class, RequestError};
use crate::script::runtime::size_limits::type_name;
use order::Order;
use response::Response;
use rhai::{Dynamic, Map, NativeCallContext};

/// The handle `requests`, and also `requests.exceptions`.
#[derive(Debug, Clone)]
pub(crate) struct Requests;

impl ScriptValue for Requests {}

/// The functions of `requests`, each with its method.
const METHODS: [(&str, &str); 7] = [
    ("get", "GET"),
    ("post", "POST"),
    ("put", "PUT"),
    ("patch", "PATCH"),
    ("delete", "DELETE"),
    ("head", "HEAD"),
    ("options", "OPTIONS"),
];

/// Sends a request and waits for its answer.
fn send(context: &NativeCallContext, method: &str, url: &str, options: &Map) -> Fallible<Response> {
    if call::is_loading() {
        return Err("requests leave from views and hooks, not while a provision loads: an answer that is needed once can be kept in `store`".into());
    }
    let order = Order::parse(context, method, url, options)?;
    let Some(outgoing) = call::with(|call| call.conditions.outgoing).flatten() else {
        let why = "a trial sends no requests: try it with a mock that serves";
        return Err(RequestError::new(Class::ConnectionError, url, why).throw());
    };
    let result = exchange::send(outgoing, order);
    outgoing.slots.count(match &result {
        Ok(_) => Sent::Ok,
        Err(error) if error.class.is_timeout() => Sent::Timeout,
        Err(_) => Sent::Error,
    });
    result.map_err(RequestError::throw)
}

/// The error for a second argument that is no map: `requests.get(url, 5)`.
fn refuse(function: &str, options: &Dynamic) -> Fallible<Response> {
    let given = type_name(options);
    Err(format!("requests.{function} takes options as a map, as in `#{{ timeout: 1.0 }}`, not {given}")
        .into())
}

fn register_functions(natives: &mut Natives) {
    for (name, method) in METHODS {
        natives.register_optional(
            name,
            Map::new(),
            move |context: NativeCallContext, _: Receiver<Requests>, url: &str, options: Map| {
                send(&context, method, url, &options)
            },
        );
        natives.register_fn(name, move |_: Receiver<Requests>, _url: &str, options: Dynamic| {
            refuse(name, &options)
        });
    }
    natives.register_optional(
        "request",
        Map::new(),
        |context: NativeCallContext, _: Receiver<Requests>, method: &str, url: &str, options: Map| {
            send(&context, method, url, &options)
        },
    );
}

fn register_errors(natives: &mut Natives) {
    natives
        .register_type_with_name::<Class>("exception")
        .register_type_with_name::<RequestError>("RequestException")
        .register_get("exceptions", |_: &mut Requests| Requests)
        .register_fn("to_string", |class: &mut Class| class.name())
        .register_get("type", |error: &mut RequestError| error.class.name())
        .register_get("name", |error: &mut RequestError| error.class.name())
        .register_get("message", |error: &mut RequestError| error.message.clone())
        .register_get("url", |error: &mut RequestError| error.url.clone())
        .register_get("response", |error: &mut RequestError| error.response.clone())
        .register_fn("to_string", |error: &mut RequestError| error.message.clone())
        .register_fn("is_a", |error: &mut RequestError, class: Class| error.class.is_a(class))
        .register_fn("is_a", |error: &mut RequestError, name: &str| {
            let found = Class::ALL.iter().find(|(class, short)| name == *short || name == class.name());
            found.is_some_and(|(class, _)| error.class.is_a(*class))
        })
        // Any other value that a script caught: a text, an error of `abort`.
        .register_fn("is_a", |_: Dynamic, _: Class| false);
    for (class, name) in Class::ALL {
        natives.register_get(name, move |_: &mut Requests| class);
    }
}

pub(crate) fn register(natives: &mut Natives) {
    natives.register_handle("requests", Requests);
    register_functions(natives);
    register_errors(natives);
    response::register(natives);
}
