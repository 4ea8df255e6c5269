//! The program: calls the library, whose table of contents is `lib.rs`.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: h1mock::Allocator = h1mock::ALLOCATOR;

fn main() -> ExitCode {
    h1mock::run(std::env::args_os())
}
