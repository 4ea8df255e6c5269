//! Misbehaviour on purpose: delays, dribbled bodies, broken connections. What a response of a script asks for, and what is set for
//! rules from outside; both meet in the reply. Knows neither scripts nor connections.

mod delay;
mod draws;
mod entry;
mod injected;
mod list;
mod reply;

pub(crate) use delay::{Delay, LONGEST};
pub(crate) use draws::{Draws, probability};
pub(crate) use entry::{Act, Course, Entry, Paths, Target, Text};
pub(crate) use injected::{Breaking, Dribble};
pub use list::Chaos;
pub(crate) use list::Listed;
pub(crate) use reply::Reply;
