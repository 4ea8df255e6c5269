//! The registration of everything that scripts see, which each topic does for its own names.
//!
//! Rhai's own `register_fn` is generic as a whole: each of 400 calls had a copy of the code that makes a record and hashes a
//! name, 150 KB in all. Here only the conversion of a function is generic.

mod accessor;
mod function;
mod optional;
#[cfg(test)]
pub(crate) mod signatures;
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

/// The way in which a script uses a function.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Use {
    Call,
    Get,
    Set,
    IndexGet,
    IndexSet,
}

/// Global variables of scripts by their names: `request`, `json`, `None`.
pub(crate) type Handles = HashMap<String, Dynamic>;

/// The names that the scripts of an engine will see.
pub(crate) struct Natives<'engine> {
    /// The engine, for its settings.
    pub engine: &'engine mut Engine,
    module: Module,
    handles: Handles,
    /// The types for which the functions are registered now; empty where each function names its own type.
    receivers: &'static [TypeId],
    /// Functions that take lists or maps, to be registered for frozen ones too.
    thawing: Vec<(String, Vec<TypeId>, Plugin)>,
    /// Functions that are registered for frozen lists and maps themselves.
    frozen: HashSet<(String, Vec<TypeId>)>,
    /// All signatures, for `docs/h1mock.d.rhai`.
    #[cfg(test)]
    pub signatures: signatures::Signatures,
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
            #[cfg(test)]
            signatures: signatures::Signatures::default(),
        }
    }

    /// Registers the natives with the engine, before those of Rhai's packages.
    ///
    /// Returns the handles, which `imports` shows to scripts. As variables of a module, Rhai's optimizer would put them in the
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
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&str, TypeId)> {
        self.handles.iter().map(|(name, value)| (name.as_str(), value.type_id()))
    }

    /// Adds a variable that scripts see in every function and can't assign to.
    pub(crate) fn set_var(&mut self, name: &str, value: impl Variant + Clone) -> &mut Self {
        self.handles.insert(name.to_owned(), Dynamic::from(value));
        self
    }

    /// Adds a variable whose type has the same name: the handle of a topic, such as `json`.
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

    /// Sets the name of a type for `type_of` and messages.
    pub(crate) fn register_type_with_name<T: Variant + Clone>(&mut self, name: &str) -> &mut Self {
        #[cfg(test)]
        self.signatures.name::<T>();
        self.name_type(type_name::<T>(), name)
    }

    #[inline(never)]
    fn name_type(&mut self, path: &str, name: &str) -> &mut Self {
        self.engine.register_type_with_name_raw(path, name);
        self
    }

    /// Registers the functions of `register` for all types of `receivers`, each of them once in memory. They get a [`Dynamic`]
    /// of one of these types as their receiver.
    pub(crate) fn in_common(&mut self, receivers: &'static [TypeId], register: impl FnOnce(&mut Self)) {
        self.receivers = receivers;
        register(self);
        self.receivers = &[];
    }

    pub(crate) fn register_fn<S: 'static>(&mut self, name: &str, function: impl Native<S>) -> &mut Self {
        self.register(Use::Call, name, true, function)
    }

    /// Registers a method that changes its receiver: to call it on a constant is an error.
    pub(crate) fn register_change<S: 'static>(&mut self, name: &str, function: impl Native<S>) -> &mut Self {
        self.register(Use::Call, name, false, function)
    }

    /// Registers Rhai's own native `name` for frozen lists or maps among `types`. `changes` says whether it changes its
    /// receiver.
    pub(crate) fn register_of_rhai(&mut self, name: &'static str, types: &[TypeId], changes: bool) {
        #[cfg(test)]
        self.signatures.returns(TypeId::of::<Dynamic>());
        self.add(Use::Call, name, types, Shared::new(Thawing::new(Callee::OfRhai(name), types, changes)));
    }

    pub(crate) fn register_get<S: 'static>(&mut self, name: &str, getter: impl Native<S>) -> &mut Self {
        self.register(Use::Get, name, true, getter)
    }

    /// Registers a setter: to assign to the property of a constant is an error.
    pub(crate) fn register_set<S: 'static>(&mut self, name: &str, setter: impl Native<S>) -> &mut Self {
        self.register(Use::Set, name, false, setter)
    }

    /// Registers a setter that Rhai may call on constants too. After a method was called on the value of a property, Rhai
    /// assigns that value to the property again.
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

    /// Registers the setter of `[...]`: to assign to an index of a constant is an error.
    pub(crate) fn register_indexer_set<S: 'static>(&mut self, setter: impl Native<S>) -> &mut Self {
        self.register(Use::IndexSet, "", false, setter)
    }

    /// Registers a setter of `[...]`, as [`Natives::register_set_of_constant`] does for properties.
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
        #[cfg(test)]
        self.signatures.returns(F::RESULT);
        self.add(by, name, F::TYPES, Shared::new(NativeFn::new(name, function, of_constants)))
    }

    /// Not inlined, since all registrations share this part.
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
        #[cfg(test)]
        self.signatures.add(by, name, types);
        if by != Use::Call {
            let accessor = Shared::new(Accessor { by, function: func });
            return set_into(&mut self.module, by, name, types, accessor);
        }
        if types.iter().any(thawing::is_frozen) {
            self.frozen.insert((name.to_owned(), types.to_vec()));
        } else if types.iter().any(|of| thawing::frozen(*of).is_some()) {
            self.thawing.push((name.to_owned(), types.to_vec(), func.clone()));
        }
        set_into(&mut self.module, by, name, types, func);
    }
}

/// Adds a getter to `module`, outside of the natives of an engine.
pub(crate) fn getter<S: 'static, F: Native<S>>(module: &mut Module, name: &str, function: F) {
    let function = Shared::new(NativeFn::new(name, function, true));
    let accessor = Accessor { by: Use::Get, function };
    set_into(module, Use::Get, name, F::TYPES, Shared::new(accessor));
}

fn set_into(module: &mut Module, by: Use, name: &str, types: &[TypeId], func: Plugin) {
    let registration = match by {
        Use::Call => FuncRegistration::new(name),
        Use::Get => FuncRegistration::new_getter(name),
        // These are Rhai's own names. `new_setter` would also set a flag that `set_into_module_raw` rejects.
        Use::Set => FuncRegistration::new(format!("set${name}")),
        Use::IndexGet => FuncRegistration::new_index_getter(),
        Use::IndexSet => FuncRegistration::new("index$set$"),
    };
    let function = RhaiFunc::Plugin { func };
    registration.in_global_namespace().set_into_module_raw(module, types, function);
}
