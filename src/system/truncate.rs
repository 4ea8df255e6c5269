//! Texts of a bounded length, for messages.

/// The first `characters` of `text`, and `mark` where there are more: `truncate("abcd", 3, "...")` is `abc...`.
pub(crate) fn truncate(text: &str, characters: usize, mark: &str) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}{mark}", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::truncate;

    #[test]
    fn what_is_cut_is_marked() {
        assert_eq!(truncate("abc", 3, "..."), "abc");
        assert_eq!(truncate("ab\u{e9}d", 3, "\u{2026}"), "ab\u{e9}\u{2026}");
        assert_eq!(truncate("abcd", 0, ""), "");
    }
}
