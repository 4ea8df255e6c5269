//! What the author of a script is told whose `request.json` is `()`: mostly the client has sent JSON under another type.

use crate::message::request::Request;
use crate::script::runtime::call;
use crate::script::runtime::fault::Fault;

/// `fault` of a script that handles `request`, with a hint where it stumbles over the JSON that is not there.
pub(crate) fn explain(fault: Fault, request: &Request) -> Fault {
    let is_of_nothing = fault.message.contains("'()'") || fault.message.contains("(()");
    if !is_of_nothing || !call::with(|call| call.no_json).unwrap_or_default() {
        return fault;
    }
    let given = match request.content_type() {
        Some(given) => format!("the Content-Type of this request is `{given}`"),
        None => "this request has no Content-Type".to_owned(),
    };
    let send =
        "send `-H 'Content-Type: application/json'`, or read it by `request.get_json(#{ force: true })`";
    Fault { hint: Some(format!("`request.json` is `()`, for {given}: {send}")), ..fault }
}
