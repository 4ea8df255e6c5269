//! Chaos: delays, dribbled bodies and broken connections on purpose.
//!
//! A script asks for them in its response, or a test sets entries for rules (`/app/v1/chaos`). Both end up in the [`Reply`].

mod delay;
mod draws;
mod entry;
mod injected;
mod list;
mod reply;
mod stream_faults;

pub(crate) use delay::{Delay, LONGEST};
pub(crate) use draws::{Draws, probability};
pub(crate) use entry::{Act, Course, Entry, Paths, Target, Text};
pub(crate) use injected::{Breaking, Dribble};
pub use list::Chaos;
pub(crate) use list::ChaosEffect;
pub(crate) use list::Listed;
pub(crate) use reply::Reply;
pub(crate) use stream_faults::{Cut, StreamAct, StreamFaults};
