//! Natives that take Rhai's own lists and maps, for frozen ones: they get a copy of one level.

use super::{Fallible, Plugin};
use crate::script::runtime::budget;
use crate::script::runtime::frozen::{FrozenList, FrozenMap, thaw};
use rhai::plugin::PluginFunc;
use rhai::{Array, Dynamic, Map, NativeCallContext, Shared};
use std::any::TypeId;

/// The type of frozen values that stands for a type of Rhai.
fn frozen(of: TypeId) -> Option<TypeId> {
    match of {
        _ if of == TypeId::of::<Array>() => Some(TypeId::of::<FrozenList>()),
        _ if of == TypeId::of::<Map>() => Some(TypeId::of::<FrozenMap>()),
        _ => None,
    }
}

pub(super) fn has_list_or_map(types: &[TypeId]) -> bool {
    types.iter().any(|of| frozen(*of).is_some())
}

pub(super) fn has_frozen(types: &[TypeId]) -> bool {
    let frozen = [TypeId::of::<FrozenList>(), TypeId::of::<FrozenMap>()];
    types.iter().any(|of| frozen.contains(of))
}

/// Which arguments are frozen values: what takes any value gets it as it is.
fn frozen_places(types: &[TypeId]) -> Vec<usize> {
    (0..types.len()).filter(|place| has_frozen(&types[*place..=*place])).collect()
}

/// The function for each way to have frozen values among its arguments.
pub(super) fn variants(types: &[TypeId], function: &Plugin) -> Vec<(Vec<TypeId>, Plugin)> {
    let places: Vec<usize> = (0..types.len()).filter(|place| frozen(types[*place]).is_some()).collect();
    let mut variants = Vec::new();
    for chosen in 1_u32..1 << places.len() {
        let mut types = types.to_vec();
        for (_, place) in places.iter().enumerate().filter(|(bit, _)| chosen & 1 << bit != 0) {
            types[*place] = frozen(types[*place]).unwrap_or(types[*place]);
        }
        let variant = Thawing { function: function.clone(), places: frozen_places(&types) };
        variants.push((types, Shared::new(variant) as Plugin));
    }
    variants
}

/// Calls `call` with Rhai's own values in place of the frozen ones at `places`. What `changes` its first argument has that
/// thawed where it is.
fn with_thawed(
    arguments: &mut [&mut Dynamic],
    places: &[usize],
    changes: bool,
    call: impl FnOnce(&mut [&mut Dynamic]) -> Fallible<Dynamic>,
) -> Fallible<Dynamic> {
    let mut first = None;
    for place in places {
        let Some(argument) = arguments.get_mut(*place) else { continue };
        match thaw(argument) {
            // The frozen value stays where it is: Rhai may hand it back.
            Some(thawed) if *place == 0 && !changes => first = Some(thawed),
            Some(thawed) => **argument = thawed,
            None => {}
        }
    }
    let Some(mut first) = first else { return call(arguments) };
    let rest = arguments.iter_mut().skip(1).map(|argument| &mut **argument);
    let mut copied: Vec<&mut Dynamic> = std::iter::once(&mut first).chain(rest).collect();
    call(&mut copied)
}

/// A native of ours.
struct Thawing {
    function: Plugin,
    places: Vec<usize>,
}

impl Thawing {
    fn changes(&self) -> bool {
        !self.function.is_pure()
    }
}

impl PluginFunc for Thawing {
    fn call(&self, context: Option<NativeCallContext>, arguments: &mut [&mut Dynamic]) -> Fallible<Dynamic> {
        with_thawed(arguments, &self.places, self.changes(), |arguments| {
            self.function.call(context, arguments)
        })
    }

    fn is_method_call(&self) -> bool {
        self.changes()
    }

    fn has_context(&self) -> bool {
        self.function.has_context()
    }

    fn is_pure(&self) -> bool {
        !self.changes()
    }

    fn is_volatile(&self) -> bool {
        false
    }
}

/// A native of Rhai's packages.
pub(super) struct RhaiNative {
    name: &'static str,
    places: Vec<usize>,
    changes: bool,
}

impl RhaiNative {
    pub(super) fn new(name: &'static str, types: &[TypeId], changes: bool) -> Self {
        RhaiNative { name, places: frozen_places(types), changes }
    }
}

impl PluginFunc for RhaiNative {
    fn call(&self, context: Option<NativeCallContext>, arguments: &mut [&mut Dynamic]) -> Fallible<Dynamic> {
        let call = |arguments: &mut [&mut Dynamic]| match context {
            Some(context) => context.call_native_fn_raw(self.name, true, arguments),
            None => Err(format!("`{}` was called without a context", self.name).into()),
        };
        budget::begin_native()?;
        budget::end_native(with_thawed(arguments, &self.places, self.changes, call))
    }

    fn is_method_call(&self) -> bool {
        self.changes
    }

    fn has_context(&self) -> bool {
        true
    }

    fn is_pure(&self) -> bool {
        !self.changes
    }

    fn is_volatile(&self) -> bool {
        false
    }
}
