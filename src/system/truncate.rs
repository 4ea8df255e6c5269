//! Texts of a bounded length, for messages.

/// Returns the first `characters` of `text`.
pub(crate) fn beginning(text: &str, characters: usize) -> &str {
    text.char_indices().nth(characters).map_or(text, |(end, _)| &text[..end])
}

/// Returns the first `characters` of `text`, and `mark` if that is not all: `truncate("abcd", 3, "...")` is `abc...`.
pub(crate) fn truncate(text: &str, characters: usize, mark: &str) -> String {
    let beginning = beginning(text, characters);
    if beginning.len() < text.len() { format!("{beginning}{mark}") } else { text.to_owned() }
}

/// Shortens `text` to at most `bytes`, including the `...` at the end of a shortened text.
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
    fn a_shortened_text_ends_with_a_mark() {
        assert_eq!(truncate("abc", 3, "..."), "abc");
        assert_eq!(truncate("ab\u{e9}d", 3, "\u{2026}"), "ab\u{e9}\u{2026}");
        assert_eq!(truncate("abcd", 0, ""), "");
        assert_eq!(truncate_bytes("abcde".to_owned(), 5), "abcde");
        assert_eq!(truncate_bytes("ab\u{e9}def".to_owned(), 6), "ab...");
    }
}
