//! Texts of a bounded length, for messages.

/// The first `characters` of `text`.
pub(crate) fn beginning(text: &str, characters: usize) -> &str {
    text.char_indices().nth(characters).map_or(text, |(end, _)| &text[..end])
}

/// The same, and `mark` where there are more: `truncate("abcd", 3, "...")` is `abc...`.
pub(crate) fn truncate(text: &str, characters: usize, mark: &str) -> String {
    let beginning = beginning(text, characters);
    if beginning.len() < text.len() { format!("{beginning}{mark}") } else { text.to_owned() }
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
