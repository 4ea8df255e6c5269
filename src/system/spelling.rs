//! Finds the word that a mistyped word stands for.

/// Damerau-Levenshtein distance in its "optimal string alignment" form: the number of insertions, deletions, replacements and swaps of
/// neighbours that turn one word into the other.
pub(crate) use strsim::osa_distance as distance;

/// Returns the number of mistakes that a mistyped word may have: a third of its letters, and at least one.
pub(crate) fn allowed(letters: usize) -> usize {
    (letters / 3).max(1)
}

/// Returns the word of `known` with the least [`distance`] to `word`, if that is within [`allowed`]. The first of equally near words wins.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let letters = word.chars().count();
    // A distance as long as the candidate means that they share no letter.
    let near = |far: usize, candidate: &str| far <= allowed(letters) && far < candidate.chars().count();
    // The difference in length is a lower bound of the distance, and quick to compute: a word may be as long as a file.
    let known = known.into_iter().filter(|known| near(letters.abs_diff(known.chars().count()), known));
    let ranked = known.map(|candidate| (distance(word, candidate), candidate));
    ranked.filter(|(far, candidate)| near(*far, candidate)).min_by_key(|(far, _)| *far).map(|ranked| ranked.1)
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    #[test]
    fn distances_count_single_mistakes() {
        for (a, b, far) in [
            ("", "", 0),
            ("", "abc", 3),
            ("worker", "workers", 1),
            ("wrokers", "workers", 1),
            ("chekc", "check", 1),
            ("kitten", "sitting", 3),
            ("ca", "abc", 3),
        ] {
            assert_eq!(distance(a, b), far, "{a} {b}");
            assert_eq!(distance(b, a), far, "{b} {a}");
        }
    }

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
