//! The natives by name and the global variables, with which analysis compares a script.

use crate::script::runtime::natives::Handles;
use rhai::{Dynamic, Engine, Identifier, ImmutableString};
use std::any::TypeId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

/// The global variables of natives (`app`, `json`, ...) and their types. All engines of the process have the same.
static GLOBALS: OnceLock<BTreeMap<String, TypeId>> = OnceLock::new();
static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();

/// Functions of Rhai's core, which are in no module, and their numbers of arguments.
const KEYWORDS: [(&str, usize); 7] = [
    ("Fn", 1),
    ("debug", 1),
    ("is_def_fn", 2),
    ("is_def_var", 1),
    ("is_shared", 1),
    ("print", 1),
    ("type_of", 1),
];

/// The part of a native's signature that analysis uses. The catalogue stays in memory, and all types of all natives would take
/// 200 KB.
struct Signature {
    first: Option<TypeId>,
    count: usize,
}

pub(crate) struct Catalogue {
    functions: BTreeMap<Identifier, Vec<Signature>>,
    /// The types that have the property of this name.
    getters: BTreeMap<Identifier, Vec<TypeId>>,
    /// The types that have `[...]` with a text as the key. Rhai also uses it for a property without a getter.
    indexed: Vec<TypeId>,
}

/// Keeps the names and types of the natives' variables for all catalogues.
pub(crate) fn set_globals(globals: &Handles) {
    GLOBALS.get_or_init(|| globals.iter().map(|(name, value)| (name.clone(), value.type_id())).collect());
}

impl Catalogue {
    /// Returns the catalogue of the natives, which are the same in every engine of scripts.
    pub(crate) fn of(engine: &Engine) -> &'static Catalogue {
        CATALOGUE.get_or_init(|| Catalogue::new(engine))
    }

    fn new(engine: &Engine) -> Catalogue {
        let texts = [TypeId::of::<ImmutableString>(), TypeId::of::<Dynamic>()];
        let natives = engine.collect_fn_metadata(
            None,
            |function| {
                let types = &function.metadata.param_types;
                let is_text = types.get(1).is_some_and(|index| texts.contains(index));
                let signature = Signature { first: types.first().copied(), count: types.len() };
                let name = || (function.metadata.name.clone(), signature, is_text);
                function.namespace.is_empty().then(name)
            },
            true,
        );
        let (mut functions, mut getters) = (BTreeMap::<_, Vec<_>>::new(), BTreeMap::<_, Vec<_>>::new());
        let mut indexed = Vec::new();
        for (name, signature, by_text) in natives {
            match (name.strip_prefix("get$"), signature.first) {
                (Some(property), Some(of)) => getters.entry(property.into()).or_default().push(of),
                (None, Some(of)) if name == "index$get$" && by_text => indexed.push(of),
                _ if name.contains('$') => {}
                _ => functions.entry(name).or_default().push(signature),
            }
        }
        Catalogue { functions, getters, indexed }
    }

    /// Returns the type of global variable `name`.
    pub(super) fn global(&self, name: &str) -> Option<TypeId> {
        GLOBALS.get()?.get(name).copied()
    }

    pub(super) fn globals(&self) -> impl Iterator<Item = &str> {
        GLOBALS.get().into_iter().flatten().map(|(name, _)| name.as_str())
    }

    /// Returns the names that a script can call as functions: all but operators.
    pub(super) fn functions(&self) -> impl Iterator<Item = &str> {
        let keywords = KEYWORDS.iter().map(|(name, _)| *name);
        self.functions.keys().map(Identifier::as_str).filter(|name| is_word(name)).chain(keywords)
    }

    /// Returns the numbers of arguments of the natives called `name`, with a method's receiver as the first. An empty set means
    /// that no native has this name.
    pub(super) fn counts(&self, name: &str) -> BTreeSet<usize> {
        let of_natives = self.functions.get(name).into_iter().flatten().map(|native| native.count);
        let of_rhai = KEYWORDS.iter().filter(|(known, _)| *known == name).map(|(_, count)| *count);
        of_natives.chain(of_rhai).collect()
    }

    /// Returns the numbers of arguments of the methods of type `of` called `name`, with the receiver as the first.
    pub(super) fn method_counts(&self, of: TypeId, name: &str) -> BTreeSet<usize> {
        let any = TypeId::of::<Dynamic>();
        let is_method = |native: &&Signature| native.first.is_some_and(|first| first == of || first == any);
        let natives = self.functions.get(name).into_iter().flatten().filter(is_method);
        natives.map(|native| native.count).collect()
    }

    /// Returns the methods of type `of`, without those that any value has.
    pub(super) fn methods(&self, of: TypeId) -> impl Iterator<Item = &str> {
        let is_own = move |native: &Signature| native.first == Some(of);
        let own = self.functions.iter().filter(move |(_, natives)| natives.iter().any(is_own));
        own.map(|(name, _)| name.as_str()).filter(|name| is_word(name))
    }

    pub(super) fn has_property(&self, of: TypeId, name: &str) -> bool {
        self.getters.get(name).is_some_and(|types| types.contains(&of))
    }

    pub(super) fn properties(&self, of: TypeId) -> impl Iterator<Item = &str> {
        self.getters.iter().filter(move |(_, types)| types.contains(&of)).map(|(name, _)| name.as_str())
    }

    /// Whether `x.name` may be `x["name"]` for values of this type.
    pub(super) fn is_indexed(&self, of: TypeId) -> bool {
        self.indexed.contains(&of)
    }

    /// Whether functions of this name take any number of arguments, as a function and as a method.
    pub(super) fn takes_any_number(name: &str) -> bool {
        matches!(name, "call" | "curry")
    }

    /// Whether any value has a method `name`, by Rhai's core.
    pub(super) fn is_of_any_value(name: &str) -> bool {
        Self::takes_any_number(name) || matches!(name, "is_shared" | "to_debug" | "to_string" | "type_of")
    }
}

fn is_word(name: &str) -> bool {
    name.starts_with(|letter: char| letter.is_alphabetic() || letter == '_')
}
