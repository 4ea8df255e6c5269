//! Text that is shown to people: one line stays one line, and no character changes how the others look.

use std::borrow::Cow;
use std::fmt::Write;

/// `text` with escapes such as `\n`, `\u{1b}` and `\u{202e}` for what would end a line, command a terminal or turn the direction
/// of writing. Tabs stay.
///
/// A text from outside could otherwise look like a line of the program's own.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    escape_but(text, '\t')
}

/// The same for a text of several lines: their ends stay.
pub(crate) fn escape_lines(text: &str) -> Cow<'_, str> {
    escape_but(text, '\n')
}

fn escape_but(text: &str, kept: char) -> Cow<'_, str> {
    let hidden = |letter: char| letter != kept && letter != '\t' && is_hidden(letter);
    // A byte is looked at in a fraction of the time of a character.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) || !text.contains(hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        if hidden(letter) { shown.extend(letter.escape_default()) } else { shown.push(letter) }
    }
    Cow::Owned(shown)
}

/// A line of JSON with JSON's own escapes for such characters, which its writer leaves in texts.
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

/// Control characters, line ends of Unicode, and what turns the direction of writing. All of them have four hexadecimal digits.
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_or_ends_a_line_is_escaped() {
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
    fn json_keeps_its_value() {
        let value = serde_json::Value::String("a\n\u{85}\u{7f}\u{2028}\u{202e}\u{e9}".to_owned());
        let line = escape_json(value.to_string());
        assert_eq!(line, "\"a\\n\\u0085\\u007f\\u2028\\u202e\u{e9}\"");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).unwrap(), value);
    }
}
