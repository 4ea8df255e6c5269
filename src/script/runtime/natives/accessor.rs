//! Getters and setters. A setter distinguishes an assignment of a script from a value that Rhai hands back after a chain.
//!
//! After `store["k"].split(",").len()` Rhai assigns the rest of the value that it has read back to `store["k"]`: `()`, where a
//! native took the value. This is no assignment of the script and must not change `store`.

use super::{Fallible, Plugin, Use};
use crate::script::runtime::chain;
use rhai::plugin::PluginFunc;
use rhai::{Dynamic, NativeCallContext};

pub(super) struct Accessor {
    pub by: Use,
    pub function: Plugin,
}

impl PluginFunc for Accessor {
    fn call(&self, context: Option<NativeCallContext>, arguments: &mut [&mut Dynamic]) -> Fallible<Dynamic> {
        let target = arguments.first().map_or(0, |target| std::ptr::from_ref::<Dynamic>(target) as usize);
        let level = context.as_ref().map_or(0, NativeCallContext::call_level);
        // Rhai calls getters and setters of an index one level deeper.
        let level = if matches!(self.by, Use::Get | Use::Set) { level + 1 } else { level };
        if matches!(self.by, Use::Get | Use::IndexGet) {
            let value = self.function.call(context, arguments)?;
            if !value.is_unit() {
                chain::read(level, target);
            }
            return Ok(value);
        }
        let was_read = chain::was_read(level, target);
        if was_read && arguments.last().is_some_and(|value| value.is_unit()) {
            return Ok(Dynamic::UNIT);
        }
        self.function.call(context, arguments)
    }

    fn is_method_call(&self) -> bool {
        // Otherwise Rhai would give the function a copy of the target, and the setter another one.
        true
    }

    fn has_context(&self) -> bool {
        true
    }

    fn is_pure(&self) -> bool {
        self.function.is_pure()
    }
}
