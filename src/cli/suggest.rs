//! "Did you mean": the known word that is nearest to a mistyped one. Knows words only, no flags.

use crate::spelling::{allowed, distance};

/// The nearest of `known` to `word`, if it is close enough to be a typing mistake: a third of the letters,
/// and at least one, may be wrong. Of equally near ones the first wins.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = allowed(word.chars().count());
    let ranked = known.into_iter().map(|candidate| (distance(word, candidate), candidate));
    // With a distance of the whole word nothing of it is left.
    ranked
        .filter(|(far, candidate)| *far <= allowed && *far < candidate.chars().count())
        .min_by_key(|(far, _)| *far)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_close_words_are_suggested() {
        let known = ["workers", "admin-workers", "poll", "get"];
        assert_eq!(nearest("worker", known), Some("workers"));
        assert_eq!(nearest("admin-worker", known), Some("admin-workers"));
        assert_eq!(nearest("pol", known), Some("poll"));
        assert_eq!(nearest("colour", known), None);
        assert_eq!(nearest("x", known), None);
        assert_eq!(nearest("", known), None);
    }
}
