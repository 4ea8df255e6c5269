//! Natives that take different numbers of arguments, of any type, such as `print(a, b, ...)`.

use super::{Fallible, Natives, Use};
use crate::script::runtime::budget;
use rhai::plugin::PluginFunc;
use rhai::{Dynamic, NativeCallContext, Shared};
use std::any::TypeId;
use std::ops::RangeInclusive;

struct Variadic<Function> {
    function: Function,
    /// Number of arguments that the function does not get: 1 for the handle as the receiver, else 0.
    receivers: usize,
}

impl<Function> PluginFunc for Variadic<Function>
where
    Function: Fn(&NativeCallContext, Vec<Dynamic>) -> Fallible<Dynamic> + Send + Sync,
{
    fn call(&self, context: Option<NativeCallContext>, arguments: &mut [&mut Dynamic]) -> Fallible<Dynamic> {
        let Some(context) = context else { return Err("a native was called without a context".into()) };
        // The arguments are copies for this call.
        let values = arguments.iter_mut().skip(self.receivers).map(|argument| argument.take()).collect();
        budget::begin_native()?;
        budget::end_native((self.function)(&context, values))
    }

    fn is_method_call(&self) -> bool {
        self.receivers > 0
    }

    fn has_context(&self) -> bool {
        true
    }
}

impl Natives<'_> {
    /// Registers a function that takes any of the `counts` of arguments, of any types. With a `receiver`, it is a method of a
    /// handle of that type.
    pub(crate) fn register_variadic(
        &mut self,
        name: &str,
        receiver: Option<TypeId>,
        counts: RangeInclusive<usize>,
        function: impl Fn(&NativeCallContext, Vec<Dynamic>) -> Fallible<Dynamic> + Send + Sync + 'static,
    ) {
        let function = Shared::new(Variadic { function, receivers: usize::from(receiver.is_some()) });
        #[cfg(test)]
        self.signatures.is_variadic(true);
        for count in counts {
            let types: Vec<TypeId> =
                receiver.into_iter().chain((0..count).map(|_| TypeId::of::<Dynamic>())).collect();
            self.add(Use::Call, name, &types, function.clone());
        }
        #[cfg(test)]
        self.signatures.is_variadic(false);
    }
}
