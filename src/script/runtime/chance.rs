//! The random numbers of scripts: those of the test's dice ([`crate::simulation::Dice`]), or of the thread.

use super::call::{self, Call};
use fastrand::Rng;

/// Runs `draw` with the generator of `random.*`. `draw` must not run a script.
///
/// In this order: the seed that the script set for this request, the test's dice, the seed that the provision set when it was
/// loaded, and chance.
pub(crate) fn for_random<T>(draw: impl Fn(&mut Rng) -> T) -> T {
    with_generator(draw, |call| {
        if call.random.is_some() {
            return call.random.as_mut();
        }
        if let Some(generator) = call.conditions.dice.generator() {
            return Some(generator);
        }
        let generator = call.routes.as_ref()?.dice.clone().generator()?.clone();
        Some(call.random.insert(generator))
    })
}

/// Runs `draw` with the generator of identifiers and delays, which no script can seed. `draw` must not run a script.
pub(crate) fn for_identifiers<T>(draw: impl Fn(&mut Rng) -> T) -> T {
    with_generator(draw, |call| call.conditions.dice.generator())
}

/// Fills `bytes` from the test's dice. Returns false without dice.
pub(crate) fn fill(bytes: &mut [u8]) -> bool {
    let filled = |call: &mut Call| call.conditions.dice.generator().map(|generator| generator.fill(bytes));
    call::with(filled).flatten().is_some()
}

/// Sets the generator of `random.*` for the rest of the request; without a seed it comes from the test's dice, or is random. While a
/// provision is loaded, the seed also holds for its requests.
pub(crate) fn seed(seed: Option<i64>) {
    call::with(|call| {
        let seeded = seed.map(|seed| Rng::with_seed(seed.cast_unsigned()));
        let other = || call.conditions.dice.generator().map_or_else(Rng::new, Rng::fork);
        call.random = Some(seeded.unwrap_or_else(other));
        if let Some(loading) = &mut call.loading {
            loading.seed = seed;
        }
    });
}

fn with_generator<T>(draw: impl Fn(&mut Rng) -> T, find: impl FnOnce(&mut Call) -> Option<&mut Rng>) -> T {
    call::with(|call| find(call).map(&draw)).flatten().unwrap_or_else(|| draw(&mut Rng::new()))
}
