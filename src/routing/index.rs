//! The router's index finds the rules that may match a path without going through all rules. It never misses a rule that
//! matches. It may offer others: the router checks each.
//!
//! Static rules are found by the hash of the whole path. The others are in a tree with a level for each segment: static
//! segments by hash, segments of one variable in one branch, mixed ones (`a-<int:x>.json`) by their static prefix and
//! suffix. At the first `path` variable the tree goes on from the other end of the path, back to the last `path` variable:
//! so it tells `/<path:p>/a` from `/<path:p>/b`.

use crate::routing::pattern::Token;
use crate::routing::rule::has_doubled_slash;
use smallvec::SmallVec;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Depth of the tree, which bounds the stack. The router alone compares deeper segments.
const DEPTH: usize = 32;

/// A rule by its two places. Comparisons take the order of matching first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RankedRule {
    /// Place in the order of matching, from 0.
    pub rank: u32,
    /// Place in the order of registration, from 0.
    pub index: u32,
}

#[derive(Debug, Default)]
pub(crate) struct RuleIndex {
    statics: Table<RankedRules>,
    root: Node,
}

/// Rules in the order of matching. A single rule, the usual case, costs no further access to memory.
type RankedRules = SmallVec<[RankedRule; 1]>;

/// One level of the tree. The segments before it lead to it; in the second half of a tree, the segments after it do.
#[derive(Debug, Default)]
struct Node {
    statics: Table<Node>,
    whole: Option<Box<Node>>,
    /// Rules that end here.
    rules: RankedRules,
    rare: Option<Box<Rare>>,
}

/// Parts that few nodes have; all other nodes are smaller without them.
#[derive(Debug, Default)]
struct Rare {
    mixed: Affixes<Node>,
    /// Rules with more segments than [`DEPTH`].
    deep: RankedRules,
    /// Rules whose next segment has a `path`, by their last segments backwards.
    backwards: Node,
    /// In the second half: rules of which only segments with a `path` are left, by the static text around these.
    spanning: Affixes<RankedRules>,
}

impl RuleIndex {
    /// Inserts a rule. The caller inserts rules in the order of matching. `fixed`: the rule has neither variables nor defaults,
    /// and comes before all others.
    pub(crate) fn insert(&mut self, rule: RankedRule, tokens: &[Token], fixed: bool) {
        let segments = segments(tokens);
        if fixed {
            let texts: Vec<&str> = segments.iter().map(|segment| segment.prefix).collect();
            self.statics.entry(hash(&texts.join("/"))).or_default().push(rule);
        } else {
            self.root.insert(rule, &segments);
        }
    }

    /// Returns rules without variables and defaults that may match `key`, in the order of matching.
    pub(crate) fn fixed(&self, key: &str) -> impl Iterator<Item = RankedRule> {
        self.statics.get(&hash(key)).into_iter().flatten().copied()
    }

    /// Returns all other rules that may match `key`, in the order of matching.
    pub(crate) fn variable(&self, key: &str) -> impl Iterator<Item = RankedRule> + use<> {
        let mut found = RankedRules::default();
        self.root.find((!key.is_empty()).then_some(key), &mut found);
        if found.len() > 1 {
            found.sort_unstable();
            found.dedup();
        }
        found.into_iter()
    }
}

/// Returns the key of a path: without slashes at the ends and doubled slashes, which some rules tolerate.
pub(crate) fn key_of(path: &str) -> std::borrow::Cow<'_, str> {
    let path = path.strip_prefix('/').unwrap_or(path);
    // Trims only if there is a slash: the general trim takes longer than the rest for most paths.
    let path = if path.starts_with('/') || path.ends_with('/') { path.trim_matches('/') } else { path };
    if !has_doubled_slash(path) {
        return path.into();
    }
    path.split('/').filter(|segment| !segment.is_empty()).collect::<Vec<_>>().join("/").into()
}

/// The part of a pattern between two slashes.
#[derive(Debug, Clone, Default)]
struct Segment<'a> {
    /// Static text before the first variable; the whole segment if it has none.
    prefix: &'a str,
    /// Static text after the last variable.
    suffix: &'a str,
    has_variable: bool,
    spans: bool,
}

fn segments(tokens: &[Token]) -> Vec<Segment<'_>> {
    let mut segments: Vec<Segment> = Vec::new();
    for token in tokens {
        match (token, segments.last_mut()) {
            (Token::Slash(_), _) => segments.push(Segment::default()),
            (Token::Text(text), Some(last)) if last.has_variable => last.suffix = text,
            (Token::Text(text), Some(last)) => last.prefix = text,
            (Token::Variable(variable), Some(last)) => {
                last.suffix = "";
                last.has_variable = true;
                last.spans |= variable.converter.spans_segments();
            }
            // A pattern starts with a slash.
            (_, None) => {}
        }
    }
    segments
}

impl Node {
    fn insert(&mut self, rule: RankedRule, segments: &[Segment]) {
        let mut node = self;
        for (depth, segment) in segments.iter().enumerate() {
            if depth == DEPTH {
                return node.rare().deep.push(rule);
            }
            if segment.spans {
                return node.rare().backwards.insert_backwards(rule, &segments[depth..]);
            }
            node = node.child(segment);
        }
        node.rules.push(rule);
    }

    /// Inserts the rest of a rule. Its first segment has a `path`; others may have one, too.
    fn insert_backwards(&mut self, rule: RankedRule, segments: &[Segment]) {
        let mut node = self;
        for (depth, segment) in segments.iter().rev().enumerate() {
            if segment.spans || depth == DEPTH {
                let suffix = if segment.spans { segment.suffix } else { "" };
                return node.rare().spanning.entry(segments[0].prefix, suffix).push(rule);
            }
            node = node.child(segment);
        }
    }

    fn child(&mut self, segment: &Segment) -> &mut Node {
        match (segment.has_variable, segment.prefix, segment.suffix) {
            (false, text, _) => self.statics.entry(hash(text)).or_default(),
            (true, "", "") => self.whole.get_or_insert_default(),
            (true, prefix, suffix) => self.rare().mixed.entry(prefix, suffix),
        }
    }

    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// `rest`: the rest of the path; `None` at its end.
    fn find(&self, rest: Option<&str>, found: &mut RankedRules) {
        let Some(rest) = rest else { return found.extend_from_slice(&self.rules) };
        let (segment, after) =
            rest.split_once('/').map_or((rest, None), |(first, after)| (first, Some(after)));
        self.children(segment, |child| child.find(after, found));
        if let Some(rare) = &self.rare {
            found.extend_from_slice(&rare.deep);
            rare.backwards.find_backwards(rest, found);
        }
    }

    fn find_backwards(&self, rest: &str, found: &mut RankedRules) {
        if let Some(rare) = &self.rare {
            rare.spanning.each(rest, |rules| found.extend_from_slice(rules));
        }
        // The `path` variable takes at least one segment.
        if let Some((before, segment)) = rest.rsplit_once('/') {
            self.children(segment, |child| child.find_backwards(before, found));
        }
    }

    fn children(&self, segment: &str, mut visit: impl FnMut(&Node)) {
        if !self.statics.is_empty()
            && let Some(child) = self.statics.get(&hash(segment))
        {
            visit(child);
        }
        if let Some(child) = &self.whole {
            visit(child);
        }
        if let Some(rare) = &self.rare {
            rare.mixed.each(segment, visit);
        }
    }
}

/// Entries by the start and the end of a text. A search looks up each pair of lengths that occurs, whatever the number of
/// entries.
#[derive(Debug, Default)]
struct Affixes<T> {
    lengths: Vec<(usize, usize)>,
    entries: Table<T>,
}

impl<T: Default> Affixes<T> {
    fn entry(&mut self, prefix: &str, suffix: &str) -> &mut T {
        let lengths = (prefix.len(), suffix.len());
        if !self.lengths.contains(&lengths) {
            self.lengths.push(lengths);
        }
        self.entries.entry(hash_of_two(prefix, suffix)).or_default()
    }

    /// Visits the entries whose prefix and suffix `text` has, with text between them.
    fn each(&self, text: &str, mut visit: impl FnMut(&T)) {
        for &(prefix, suffix) in self.lengths.iter().filter(|(prefix, suffix)| prefix + suffix < text.len()) {
            let affixes = text.get(..prefix).zip(text.get(text.len() - suffix..));
            let found = affixes.and_then(|(prefix, suffix)| self.entries.get(&hash_of_two(prefix, suffix)));
            found.into_iter().for_each(&mut visit);
        }
    }
}

/// Entries by the hash of a text alone. Two texts with one hash share an entry, which then offers the rules of both.
type Table<T> = HashMap<u64, T, BuildHasherDefault<Hashed>>;

/// Hashes a text: multiplies each eight bytes into the state and folds the 128-bit product. Rules come from the author of a
/// provision and not from clients, so no client can choose keys that collide: a fast hash is enough.
fn hash(text: &str) -> u64 {
    let mix = |state: u64, word: u64| {
        // Both constants are odd numbers with bits all over.
        let product = u128::from(state ^ word ^ 0x9e37_79b9_7f4a_7c15) * 0xf135_7aea_2e62_a9c5;
        (product as u64) ^ (product >> 64) as u64
    };
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let state = words.iter().fold(text.len() as u64, |state, word| mix(state, u64::from_le_bytes(*word)));
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    mix(state, u64::from_le_bytes(last))
}

/// Hashes two texts. `ab` and `c` differ from `a` and `bc`, and from `c` and `ab`.
fn hash_of_two(prefix: &str, suffix: &str) -> u64 {
    hash(prefix).rotate_left(1) ^ hash(suffix)
}

/// A hasher that takes a key as it is: the key is a hash already.
#[derive(Debug, Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |state, byte| state << 8 | u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests;
