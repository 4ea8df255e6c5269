//! PLACEHOLDER of branch `admin`: the real file comes from branch `store`.
#![allow(missing_docs)]

use std::fmt;

#[derive(Debug, Clone, PartialEq)]
pub struct Name(String);

#[derive(Debug)]
pub struct NameError(String);

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "name `{}` is not allowed", self.0.escape_debug())
    }
}

impl Name {
    pub fn parse(text: &str) -> Result<Name, NameError> {
        let bad = |part: &str| part.is_empty() || part.starts_with('.') || part.contains(char::is_control);
        if text.split('/').any(bad) { Err(NameError(text.into())) } else { Ok(Name(text.into())) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_provision(&self) -> bool {
        let last = self.0.rsplit('/').next().unwrap_or_default();
        !last.contains('.') || last.ends_with(".rhai")
    }
}

#[derive(Debug)]
pub struct StoreError(pub String);

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
