//! Near misses of a filter: the recorded requests that are closest to it, and how each differs.

use super::entry::Entry;
use super::filter::{Condition, Filter, Fit, Part, Subject, excerpt};
use crate::system::spelling::nearest;
use std::cmp::Reverse;
use std::fmt;

/// Limit of listed requests.
const MOST: usize = 3;

/// A request that nearly fits the filter. The admin interface shows it as JSON.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub(crate) struct Near {
    pub number: u64,
    pub method: String,
    /// The target, perhaps shortened.
    pub target: String,
    /// The likeness, from 0 to 100.
    pub score: u64,
    pub differs: Vec<Difference>,
}

/// A part of the request that does not fit a condition.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub(crate) struct Difference {
    /// The name of the part: `method`, `header X-Id`, `json /id`.
    pub part: String,
    pub expected: String,
    /// The value in the request; `None` if the request does not have the part.
    pub found: Option<String>,
    /// Whether the part has a value that the condition excludes.
    #[serde(skip)]
    pub is_excluded: bool,
}

/// The nearest of the requests so far.
#[derive(Debug, Default)]
pub(crate) struct Nearest(Vec<Near>);

impl Nearest {
    /// Compares one more request, unless it is of a kind that the filter does not look at.
    pub(crate) fn look(&mut self, filter: &Filter, subject: &Subject) {
        if filter.looks_at(subject.entry) == Fit::No {
            return;
        }
        let (mut sum, mut weights, mut differs) = (0, 0, Vec::new());
        for condition in filter.conditions() {
            let (fit, weight) = (condition.fits(subject), if condition.part == Part::Path { 2 } else { 1 });
            sum += weight * likeness(condition, fit, subject);
            weights += weight;
            if fit != Fit::Yes {
                differs.push(difference(condition, fit, subject));
            }
        }
        let score = sum / weights.max(1);
        self.add(subject.entry, score, differs);
    }

    /// Adds a request with the score and differences that the caller found.
    pub(crate) fn add(&mut self, entry: &Entry, score: u64, differs: Vec<Difference>) {
        let target = if entry.gone.headers { &entry.path } else { &entry.target };
        let (method, target) = (excerpt(&entry.method), excerpt(target));
        self.0.push(Near { number: entry.number, method, target, score, differs });
        self.0.sort_by_key(|near| (Reverse(near.score), Reverse(near.number)));
        self.0.truncate(MOST);
    }

    /// Returns the requests, the nearest first. Equally near requests come in reverse order, the latest first.
    pub(crate) fn into_list(self) -> Vec<Near> {
        self.0
    }
}

impl fmt::Display for Near {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "number {} `{} {}`", self.number, self.method, self.target)?;
        for (index, Difference { part, expected, found, is_excluded }) in self.differs.iter().enumerate() {
            f.write_str(if index == 0 { ": " } else { "; " })?;
            match found {
                Some(found) if *is_excluded && expected == "absent" => {
                    write!(f, "{part} is there: `{found}`")?
                }
                Some(found) if *is_excluded => write!(f, "{part} is `{found}`, expected: {expected}")?,
                Some(found) => write!(f, "{part} is `{found}`, not `{expected}`")?,
                None => write!(f, "{part} is missing, not `{expected}`")?,
            }
        }
        Ok(())
    }
}

fn difference(condition: &Condition, fit: Fit, subject: &Subject) -> Difference {
    Difference {
        part: condition.part.to_string(),
        expected: excerpt(&condition.expected()),
        found: condition.part.found(subject).map(|found| excerpt(&found)),
        is_excluded: condition.negated && fit == Fit::No,
    }
}

/// Returns how much of a condition holds, from 0 to 100.
fn likeness(condition: &Condition, fit: Fit, subject: &Subject) -> u64 {
    let found = || condition.part.found(subject);
    match (fit, &condition.part) {
        (Fit::Yes, _) => 100,
        (Fit::Open, _) => 50,
        (Fit::No, _) if condition.negated => 50,
        (Fit::No, Part::Path) => path_likeness(&condition.expected(), &subject.entry.path),
        (Fit::No, Part::Method | Part::Rule | Part::Endpoint | Part::Overlay) => match found() {
            Some(found) if is_close(&condition.expected(), &found) => 50,
            _ => 0,
        },
        (Fit::No, Part::Status | Part::Generation | Part::Body) => 0,
        (Fit::No, Part::Stream | Part::Pieces) if subject.entry.stream.is_none() => 0,
        (Fit::No, Part::Stream | Part::Pieces) => 60,
        (Fit::No, _) => match found() {
            Some(found) if is_close(&condition.expected(), &found) => 60,
            Some(_) => 30,
            None => 0,
        },
    }
}

/// Returns the likeness of two paths, below 100, by the segments that are equal or nearly equal.
fn path_likeness(expected: &str, found: &str) -> u64 {
    let segments = |path: &str| path.split('/').skip(1).map(excerpt).collect::<Vec<_>>();
    let (expected, found) = (segments(expected), segments(found));
    let alike = expected.iter().zip(&found).map(|(a, b)| match a {
        _ if a == b => 90,
        _ if a.starts_with('<') || is_close(a, b) => 60,
        _ => 0,
    });
    alike.sum::<u64>() / expected.len().max(found.len()).max(1) as u64
}

/// Whether `found` may be `expected`, mistyped.
fn is_close(expected: &str, found: &str) -> bool {
    nearest(&excerpt(found).to_lowercase(), [excerpt(expected).to_lowercase().as_str()]).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observing::journal::filter::parse::{LIST, query};
    use crate::observing::journal::filter::tests::{cut, entry};

    fn near_misses(filter: &str, entries: &[Entry]) -> Vec<String> {
        let filter = query(filter, LIST).unwrap().filter;
        let mut nearest = Nearest::default();
        entries.iter().for_each(|entry| nearest.look(&filter, &Subject::new(entry)));
        nearest.into_list().iter().map(|near| format!("{} {near}", near.score)).collect()
    }

    #[test]
    fn a_near_miss_names_the_parts_that_differ() {
        let fields = [("X-Id", "8")];
        let got = entry(3, "PUT /order?page=1", &fields, r#"{"id":8}"#);
        let table = [
            ("method=POST&path=/order", "66 number 3 `PUT /order?page=1`: method is `PUT`, not `POST`"),
            ("path=/orders", "60 number 3 `PUT /order?page=1`: path is `/order`, not `/orders`"),
            (
                "path=/order/<int:id>",
                "45 number 3 `PUT /order?page=1`: path is `/order`, not `/order/<int:id>`",
            ),
            ("path=/a/b/c", "0 number 3 `PUT /order?page=1`: path is `/order`, not `/a/b/c`"),
            ("header=x-id:7", "30 number 3 `PUT /order?page=1`: header x-id is `8`, not `7`"),
            ("header=Accept", "0 number 3 `PUT /order?page=1`: header Accept is missing, not `present`"),
            ("json=/id=7", "30 number 3 `PUT /order?page=1`: json /id is `8`, not `7`"),
            ("json~=/no=^7", "0 number 3 `PUT /order?page=1`: json /no is missing, not `a match of ^7`"),
            ("query=page=10", "60 number 3 `PUT /order?page=1`: query page is `1`, not `10`"),
            ("status=4xx", "0 number 3 `PUT /order?page=1`: status is `201`, not `4xx`"),
            ("body=x", r#"0 number 3 `PUT /order?page=1`: body is `{"id":8}`, not `x`"#),
            ("header!=x-id", "50 number 3 `PUT /order?page=1`: header x-id is there: `8`"),
            ("header!=x-id: 8", "50 number 3 `PUT /order?page=1`: header x-id is `8`, expected: not 8"),
            ("status!=2xx", "50 number 3 `PUT /order?page=1`: status is `201`, expected: not 2xx"),
            ("body!~=id", r#"50 number 3 `PUT /order?page=1`: body is `{"id":8}`, expected: no match of id"#),
            ("json!=/id", "50 number 3 `PUT /order?page=1`: json /id is there: `8`"),
            ("cookie=a=1", "0 number 3 `PUT /order?page=1`: cookie a is missing, not `1`"),
            (
                "method=PUT&path=/orders&status=200",
                "55 number 3 `PUT /order?page=1`: path is `/order`, not `/orders`; status is `201`, not `200`",
            ),
        ];
        for (filter, expected) in table {
            assert_eq!(near_misses(filter, std::slice::from_ref(&got)), [expected], "{filter}");
        }
        assert_eq!(
            near_misses("path=/orders/<int:id>", &[entry(3, "GET /order/7", &[], "")]),
            ["60 number 3 `GET /order/7`: path is `/order/7`, not `/orders/<int:id>`"]
        );
        let cut = cut(entry(3, "PUT /", &[], "abcdef"), 2);
        assert_eq!(
            near_misses("json!=/a", std::slice::from_ref(&cut)),
            ["50 number 3 `PUT /`: json /a is `cut after 2 of 6 bytes`, not `absent`"]
        );
        assert_eq!(
            near_misses("body=abcdee", &[cut]),
            ["50 number 3 `PUT /`: body is `cut after 2 of 6 bytes`, not `abcdee`"]
        );
    }

    #[test]
    fn the_three_nearest_come_first_and_the_latest_of_equals() {
        let lines = ["GET /x", "GET /orders", "POST /order", "POST /x", "POST /y", "POST /orders/1"];
        let entries: Vec<Entry> =
            (1..).zip(lines).map(|(number, line)| entry(number, line, &[], "")).collect();
        let numbers: Vec<String> =
            near_misses("method=POST&path=/orders", &entries).iter().map(|near| near[..11].into()).collect();
        assert_eq!(numbers, ["73 number 3", "66 number 2", "63 number 6"]);
        let long = entry(1, &format!("GET /{}", "x".repeat(300)), &[], "");
        assert!(near_misses("method=POST", &[long])[0].len() < 200);
    }
}
