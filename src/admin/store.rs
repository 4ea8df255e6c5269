//! `/app/v1/store` and `/app/v1/store/<key>`: the values of scripts' `store`, to prepare and to read. Knows no script.

use super::Call;
use super::answer::{self, failed, success};
use crate::chaos::Reply;
use crate::message::answer::{Answer, JSON};
use crate::message::epoch::Epoch;
use crate::message::stream::Source;
use crate::provisioning::provision::Provision;
use crate::script::flask::store::JsonReader;
use crate::script::flask::store::outside::Refused;
use percent_encoding::percent_decode_str;
use std::borrow::Cow;
use std::io::{self, Read};
use std::sync::Arc;

/// GET: an object of keys and values, those whose key starts with `?prefix=`; 400 for a query that is not understood, 503 where too
/// many clients take large ones.
pub(super) fn list(call: &Call) -> Result<Reply, Answer> {
    let prefix = prefix(call.request.query_string())?;
    let (serving, epoch) = serving(call);
    written(call, serving.files.values.list(epoch, &prefix))
}

/// Values that take so many bytes are written while the client takes them.
const LARGE: usize = 1 << 20;

fn written(call: &Call, json: JsonReader) -> Result<Reply, Answer> {
    if json.size() < LARGE {
        return Ok(Answer::new(200, JSON, json.into_text()).into());
    }
    let place = call.admin.large_answers.take().ok_or_else(|| {
        answer::busy(&format!("{MOST_LARGE} clients take more than {LARGE} bytes of the store already"))
    })?;
    let source = Source::new(LargeAnswer { json, _place: place });
    Ok(Reply { source: Some(source), ..Reply::from(Answer::new(200, JSON, "")) })
}

/// So many clients take large answers at a time: each answer keeps its values, which may have been replaced meanwhile, in memory
/// beside those that count for `--store-bytes`.
const MOST_LARGE: usize = 4;

/// The places of large answers. The thread that reads takes them, and nobody else.
#[derive(Default)]
pub(crate) struct LargeAnswers(Arc<()>);

impl LargeAnswers {
    /// A place, until it is dropped; `None` where all are taken.
    fn take(&self) -> Option<Arc<()>> {
        (Arc::strong_count(&self.0) <= MOST_LARGE).then(|| self.0.clone())
    }
}

/// Values, and their place until they have left or their client has.
struct LargeAnswer {
    json: JsonReader,
    _place: Arc<()>,
}

impl Read for LargeAnswer {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.json.read(buffer)
    }
}

/// DELETE: removes these keys; 400 for a query that is not understood: it could have meant fewer keys than all.
pub(super) fn clear(call: &Call) -> Result<Answer, Answer> {
    let prefix = prefix(call.request.query_string())?;
    let (serving, epoch) = serving(call);
    let removed = serving.files.values.clear(epoch, &prefix);
    let keys = if removed == 1 { "key has" } else { "keys have" };
    Ok(success(200, &format!("{removed} {keys} been removed"), Some(serving.generation)))
}

/// GET: the value, 404 where there is none, 503 where too many clients take large ones.
pub(super) fn get(call: &Call) -> Result<Reply, Answer> {
    let key = call.utf8("key")?;
    let (serving, epoch) = serving(call);
    let value = serving.files.values.read(epoch, key).ok_or_else(|| unknown(key))?;
    written(call, value)
}

/// PUT: 201 for a new key, 200 for one that had a value, 400 with the place of the fault where it is no JSON, 413 where scripts
/// could not hold it, 507 where the store has no room for it.
pub(super) fn put(call: &Call) -> Result<Answer, Answer> {
    let key = call.utf8("key")?;
    let (serving, epoch) = serving(call);
    let new = serving.files.values.put(epoch, key, &call.request.body).map_err(|refused| match refused {
        Refused::Malformed(cause) => failed(400, &format!("failed to read the value of `{key}`: {cause}")),
        Refused::TooLarge => {
            failed(413, &format!("failed to set `{key}`: the value is larger than scripts can hold"))
        }
        Refused::Full(why) => failed(507, &why),
    })?;
    let status = if new { 201 } else { 200 };
    Ok(success(status, &format!("key '{key}' has been set"), Some(serving.generation)))
}

/// DELETE: 404 where there is no such key.
pub(super) fn delete(call: &Call) -> Result<Answer, Answer> {
    let key = call.utf8("key")?;
    let (serving, epoch) = serving(call);
    if !serving.files.values.remove(epoch, key) {
        return Err(unknown(key));
    }
    Ok(success(200, &format!("key '{key}' has been removed"), Some(serving.generation)))
}

/// The provision that serves, and the epoch by which its values count.
fn serving<'a>(call: &Call<'a>) -> (Arc<Provision>, &'a Epoch) {
    (call.admin.activation.current(), &call.admin.activation.epoch)
}

fn unknown(key: &str) -> Answer {
    failed(404, &format!("there is no key `{key}` in the store"))
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
