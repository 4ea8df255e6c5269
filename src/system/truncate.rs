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

/// The same in bytes, mark included, which is `...`.
pub(crate) fn truncate_bytes(mut text: String, bytes: usize) -> String {
    if text.len() > bytes {
        text.truncate(text.floor_char_boundary(bytes.saturating_sub(3)));
        text.push_str("...");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{truncate, truncate_bytes};

    #[test]
    fn what_is_cut_is_marked() {
        assert_eq!(truncate("abc", 3, "..."), "abc");
        assert_eq!(truncate("ab\u{e9}d", 3, "\u{2026}"), "ab\u{e9}\u{2026}");
        assert_eq!(truncate("abcd", 0, ""), "");
        assert_eq!(truncate_bytes("abcde".to_owned(), 5), "abcde");
        assert_eq!(truncate_bytes("ab\u{e9}def".to_owned(), 6), "ab...");
    }
}
