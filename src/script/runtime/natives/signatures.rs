//! The signatures of all natives with the names of their types, as `docs/h1mock.d.rhai` shows them. Only tests collect them.

use super::Use;
use crate::script::runtime::frozen::{FrozenList, FrozenMap};
use rhai::{Array, Blob, Dynamic, FnPtr, ImmutableString, Map};
use std::any::{TypeId, type_name};
use std::collections::HashMap;
use std::ops::{Range, RangeInclusive};

/// One signature of a native.
#[derive(Debug, Clone)]
pub(crate) struct Signature {
    pub by: Use,
    pub name: String,
    /// The types of the parameters, with a method's receiver as the first.
    pub types: Vec<TypeId>,
    pub result: TypeId,
    /// Whether this is one of several signatures for different numbers of arguments of any type, as of `print`.
    pub variadic: bool,
}

#[derive(Debug)]
pub(crate) struct Signatures {
    pub all: Vec<Signature>,
    names: HashMap<TypeId, String>,
    /// The result of the native that is being registered.
    result: TypeId,
    variadic: bool,
}

impl Default for Signatures {
    fn default() -> Self {
        let names = [
            (TypeId::of::<()>(), "()"),
            (TypeId::of::<bool>(), "bool"),
            (TypeId::of::<char>(), "char"),
            (TypeId::of::<i64>(), "int"),
            (TypeId::of::<f64>(), "float"),
            (TypeId::of::<ImmutableString>(), "String"),
            (TypeId::of::<String>(), "String"),
            (TypeId::of::<Array>(), "Array"),
            (TypeId::of::<FrozenList>(), "Array"),
            (TypeId::of::<Map>(), "Map"),
            (TypeId::of::<FrozenMap>(), "Map"),
            (TypeId::of::<Blob>(), "Blob"),
            (TypeId::of::<FnPtr>(), "FnPtr"),
            (TypeId::of::<Dynamic>(), "?"),
            (TypeId::of::<Range<i64>>(), "Range<int>"),
            (TypeId::of::<RangeInclusive<i64>>(), "RangeInclusive<int>"),
        ];
        Signatures {
            all: Vec::new(),
            names: names.into_iter().map(|(of, name)| (of, name.to_owned())).collect(),
            result: TypeId::of::<Dynamic>(),
            variadic: false,
        }
    }
}

impl Signatures {
    /// Sets the result of the native that is registered next.
    pub(super) fn returns(&mut self, result: TypeId) {
        self.result = result;
    }

    /// Starts or ends the signatures of a native that takes different numbers of arguments.
    pub(super) fn is_variadic(&mut self, variadic: bool) {
        self.variadic = variadic;
        self.result = TypeId::of::<Dynamic>();
    }

    pub(super) fn add(&mut self, by: Use, name: &str, types: &[TypeId]) {
        let (types, result, variadic) = (types.to_vec(), self.result, self.variadic);
        self.all.push(Signature { by, name: name.to_owned(), types, result, variadic });
    }

    /// Names a type after its Rust type: several types have the same name for scripts, such as the headers of a request and those of
    /// a response.
    pub(super) fn name<T: 'static>(&mut self) {
        let path = type_name::<T>().trim_end_matches('>');
        let last = path.rsplit("::").next().unwrap_or_default();
        let name = match last {
            "RequestHandle" => "Request".to_owned(),
            "Response" | "Class" if path.contains("requests") || path.contains("request_error") => {
                format!("Requests{last}")
            }
            _ => match last.strip_suffix("Handle") {
                Some(module) => format!("{module}Module"),
                None => last.to_owned(),
            },
        };
        self.names.entry(TypeId::of::<T>()).or_insert(name);
    }

    /// Returns the name of a type; `None` for a type that was never named.
    pub(crate) fn name_of(&self, of: TypeId) -> Option<&str> {
        self.names.get(&of).map(String::as_str)
    }
}
