//! Flow 1: socket -> request -> handler -> answer -> socket.

pub mod handler;
pub mod http;
pub mod limits;
pub mod listeners;
pub mod pending;
pub mod refusal;
pub mod startup;
pub mod timer;
