//! `read_text`, `read_json`, `read_blob` and `os.listdir`: they read the provision directory and nothing outside of it.

use crate::directory::Name;
use crate::script::python::environ::Os;
use crate::script::runtime::call;
use crate::script::runtime::json;
use crate::script::runtime::natives::{Fallible, Natives, Receiver};
use rhai::{Array, Blob, Dynamic};

fn read(name: &str) -> Fallible<Vec<u8>> {
    Ok(call::files()?.read(name, call::is_loading())?)
}

fn read_text(name: &str) -> Fallible<String> {
    String::from_utf8(read(name)?)
        .map_err(|_| format!("failed to read `{name}`: not UTF-8 text, use read_blob").into())
}

fn read_json(name: &str) -> Fallible<Dynamic> {
    json::from_json(&read(name)?).map_err(|cause| format!("failed to read `{name}`: {cause}").into())
}

fn listdir(under: &str) -> Fallible<Array> {
    if !under.is_empty() {
        Name::parse(under.trim_end_matches('/')).map_err(|error| error.to_string())?;
    }
    let names = call::files()?.list(under)?;
    Ok(names.into_iter().map(Dynamic::from).collect())
}

pub(crate) fn register(natives: &mut Natives) {
    natives
        .register_fn("read_text", read_text)
        .register_fn("read_json", read_json)
        .register_fn("read_blob", |name: &str| -> Fallible<Blob> { read(name) })
        .register_optional("listdir", "", |_: Receiver<Os>, under: &str| listdir(under));
}
