//! `forward(url)`: the answer of a view that another server makes.
//!
//! The script does not pause. The view returns what `forward` returned, and its worker goes on with other requests.

use crate::http_client::Url;
use crate::script::runtime::call;
use crate::script::runtime::forward::Forward;
use crate::script::runtime::natives::{Fallible, Natives};
use rhai::{Dynamic, Map};
use std::sync::Arc;

/// Returns the forwarding that `value` is, if it is one. A function of the running call returned `value`.
pub(crate) fn of(value: &Dynamic) -> Option<Arc<Forward>> {
    if !call::with(|call| std::mem::take(&mut call.forwards)).unwrap_or(false) {
        return None;
    }
    value.read_lock::<Arc<Forward>>().map(|forward| forward.clone())
}

pub(super) fn parse(url: &str, _options: &Map) -> Fallible<Forward> {
    Ok(Forward::to(Url::absolute(url).map_err(|error| error.to_string())?))
}

fn forward(url: &str, options: Map) -> Fallible<Arc<Forward>> {
    let forward = parse(url, &options)?;
    call::with(|call| call.forwards = true);
    Ok(forward.into())
}

pub(crate) fn register(natives: &mut Natives) {
    natives.register_type_with_name::<Arc<Forward>>("forward").register_optional(
        "forward",
        Map::new(),
        forward,
    );
}
