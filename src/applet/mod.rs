//! The other names of this binary: an image from scratch has links `/bin/tar -> h1mock` and so on for what kubectl,
//! docker and people run inside a container. argv[0] says which one it is. Applets know files, streams and the HTTP
//! client, nothing of the server.

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

/// Exit code when the reader of standard output has left: what a shell reports of a process that SIGPIPE ended.
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

/// What an applet reads and writes, and the name that its messages begin with.
pub(crate) struct Streams<'a> {
    name: &'static str,
    input: &'a mut dyn Read,
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
}

impl Streams<'_> {
    fn complain(&mut self, message: &str) {
        // Where even standard error is closed the exit code has to do.
        let _ = writeln!(self.err, "{}: {message}", self.name);
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.out.write_all(bytes).map_err(Failure::output)
    }

    /// Reads standard input to its end: kubectl hangs if it can't get rid of what it sends.
    fn drain(&mut self) {
        let _ = io::copy(self.input, &mut io::sink());
    }
}

#[derive(Debug)]
enum Failure {
    Usage(String),
    /// Nothing more can be done; the exit code, and why.
    Fatal(u8, String),
    /// Nobody reads standard output any more.
    ClosedPipe,
}

impl Failure {
    fn usage(message: impl Into<String>) -> Failure {
        Failure::Usage(message.into())
    }

    /// `error` is one of standard output.
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

/// Runs what `argv` names: an applet by the file name of its first item, a command by way of `sh -c`, and `h1mock`,
/// which gets the arguments, under any other name.
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

/// What a name on the command line stands for.
enum Program {
    Applet(&'static str, Run),
    Shell(&'static str),
    H1mock,
}

/// By the exact file name of `program`; whatever the binary itself is called, it is h1mock.
fn named(program: &OsStr) -> Program {
    let file_name = Path::new(program).file_name().unwrap_or_default();
    if let Some(&(name, run)) = APPLETS.iter().find(|(name, _)| file_name == *name) {
        return Program::Applet(name, run);
    }
    ["sh", "bash"].into_iter().find(|name| file_name == *name).map_or(Program::H1mock, Program::Shell)
}

/// Runs an applet on the standard streams; the first `skipped` bytes of its output are thrown away.
fn on_streams(name: &'static str, run: Run, args: &[OsString], skipped: u64) -> u8 {
    let is_terminal = io::stdin().is_terminal();
    // The descriptors themselves: the buffers of the standard library flush at each line.
    let (Ok(input), Ok(out)) = (descriptor(&io::stdin()), descriptor(&io::stdout())) else {
        let _ = writeln!(io::stderr(), "{name}: failed to use standard input and output");
        return 1;
    };
    let mut input = BufReader::with_capacity(BUFFER, input);
    let mut out = BufWriter::with_capacity(BUFFER, Tail { inner: out, skipped });
    let mut streams = Streams { name, input: &mut input, out: &mut out, err: &mut io::stderr() };
    let code = outcome(run(args, &mut streams), &mut streams, is_terminal);
    // What the buffer could not get rid of it would try again when it is dropped.
    drop(out.into_parts());
    code
}

fn descriptor(stream: &impl AsFd) -> io::Result<File> {
    stream.as_fd().try_clone_to_owned().map(File::from)
}

/// Writes what is left, says what went wrong, and gives the exit code.
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
            // Somebody at a terminal would have to end it by hand.
            if streams.name == "tar" && !is_terminal {
                streams.drain();
            }
            USAGE
        }
    }
}

/// Output from a certain byte on, as `tail -c+N` gives it.
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

/// The switches and the operands of an applet that has the switches `known`, each a letter, and no other options.
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
