//! The rules of a provision, as the administrative port and `h1mock routes` list them.

/// One rule.
#[derive(Debug, Clone, serde::Serialize)]
pub struct RuleRow {
    /// The rule as registered.
    pub rule: String,
    pub endpoint: String,
    /// The methods, HEAD and OPTIONS included where Flask adds them.
    pub methods: Vec<String>,
    /// The variables and their converters.
    #[serde(skip)]
    pub converters: String,
    /// The file that registered the rule.
    pub file: String,
    /// The line that registered the rule, from 1.
    pub line: usize,
    /// The number of requests that the rule served.
    pub hits: u64,
    pub never_hit: bool,
    /// An earlier rule that matches all requests of this one.
    pub shadowed_by: Option<String>,
    /// The server that answers in place of a view (`app.forward`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forwards_to: Option<String>,
}
