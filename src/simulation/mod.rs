//! The test's clock and dice: the time that scripts see, and the random numbers that they draw.
//!
//! A test sets both through the administrative port (`/app/v1/clock`, `/app/v1/random`), or the command line does. Only scripts
//! see them: deadlines, sleeps, the header `Date`, the log and the journal keep real time.

mod change;
mod clock;
mod dice;
mod scopes;

pub(crate) use change::{ClockChange, Start};
pub(crate) use clock::{Clock, Reading, Rfc3339, SECOND, Speed};
pub(crate) use dice::Dice;
pub(crate) use scopes::{Scoped, Simulation, members};
