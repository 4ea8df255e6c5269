//! Styles of written JSON: compact for the bodies of answers, or like Python's `json.dumps`.

/// The differences between the styles.
#[derive(Debug, Clone)]
pub(crate) struct Style {
    /// Indentation of one level; without it, all is on one line.
    pub indent: Option<String>,
    /// Separator between the items of a list or map, without the line break.
    pub item_separator: String,
    /// Separator between a key and its value.
    pub key_separator: String,
    /// Whether characters outside of ASCII are escaped.
    pub ascii: bool,
    /// Whether keys are sorted; otherwise they keep their order.
    pub sorted: bool,
    /// Whether floats are written like in Python (`1e+16`) and dates are refused.
    pub python: bool,
}

impl Style {
    /// Returns the style for bodies of answers: UTF-8 without spaces.
    pub(crate) fn compact() -> Self {
        Style {
            indent: None,
            item_separator: ",".into(),
            key_separator: ":".into(),
            ascii: false,
            sorted: false,
            python: false,
        }
    }

    /// Returns the style of `json.dumps(x)` in Python.
    pub(crate) fn python() -> Self {
        Style {
            item_separator: ", ".into(),
            key_separator: ": ".into(),
            ascii: true,
            python: true,
            ..Style::compact()
        }
    }
}
