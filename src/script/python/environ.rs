//! `os.getenv` and `os.environ`: read access to environment variables.

use crate::script::runtime::natives::{Fallible, Natives, Receiver, ScriptValue};
use crate::system::truncate::beginning;
use rhai::{Array, Dynamic, Map};
use std::ffi::OsStr;

/// The variable that is hidden from scripts: the token of the admin interface.
const HIDDEN: &str = "H1MOCK_ADMIN_TOKEN";

#[derive(Debug, Clone)]
pub(crate) struct Os;

#[derive(Debug, Clone)]
pub(crate) struct Environ;

impl ScriptValue for Environ {}

fn visible(name: &OsStr) -> bool {
    name != HIDDEN
}

/// Returns the value of a variable. Invalid UTF-8 becomes U+FFFD.
fn variable(name: &str) -> Option<String> {
    let value = if visible(name.as_ref()) { std::env::var_os(name) } else { None };
    value.map(|value| value.to_string_lossy().into_owned())
}

fn getenv(name: &str, default: Dynamic) -> Dynamic {
    variable(name).map_or(default, Dynamic::from)
}

fn variables() -> Map {
    std::env::vars_os()
        .filter(|(name, _)| visible(name))
        .map(|(name, value)| (name.to_string_lossy().into(), value.to_string_lossy().into_owned().into()))
        .collect()
}

fn required(name: &str) -> Fallible<String> {
    variable(name).ok_or_else(|| {
        let shown = beginning(name, 80);
        format!("os.environ: `{shown}` is not set: `os.getenv(name, default)` gives a default").into()
    })
}

pub(crate) fn register(natives: &mut Natives) {
    natives.register_handle("os", Os);
    natives.register_type_with_name::<Environ>("os.environ");
    natives.register_optional("getenv", Dynamic::UNIT, |_: Receiver<Os>, name: &str, default: Dynamic| {
        getenv(name, default)
    });
    natives.register_get("environ", |_: Receiver<Os>| Environ);
    natives.register_indexer_get(|_: Receiver<Environ>, name: &str| required(name));
    natives.register_optional("get", Dynamic::UNIT, |_: Receiver<Environ>, name: &str, default: Dynamic| {
        getenv(name, default)
    });
    natives.register_fn("contains", |_: Receiver<Environ>, name: &str| variable(name).is_some());
    natives.register_fn("keys", |_: Receiver<Environ>| -> Array {
        variables().into_keys().map(|name| name.as_str().into()).collect()
    });
    natives.register_fn("to_dict", |_: Receiver<Environ>| variables());
}

#[cfg(test)]
mod tests {
    use crate::script::tests::trial::{fails, yields};

    #[test]
    fn variables_are_read() {
        let path = format!("{:?}", std::env::var("PATH").unwrap());
        yields(&[
            (r#"os.getenv("PATH")"#, &path),
            (r#"os.environ["PATH"]"#, &path),
            (r#"os.environ.get("PATH", "x")"#, &path),
            (r#"os.environ.to_dict().PATH"#, &path),
            (r#"os.getenv("H1MOCK_NO_SUCH")"#, "()"),
            (r#"os.getenv("H1MOCK_NO_SUCH", 7)"#, "7"),
            (r#"os.getenv("a=b\x00")"#, "()"),
            (r#""PATH" in os.environ"#, "true"),
            (r#""H1MOCK_NO_SUCH" in os.environ"#, "false"),
            (r#"os.environ.keys().contains("PATH")"#, "true"),
        ]);
    }

    #[test]
    fn the_admin_token_is_hidden() {
        assert!(!super::visible("H1MOCK_ADMIN_TOKEN".as_ref()));
        assert!(super::visible("H1MOCK_ADMIN_PORT".as_ref()));
    }

    #[test]
    fn missing_variables_and_writing_are_errors() {
        fails(&[(
            r#"os.environ["H1MOCK_NO_SUCH"]"#,
            "os.environ: `H1MOCK_NO_SUCH` is not set: `os.getenv(name, default)` gives a default",
        )]);
        let error = crate::script::tests::trial::engine().run(r#"os.environ["A"] = "b";"#).unwrap_err();
        assert!(!error.to_string().is_empty());
    }
}
