//! Reproducible random numbers: each seed begins a sequence, and each draw takes the next step of the sequence.

use crate::system::lock::lock;
use fastrand::Rng;
use std::sync::Mutex;

/// Most seeds of one provision. A script that made a new seed for each request would fill the memory.
const MOST_SEEDS: usize = 1000;

/// The sequences of a provision, sorted by seed. They begin anew with each activation.
#[derive(Debug, Default)]
pub struct Draws(Mutex<Vec<(i64, Rng)>>);

impl Draws {
    /// Returns the generator for one draw: the next of the seed's sequence, or a random generator without a seed.
    ///
    /// # Errors
    /// Too many seeds are in use. The caller puts the name of a function in front of the error.
    pub fn next(&self, seed: Option<i64>) -> Result<Rng, String> {
        let Some(seed) = seed else { return Ok(Rng::new()) };
        let mut sequences = lock(&self.0);
        let at = match sequences.binary_search_by_key(&seed, |(seed, _)| *seed) {
            Ok(at) => at,
            Err(_) if sequences.len() >= MOST_SEEDS => {
                return Err(format!("{MOST_SEEDS} seeds are in use: a seed is a number that stays"));
            }
            Err(at) => {
                sequences.insert(at, (seed, Rng::with_seed(seed.cast_unsigned())));
                at
            }
        };
        Ok(sequences[at].1.fork())
    }
}

/// Checks that `number` is a probability.
///
/// # Errors
/// `number` is not from 0 to 1. The caller puts the name of a field in front of the error.
pub(crate) fn probability(number: f64) -> Result<f64, String> {
    match (0.0..=1.0).contains(&number) {
        true => Ok(number),
        false => Err(format!("{number} is no probability from 0 to 1")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_sequence_again() {
        let sequence = |draws: &Draws, seed| -> Vec<u64> {
            (0..20).map(|_| draws.next(seed).unwrap().u64(..)).collect()
        };
        let (one, two) = (Draws::default(), Draws::default());
        let first = sequence(&one, Some(7));
        assert_eq!(first, sequence(&two, Some(7)));
        assert_ne!(first, sequence(&one, Some(7)), "it goes on");
        assert_ne!(first, sequence(&one, Some(8)));
        assert_ne!(sequence(&one, None), sequence(&one, None));
    }

    #[test]
    fn seeds_are_bounded() {
        let draws = Draws::default();
        assert!((0..1000).all(|seed| draws.next(Some(seed)).is_ok()));
        let error = "1000 seeds are in use: a seed is a number that stays";
        assert_eq!(draws.next(Some(1000)).unwrap_err(), error);
        assert!(draws.next(Some(999)).is_ok() && draws.next(None).is_ok());
    }

    #[test]
    fn probabilities_are_from_0_to_1() {
        assert_eq!((probability(0.0), probability(1.0)), (Ok(0.0), Ok(1.0)));
        for (number, error) in [
            (-0.1, "-0.1 is no probability from 0 to 1"),
            (20.0, "20 is no probability from 0 to 1"),
            (f64::NAN, "NaN is no probability from 0 to 1"),
        ] {
            assert_eq!(probability(number).unwrap_err(), error);
        }
    }
}
