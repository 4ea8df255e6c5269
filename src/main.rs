//! The program. What it does is in the library: `lib.rs` is its table of contents.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: h1mock::Allocator = h1mock::ALLOCATOR;

fn main() -> ExitCode {
    h1mock::run(std::env::args_os())
}
