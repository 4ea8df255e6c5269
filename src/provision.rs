//! PLACEHOLDER of branch `admin`: the real file comes from the lead.
#![allow(missing_docs)]

pub struct Provision {
    pub name: String,
    pub generation: u64,
}

#[derive(Debug, Clone)]
pub struct RuleRow {
    pub rule: String,
    pub endpoint: String,
    pub methods: Vec<String>,
    pub converters: String,
    pub line: usize,
    pub file: String,
    pub hits: u64,
    pub shadowed_by: Option<String>,
}

impl Provision {
    pub fn rules(&self) -> Vec<RuleRow> {
        Vec::new()
    }
}
