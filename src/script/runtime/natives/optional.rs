//! Natives whose last argument may be left out, such as `redirect(url)` and `redirect(url, code)`.

use super::function::{Native, NativeFn};
use super::{Fallible, Natives, Plugin, Use};
use rhai::plugin::PluginFunc;
use rhai::{Dynamic, NativeCallContext, Shared};
use smallvec::SmallVec;

/// A native without its last parameter.
struct WithDefault {
    function: Plugin,
    /// The value of the last parameter.
    default: Dynamic,
}

impl PluginFunc for WithDefault {
    fn call(&self, context: Option<NativeCallContext>, arguments: &mut [&mut Dynamic]) -> Fallible<Dynamic> {
        let mut last = self.default.clone();
        let given = arguments.iter_mut().map(|argument| &mut **argument);
        let mut all: SmallVec<[&mut Dynamic; 8]> = given.chain([&mut last]).collect();
        self.function.call(context, &mut all)
    }

    fn is_method_call(&self) -> bool {
        self.function.is_method_call()
    }

    fn has_context(&self) -> bool {
        self.function.has_context()
    }

    fn is_pure(&self) -> bool {
        self.function.is_pure()
    }
}

impl Natives<'_> {
    /// Registers `function` with and without its last parameter; `default` is the value of the parameter where the call has
    /// no argument for it.
    pub(crate) fn register_optional<S: 'static, F: Native<S>>(
        &mut self,
        name: &str,
        default: impl Into<Dynamic>,
        function: F,
    ) -> &mut Self {
        let function: Plugin = Shared::new(NativeFn::new(name, function, true));
        #[cfg(test)]
        self.signatures.returns(F::RESULT);
        let without = WithDefault { function: function.clone(), default: default.into() };
        self.add(Use::Call, name, &F::TYPES[..F::TYPES.len() - 1], Shared::new(without));
        self.add(Use::Call, name, F::TYPES, function)
    }
}
