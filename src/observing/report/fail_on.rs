//! The conditions that make a report fail: `unmatched,unused,errors,loads`.

/// A set of conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FailOn(u8);

impl Default for FailOn {
    /// The conditions that always show a mistake: requests that no rule serves, and scripts that fail.
    fn default() -> Self {
        FailOn(0b0101)
    }
}

impl FailOn {
    /// The conditions, in the order in which reports count them.
    pub(crate) const WORDS: [&'static str; 4] = ["unmatched", "unused", "errors", "loads"];

    /// Parses words separated by commas.
    ///
    /// # Errors
    /// ``` `erors` is no condition (unmatched, unused, errors or loads) ```
    pub(crate) fn parse(text: &str) -> Result<FailOn, String> {
        let mut conditions = 0;
        for word in text.split(',').map(str::trim) {
            let place = Self::WORDS.iter().position(|known| *known == word).ok_or_else(|| {
                format!("`{}` is no condition (unmatched, unused, errors or loads)", word.escape_debug())
            })?;
            conditions |= 1 << place;
        }
        Ok(FailOn(conditions))
    }

    /// Returns its words, each with its index among the counts of a report.
    pub(crate) fn words(self) -> impl Iterator<Item = (usize, &'static str)> {
        Self::WORDS.into_iter().enumerate().filter(move |(place, _)| self.0 >> place & 1 == 1)
    }

    /// Returns its words separated by commas: `unmatched,errors`.
    pub(crate) fn text(self) -> String {
        self.words().map(|(_, word)| word).collect::<Vec<_>>().join(",")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_in_any_order_and_written_in_one() {
        for (text, written) in [
            ("unmatched", "unmatched"),
            ("errors,unmatched", "unmatched,errors"),
            (" loads , unused,loads", "unused,loads"),
            ("unmatched,unused,errors,loads", "unmatched,unused,errors,loads"),
        ] {
            assert_eq!(FailOn::parse(text).unwrap().text(), written);
        }
        assert_eq!(FailOn::default().text(), "unmatched,errors");
    }

    #[test]
    fn an_unknown_word_is_an_error_that_names_it() {
        for (text, word) in
            [("erors", "erors"), ("", ""), ("unused,", ""), ("Unused", "Unused"), ("\n x", "x")]
        {
            let expected = format!("`{word}` is no condition (unmatched, unused, errors or loads)");
            assert_eq!(FailOn::parse(text).unwrap_err(), expected);
        }
    }
}
