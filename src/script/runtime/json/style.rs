//! How JSON is written: compact for bodies of answers, or as Python's `json.dumps` does.

/// The parts that differ between bodies of answers and Python's forms.
#[derive(Debug, Clone)]
pub(crate) struct Style {
    /// What stands in front of each level; without it all is on one line.
    pub indent: Option<String>,
    /// Between the items of a list or map, without the line break.
    pub item_separator: String,
    /// Between a key and its value.
    pub key_separator: String,
    /// Whether what is not ASCII is escaped.
    pub ascii: bool,
    /// Whether keys are sorted; else they stay in their order.
    pub sorted: bool,
    /// Whether floats are written as Python does (`1e+16`), and dates are refused.
    pub python: bool,
}

impl Style {
    /// UTF-8 without blanks: bodies of answers.
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

    /// What `json.dumps(x)` writes in Python.
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
