//! The server: turns events into requests, and sends answers.

pub(crate) mod absent;
pub(crate) mod accept;
pub(crate) mod alarm;
pub(crate) mod answer;
pub(crate) mod deadlines;
pub(crate) mod events;
pub(crate) mod growing;
pub(crate) mod jobs;
pub(crate) mod leader;
pub(crate) mod memory;
pub(crate) mod reactor;
pub(crate) mod receive;
pub(crate) mod refuse;
pub(crate) mod rest;
pub(crate) mod state;
pub(crate) mod watched;

#[cfg(test)]
mod tests;
