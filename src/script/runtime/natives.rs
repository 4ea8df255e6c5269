//! Where the topics register what scripts see. Knows no topic.
//!
//! Rhai's own `register_fn` is generic to its bottom: each of 400 calls had a copy of making a record and hashing a name,
//! 150 KB in all. Here a call only hands its function over; the rest is one function for all.

mod accessor;
mod function;
mod thawing;
mod variadic;

pub(crate) use super::budget::Fallible;
pub(crate) use function::{Receiver, ScriptValue};

use accessor::Accessor;
use function::{Native, NativeFn};
use rhai::plugin::PluginFunc;
use rhai::{Dynamic, Engine, FuncRegistration, Module, RhaiFunc, Shared, Variant};
use std::any::{TypeId, type_name};
use std::collections::{HashMap, HashSet};
use thawing::{Callee, Thawing};

/// A function in the form that Rhai keeps.
type Plugin = Shared<dyn PluginFunc + Send + Sync>;

/// What a script does to reach a function.
#[derive(Clone, Copy, PartialEq)]
enum Use {
    Call,
    Get,
    Set,
    IndexGet,
    IndexSet,
}

/// Global variables of scripts by their names: `request`, `json`, `None`.
pub(crate) type Handles = HashMap<String, Dynamic>;

/// The names that scripts of an engine will see.
pub(crate) struct Natives<'engine> {
    /// For settings of the engine itself.
    pub engine: &'engine mut Engine,
    module: Module,
    handles: Handles,
    /// The types that have in common what is registered now; none: each function says itself what it is called on.
    receivers: &'static [TypeId],
    /// What takes lists or maps, to be registered for frozen ones too.
    thawing: Vec<(String, Vec<TypeId>, Plugin)>,
    /// What was registered for frozen lists and maps themselves.
    frozen: HashSet<(String, Vec<TypeId>)>,
}

impl<'engine> Natives<'engine> {
    pub(crate) fn new(engine: &'engine mut Engine) -> Self {
        Natives {
            engine,
            module: Module::new(),
            handles: Handles::new(),
            receivers: &[],
            thawing: Vec::new(),
            frozen: HashSet::new(),
        }
    }

    /// Makes them known to the engine. They go before those of Rhai's packages.
    ///
    /// Gives the handles, which `imports` shows to scripts: among the variables of a module, Rhai's optimizer would put them in the
    /// place of parameters of the same name (`fn parse(json) { json }`).
    pub(crate) fn finish(mut self) -> Handles {
        for (name, types, func) in std::mem::take(&mut self.thawing) {
            for (types, func) in thawing::variants(&types, &func) {
                if !self.frozen.contains(&(name.clone(), types.clone())) {
                    set_into(&mut self.module, Use::Call, &name, &types, func);
                }
            }
        }
        self.engine.register_global_module(self.module.into());
        self.handles
    }

    #[cfg(test)]
    pub(crate) fn variables(&self) -> impl Iterator<Item = &str> {
        self.handles.keys().map(String::as_str)
    }

    /// A variable, which scripts see in every function and can't assign to.
    pub(crate) fn set_var(&mut self, name: &str, value: impl Variant + Clone) -> &mut Self {
        self.handles.insert(name.to_owned(), Dynamic::from(value));
        self
    }

    /// A variable whose type has the same name: the handle of a topic, such as `json`.
    pub(crate) fn register_handle<T: Variant + Clone>(&mut self, name: &str, handle: T) -> &mut Self {
        self.set_var(name, handle).register_type_with_name::<T>(name)
    }

    pub(crate) fn set_iter<T: Variant + Clone>(
        &mut self,
        items: impl Fn(Dynamic) -> Box<dyn Iterator<Item = Dynamic>> + Send + Sync + 'static,
    ) -> &mut Self {
        self.module.set_iter(TypeId::of::<T>(), items);
        self
    }

    /// The name of a type for `type_of` and messages.
    pub(crate) fn register_type_with_name<T: Variant + Clone>(&mut self, name: &str) -> &mut Self {
        self.name_type(type_name::<T>(), name)
    }

    #[inline(never)]
    fn name_type(&mut self, path: &str, name: &str) -> &mut Self {
        self.engine.register_type_with_name_raw(path, name);
        self
    }

    /// What `register` registers is there once, for all types of `receivers`; it is called on a [`Dynamic`] of one of them.
    pub(crate) fn in_common(&mut self, receivers: &'static [TypeId], register: impl FnOnce(&mut Self)) {
        self.receivers = receivers;
        register(self);
        self.receivers = &[];
    }

    pub(crate) fn register_fn<S: 'static>(&mut self, name: &str, function: impl Native<S>) -> &mut Self {
        self.register(Use::Call, name, true, function)
    }

    /// A method that changes what it is called on: of a constant it is an error.
    pub(crate) fn register_change<S: 'static>(&mut self, name: &str, function: impl Native<S>) -> &mut Self {
        self.register(Use::Call, name, false, function)
    }

    /// Rhai's own native `name`, for frozen lists or maps among `types`. `changes`: it changes what it is called on.
    pub(crate) fn register_of_rhai(&mut self, name: &'static str, types: &[TypeId], changes: bool) {
        self.add(Use::Call, name, types, Shared::new(Thawing::new(Callee::OfRhai(name), types, changes)));
    }

    pub(crate) fn register_get<S: 'static>(&mut self, name: &str, getter: impl Native<S>) -> &mut Self {
        self.register(Use::Get, name, true, getter)
    }

    /// A property that can be assigned to, not that of a constant.
    pub(crate) fn register_set<S: 'static>(&mut self, name: &str, setter: impl Native<S>) -> &mut Self {
        self.register(Use::Set, name, false, setter)
    }

    /// A setter that Rhai may call on constants too: after a method was called on what a property gave, it assigns that value
    /// to the property again.
    pub(crate) fn register_set_of_constant<S: 'static>(
        &mut self,
        name: &str,
        setter: impl Native<S>,
    ) -> &mut Self {
        self.register(Use::Set, name, true, setter)
    }

    pub(crate) fn register_indexer_get<S: 'static>(&mut self, getter: impl Native<S>) -> &mut Self {
        self.register(Use::IndexGet, "", true, getter)
    }

    /// What assigning to `[...]` does, not for a constant.
    pub(crate) fn register_indexer_set<S: 'static>(&mut self, setter: impl Native<S>) -> &mut Self {
        self.register(Use::IndexSet, "", false, setter)
    }

    /// As [`Natives::register_set_of_constant`], for `[...]`.
    pub(crate) fn register_indexer_set_of_constant<S: 'static>(
        &mut self,
        setter: impl Native<S>,
    ) -> &mut Self {
        self.register(Use::IndexSet, "", true, setter)
    }

    fn register<S: 'static, F: Native<S>>(
        &mut self,
        by: Use,
        name: &str,
        of_constants: bool,
        function: F,
    ) -> &mut Self {
        self.add(by, name, F::TYPES, Shared::new(NativeFn::new(name, function, of_constants)))
    }

    /// Not inlined: it is the part that all registrations have in common.
    #[inline(never)]
    fn add(&mut self, by: Use, name: &str, types: &[TypeId], func: Plugin) -> &mut Self {
        if self.receivers.is_empty() {
            self.add_for(by, name, types, func);
            return self;
        }
        let mut types = types.to_vec();
        for receiver in self.receivers {
            types[0] = *receiver;
            self.add_for(by, name, &types, func.clone());
        }
        self
    }

    fn add_for(&mut self, by: Use, name: &str, types: &[TypeId], func: Plugin) {
        if by != Use::Call {
            let accessor = Shared::new(Accessor::new(by, func));
            return set_into(&mut self.module, by, name, types, accessor);
        }
        if thawing::has_frozen(types) {
            self.frozen.insert((name.to_owned(), types.to_vec()));
        } else if thawing::has_list_or_map(types) {
            self.thawing.push((name.to_owned(), types.to_vec(), func.clone()));
        }
        set_into(&mut self.module, by, name, types, func);
    }
}

/// Adds a getter to a module of its own.
pub(crate) fn getter<S: 'static, F: Native<S>>(module: &mut Module, name: &str, function: F) {
    let accessor = Accessor::new(Use::Get, Shared::new(NativeFn::new(name, function, true)));
    set_into(module, Use::Get, name, F::TYPES, Shared::new(accessor));
}

fn set_into(module: &mut Module, by: Use, name: &str, types: &[TypeId], func: Plugin) {
    let registration = match by {
        Use::Call => FuncRegistration::new(name),
        Use::Get => FuncRegistration::new_getter(name),
        // As Rhai names them; `new_setter` also sets a flag that is refused here.
        Use::Set => FuncRegistration::new(format!("set${name}")),
        Use::IndexGet => FuncRegistration::new_index_getter(),
        Use::IndexSet => FuncRegistration::new("index$set$"),
    };
    let function = RhaiFunc::Plugin { func };
    registration.in_global_namespace().set_into_module_raw(module, types, function);
}
