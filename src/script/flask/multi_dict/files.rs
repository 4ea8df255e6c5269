//! `request.files` and Werkzeug's `FileStorage`: the uploaded files of a form. Their content is a part of the request's body.

use crate::message::form::{Part, options};
use crate::message::request::Request;
use crate::script::flask::property::{nearest, read_only, unknown_property};
use crate::script::runtime::content::form;
use crate::script::runtime::multi_dict::{Dictionary, Headers, group};
use crate::script::runtime::natives::{Fallible, Natives, Receiver};
use rhai::{Blob, Dynamic, ImmutableString};
use std::sync::Arc;

#[derive(Debug, Clone)]
pub(crate) struct FileDict {
    request: Arc<Request>,
}

#[derive(Debug, Clone)]
pub(super) struct FileStorage {
    request: Arc<Request>,
    index: usize,
}

impl FileDict {
    /// # Errors
    /// Those of [`form`].
    pub(crate) fn new(request: &Arc<Request>) -> Fallible<Self> {
        form(request)?;
        Ok(Self { request: request.clone() })
    }

    fn files(&self) -> impl Iterator<Item = (&str, Dynamic)> {
        let files = self.request.form().map(|form| form.files.as_slice()).unwrap_or_default();
        let storage = |index| Dynamic::from(FileStorage { request: self.request.clone(), index });
        files.iter().enumerate().map(move |(index, file)| (file.name.as_str(), storage(index)))
    }
}

impl Dictionary for FileDict {
    fn label(&self) -> &'static str {
        "request.files"
    }

    fn all(&self, key: &str) -> Vec<Dynamic> {
        self.files().filter(|(name, _)| *name == key).map(|(_, file)| file).collect()
    }

    fn entries(&self) -> Vec<(ImmutableString, Vec<Dynamic>)> {
        group(self.files().map(|(name, file)| (name.into(), file)))
    }
}

impl FileStorage {
    /// Returns the part of the form for this file.
    fn part(&self) -> Option<&Part> {
        self.request.form().ok()?.files.get(self.index)
    }

    /// Returns the body with this file, without its content coding.
    fn body(&self) -> &[u8] {
        self.request.content().unwrap_or_default()
    }

    fn content(&self) -> &[u8] {
        self.part().and_then(|part| self.body().get(part.content.clone())).unwrap_or_default()
    }

    fn size(&self) -> i64 {
        i64::try_from(self.content().len()).unwrap_or(i64::MAX)
    }

    fn content_type(&self) -> Option<&str> {
        let headers = &self.part()?.headers;
        headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type")).map(|(_, v)| v.as_str())
    }

    fn text_of(&self, field: impl Fn(&Part) -> &str) -> Dynamic {
        self.part().map(field).unwrap_or_default().into()
    }
}

type Getter = fn(&FileStorage) -> Dynamic;

const PROPERTIES: [(&str, Getter); 7] = [
    ("name", |file| file.text_of(|part| &part.name)),
    ("filename", |file| file.text_of(|part| part.filename.as_deref().unwrap_or_default())),
    ("content_type", |file| file.content_type().map_or(Dynamic::UNIT, |text| text.into())),
    ("mimetype", |file| options::parse(file.content_type().unwrap_or_default()).0.into()),
    ("content_length", |file| file.size().into()),
    ("size", |file| file.size().into()),
    ("headers", |file| Dynamic::from(Headers::of_file(&file.request, file.index))),
];

pub(super) fn register(natives: &mut Natives) {
    natives
        .register_type_with_name::<FileStorage>("FileStorage")
        .register_fn("read", |file: &mut FileStorage| -> Blob { file.content().to_vec() })
        .register_fn("text", |file: &mut FileStorage| {
            file.part().map(|part| part.text(file.body()).into_owned()).unwrap_or_default()
        })
        .register_fn("to_string", |file: &mut FileStorage| show(file))
        .register_fn("to_debug", |file: &mut FileStorage| show(file));
    for (name, getter) in PROPERTIES {
        natives.register_get(name, move |file: &mut FileStorage| getter(file));
    }
    let names = || PROPERTIES.iter().map(|(name, _)| *name);
    natives.register_indexer_get(move |_: Receiver<FileStorage>, name: &str| -> Fallible<Dynamic> {
        Err(unknown_property("a file", name, nearest(name, names())))
    });
    natives.register_indexer_set_of_constant(
        // Rhai also calls the setter after a method call on `headers`, with the same value: `file.headers.get("a")`.
        |_: Receiver<FileStorage>, _: &str, value: Dynamic| match value.is::<Headers>() {
            true => Ok(()),
            false => Err(read_only("a file")),
        },
    );
}

fn show(file: &FileStorage) -> String {
    let filename = file.part().and_then(|part| part.filename.as_deref()).unwrap_or_default();
    format!("<FileStorage: '{filename}' ('{}')>", file.content_type().unwrap_or_default())
}
