//! Where the topics register what scripts see. Knows no topic.
//!
//! Rhai's own `register_fn` is generic to its bottom: each of 330 calls had a copy of making a record and hashing a name,
//! 150 KB in all. Here a call only converts its function; the rest is one function for all.

use rhai::{Dynamic, Engine, FuncRegistration, Module, RhaiFunc, RhaiNativeFunc, Variant};
use std::any::TypeId;

/// The names that scripts of an engine will see.
pub struct Natives<'engine> {
    /// For settings of the engine itself.
    pub engine: &'engine mut Engine,
    module: Module,
}

impl<'engine> Natives<'engine> {
    /// None yet.
    pub fn of(engine: &'engine mut Engine) -> Self {
        Natives { engine, module: Module::new() }
    }

    /// Makes them known to the engine. They go before those of Rhai's packages.
    pub fn finish(self) {
        self.engine.register_global_module(self.module.into());
    }

    /// The variables among them.
    #[cfg(test)]
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.module.iter_var().map(|(name, _)| name)
    }

    /// A variable, which scripts see in every function and can't assign to.
    pub fn set_var(&mut self, name: &str, value: impl Variant + Clone) -> &mut Self {
        self.module.set_var(name, value);
        self
    }

    /// What a `for` loop goes through.
    pub fn set_iter<T: Variant + Clone>(
        &mut self,
        items: impl Fn(Dynamic) -> Box<dyn Iterator<Item = Dynamic>> + Send + Sync + 'static,
    ) -> &mut Self {
        self.module.set_iter(TypeId::of::<T>(), items);
        self
    }

    /// The name of a type for `type_of` and messages.
    pub fn register_type_with_name<T: Variant + Clone>(&mut self, name: &str) -> &mut Self {
        self.engine.register_type_with_name::<T>(name);
        self
    }

    /// A function or method, as Rhai's method of this name.
    #[inline]
    pub fn register_fn<A: 'static, const N: usize, const X: bool, R: Variant + Clone, const F: bool>(
        &mut self,
        name: &str,
        function: impl RhaiNativeFunc<A, N, X, R, F> + Send + Sync + 'static,
    ) -> &mut Self {
        self.add(
            FuncRegistration::new(name),
            &parameters(&function),
            function.into_rhai_function(true, false),
        )
    }

    /// A property that can be read.
    #[inline]
    pub fn register_get<A: 'static, const X: bool, R: Variant + Clone, const F: bool>(
        &mut self,
        name: &str,
        getter: impl RhaiNativeFunc<A, 1, X, R, F> + Send + Sync + 'static,
    ) -> &mut Self {
        let types = parameters(&getter);
        self.add(FuncRegistration::new_getter(name), &types, getter.into_rhai_function(true, false))
    }

    /// A property that can be assigned to, not that of a constant.
    pub fn register_set<A: 'static, const X: bool, const F: bool>(
        &mut self,
        name: &str,
        setter: impl RhaiNativeFunc<A, 2, X, (), F> + Send + Sync + 'static,
    ) -> &mut Self {
        self.setter(FuncRegistration::new_setter(name), setter, false)
    }

    /// A setter that Rhai may call on constants too: after a method was called on what a property gave, it assigns that value
    /// to the property again.
    pub fn register_set_of_constant<A: 'static, const X: bool, const F: bool>(
        &mut self,
        name: &str,
        setter: impl RhaiNativeFunc<A, 2, X, (), F> + Send + Sync + 'static,
    ) -> &mut Self {
        self.setter(FuncRegistration::new_setter(name), setter, true)
    }

    /// What `[...]` gives.
    #[inline]
    pub fn register_indexer_get<A: 'static, const X: bool, R: Variant + Clone, const F: bool>(
        &mut self,
        getter: impl RhaiNativeFunc<A, 2, X, R, F> + Send + Sync + 'static,
    ) -> &mut Self {
        let types = parameters(&getter);
        self.add(FuncRegistration::new_index_getter(), &types, getter.into_rhai_function(true, false))
    }

    /// What assigning to `[...]` does, not for a constant.
    pub fn register_indexer_set<A: 'static, const X: bool, const F: bool>(
        &mut self,
        setter: impl RhaiNativeFunc<A, 3, X, (), F> + Send + Sync + 'static,
    ) -> &mut Self {
        self.setter(FuncRegistration::new_index_setter(), setter, false)
    }

    /// As [`Natives::register_set_of_constant`], for `[...]`.
    pub fn register_indexer_set_of_constant<A: 'static, const X: bool, const F: bool>(
        &mut self,
        setter: impl RhaiNativeFunc<A, 3, X, (), F> + Send + Sync + 'static,
    ) -> &mut Self {
        self.setter(FuncRegistration::new_index_setter(), setter, true)
    }

    fn setter<A: 'static, const N: usize, const X: bool, const F: bool>(
        &mut self,
        name: FuncRegistration,
        setter: impl RhaiNativeFunc<A, N, X, (), F> + Send + Sync + 'static,
        of_constants: bool,
    ) -> &mut Self {
        // The part in common refuses a name with a purity.
        name.with_purity(of_constants).set_into_module(&mut self.module, setter);
        self
    }

    /// Not inlined: it is the part that all registrations have in common.
    #[inline(never)]
    fn add(&mut self, name: FuncRegistration, types: &[TypeId], function: RhaiFunc) -> &mut Self {
        name.in_global_namespace().set_into_module_raw(&mut self.module, types, function);
        self
    }
}

fn parameters<A: 'static, const N: usize, const X: bool, R: 'static, const F: bool, T>(_: &T) -> [TypeId; N]
where
    T: RhaiNativeFunc<A, N, X, R, F>,
{
    T::param_types()
}
