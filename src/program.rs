//! The program: command line -> one command -> exit code.

use crate::cli::{self, Command, Settings, Sources, check, routes, try_command};
use crate::script::runtime::budget::Budget;
use crate::serving::startup;
use crate::system::output::write_all;
use crate::{applet, client};
use std::error::Error;
use std::ffi::OsString;
use std::io::{IsTerminal, Write, stderr, stdout};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Runs the command of `arguments`; the first one is the name by which the program was called.
pub fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    applet::run(arguments, h1mock)
}

fn h1mock(args: Vec<OsString>) -> ExitCode {
    match cli::parse(args, &Sources::SYSTEM) {
        Ok(command) => execute(command).unwrap_or_else(fail),
        Err(error) => {
            // With a time limit: perhaps nobody reads standard error.
            let end = Instant::now() + Duration::from_secs(1);
            let _ = write_all(stderr(), format!("h1mock: {error}\n").as_bytes(), Some(end));
            cli::USAGE.into()
        }
    }
}

fn execute(command: Command) -> Result<ExitCode, Box<dyn Error>> {
    let out = &mut stdout();
    Ok(match command {
        Command::Serve(settings) => startup::serve(settings),
        Command::New(starter) => starter.write()?,
        Command::Check { files, strict, format, settings } => {
            loading(&settings, move |budget| check::check(&files, strict, format, budget))?
        }
        Command::Routes { file, overlays, settings } => {
            let paint = settings.color.paint(out.is_terminal());
            loading(&settings, move |budget| routes::routes(&file, &overlays, budget, paint))?
        }
        Command::Try { trial, settings } => {
            let own = settings.clone();
            loading(&settings, move |budget| try_command::run(&trial, budget, &own))?
        }
        Command::Get { url, any_status, server, timeout } => {
            succeeded(client::get(&url, any_status, &server, timeout, out)?)
        }
        Command::Probe { address, server } => succeeded(client::probe(address.as_deref(), &server)?),
        Command::Wait { goal, timeout, address, server } => {
            succeeded(client::wait(&goal, timeout, address.as_deref(), &server)?)
        }
        Command::Report { fail_on, address, server } => {
            client::report(fail_on, address.as_deref(), &server, out)?.into()
        }
        Command::Help(text) => print(&text),
        Command::Version => print(concat!("h1mock ", env!("CARGO_PKG_VERSION"), "\n")),
    })
}

fn succeeded((): ()) -> ExitCode {
    ExitCode::SUCCESS
}

/// Runs `work` on a thread whose stack is large enough for scripts.
fn loading(
    settings: &Settings,
    work: impl FnOnce(Budget) -> Result<ExitCode, String> + Send + 'static,
) -> Result<ExitCode, Box<dyn Error>> {
    let budget = startup::budget(settings);
    Ok(startup::with_stack(budget, move || work(budget))??)
}

fn print(text: &str) -> ExitCode {
    // A reader such as `head` may have closed the pipe.
    let _ = stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

fn fail(error: Box<dyn Error>) -> ExitCode {
    let _ = writeln!(stderr(), "h1mock: {error}");
    ExitCode::FAILURE
}
