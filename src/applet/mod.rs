//! Applets: the other names of this binary. An image from scratch has links such as `/bin/tar -> h1mock`, for the tools that
//! kubectl, docker and people run inside a container. argv[0] names the applet.

mod cat;
mod condition;
mod curl;
mod listing;
mod ls;
mod shell;
mod tar;
mod touch;

use crate::cli::USAGE;
use crate::system::io_error::describe_io;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, ErrorKind, IsTerminal, Read, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::ExitCode;

/// Exit code when the reader of standard output has left: the one that a shell reports after SIGPIPE.
const CLOSED_PIPE: u8 = 141;
/// Bytes that are read and written at once.
const BUFFER: usize = 64 << 10;

type Run = fn(&[OsString], &mut Streams) -> Result<u8, Failure>;

const APPLETS: [(&str, Run); 7] = [
    ("[", condition::bracket),
    ("cat", cat::run),
    ("curl", curl::run),
    ("ls", ls::run),
    ("tar", tar::run),
    ("test", condition::run),
    ("touch", touch::run),
];

/// The streams of an applet, and the name with which its messages begin.
pub(crate) struct Streams<'a> {
    name: &'static str,
    input: &'a mut dyn Read,
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
}

impl Streams<'_> {
    fn complain(&mut self, message: &str) {
        // Where even standard error is closed, only the exit code is left.
        let _ = writeln!(self.err, "{}: {message}", self.name);
    }

    /// Prints that the applet failed to `verb` (read, list, ...) a file. Returns the exit code.
    fn complain_of(&mut self, verb: &str, file: &OsStr, error: &io::Error) -> u8 {
        self.complain(&format!("failed to {verb} `{}`: {}", display(file), describe_io(error)));
        1
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.out.write_all(bytes).map_err(Failure::output)
    }

    /// Reads standard input to its end: kubectl hangs while it can't send all of its input.
    fn drain(&mut self) {
        let _ = io::copy(self.input, &mut io::sink());
    }
}

#[derive(Debug)]
enum Failure {
    Usage(String),
    /// The applet can't continue: exit code and reason.
    Fatal(u8, String),
    /// The reader of standard output has left.
    ClosedPipe,
}

impl Failure {
    fn usage(message: impl Into<String>) -> Failure {
        Failure::Usage(message.into())
    }

    /// Returns the failure for an error of standard output.
    fn output(error: io::Error) -> Failure {
        match error.kind() {
            ErrorKind::BrokenPipe => Failure::ClosedPipe,
            _ => Failure::Fatal(1, format!("failed to write to standard output: {}", describe_io(&error))),
        }
    }
}

impl From<lexopt::Error> for Failure {
    fn from(error: lexopt::Error) -> Failure {
        Failure::Usage(error.to_string())
    }
}

/// Runs the program that `argv` names: an applet by the file name of its first item, a command of `sh -c`, or, under any
/// other name, `h1mock`, which gets the arguments.
pub(crate) fn run(
    argv: impl IntoIterator<Item = OsString>,
    h1mock: fn(Vec<OsString>) -> ExitCode,
) -> ExitCode {
    let mut args: Vec<OsString> = argv.into_iter().collect();
    let program = if args.is_empty() { OsString::new() } else { args.remove(0) };
    match named(&program) {
        Program::Applet(name, run) => on_streams(name, run, &args, 0).into(),
        Program::Shell(name) => match shell::command(&args) {
            Ok(shell::Command::Run(argv)) => self::run(argv, h1mock),
            Ok(shell::Command::TarFrom { args, skipped }) => {
                on_streams("tar", tar::run, &args, skipped).into()
            }
            Err(message) => {
                let _ = writeln!(io::stderr(), "{name}: {message}");
                USAGE.into()
            }
        },
        Program::H1mock => h1mock(args),
    }
}

/// The meaning of the first item of `argv`.
enum Program {
    Applet(&'static str, Run),
    Shell(&'static str),
    H1mock,
}

/// Finds the program by the exact file name. Other names are h1mock, whatever the binary is called.
fn named(program: &OsStr) -> Program {
    let file_name = Path::new(program).file_name().unwrap_or_default();
    if let Some(&(name, run)) = APPLETS.iter().find(|(name, _)| file_name == *name) {
        return Program::Applet(name, run);
    }
    ["sh", "bash"].into_iter().find(|name| file_name == *name).map_or(Program::H1mock, Program::Shell)
}

/// Runs an applet on the standard streams; drops the first `skipped` bytes of its output.
fn on_streams(name: &'static str, run: Run, args: &[OsString], skipped: u64) -> u8 {
    let is_terminal = io::stdin().is_terminal();
    // The descriptors, since the standard library's own buffers flush at each line.
    let (Ok(input), Ok(out)) = (descriptor(&io::stdin()), descriptor(&io::stdout())) else {
        let _ = writeln!(io::stderr(), "{name}: failed to use standard input and output");
        return 1;
    };
    let mut input = BufReader::with_capacity(BUFFER, input);
    let mut out = BufWriter::with_capacity(BUFFER, Tail { inner: out, skipped });
    let mut streams = Streams { name, input: &mut input, out: &mut out, err: &mut io::stderr() };
    let code = outcome(run(args, &mut streams), &mut streams, is_terminal);
    // A buffer that is dropped directly would try again to write bytes that it could not write before.
    drop(out.into_parts());
    code
}

fn descriptor(stream: &impl AsFd) -> io::Result<File> {
    stream.as_fd().try_clone_to_owned().map(File::from)
}

/// Flushes the output, prints the error and returns the exit code.
fn outcome(result: Result<u8, Failure>, streams: &mut Streams, is_terminal: bool) -> u8 {
    let flushed = streams.out.flush().map_err(Failure::output);
    match result.and_then(|code| flushed.map(|()| code)) {
        Ok(code) => code,
        Err(Failure::ClosedPipe) => CLOSED_PIPE,
        Err(Failure::Fatal(code, message)) => {
            streams.complain(&message);
            code
        }
        Err(Failure::Usage(message)) => {
            streams.complain(&message);
            // At a terminal, the user would have to end the input by hand.
            if streams.name == "tar" && !is_terminal {
                streams.drain();
            }
            USAGE
        }
    }
}

/// A writer that skips the first bytes, as `tail -c+N` does.
struct Tail<W> {
    inner: W,
    skipped: u64,
}

impl<W: Write> Write for Tail<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let skipped = usize::try_from(self.skipped).unwrap_or(usize::MAX).min(bytes.len());
        self.skipped -= skipped as u64;
        match bytes.get(skipped..) {
            Some(rest) if !rest.is_empty() => self.inner.write(rest).map(|written| skipped + written),
            _ => Ok(skipped),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Returns a name as messages and lists show it: in one line, with escapes such as `\n` for control characters.
fn display(name: impl AsRef<OsStr>) -> String {
    let mut line = String::new();
    for letter in name.as_ref().to_string_lossy().chars() {
        match letter.is_control() {
            true => line.extend(letter.escape_default()),
            false => line.push(letter),
        }
    }
    line
}

/// Parses the switches and operands of an applet; `known` has the letters of its switches. It takes no other options.
fn switches(args: &[OsString], known: &str) -> Result<(String, Vec<OsString>), Failure> {
    let (mut given, mut operands) = (String::new(), Vec::new());
    let mut parser = lexopt::Parser::from_args(args);
    let refused = |option: &str| {
        let known: Vec<String> = known.chars().map(|letter| format!("`-{letter}`")).collect();
        let takes = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Failure::usage(format!("unknown option `{option}`: this applet takes {takes}"))
    };
    while let Some(arg) = parser.next()? {
        match arg {
            lexopt::Arg::Short(letter) if known.contains(letter) => given.push(letter),
            lexopt::Arg::Short(letter) => return Err(refused(&format!("-{letter}"))),
            lexopt::Arg::Long(name) => return Err(refused(&format!("--{name}"))),
            lexopt::Arg::Value(operand) => operands.push(operand),
        }
    }
    Ok((given, operands))
}

#[cfg(test)]
mod tests;
