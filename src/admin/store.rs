//! `/app/v1/store` and `/app/v1/store/<key>`: reads and prepares the values of the scripts' `store`.

use super::Call;
use super::answer::{self, failed, success_of};
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

/// GET: returns an object of all keys that start with `?prefix=`, with their values; 400 for an unknown query, 503 while too many
/// clients receive large answers.
pub(super) fn list(call: &Call) -> Result<Reply, Answer> {
    let prefix = prefix(call.request.query_string())?;
    let (serving, epoch) = serving(call);
    written(call, serving.files.values.list(epoch, &prefix))
}

/// From this number of bytes on, values are written while the client receives them.
const LARGE: usize = 1 << 20;

fn written(call: &Call, json: JsonReader) -> Result<Reply, Answer> {
    if json.size() < LARGE {
        return Ok(Answer::new(200, JSON, json.into_text()).into());
    }
    let place = call.admin.large_answers.take().ok_or_else(|| {
        answer::busy(&format!("{MOST_LARGE} clients take more than {LARGE} bytes of the store already"))
    })?;
    let source = Source::new(LargeAnswer { json: json.chain(b"\n"), _place: place });
    Ok(Reply { source: Some(source), ..Reply::from(Answer::new(200, JSON, "")) })
}

/// Maximum of clients that receive large answers at a time. Each such answer keeps its values in memory, even if scripts
/// have replaced them. These values don't count for `--store-bytes`.
const MOST_LARGE: usize = 4;

/// The permits for large answers. Only the thread `reads` takes them.
#[derive(Default)]
pub(crate) struct LargeAnswers(Arc<()>);

impl LargeAnswers {
    /// Returns a permit, held until it is dropped; `None` where all are taken.
    fn take(&self) -> Option<Arc<()>> {
        (Arc::strong_count(&self.0) <= MOST_LARGE).then(|| self.0.clone())
    }
}

/// Values with their permit, until they are sent or the client has left.
struct LargeAnswer {
    json: io::Chain<JsonReader, &'static [u8]>,
    _place: Arc<()>,
}

impl Read for LargeAnswer {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.json.read(buffer)
    }
}

/// DELETE: removes the keys that start with `?prefix=`; 400 for an unknown query, which may
/// be meant to remove fewer keys.
pub(super) fn clear(call: &Call) -> Result<Answer, Answer> {
    let prefix = prefix(call.request.query_string())?;
    let (serving, epoch) = serving(call);
    let removed = serving.files.values.clear(epoch, &prefix);
    let keys = if removed == 1 { "key has" } else { "keys have" };
    Ok(success_of(200, &format!("{removed} {keys} been removed"), serving.generation))
}

/// GET: returns the value; 404 for an unknown key, 503 while too many clients receive large answers.
pub(super) fn get(call: &Call) -> Result<Reply, Answer> {
    let key = call.utf8("key")?;
    let (serving, epoch) = serving(call);
    let value = serving.files.values.read(epoch, key).ok_or_else(|| unknown(key))?;
    written(call, value)
}

/// PUT: 201 for a new key, 200 for an existing one; 400 with the place of the fault for malformed JSON, 413 for a value
/// larger than scripts can hold, 507 where the store is full.
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
    Ok(success_of(status, &format!("key '{key}' has been set"), serving.generation))
}

/// DELETE: removes the key; 404 for an unknown one.
pub(super) fn delete(call: &Call) -> Result<Answer, Answer> {
    let key = call.utf8("key")?;
    let (serving, epoch) = serving(call);
    if !serving.files.values.remove(epoch, key) {
        return Err(unknown(key));
    }
    Ok(success_of(200, &format!("key '{key}' has been removed"), serving.generation))
}

/// Returns the provision that serves, and the epoch of its values.
fn serving<'a>(call: &Call<'a>) -> (Arc<Provision>, &'a Epoch) {
    (call.admin.activation.current(), &call.admin.activation.epoch)
}

fn unknown(key: &str) -> Answer {
    failed(404, &format!("there is no key `{key}` in the store"))
}

/// Returns `prefix` of the query; empty without one.
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
