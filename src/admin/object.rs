//! JSON objects whose fields keep the order in which they were given (serde_json's own map sorts them). Knows no HTTP.

use serde_json::Value;

/// An object under construction: each call appends one field.
#[derive(Debug, Default)]
pub(super) struct Object(String);

impl Object {
    /// `{}`.
    pub(super) fn new() -> Object {
        Object::default()
    }

    /// Appends a scalar, or `null` for `None`.
    pub(super) fn field(self, key: &str, value: impl Into<Value>) -> Object {
        self.raw(key, &value.into().to_string())
    }

    /// Appends what `value` serializes to.
    pub(super) fn serialize(self, key: &str, value: &impl serde::Serialize) -> Object {
        self.raw(key, &serde_json::to_string(value).unwrap_or_default())
    }

    /// Appends an object, or `null` for `None`.
    pub(super) fn object(self, key: &str, value: Option<Object>) -> Object {
        self.raw(key, &value.map_or_else(|| "null".into(), Object::into_text))
    }

    /// Appends a list of objects.
    pub(super) fn list(self, key: &str, items: impl IntoIterator<Item = Object>) -> Object {
        let items: Vec<String> = items.into_iter().map(Object::into_text).collect();
        self.raw(key, &format!("[{}]", items.join(",")))
    }

    /// The object as JSON.
    pub(super) fn into_text(self) -> String {
        format!("{{{}}}", self.0)
    }

    fn raw(mut self, key: &str, json: &str) -> Object {
        if !self.0.is_empty() {
            self.0.push(',');
        }
        self.0.push_str(&Value::from(key).to_string());
        self.0.push(':');
        self.0.push_str(json);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_their_order_and_text_is_escaped() {
        let inner = Object::new().field("z", 1).field("a", "\"\n\u{e9}");
        let text = Object::new()
            .field("result", "x")
            .object("error", Some(inner))
            .object("none", None)
            .field("line", None::<u64>)
            .list("files", [Object::new(), Object::new().field("n", true)])
            .into_text();
        assert_eq!(
            text,
            r#"{"result":"x","error":{"z":1,"a":"\"\né"},"none":null,"line":null,"files":[{},{"n":true}]}"#
        );
        assert!(serde_json::from_str::<Value>(&text).is_ok());
    }
}
