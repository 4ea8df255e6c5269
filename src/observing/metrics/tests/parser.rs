//! A strict parser of the text format of Prometheus, for tests.
//!
//! The parser checks that help and type come before the samples of a family, and that its samples stand together. It also checks
//! that nothing comes twice, and that histograms add up. The end-to-end tests compile it too, so it imports nothing of the program.

use std::collections::{BTreeMap, BTreeSet};

/// A parsed page.
#[derive(Debug, Default)]
pub(super) struct Page {
    kinds: BTreeMap<String, String>,
    samples: BTreeMap<String, f64>,
}

type Labels = Vec<(String, String)>;

impl Page {
    /// Returns the value of a sample. The order of labels does not matter.
    pub(super) fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels = labels.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        self.samples.get(&identity(name, labels)).copied()
    }

    /// Returns the type of a family.
    pub(super) fn kind(&self, family: &str) -> Option<&str> {
        self.kinds.get(family).map(String::as_str)
    }

    /// Returns the counters and the buckets of histograms, none of which may ever go back.
    pub(super) fn counters(&self) -> impl Iterator<Item = (&String, f64)> {
        let counts = |name: &str| self.kind(family_of(name)) == Some("counter") || name.ends_with("_bucket");
        self.samples
            .iter()
            .filter(move |(sample, _)| counts(sample.split('{').next().unwrap_or_default()))
            .map(|(sample, value)| (sample, *value))
    }
}

/// Returns the family of a sample: for a histogram, its name without the ending.
fn family_of(name: &str) -> &str {
    let endings = ["_bucket", "_sum", "_count"];
    endings.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name)
}

fn identity(name: &str, mut labels: Labels) -> String {
    labels.sort();
    format!("{name}{{{labels:?}}}")
}

/// Parses a page.
///
/// # Errors
/// The first line that the format does not allow, or the histogram that does not add up.
pub(super) fn parse(text: &str) -> Result<Page, String> {
    if !text.ends_with('\n') {
        return Err("the last line has no end".to_owned());
    }
    let mut page = Page::default();
    let mut histograms: BTreeMap<String, Vec<(String, f64)>> = BTreeMap::new();
    let (mut helped, mut family, mut seen) = (None, String::new(), BTreeSet::new());
    for line in text.lines() {
        let wrong = |what: &str| Err(format!("{what}: {line}"));
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let name = rest.split(' ').next().unwrap_or_default().to_owned();
            if !seen.insert(name.clone()) {
                return wrong("a family comes twice");
            }
            helped = Some(name);
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap_or((rest, ""));
            if helped.take().as_deref() != Some(name) || !["counter", "gauge", "histogram"].contains(&kind) {
                return wrong("no help before, or no type");
            }
            page.kinds.insert(name.to_owned(), kind.to_owned());
            name.clone_into(&mut family);
        } else {
            let (name, labels, value) = sample(line)?;
            let kind = page.kinds.get(&family).map_or("", String::as_str);
            let mine = if kind == "histogram" { family_of(&name) } else { &name };
            if mine != family || helped.is_some() || kind.is_empty() {
                return wrong("a sample outside of its family");
            }
            if kind == "counter" && !(name.ends_with("_total") && value >= 0.0) {
                return wrong("no counter");
            }
            if kind == "histogram" {
                let bound = labels.iter().find(|(name, _)| name == "le").map(|(_, bound)| bound.clone());
                let part = name[family.len()..].to_owned();
                histograms.entry(family.clone()).or_default().push((bound.unwrap_or(part), value));
            }
            if page.samples.insert(identity(&name, labels), value).is_some() {
                return wrong("a sample comes twice");
            }
        }
    }
    histograms.iter().try_for_each(|(name, parts)| check_histogram(name, parts))?;
    Ok(page)
}

/// Checks a histogram without labels: its buckets have rising bounds, the last is `+Inf`, then sum and count follow.
fn check_histogram(name: &str, parts: &[(String, f64)]) -> Result<(), String> {
    let [buckets @ .., (sum, _), (count, all)] = parts else { return Err(format!("{name} has no parts")) };
    if (sum.as_str(), count.as_str()) != ("_sum", "_count") {
        return Err(format!("{name} does not end with its sum and count"));
    }
    let mut last = (f64::NEG_INFINITY, 0.0);
    for (bound, value) in buckets {
        let bound: f64 = bound.parse().map_err(|_| format!("{name} has the bound `{bound}`"))?;
        if bound <= last.0 || *value < last.1 {
            return Err(format!("{name} is not cumulative at {bound}"));
        }
        last = (bound, *value);
    }
    if last != (f64::INFINITY, *all) {
        return Err(format!("{name} does not end in +Inf with its count"));
    }
    Ok(())
}

/// Parses `name{label="text",...} value`.
fn sample(line: &str) -> Result<(String, Labels, f64), String> {
    let wrong = || format!("no sample: {line}");
    let is_name = |name: &str| {
        let begins = |character: char| character.is_ascii_alphabetic() || character == '_';
        name.starts_with(begins) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let end = line.find(['{', ' ']).ok_or_else(wrong)?;
    let (name, rest) = line.split_at(end);
    let mut labels = Labels::new();
    let mut rest = rest;
    if let Some(mut inside) = rest.strip_prefix('{') {
        loop {
            let (label, behind) = inside.split_once("=\"").ok_or_else(wrong)?;
            let (text, behind) = quoted(behind).ok_or_else(wrong)?;
            if !is_name(label) || labels.iter().any(|(known, _)| known == label) {
                return Err(wrong());
            }
            labels.push((label.to_owned(), text));
            if let Some(more) = behind.strip_prefix(',') {
                inside = more;
                continue;
            }
            rest = behind.strip_prefix('}').ok_or_else(wrong)?;
            break;
        }
    }
    let value = rest.strip_prefix(' ').ok_or_else(wrong)?;
    let value = value.parse().ok().filter(|_| is_name(name) && !value.contains(' ')).ok_or_else(wrong)?;
    Ok((name.to_owned(), labels, value))
}

/// Returns the text up to its closing quote, without escapes, and the rest of the line.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((out, &text[at + 1..])),
            '\\' => out.push(match characters.next()?.1 {
                'n' => '\n',
                plain @ ('\\' | '"') => plain,
                _ => return None,
            }),
            plain => out.push(plain),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "# HELP a_total a\n# TYPE a_total counter\n";

    #[test]
    fn a_valid_page_is_parsed() {
        let page = parse(&format!("{HEAD}a_total{{b=\"x\\\"\\\\\\n,}}\",c=\"\"}} 1.5\n")).unwrap();
        assert_eq!(page.value("a_total", &[("c", ""), ("b", "x\"\\\n,}")]), Some(1.5));
        assert_eq!(page.counters().count(), 1);
    }

    #[test]
    fn an_invalid_page_is_refused_with_its_line() {
        let histogram = "# HELP h h\n# TYPE h histogram\n";
        for (text, error) in [
            ("a 1\n".to_owned(), "a sample outside of its family: a 1"),
            (format!("{HEAD}a_total 1"), "the last line has no end"),
            (format!("{HEAD}b_total 1\n"), "a sample outside of its family: b_total 1"),
            (format!("{HEAD}a_total 1\na_total 2\n"), "a sample comes twice: a_total 2"),
            (format!("{HEAD}{HEAD}"), "a family comes twice: # HELP a_total a"),
            (format!("{HEAD}a_total -1\n"), "no counter: a_total -1"),
            (format!("{HEAD}a_total{{b=\"\\x\"}} 1\n"), "no sample: a_total{b=\"\\x\"} 1"),
            (format!("{HEAD}a_total{{b=\"1\",b=\"1\"}} 1\n"), "no sample: a_total{b=\"1\",b=\"1\"} 1"),
            (format!("{HEAD}a_total 1 2\n"), "no sample: a_total 1 2"),
            ("# TYPE a_total counter\n".to_owned(), "no help before, or no type: # TYPE a_total counter"),
            (
                format!("{histogram}h_bucket{{le=\"1\"}} 1\nh_sum 1\nh_count 1\n"),
                "h does not end in +Inf with its count",
            ),
            (
                format!("{histogram}h_bucket{{le=\"1\"}} 2\nh_bucket{{le=\"+Inf\"}} 1\nh_sum 1\nh_count 1\n"),
                "h is not cumulative at inf",
            ),
            (
                format!("{histogram}h_bucket{{le=\"+Inf\"}} 1\nh_sum 1\nh_count 2\n"),
                "h does not end in +Inf with its count",
            ),
            (
                format!("{histogram}h_bucket{{le=\"+Inf\"}} 1\nh_count 1\n"),
                "h does not end with its sum and count",
            ),
        ] {
            assert_eq!(parse(&text).unwrap_err(), error);
        }
    }
}
