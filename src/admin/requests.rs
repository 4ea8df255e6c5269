//! `/app/v1/requests`: the entries of the journal.

use super::Call;
use super::answer::{Object, json};
use super::closest::{Closest, UnmatchedRequest};
use crate::message::answer::{Answer, JSON};
use crate::observing::journal::entry::Entry;
use crate::observing::journal::filter::Kinds;
use crate::observing::journal::filter::parse::{self, Asked, LIST, MAX_LIMIT, Names};
use crate::observing::journal::verify::{PATIENCE, TooLong};
use crate::observing::journal::{Journal, Missing, Span, har};
use crate::provisioning::activation::Activation;
use serde_json::Value;
use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::time::Instant;

/// Entries of a list without `limit`.
const LIMIT: u64 = 100;

/// Maximum of bytes in an answer; entries beyond it are left out.
const MOST_BYTES: usize = 32 << 20;

/// GET: lists entries in the order of their numbers: the first ones after `since`, or without `since` the last ones.
pub(super) fn list(call: &Call) -> Result<Answer, Answer> {
    let journal = &call.admin.journal;
    let mut page = Page::read(journal, &asked(call, LIST)?, LIMIT, &|entry| Some(entry.to_json()))?;
    page.explain(&call.admin.activation, &mut Closest::default());
    let stats = journal.stats();
    let body = format!(
        "{{\"requests\":[{}],\"first\":{},\"last\":{},\"evicted\":{},\"more\":{}}}",
        page.joined(),
        stats.first,
        page.span.last,
        stats.evicted,
        page.more
    );
    Ok(Answer::new(200, JSON, body))
}

/// GET: returns the same entries as an HTTP Archive.
pub(super) fn archive(call: &Call) -> Result<Answer, Answer> {
    let page = Page::read(&call.admin.journal, &asked(call, LIST)?, MAX_LIMIT, &har::from_entry)?;
    let (before, behind) = har::around(page.span.last, page.more, page.left_out);
    Ok(Answer::new(200, JSON, format!("{before}{}{behind}", page.joined())))
}

/// GET: returns one entry.
pub(super) fn get(call: &Call) -> Result<Answer, Answer> {
    let (journal, number) = (&call.admin.journal, call.name);
    is_on(journal)?;
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        let why = format!("`{}` is not the number of a request", number.escape_debug());
        return Err(failed(journal, 404, &why));
    }
    // A number that is too large for `u64` was certainly not received.
    let stats = journal.stats();
    let entry = journal.get(number.parse().unwrap_or(u64::MAX)).map_err(|missing| {
        let why = match missing {
            Missing::Never => format!("has not been received: the last one is {}", stats.last),
            Missing::Evicted => {
                format!("has been evicted: the first one that is kept is {} (--journal-bytes)", stats.first)
            }
            Missing::Deleted => "has been deleted".to_owned(),
        };
        failed(journal, 404, &format!("request {number} {why}"))
    })?;
    let mut value = entry.to_json();
    if let Some(unmatched) = UnmatchedRequest::from_entry(&entry) {
        value["closest"] = Closest::default().find(&call.admin.activation, unmatched).clone();
    }
    value["last"] = journal.last().into();
    Ok(Answer::new(200, JSON, value.to_string()))
}

/// DELETE: deletes all entries. The numbers continue.
pub(super) fn clear(call: &Call) -> Result<Answer, Answer> {
    let journal = &call.admin.journal;
    is_on(journal)?;
    let count = journal.clear();
    let what = if count == 1 { "request has" } else { "requests have" };
    let body = Object::success(&format!("{count} {what} been deleted"));
    Ok(json(200, body.field("last", journal.last())))
}

/// Parses the query; 400 where it is wrong, 404 where the journal is off.
pub(super) fn asked(call: &Call, names: Names) -> Result<Asked, Answer> {
    let journal = &call.admin.journal;
    is_on(journal)?;
    parse::query(call.request.query_string(), names).map_err(|error| failed(journal, 400, &error.to_string()))
}

/// Refuses a request, with the member `last`.
pub(super) fn failed(journal: &Journal, status: u16, why: &str) -> Answer {
    json(status, Object::failed(why).field("last", journal.last()))
}

/// Refuses a request where the journal is off: 404.
pub(super) fn is_on(journal: &Journal) -> Result<(), Answer> {
    match journal.is_on() {
        true => Ok(()),
        false => Err(failed(journal, 404, "the journal is off (--journal-bytes 0)")),
    }
}

/// Returns a number after which there are the `count` latest requests, beside callbacks.
pub(super) fn before_latest(journal: &Journal, count: u64) -> u64 {
    journal.last().saturating_sub(count.saturating_add(journal.callbacks()))
}

/// An entry as JSON, and the request whose closest rules belong to it, where no rule served it.
struct Item {
    text: String,
    unmatched: Option<UnmatchedRequest>,
}

/// The entries of one answer, as JSON.
#[derive(Default)]
pub(super) struct Page {
    items: VecDeque<Item>,
    bytes: usize,
    /// Whether the query matches further entries.
    more: bool,
    /// Entries that were left out, since too little is known of them.
    left_out: u64,
    span: Span,
}

impl Page {
    /// Reads the entries that `asked` matches, at most `limit` where it names no limit; 503 where this takes too long.
    pub(super) fn read(
        journal: &Journal,
        asked: &Asked,
        limit: u64,
        make: &dyn Fn(&Entry) -> Option<Value>,
    ) -> Result<Page, Answer> {
        let limit = asked.limit.unwrap_or(limit).min(MAX_LIMIT) as usize;
        let mut page = Page::default();
        let forward = asked.since.is_some();
        // Without conditions every request matches, so the last `limit` requests are enough.
        let tail = match (asked.filter.conditions(), asked.filter.kinds()) {
            ([], Kinds::Requests) => before_latest(journal, limit as u64),
            ([], Kinds::All) => journal.last().saturating_sub(limit as u64),
            _ => 0,
        };
        page.more = !forward && tail >= journal.stats().first.max(1);
        let since = asked.since.unwrap_or(tail);
        let (end, mut late) = (Instant::now() + PATIENCE, false);
        page.span = journal.read(since, &mut |entry| {
            late = Instant::now() > end;
            if late {
                return ControlFlow::Break(());
            }
            if !asked.takes(entry) {
                return ControlFlow::Continue(());
            }
            if forward && page.items.len() == limit {
                page.more = true;
                return ControlFlow::Break(());
            }
            let Some(value) = make(entry) else {
                page.left_out += 1;
                return ControlFlow::Continue(());
            };
            let item = Item { text: value.to_string(), unmatched: UnmatchedRequest::from_entry(entry) };
            page.add(item, limit, forward)
        });
        if late { Err(failed(journal, 503, &TooLong.to_string())) } else { Ok(page) }
    }

    /// Adds an entry. Where the answer is full, drops its first entries, or, with `since`, the new entry.
    fn add(&mut self, item: Item, limit: usize, forward: bool) -> ControlFlow<()> {
        let fits = self.items.is_empty() || self.bytes + item.text.len() <= MOST_BYTES;
        if forward && !fits {
            self.more = true;
            return ControlFlow::Break(());
        }
        self.bytes += item.text.len();
        self.items.push_back(item);
        while self.items.len() > limit || (self.bytes > MOST_BYTES && self.items.len() > 1) {
            self.bytes -= self.items.pop_front().map_or(0, |item| item.text.len());
            self.more = true;
        }
        ControlFlow::Continue(())
    }

    /// Adds the closest rules to the entries that no rule served, the latest first.
    pub(super) fn explain(&mut self, activation: &Activation, closest: &mut Closest) {
        for Item { text, unmatched } in self.items.iter_mut().rev() {
            if let Some(unmatched) = unmatched.take() {
                let rules = closest.find(activation, unmatched);
                // The text of an entry is an object, and ends with `}`.
                text.pop();
                *text += &format!(",\"closest\":{rules}}}");
            }
        }
    }

    fn joined(&self) -> String {
        let items: Vec<&str> = self.items.iter().map(|item| item.text.as_str()).collect();
        items.join(",")
    }
}
