//! Natives that take Rhai's own lists and maps, for frozen ones: they get a copy of one level.

use super::{Fallible, Plugin};
use crate::script::runtime::budget;
use crate::script::runtime::frozen::{FrozenList, FrozenMap, thaw};
use rhai::plugin::PluginFunc;
use rhai::{Array, Dynamic, Map, NativeCallContext, Shared};
use std::any::TypeId;

/// Returns the frozen type that stands for a type of Rhai.
pub(super) fn frozen(of: TypeId) -> Option<TypeId> {
    match of {
        _ if of == TypeId::of::<Array>() => Some(TypeId::of::<FrozenList>()),
        _ if of == TypeId::of::<Map>() => Some(TypeId::of::<FrozenMap>()),
        _ => None,
    }
}

pub(super) fn is_frozen(of: &TypeId) -> bool {
    [TypeId::of::<FrozenList>(), TypeId::of::<FrozenMap>()].contains(of)
}

/// Returns the function for each combination of frozen values among its arguments.
pub(super) fn variants(types: &[TypeId], function: &Plugin) -> Vec<(Vec<TypeId>, Plugin)> {
    let places: Vec<usize> = (0..types.len()).filter(|place| frozen(types[*place]).is_some()).collect();
    let mut variants = Vec::new();
    for chosen in 1_u32..1 << places.len() {
        let mut types = types.to_vec();
        for (_, place) in places.iter().enumerate().filter(|(bit, _)| chosen & 1 << bit != 0) {
            types[*place] = frozen(types[*place]).unwrap_or(types[*place]);
        }
        let variant = Thawing::new(Callee::Own(function.clone()), &types, !function.is_pure());
        variants.push((types, Shared::new(variant) as Plugin));
    }
    variants
}

/// A native that gets Rhai's own lists and maps in place of frozen ones.
pub(super) struct Thawing {
    callee: Callee,
    /// The places of frozen arguments. A parameter of any type gets a frozen value as it is.
    places: Vec<usize>,
    /// Whether the native changes its first argument.
    changes: bool,
}

pub(super) enum Callee {
    /// A native of h1mock.
    Own(Plugin),
    /// The name of a native of Rhai's packages.
    OfRhai(&'static str),
}

impl Thawing {
    pub(super) fn new(callee: Callee, types: &[TypeId], changes: bool) -> Self {
        let places = (0..types.len()).filter(|place| is_frozen(&types[*place])).collect();
        Thawing { callee, places, changes }
    }

    /// Calls `call` with Rhai's own values in place of the frozen ones. Where the native changes its first argument, that
    /// argument itself is thawed.
    fn with_thawed(
        &self,
        arguments: &mut [&mut Dynamic],
        call: impl FnOnce(&mut [&mut Dynamic]) -> Fallible<Dynamic>,
    ) -> Fallible<Dynamic> {
        let mut first = None;
        for place in &self.places {
            let Some(argument) = arguments.get_mut(*place) else { continue };
            match thaw(argument) {
                // The argument stays frozen: Rhai may hand it back to a property.
                Some(thawed) if *place == 0 && !self.changes => first = Some(thawed),
                Some(thawed) => **argument = thawed,
                None => {}
            }
        }
        let Some(mut first) = first else { return call(arguments) };
        let rest = arguments.iter_mut().skip(1).map(|argument| &mut **argument);
        let mut copied: Vec<&mut Dynamic> = std::iter::once(&mut first).chain(rest).collect();
        call(&mut copied)
    }
}

impl PluginFunc for Thawing {
    fn call(&self, context: Option<NativeCallContext>, arguments: &mut [&mut Dynamic]) -> Fallible<Dynamic> {
        let name = match &self.callee {
            Callee::Own(function) => {
                return self.with_thawed(arguments, |arguments| function.call(context, arguments));
            }
            Callee::OfRhai(name) => name,
        };
        let call = |arguments: &mut [&mut Dynamic]| match context {
            Some(context) => context.call_native_fn_raw(name, true, arguments),
            None => Err(format!("`{name}` was called without a context").into()),
        };
        budget::begin_native()?;
        budget::end_native(self.with_thawed(arguments, call))
    }

    fn is_method_call(&self) -> bool {
        self.changes
    }

    fn has_context(&self) -> bool {
        match &self.callee {
            Callee::Own(function) => function.has_context(),
            Callee::OfRhai(_) => true,
        }
    }

    fn is_pure(&self) -> bool {
        !self.changes
    }
}
