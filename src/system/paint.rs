//! Colours of a terminal.

use std::borrow::Cow;

/// The choice of `--color`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Color {
    /// Colours where a terminal shows them.
    #[default]
    Auto,
    Always,
    Never,
}

impl Color {
    /// The words of the flag, in the order of the variants.
    pub(crate) const WORDS: [(&'static str, Color); 3] =
        [("auto", Color::Auto), ("always", Color::Always), ("never", Color::Never)];

    /// Returns the colours of an output that `is_terminal` or is none.
    pub(crate) fn paint(self, is_terminal: bool) -> Paint {
        Paint(self == Color::Always || self == Color::Auto && is_terminal)
    }
}

/// Whether texts get colours.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Paint(pub bool);

impl Paint {
    pub(crate) fn red(self, text: &str) -> Cow<'_, str> {
        self.with("31", text)
    }

    pub(crate) fn green(self, text: &str) -> Cow<'_, str> {
        self.with("32", text)
    }

    pub(crate) fn yellow(self, text: &str) -> Cow<'_, str> {
        self.with("33", text)
    }

    pub(crate) fn cyan(self, text: &str) -> Cow<'_, str> {
        self.with("36", text)
    }

    pub(crate) fn dim(self, text: &str) -> Cow<'_, str> {
        self.with("2", text)
    }

    /// Returns `text` between the codes of a style and of its end (ECMA-48, SGR).
    fn with<'t>(self, code: &str, text: &'t str) -> Cow<'t, str> {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m").into() } else { text.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_terminal_gets_colours_unless_the_flag_says_otherwise() {
        for (color, is_terminal, painted) in [
            (Color::Auto, true, true),
            (Color::Auto, false, false),
            (Color::Always, false, true),
            (Color::Never, true, false),
        ] {
            let text = color.paint(is_terminal).red("x").into_owned();
            assert_eq!(text, if painted { "\x1b[31mx\x1b[0m" } else { "x" }, "{color:?} {is_terminal}");
        }
    }
}
