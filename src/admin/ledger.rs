//! `/app/v1/provision`: what is stored, what serves, and which of its rules were hit. Knows no file and no script.

use super::Call;
use super::answer::{json, refused, with_warnings};
use super::object::Object;
use crate::message::answer::Answer;
use crate::provisioning::activation::ActivationError;
use crate::provisioning::ledger::LedgerRow;
use crate::provisioning::provision::RuleRow;
use chrono::{DateTime, SecondsFormat};
use std::time::{SystemTime, UNIX_EPOCH};

/// GET: the active provision with its rules, and a row for each file; 500 where the directory can't be read.
pub(super) fn get(call: &Call) -> Result<Answer, Answer> {
    let activation = &call.admin.activation;
    let files = activation.ledger().map_err(|error| refused(&ActivationError::Directory(error)))?;
    let serving = activation.current();
    let active = Object::new().field("name", serving.name.as_str()).field("generation", serving.generation);
    let body = Object::new()
        .object("active", Some(active))
        .list("rules", serving.rules(activation.epoch.now()).iter().map(rule))
        .list("files", files.iter().map(file));
    Ok(json(200, body))
}

fn rule(row: &RuleRow) -> Object {
    Object::new()
        .field("rule", row.rule.as_str())
        .field("endpoint", row.endpoint.as_str())
        .field("methods", row.methods.as_slice())
        .field("file", row.file.as_str())
        .field("line", row.line)
        .field("hits", row.hits)
        .field("never_hit", row.hits == 0)
        .field("shadowed_by", row.shadowed_by.as_deref())
}

fn file(row: &LedgerRow) -> Object {
    let object = Object::new()
        .field("name", row.name.as_str())
        .field("kind", row.kind.name())
        .field("size", row.size)
        .field("sha256", row.sha256.as_str())
        .field("modified", row.modified.and_then(rfc3339))
        .field("resolved", row.resolved.as_deref())
        .field("generation", row.generation)
        .serialize("error", &row.error)
        .field("skipped", row.skipped.as_deref());
    with_warnings(object, &row.warnings)
}

/// A time as RFC 3339 in UTC with milliseconds; `None` before 1970 and beyond the calendar's last year, where a file
/// system may well put a damaged time.
fn rfc3339(time: SystemTime) -> Option<String> {
    let since = time.duration_since(UNIX_EPOCH).ok()?;
    let seconds = i64::try_from(since.as_secs()).ok()?;
    let utc = DateTime::from_timestamp(seconds, since.subsec_nanos())?;
    Some(utc.to_rfc3339_opts(SecondsFormat::Millis, true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn times_are_rfc3339_in_utc_or_none() {
        assert_eq!(rfc3339(UNIX_EPOCH), Some("1970-01-01T00:00:00.000Z".into()));
        let time = UNIX_EPOCH + Duration::from_millis(1_700_000_000_250);
        assert_eq!(rfc3339(time), Some("2023-11-14T22:13:20.250Z".into()));
        assert_eq!(rfc3339(UNIX_EPOCH - Duration::from_secs(1)), None);
        assert_eq!(UNIX_EPOCH.checked_add(Duration::from_secs(1 << 60)).and_then(rfc3339), None);
    }
}
