//! Escapes for texts that people read: a line stays one line, and no character changes the look of others.

use std::borrow::Cow;
use std::fmt::Write;

/// Escapes line ends, control characters of terminals and characters that turn the direction of writing: `\n`, `\u{1b}`, `\u{202e}`.
/// Tabs stay.
///
/// Without the escapes, a text from outside could look like a line of the program.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    escape_but(text, '\t')
}

/// Escapes a text of several lines: their ends stay.
pub(crate) fn escape_lines(text: &str) -> Cow<'_, str> {
    escape_but(text, '\n')
}

fn escape_but(text: &str, kept: char) -> Cow<'_, str> {
    let hidden = |letter: char| letter != kept && letter != '\t' && is_hidden(letter);
    // Bytes first: comparing a byte takes a fraction of the time of decoding a character.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) || !text.contains(hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        if hidden(letter) { shown.extend(letter.escape_default()) } else { shown.push(letter) }
    }
    Cow::Owned(shown)
}

/// Escapes a line of JSON by JSON's own escapes. The JSON writer leaves such characters as they are.
pub(crate) fn escape_json(line: String) -> String {
    if line.is_ascii() && !line.contains('\u{7f}') || !line.contains(is_hidden) {
        return line;
    }
    let mut shown = String::with_capacity(line.len() + 16);
    for letter in line.chars() {
        if is_hidden(letter) {
            let _ = write!(shown, "\\u{:04x}", u32::from(letter));
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// Whether `letter` is a control character, a line end of Unicode, or turns the direction of writing. All of them fit into four
/// hexadecimal digits.
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_and_line_ends_are_escaped() {
        for (text, one_line, lines) in [
            ("plain, `'\"\\ and \u{e9}\u{1f600}", None, None),
            ("a\tb", None, None),
            ("a\nb", Some("a\\nb"), None),
            ("a\r\nb", Some("a\\r\\nb"), Some("a\\r\nb")),
            ("\u{1b}[2J\0\u{7f}", Some("\\u{1b}[2J\\u{0}\\u{7f}"), Some("\\u{1b}[2J\\u{0}\\u{7f}")),
            ("\u{85}\u{2028}\u{2029}", Some("\\u{85}\\u{2028}\\u{2029}"), Some("\\u{85}\\u{2028}\\u{2029}")),
            (
                "\u{202e}\u{2066}\u{200f}",
                Some("\\u{202e}\\u{2066}\\u{200f}"),
                Some("\\u{202e}\\u{2066}\\u{200f}"),
            ),
        ] {
            assert_eq!(escape(text), one_line.unwrap_or(text));
            assert_eq!(escape_lines(text), lines.unwrap_or(text));
        }
    }

    #[test]
    fn escaped_json_has_the_same_value() {
        let value = serde_json::Value::String("a\n\u{85}\u{7f}\u{2028}\u{202e}\u{e9}".to_owned());
        let line = escape_json(value.to_string());
        assert_eq!(line, "\"a\\n\\u0085\\u007f\\u2028\\u202e\u{e9}\"");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).unwrap(), value);
    }
}
