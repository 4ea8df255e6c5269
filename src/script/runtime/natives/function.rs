//! The conversion of a Rust function to one that Rhai calls with script values.
//!
//! Rhai has a similar trait (`RhaiNativeFunc`), but there each of 400 functions has its own copy of the code that takes
//! arguments out of values: 150 KB. Here all functions share one copy for each type.

use super::Fallible;
use crate::script::runtime::budget;
use crate::script::runtime::frozen::{FrozenList, FrozenMap};
use crate::script::runtime::large_int::LargeInt;
use rhai::plugin::PluginFunc;
use rhai::{Array, Blob, Dynamic, DynamicWriteLock, FnPtr, ImmutableString, Map, NativeCallContext, Variant};
use std::any::TypeId;
use std::marker::PhantomData;
use std::ops::{Range, RangeInclusive};

/// A function that scripts can call. Its parameters are `&mut T` or `Receiver<T>` (only the first one), `&str` or a
/// [`ScriptValue`]; its result is a [`Returned`]. The compiler infers `Signature`, by which it distinguishes functions with
/// other parameters.
pub(crate) trait Native<Signature>: Send + Sync + 'static {
    /// The types of the arguments, by which Rhai chooses among functions of one name.
    const TYPES: &'static [TypeId];
    /// Whether the first argument is the receiver itself, and not a copy.
    const METHOD: bool;
    /// Whether the function takes the context of the call.
    const CONTEXT: bool;
    /// The type of the result, for `docs/h1mock.d.rhai`.
    #[cfg(test)]
    const RESULT: TypeId;

    /// Calls the function. Rhai has checked the number and the types of the arguments.
    fn call(&self, context: Option<NativeCallContext>, arguments: &mut [&mut Dynamic]) -> Fallible<Dynamic>;
}

/// A native in the form that Rhai calls. A plugin is smaller than a `Fn`, which has two more functions for each native.
pub(super) struct NativeFn<Signature, Function> {
    function: Function,
    of_constants: bool,
    /// Whether a call that is over its budget may still call the native. Where `to_string` fails, Rhai prints in a form without
    /// a limit.
    always: bool,
    shape: PhantomData<fn(Signature)>,
}

impl<Signature, Function> NativeFn<Signature, Function> {
    /// Makes a native. `of_constants` says whether scripts may call it on a constant.
    pub(super) fn new(name: &str, function: Function, of_constants: bool) -> Self {
        let always = matches!(name, "to_string" | "to_debug");
        NativeFn { function, of_constants, always, shape: PhantomData }
    }
}

impl<Signature, Function: Native<Signature>> PluginFunc for NativeFn<Signature, Function> {
    fn call(&self, context: Option<NativeCallContext>, arguments: &mut [&mut Dynamic]) -> Fallible<Dynamic> {
        if self.always {
            return self.function.call(context, arguments);
        }
        budget::begin_native()?;
        budget::end_native(self.function.call(context, arguments))
    }

    fn is_method_call(&self) -> bool {
        Function::METHOD
    }

    fn has_context(&self) -> bool {
        Function::CONTEXT
    }

    fn is_pure(&self) -> bool {
        self.of_constants
    }
}

/// A type that functions take by value and return.
pub(crate) trait ScriptValue: Variant + Clone {}

macro_rules! values {
    ($($type:ty),* $(,)?) => { $(impl ScriptValue for $type {})* };
}

values!(
    (),
    bool,
    char,
    i64,
    f64,
    LargeInt,
    String,
    ImmutableString,
    Array,
    FrozenList,
    Blob,
    Map,
    FrozenMap,
    FnPtr,
    Dynamic,
    Range<i64>,
    RangeInclusive<i64>,
);

/// The result of a function: a [`ScriptValue`], a literal, or a `ScriptValue` unless the function throws.
pub(crate) trait Returned {
    /// The type of the value.
    #[cfg(test)]
    const TYPE: TypeId;

    /// Converts the result to Rhai's type.
    fn outcome(self) -> Fallible<Dynamic>;
}

impl<T: ScriptValue> Returned for T {
    #[cfg(test)]
    const TYPE: TypeId = TypeId::of::<T>();

    fn outcome(self) -> Fallible<Dynamic> {
        Ok(dynamic(self))
    }
}

impl Returned for &'static str {
    #[cfg(test)]
    const TYPE: TypeId = TypeId::of::<ImmutableString>();

    fn outcome(self) -> Fallible<Dynamic> {
        Ok(self.into())
    }
}

impl<T: ScriptValue> Returned for Fallible<T> {
    #[cfg(test)]
    const TYPE: TypeId = TypeId::of::<T>();

    fn outcome(self) -> Fallible<Dynamic> {
        self.map(dynamic)
    }
}

#[inline(never)]
fn dynamic<T: ScriptValue>(value: T) -> Dynamic {
    Dynamic::from(value)
}

/// A parameter of a function that does not use its receiver, such as `random`: only its type matters.
pub(crate) struct Receiver<T>(PhantomData<T>);

/// In a signature: a parameter `&mut T`.
pub(crate) struct ReceiverMut<T>(PhantomData<T>);

/// In a signature: a parameter `&str`.
pub(crate) struct StrArg;

/// In a signature: a parameter `T`.
pub(crate) struct Arg<T>(PhantomData<T>);

/// In a signature: the context of the call, before the parameters.
pub(crate) struct WithContext<Signature>(PhantomData<Signature>);

/// Panics, for arguments of the wrong number or types.
#[cold]
#[inline(never)]
fn unlike() -> ! {
    unreachable!("Rhai chooses functions by the types of arguments")
}

#[inline(never)]
fn itself<T: Variant + Clone>(argument: &mut Dynamic) -> DynamicWriteLock<'_, T> {
    argument.write_lock().unwrap_or_else(|| unlike())
}

/// Takes the text out of the argument, which is a copy for this call: so no second copy is needed.
#[inline(never)]
fn take_text(argument: &mut Dynamic) -> ImmutableString {
    argument.take().cast()
}

#[inline(never)]
fn letters(text: &ImmutableString) -> &str {
    text
}

fn receiver<T>(_: &mut Dynamic) -> Receiver<T> {
    Receiver(PhantomData)
}

/// Takes the value out of the argument. A value from a constant must lose its read-only mark, and a clone has none.
#[inline(never)]
fn take_value<T: ScriptValue>(argument: &mut Dynamic) -> T {
    let value = argument.take();
    if value.is_read_only() { value.clone().cast() } else { value.cast() }
}

/// Implements [`Native`] for functions with these parameters, without and with a context. One by one, the parameters move from
/// behind the semicolon into the lists before it.
///
/// The lists are the type parameters, the parts of the signature, the types of the Rust function's parameters, and the arguments.
/// Each argument has its name, its type, the function that takes it, and the expression that is passed on.
macro_rules! shape {
    ($method:literal {$($generic:tt)*} {$($part:tt)*} {$($takes:tt)*} {$($argument:tt)*}; ReceiverMut $name:ident $type:ident $(, $($rest:tt)*)?) => {
        shape!(true {$($generic)* $type: Variant + Clone,} {$($part)* ReceiverMut<$type>,} {$($takes)* &mut $type,}
            {$($argument)* [$name, $type, itself::<$type>, &mut *$name]}; $($($rest)*)?);
    };
    ($method:literal {$($generic:tt)*} {$($part:tt)*} {$($takes:tt)*} {$($argument:tt)*}; Receiver $name:ident $type:ident $(, $($rest:tt)*)?) => {
        shape!(true {$($generic)* $type: Variant + Clone,} {$($part)* Receiver<$type>,} {$($takes)* Receiver<$type>,}
            {$($argument)* [$name, $type, receiver::<$type>, $name]}; $($($rest)*)?);
    };
    ($method:literal {$($generic:tt)*} {$($part:tt)*} {$($takes:tt)*} {$($argument:tt)*}; StrArg $name:ident $(, $($rest:tt)*)?) => {
        shape!($method {$($generic)*} {$($part)* StrArg,} {$($takes)* &str,}
            {$($argument)* [$name, ImmutableString, take_text, letters(&$name)]}; $($($rest)*)?);
    };
    ($method:literal {$($generic:tt)*} {$($part:tt)*} {$($takes:tt)*} {$($argument:tt)*}; Arg $name:ident $type:ident $(, $($rest:tt)*)?) => {
        shape!($method {$($generic)* $type: ScriptValue,} {$($part)* Arg<$type>,} {$($takes)* $type,}
            {$($argument)* [$name, $type, take_value::<$type>, $name]}; $($($rest)*)?);
    };
    ($method:literal {$($generic:tt)*} {$($part:tt)*} {$($takes:tt)*} {$([$name:ident, $type:ty, $take:expr, $pass:expr])*};) => {
        impl<Function, R: Returned, $($generic)*> Native<($($part)*)> for Function
        where
            Function: Fn($($takes)*) -> R + Send + Sync + 'static,
        {
            const TYPES: &'static [TypeId] = &[$(TypeId::of::<$type>()),*];
            const METHOD: bool = $method;
            const CONTEXT: bool = false;
            #[cfg(test)]
            const RESULT: TypeId = R::TYPE;

            fn call(&self, _: Option<NativeCallContext>, arguments: &mut [&mut Dynamic]) -> Fallible<Dynamic> {
                let [$($name),*] = arguments else { unlike() };
                $(#[allow(unused_mut)] let mut $name = $take($name);)*
                self($($pass),*).outcome()
            }
        }

        impl<Function, R: Returned, $($generic)*> Native<WithContext<($($part)*)>> for Function
        where
            Function: Fn(NativeCallContext, $($takes)*) -> R + Send + Sync + 'static,
        {
            const TYPES: &'static [TypeId] = &[$(TypeId::of::<$type>()),*];
            const METHOD: bool = $method;
            const CONTEXT: bool = true;
            #[cfg(test)]
            const RESULT: TypeId = R::TYPE;

            fn call(&self, context: Option<NativeCallContext>, arguments: &mut [&mut Dynamic]) -> Fallible<Dynamic> {
                let (Some(context), [$($name),*]) = (context, arguments) else { unlike() };
                $(#[allow(unused_mut)] let mut $name = $take($name);)*
                self(context, $($pass),*).outcome()
            }
        }
    };
}

macro_rules! shapes {
    ($(($($parameters:tt)*))*) => { $(shape!(false {} {} {} {}; $($parameters)*);)* };
}

shapes! {
    ()
    (ReceiverMut a A)
    (ReceiverMut a A, StrArg b)
    (ReceiverMut a A, StrArg b, StrArg c)
    (ReceiverMut a A, StrArg b, StrArg c, Arg d D)
    (ReceiverMut a A, StrArg b, StrArg c, Arg d D, Arg e E)
    (ReceiverMut a A, StrArg b, Arg c C)
    (ReceiverMut a A, StrArg b, Arg c C, Arg d D)
    (ReceiverMut a A, StrArg b, Arg c C, Arg d D, Arg e E)
    (ReceiverMut a A, Arg b B)
    (ReceiverMut a A, Arg b B, StrArg c)
    (ReceiverMut a A, Arg b B, Arg c C)
    (ReceiverMut a A, Arg b B, Arg c C, Arg d D)
    (Receiver a A)
    (Receiver a A, StrArg b)
    (Receiver a A, StrArg b, StrArg c)
    (Receiver a A, StrArg b, StrArg c, StrArg d)
    (Receiver a A, StrArg b, StrArg c, StrArg d, Arg e E)
    (Receiver a A, StrArg b, StrArg c, Arg d D)
    (Receiver a A, StrArg b, Arg c C)
    (Receiver a A, StrArg b, Arg c C, Arg d D)
    (Receiver a A, Arg b B)
    (Receiver a A, Arg b B, Arg c C)
    (Receiver a A, Arg b B, Arg c C, StrArg d)
    (Receiver a A, Arg b B, Arg c C, Arg d D)
    (StrArg a)
    (StrArg a, StrArg b)
    (StrArg a, StrArg b, StrArg c)
    (StrArg a, StrArg b, StrArg c, Arg d D)
    (StrArg a, StrArg b, Arg c C)
    (StrArg a, Arg b B)
    (StrArg a, Arg b B, StrArg c)
    (StrArg a, Arg b B, Arg c C)
    (StrArg a, Arg b B, Arg c C, Arg d D)
    (StrArg a, Arg b B, Arg c C, Arg d D, Arg e E)
    (StrArg a, Arg b B, Arg c C, Arg d D, Arg e E, Arg f F)
    (StrArg a, Arg b B, Arg c C, Arg d D, Arg e E, Arg f F, Arg g G)
    (Arg a A)
    (Arg a A, StrArg b)
    (Arg a A, Arg b B)
    (Arg a A, Arg b B, Arg c C)
    (Arg a A, Arg b B, Arg c C, Arg d D)
}
