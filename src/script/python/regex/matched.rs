//! The match that `re.search` returns: its groups as texts and as places in characters.

use crate::script::runtime::natives::{Fallible, Natives};
use crate::script::runtime::size_limits::{MAX_TEXT, text_of, too_long};
use regex_lite::{Captures, Regex};
use rhai::{Array, Dynamic, ImmutableString, Map};
use std::sync::Arc;

/// A match. It shares the searched text; the text of a group is copied when a script reads it.
#[derive(Debug, Clone)]
pub(super) struct Match {
    text: ImmutableString,
    /// Start and end of each group in bytes. The whole match comes first.
    places: Vec<Option<(usize, usize)>>,
    names: Arc<[Option<String>]>,
}

impl Match {
    pub(super) fn new(regex: &Regex, captures: &Captures, text: ImmutableString) -> Self {
        let places = captures.iter().map(|group| group.map(|group| (group.start(), group.end()))).collect();
        Self { text, places, names: regex.capture_names().map(|name| name.map(String::from)).collect() }
    }

    /// Finds a group by its number or its name.
    fn number(&self, group: &Dynamic) -> Fallible<usize> {
        let found = match (group.as_int(), group.as_immutable_string_ref()) {
            (Ok(number), _) => usize::try_from(number).ok().filter(|number| *number < self.places.len()),
            (_, Ok(wanted)) => self.names.iter().position(|name| name.as_deref() == Some(wanted.as_str())),
            _ => None,
        };
        found.ok_or_else(|| format!("re: the pattern has no group `{}`", text_of(group, 80)).into())
    }

    /// Returns the text of a group, or `()` if the group has no match.
    fn text(&self, number: usize) -> Dynamic {
        self.places[number].map_or(Dynamic::UNIT, |(start, end)| self.text[start..end].into())
    }

    fn group(&self, group: &Dynamic) -> Fallible<Dynamic> {
        Ok(self.text(self.number(group)?))
    }

    /// Returns the texts of all groups, without the whole match.
    fn groups(&self) -> Fallible<Array> {
        // Nested groups may each be as long as the text.
        let total: usize = self.places.iter().flatten().map(|(start, end)| end - start).sum();
        if total > 2 * MAX_TEXT {
            return Err(too_long("groups"));
        }
        Ok((1..self.places.len()).map(|number| self.text(number)).collect())
    }

    fn groupdict(&self) -> Fallible<Map> {
        let groups = self.groups()?;
        let named = self.names.iter().skip(1).zip(groups);
        Ok(named.filter_map(|(name, group)| Some((name.as_deref()?.into(), group))).collect())
    }

    /// Returns the first character of a group and the character after its last one. Both are -1 if the group has no match.
    fn span(&self, group: &Dynamic) -> Fallible<(i64, i64)> {
        let Some((start, end)) = self.places[self.number(group)?] else { return Ok((-1, -1)) };
        let count = |text: &str| i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
        let first = count(&self.text[..start]);
        Ok((first, first + count(&self.text[start..end])))
    }
}

pub(super) fn register(natives: &mut Natives) {
    natives.register_type_with_name::<Match>("match");
    let whole = || Dynamic::from(0_i64);
    natives.register_fn("group", move |found: &mut Match| found.group(&whole()));
    natives.register_fn("group", |found: &mut Match, group: Dynamic| found.group(&group));
    natives.register_indexer_get(|found: &mut Match, number: i64| found.group(&number.into()));
    natives.register_indexer_get(|found: &mut Match, name: &str| found.group(&name.into()));
    natives.register_fn("groups", |found: &mut Match| found.groups());
    natives.register_fn("groupdict", |found: &mut Match| found.groupdict());
    natives.register_fn("start", move |found: &mut Match| found.span(&whole()).map(|span| span.0));
    natives.register_fn("start", |found: &mut Match, group: Dynamic| found.span(&group).map(|span| span.0));
    natives.register_fn("end", move |found: &mut Match| found.span(&whole()).map(|span| span.1));
    natives.register_fn("end", |found: &mut Match, group: Dynamic| found.span(&group).map(|span| span.1));
    let list = |(start, end): (i64, i64)| -> Array { vec![start.into(), end.into()] };
    natives.register_fn("span", move |found: &mut Match| found.span(&whole()).map(list));
    natives.register_fn("span", move |found: &mut Match, group: Dynamic| found.span(&group).map(list));
    natives.register_fn("to_string", |found: &mut Match| found.text(0));
}
