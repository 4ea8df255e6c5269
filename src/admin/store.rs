//! `/app/v1/store` and `/app/v1/store/<key>`: the values of scripts' `store`, to prepare and to read. Knows no script.

use super::answer::{failed, success, typed};
use super::{Admin, Provisioning};
use crate::message::answer::{Answer, JSON};
use crate::script::flask::store::outside::Refused;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use std::borrow::Cow;

/// GET: an object of keys and values, those whose key starts with `?prefix=`.
///
/// # Errors
/// 400 for a query that is not understood.
pub fn list<P: Provisioning>(admin: &Admin<P>, query: &str) -> Result<Answer, Answer> {
    let prefix = prefix(query)?;
    let values = admin.activation.values();
    Ok(json(&values.data.list(&values.epoch, &prefix).into()))
}

/// DELETE: removes these keys.
///
/// # Errors
/// 400 for a query that is not understood: it could have meant fewer keys than all.
pub fn clear<P: Provisioning>(admin: &Admin<P>, query: &str) -> Result<Answer, Answer> {
    let prefix = prefix(query)?;
    let values = admin.activation.values();
    let removed = values.data.clear(&values.epoch, &prefix);
    let keys = if removed == 1 { "key has" } else { "keys have" };
    Ok(success(200, &format!("{removed} {keys} been removed"), Some(values.generation)))
}

/// GET: the value, 404 where there is none.
pub fn get<P: Provisioning>(admin: &Admin<P>, key: &str) -> Answer {
    let values = admin.activation.values();
    values.data.read(&values.epoch, key).map_or_else(|| unknown(key), |value| json(&value))
}

/// PUT: 201 for a new key, 200 for one that had a value, 400 with the place of the fault where it is no JSON, 413 where scripts
/// could not hold it.
pub fn put<P: Provisioning>(admin: &Admin<P>, key: &str, body: &[u8]) -> Answer {
    let values = admin.activation.values();
    match values.data.put(&values.epoch, key, body) {
        Ok(new) => {
            let status = if new { 201 } else { 200 };
            success(status, &format!("key '{key}' has been set"), Some(values.generation))
        }
        Err(Refused::Malformed(cause)) => {
            failed(400, &format!("failed to read the value of `{key}`: {cause}"))
        }
        Err(Refused::TooLarge) => {
            failed(413, &format!("failed to set `{key}`: the value is larger than scripts can hold"))
        }
    }
}

/// DELETE: 404 where there is no such key.
pub fn delete<P: Provisioning>(admin: &Admin<P>, key: &str) -> Answer {
    let values = admin.activation.values();
    match values.data.remove(&values.epoch, key) {
        true => success(200, &format!("key '{key}' has been removed"), Some(values.generation)),
        false => unknown(key),
    }
}

fn unknown(key: &str) -> Answer {
    failed(404, &format!("there is no key `{key}` in the store"))
}

fn json(value: &Value) -> Answer {
    typed(200, JSON, value.to_string().into_bytes())
}

/// `prefix` of the query; empty without one.
fn prefix(query: &str) -> Result<String, Answer> {
    let decoded = |text| -> Cow<str> { percent_decode_str(text).decode_utf8_lossy() };
    let mut prefix = None;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if decoded(name) != "prefix" {
            return Err(failed(
                400,
                &format!("query parameter `{}` is unknown: there is `prefix`", decoded(name)),
            ));
        }
        if prefix.replace(decoded(value).into_owned()).is_some() {
            return Err(failed(400, "query parameter `prefix` is given twice"));
        }
    }
    Ok(prefix.unwrap_or_default())
}
