//! Werkzeug's `set_etag`, `get_etag` and `add_etag`: the `ETag` header of a response.

use super::response::Response;
use crate::script::runtime::natives::{Fallible, Natives};
use rhai::{Array, Dynamic};
use sha1::{Digest, Sha1};

/// Sets the header to `"tag"`, or to `W/"tag"` where it is weak.
fn set(response: &Response, tag: &str, weak: bool) -> Fallible<()> {
    if tag.contains('"') {
        return Err(format!("etag `{tag}` has a quote: write it without, they are added").into());
    }
    let value = format!("{}\"{tag}\"", if weak { "W/" } else { "" });
    crate::message::answer::check_header("ETag", &value)?;
    response.lock().answer.set_header("ETag", value);
    Ok(())
}

/// Returns `[tag, is_weak]`, or `[(), ()]` where the header is missing.
fn get(response: &Response) -> Array {
    let answer = &response.lock().answer;
    let Some(value) = answer.header("etag") else { return vec![Dynamic::UNIT; 2] };
    let weak = value.strip_prefix("W/").or_else(|| value.strip_prefix("w/"));
    let tag = weak.unwrap_or(value);
    let plain = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).unwrap_or(tag);
    vec![plain.into(), weak.is_some().into()]
}

/// Sets the SHA-1 of the body as tag, as Werkzeug does. An existing tag stays, unless `overwrite` is true.
fn add(response: &mut Response, overwrite: bool, weak: bool) -> Fallible<()> {
    if !overwrite && response.lock().answer.header("etag").is_some() {
        return Ok(());
    }
    let digest = Sha1::digest(response.data()?);
    let tag: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    set(response, &tag, weak)
}

pub(crate) fn register(natives: &mut Natives) {
    natives
        .register_optional("set_etag", false, |response: &mut Response, tag: &str, weak: bool| {
            set(response, tag, weak)
        })
        .register_fn("get_etag", |response: &mut Response| get(response))
        .register_fn("add_etag", |response: &mut Response| add(response, false, false))
        .register_optional("add_etag", false, add);
}
