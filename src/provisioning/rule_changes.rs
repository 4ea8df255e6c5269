//! Compares the rules of two provisions: rules that come, go and change.

use crate::provisioning::rule_row::RuleRow;
use serde::Serialize;
use std::collections::{BTreeSet, HashMap};

/// The changes from the rules of one provision to those of another, in the order of registration.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(crate) struct RuleChanges {
    pub added: Vec<Named>,
    pub removed: Vec<Named>,
    pub changed: Vec<Changed>,
}

/// A rule, by all that tells it from others.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Named {
    pub rule: String,
    pub methods: Vec<String>,
    pub endpoint: String,
    pub file: String,
    pub line: usize,
}

/// A rule that both provisions have, with the parts that differ.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Changed {
    #[serde(flatten)]
    pub after: Named,
    pub before: Before,
}

/// The parts of a rule that were different before.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(crate) struct Before {
    /// Another pattern: the same path with other converters or names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub methods: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// The earlier rule that took all its requests; the inner `None` where no rule did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shadowed_by: Option<Option<String>>,
    /// The server to which its requests went; the inner `None` where a view answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forwards_to: Option<Option<String>>,
}

/// A step in which rows are paired: rows with the same key, for which the condition holds.
type Step = (fn(&RuleRow) -> String, fn(&RuleRow, &RuleRow) -> bool);

/// The steps, from the strictest to the loosest.
const STEPS: [Step; 5] = [
    (|row| row.rule.clone(), |one, other| one.methods == other.methods && one.endpoint == other.endpoint),
    (|row| row.rule.clone(), |one, other| one.methods == other.methods),
    (|row| row.rule.clone(), |one, other| one.endpoint == other.endpoint || share_method(one, other)),
    (|row| shape(&row.rule), |one, other| one.methods == other.methods),
    (|row| shape(&row.rule), |one, other| one.endpoint == other.endpoint),
];

impl RuleChanges {
    /// Compares the rules before and after a change. Each rule has at most one counterpart.
    pub(crate) fn between(before: &[RuleRow], after: &[RuleRow]) -> RuleChanges {
        let mut left: BTreeSet<usize> = (0..before.len()).collect();
        let mut partners: Vec<Option<&RuleRow>> = vec![None; after.len()];
        for (key, is_same) in STEPS {
            let mut by_key: HashMap<String, Vec<usize>> = HashMap::new();
            left.iter().for_each(|index| by_key.entry(key(&before[*index])).or_default().push(*index));
            for (partner, row) in partners.iter_mut().zip(after).filter(|(partner, _)| partner.is_none()) {
                if let Some(rows) = by_key.get_mut(&key(row))
                    && let Some(at) = rows.iter().position(|index| is_same(&before[*index], row))
                {
                    let index = rows.remove(at);
                    left.remove(&index);
                    *partner = Some(&before[index]);
                }
            }
        }
        let mut changes = RuleChanges::default();
        for (partner, row) in partners.into_iter().zip(after) {
            match partner {
                None => changes.added.push(Named::from(row)),
                Some(partner) => changes.changed.extend(Changed::between(partner, row)),
            }
        }
        changes.removed = left.into_iter().map(|index| Named::from(&before[index])).collect();
        changes
    }
}

impl From<&RuleRow> for Named {
    fn from(row: &RuleRow) -> Named {
        let RuleRow { rule, methods, endpoint, file, line, .. } = row.clone();
        Named { rule, methods, endpoint, file, line }
    }
}

impl Changed {
    /// Returns the differences of a rule; `None` if it is the same. Its file and line don't count.
    fn between(before: &RuleRow, after: &RuleRow) -> Option<Changed> {
        fn old<T: PartialEq + Clone>(before: &T, after: &T) -> Option<T> {
            (before != after).then(|| before.clone())
        }
        let changed = Before {
            rule: old(&before.rule, &after.rule),
            methods: old(&before.methods, &after.methods),
            endpoint: old(&before.endpoint, &after.endpoint),
            shadowed_by: old(&before.shadowed_by, &after.shadowed_by),
            forwards_to: old(&before.forwards_to, &after.forwards_to),
        };
        (changed != Before::default()).then(|| Changed { after: after.into(), before: changed })
    }
}

/// Whether both rules serve a method other than OPTIONS, which each rule has.
fn share_method(one: &RuleRow, other: &RuleRow) -> bool {
    one.methods.iter().any(|method| method != "OPTIONS" && other.methods.contains(method))
}

/// Returns a rule without its converters and the names of its variables: `/a/<int:id>/b` becomes `/a/<>/b`.
fn shape(rule: &str) -> String {
    let (mut shape, mut depth) = (String::new(), 0);
    for letter in rule.chars() {
        depth -= usize::from(letter == '>' && depth > 0);
        if depth == 0 {
            shape.push(letter);
        }
        depth += usize::from(letter == '<');
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parses `GET,POST /a endpoint`, perhaps with `< /b`: shadowed by that rule.
    fn rows(text: &str) -> Vec<RuleRow> {
        let row = |(line, text): (usize, &str)| {
            let (text, shadow) =
                text.trim().split_once(" < ").map_or((text.trim(), None), |(text, by)| (text, Some(by)));
            let mut words = text.split(' ');
            let mut next = || words.next().unwrap_or_default().to_owned();
            RuleRow {
                methods: next().split(',').map(str::to_owned).chain(["OPTIONS".to_owned()]).collect(),
                rule: next(),
                endpoint: next(),
                converters: String::new(),
                file: "p".to_owned(),
                line,
                hits: 0,
                never_hit: true,
                shadowed_by: shadow.map(str::to_owned),
                forwards_to: None,
            }
        };
        text.split(';').filter(|text| !text.is_empty()).enumerate().map(row).collect()
    }

    #[test]
    fn rules_are_paired_by_pattern_methods_and_endpoint() {
        let table = [
            ("GET /a a; POST /a b", "POST /a b; GET /a a", "", "", ""),
            ("", "GET /a a", "/a", "", ""),
            ("GET /a a", "", "", "/a", ""),
            ("GET /a a", "GET,POST /a a", "", "", r#"/a {"methods":["GET","OPTIONS"]}"#),
            ("GET /a a", "POST /a a", "", "", r#"/a {"methods":["GET","OPTIONS"]}"#),
            ("GET /a a", "GET /a b", "", "", r#"/a {"endpoint":"a"}"#),
            ("GET /a a", "POST /a b", "/a", "/a", ""),
            ("GET /a/<int:id> a", "GET /a/<id> a", "", "", r#"/a/<id> {"rule":"/a/<int:id>"}"#),
            ("GET /a/<int:id> a", "GET /a/<x>/b a", "/a/<x>/b", "/a/<int:id>", ""),
            ("GET /a a", "GET /a a < /<x>", "", "", r#"/a {"shadowed_by":null}"#),
            ("GET /a a < /<x>", "GET /a a", "", "", r#"/a {"shadowed_by":"/<x>"}"#),
            ("GET /a a; POST /a b", "GET /a c; POST /a b; PUT /a d", "/a", "", r#"/a {"endpoint":"a"}"#),
            ("GET /a a; GET /a a", "GET /a a", "", "/a", ""),
        ];
        for (before, after, added, removed, changed) in table {
            let changes = RuleChanges::between(&rows(before), &rows(after));
            let names =
                |named: &[Named]| named.iter().map(|named| named.rule.clone()).collect::<Vec<_>>().join(" ");
            let shown =
                |one: &Changed| format!("{} {}", one.after.rule, serde_json::to_string(&one.before).unwrap());
            let list = changes.changed.iter().map(shown).collect::<Vec<_>>().join(" ");
            assert_eq!(
                (&*names(&changes.added), &*names(&changes.removed), &*list),
                (added, removed, changed),
                "{before} | {after}"
            );
        }
    }
}
