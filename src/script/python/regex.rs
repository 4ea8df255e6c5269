//! `re.*`: Python's functions with patterns of `regex-lite`: no look-around, no back-references, and `\d`, `\w`, `\s` are
//! ASCII. A search cannot be interrupted. So its longest time is computed first, from the size of the pattern and of the text.

mod matched;
mod template;

use crate::script::runtime::budget;
use crate::script::runtime::natives::{Fallible, Natives, Receiver};
use crate::script::runtime::size_limits::{MAX_ITEMS, MAX_TEXT, Text, check_time, too_long, too_many};
use crate::system::truncate::beginning;
use matched::Match;
use regex_lite::{Captures, Regex, RegexBuilder};
use rhai::{Array, Dynamic, FnPtr, ImmutableString, NativeCallContext};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Most bytes of a pattern.
const MAX_PATTERN: usize = 4096;

/// Most bytes of a text to search.
const MAX_SEARCHED: usize = 1 << 20;

/// The range of limits for the size of a compiled pattern, in bytes.
const SIZES: RangeInclusive<usize> = 128..=64 << 10;

/// The number of groups that doubles the time of a search.
///
/// A search takes at most 1 ns times the bytes of the text times the bytes of the compiled pattern. The slowest of 40 measured
/// patterns took 0.43 ns (`(?:a|a|...){60}b` in a text of `a`), with 99 groups 0.89 ns.
const MANY_GROUPS: u64 = 100;

/// The time by which a search may exceed the rest of the time budget.
const GRACE: Duration = Duration::from_millis(150);

/// Most groups of a pattern, including the whole match: a search keeps the places of all groups for each state of the pattern.
const MAX_GROUPS: usize = 100;

/// Most compiled patterns in the cache of a thread.
const CACHED: usize = 32;

/// Largest pattern in the cache, in bytes times groups.
const MAX_KEPT: usize = 256 << 10;

#[derive(Debug, Clone)]
pub(crate) struct Re;

/// The part of the text that a pattern must match.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Anchor {
    Anywhere,
    Start,
    Whole,
}

/// A compiled pattern, and the limit of its size in bytes.
#[derive(Debug, Clone)]
struct Compiled {
    regex: Regex,
    size: usize,
}

impl Compiled {
    /// # Errors
    /// A search through `bytes` may take longer than the script has.
    fn check_time(&self, name: &str, bytes: usize) -> Fallible<()> {
        let steps = (self.size as u64).saturating_mul(bytes as u64);
        let worst = steps + steps / MANY_GROUPS * self.regex.captures_len() as u64;
        if Duration::from_nanos(worst) > budget::time_left() + GRACE {
            return Err(format!(
                "{name}: a search through {bytes} bytes for this pattern may take longer than the script may run: search a shorter text, or for a smaller pattern"
            )
            .into());
        }
        Ok(())
    }
}

type Entry = ((Anchor, String), Compiled);

thread_local! {
    /// The most recently used patterns; the latest comes first.
    static CACHE: RefCell<VecDeque<Entry>> = const { RefCell::new(VecDeque::new()) };
}

/// Compiles `pattern` with the smallest limit that it fits in.
fn compile(name: &str, pattern: &str, anchor: Anchor) -> Fallible<Compiled> {
    let source = match anchor {
        Anchor::Anywhere => pattern.to_string(),
        Anchor::Start => format!(r"\A(?:{pattern})"),
        Anchor::Whole => format!(r"\A(?:{pattern})\z"),
    };
    let mut reason = format!("longer than {MAX_PATTERN} bytes");
    if pattern.len() <= MAX_PATTERN {
        // Each limit exceeds the previous limit by a half or a third.
        let sizes = (0..).flat_map(|doubled| [SIZES.start() << doubled, (SIZES.start() * 3 / 2) << doubled]);
        for size in sizes.take_while(|size| SIZES.contains(size)) {
            match RegexBuilder::new(&source).size_limit(size).build() {
                Ok(regex) if regex.captures_len() > MAX_GROUPS => {
                    reason = format!("more than {MAX_GROUPS} groups")
                }
                Ok(regex) => return Ok(Compiled { regex, size }),
                Err(error) => reason = error.to_string(),
            }
        }
    }
    let shown = beginning(pattern, 80);
    Err(format!("{name}: bad pattern `{shown}`: {reason}").into())
}

/// Compiles `pattern` or takes it from the cache. A search in `text` that may take too long is an error.
fn compiled(name: &str, pattern: &str, anchor: Anchor, text: &str) -> Fallible<Compiled> {
    let found = CACHE.with_borrow_mut(|cache| {
        let place = cache.iter().position(|((kept, source), _)| *kept == anchor && source == pattern)?;
        let entry = cache.remove(place)?;
        let compiled = entry.1.clone();
        cache.push_front(entry);
        Some(compiled)
    });
    let compiled = match found {
        Some(compiled) => compiled,
        None => remember(name, pattern, anchor)?,
    };
    if text.len() > MAX_SEARCHED {
        return Err(format!("{name}: the text is longer than {MAX_SEARCHED} bytes").into());
    }
    compiled.check_time(name, text.len())?;
    Ok(compiled)
}

/// Compiles `pattern` and puts it into the cache. The least recently used pattern is dropped.
fn remember(name: &str, pattern: &str, anchor: Anchor) -> Fallible<Compiled> {
    // The pattern must be valid alone: `a)(b` would become valid inside the group of an anchor.
    let alone = compile(name, pattern, Anchor::Anywhere)?;
    let compiled = if anchor == Anchor::Anywhere { alone } else { compile(name, pattern, anchor)? };
    // Memory for the places of all groups in each state stays with a pattern.
    if compiled.size * compiled.regex.captures_len() <= MAX_KEPT {
        CACHE.with_borrow_mut(|cache| {
            cache.truncate(CACHED - 1);
            cache.push_front(((anchor, pattern.to_string()), compiled.clone()));
        });
    }
    Ok(compiled)
}

/// `re.search`, `re.match`, `re.prefix` and `re.fullmatch`: the first match, or `()`.
fn find(name: &str, pattern: &str, text: ImmutableString, anchor: Anchor) -> Fallible<Dynamic> {
    let regex = compiled(name, pattern, anchor, &text)?.regex;
    let Some(captures) = regex.captures(&text) else { return Ok(Dynamic::UNIT) };
    Ok(Dynamic::from(Match::new(&regex, &captures, text.clone())))
}

/// Calls `each` for each match, at most `limit` times (0: no limit). An error if the script is out of time.
fn each_match<'t>(
    name: &str,
    compiled: &Compiled,
    (text, limit): (&'t str, i64),
    mut each: impl FnMut(&Captures<'t>) -> Fallible<()>,
) -> Fallible<()> {
    let limit = usize::try_from(limit).ok().filter(|limit| *limit > 0).unwrap_or(usize::MAX);
    let (mut found, mut from) = (compiled.regex.captures_iter(text), 0);
    for _ in 0..limit {
        check_time()?;
        compiled.check_time(name, text.len() - from)?;
        let Some(captures) = found.next() else { break };
        from = captures.get(0).map_or(text.len(), |whole| whole.end());
        each(&captures)?;
    }
    Ok(())
}

/// Limits the items and bytes of a list of texts. Groups can be nested, so together they can be much longer than the text.
struct Tally {
    name: &'static str,
    items: usize,
    bytes: usize,
}

impl Tally {
    /// Converts `text` to an item. An error if the list becomes too long.
    fn item(&mut self, text: &str) -> Fallible<Dynamic> {
        self.items += 1;
        self.bytes += text.len();
        if self.items > MAX_ITEMS {
            return Err(too_many(self.name));
        }
        if self.bytes > MAX_TEXT {
            return Err(too_long(self.name));
        }
        Ok(text.into())
    }
}

/// `re.findall(pattern, text)`: the text of each match. With one group, the text of the group; with more, a list of them.
fn findall(_: Receiver<Re>, pattern: &str, text: &str) -> Fallible<Array> {
    let compiled = compiled("re.findall", pattern, Anchor::Anywhere, text)?;
    let (mut found, mut tally) = (Array::new(), Tally { name: "re.findall", items: 0, bytes: 0 });
    each_match("re.findall", &compiled, (text, 0), |captures| {
        let mut group = |number| tally.item(captures.get(number).map_or("", |group| group.as_str()));
        found.push(match captures.len() {
            1 => group(0)?,
            2 => group(1)?,
            count => (1..count).map(group).collect::<Fallible<Array>>()?.into(),
        });
        Ok(())
    })?;
    Ok(found)
}

/// `re.split(pattern, text, most)`: the texts between the matches, and the groups of the matches.
fn split(pattern: &str, text: &str, most: i64) -> Fallible<Array> {
    let compiled = compiled("re.split", pattern, Anchor::Anywhere, text)?;
    let (mut parts, mut end) = (Array::new(), 0);
    let mut tally = Tally { name: "re.split", items: 0, bytes: 0 };
    each_match("re.split", &compiled, (text, most), |captures| {
        let Some(whole) = captures.get(0) else { return Ok(()) };
        parts.push(tally.item(&text[end..whole.start()])?);
        for number in 1..captures.len() {
            parts.push(match captures.get(number) {
                Some(group) => tally.item(group.as_str())?,
                None => Dynamic::UNIT,
            });
        }
        end = whole.end();
        Ok(())
    })?;
    parts.push(tally.item(&text[end..])?);
    Ok(parts)
}

/// `re.sub`: `replace` writes the replacement of each match.
fn sub(
    compiled: &Compiled,
    (text, most): (&str, i64),
    mut replace: impl FnMut(&Captures, &mut Text) -> Fallible<()>,
) -> Fallible<ImmutableString> {
    let (mut out, mut end) = (Text::new(), 0);
    each_match("re.sub", compiled, (text, most), |captures| {
        let Some(whole) = captures.get(0) else { return Ok(()) };
        out.push("re.sub", &text[end..whole.start()])?;
        end = whole.end();
        replace(captures, &mut out)
    })?;
    out.push("re.sub", &text[end..])?;
    Ok(out.finish())
}

fn sub_text(pattern: &str, template: &str, (text, most): (&str, i64)) -> Fallible<ImmutableString> {
    let compiled = compiled("re.sub", pattern, Anchor::Anywhere, text)?;
    let parts = template::parse(template, &compiled.regex).map_err(|why| format!("re.sub: {why}"))?;
    sub(&compiled, (text, most), |captures, out| template::expand(&parts, captures, out))
}

/// `re.sub(pattern, function, text)`: the function takes a match and returns its replacement.
fn sub_function(
    context: &NativeCallContext,
    pattern: &str,
    function: &FnPtr,
    text: &ImmutableString,
) -> Fallible<ImmutableString> {
    let compiled = compiled("re.sub", pattern, Anchor::Anywhere, text)?;
    sub(&compiled, (text, 0), |captures, out| {
        let matched = Match::new(&compiled.regex, captures, text.clone());
        let result: ImmutableString = function.call_within_context(context, (matched,))?;
        out.push("re.sub", &result)
    })
}

pub(crate) fn register(natives: &mut Natives) {
    natives.register_handle("re", Re);
    matched::register(natives);
    for (name, anchor) in [
        ("search", Anchor::Anywhere),
        ("match", Anchor::Start),
        ("prefix", Anchor::Start),
        ("fullmatch", Anchor::Whole),
    ] {
        natives.register_fn(name, move |_: Receiver<Re>, pattern: &str, text: ImmutableString| {
            find(&format!("re.{name}"), pattern, text, anchor)
        });
    }
    natives.register_fn("findall", findall);
    natives.register_optional("split", 0_i64, |_: Receiver<Re>, pattern: &str, text: &str, most: i64| {
        split(pattern, text, most)
    });
    natives.register_optional(
        "sub",
        0_i64,
        |_: Receiver<Re>, pattern: &str, template: &str, text: &str, most: i64| {
            sub_text(pattern, template, (text, most))
        },
    );
    natives.register_fn(
        "sub",
        |context: NativeCallContext,
         _: Receiver<Re>,
         pattern: &str,
         function: FnPtr,
         text: ImmutableString| { sub_function(&context, pattern, &function, &text) },
    );
    natives.register_fn("escape", |_: Receiver<Re>, text: &str| -> Fallible<String> {
        let escaped = if text.len() <= MAX_PATTERN { Some(regex_lite::escape(text)) } else { None };
        escaped.ok_or_else(|| format!("re.escape: the text is longer than {MAX_PATTERN} bytes").into())
    });
}

#[cfg(test)]
mod tests;
