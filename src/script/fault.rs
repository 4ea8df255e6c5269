//! PLACEHOLDER of branch `admin`: the real file comes from the lead.
#![allow(missing_docs)]

use std::fmt;

#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    pub provision: String,
    pub file: String,
    pub line: Option<usize>,
    pub column: Option<usize>,
    pub message: String,
    pub source: Option<String>,
    pub hint: Option<String>,
}

pub type LoadError = Fault;

impl Fault {
    pub fn of_file(file: &str, message: impl Into<String>) -> Fault {
        Fault {
            provision: file.to_owned(),
            file: file.to_owned(),
            line: None,
            column: None,
            message: message.into(),
            source: None,
            hint: None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failed to load provision `{}`: ", self.provision)?;
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, "line {line}, column {column}: ")?;
        }
        f.write_str(&self.message)
    }
}
