//! `curl URL`: sends one plain HTTP request, as users of the original type it. The room `http_client` speaks HTTP; this file has
//! curl's options, output and exit codes.

mod line;

use super::{Failure, Streams, display};
use crate::cli::{self, Sources};
use crate::http_client::{ClientError, Reply, Request, Url};
use crate::system::io_error::describe_io;
use line::{Data, Line};
use std::ffi::{OsStr, OsString};
use std::{fs, io};

/// Exit codes of curl.
const BAD_URL: u8 = 3;
const UNRESOLVED: u8 = 6;
const NO_CONNECTION: u8 = 7;
const NO_HTTP: u8 = 8;
const REFUSED: u8 = 22;
const NOT_WRITTEN: u8 = 23;
const NOT_READ: u8 = 26;
const LATE: u8 = 28;
const BROKEN: u8 = 56;

pub(super) fn run(args: &[OsString], io: &mut Streams) -> Result<u8, Failure> {
    let line = Line::read(args)?;
    match fetch(&line, io) {
        Err(Failure::Fatal(code, _)) if line.silent && !line.show_errors => Ok(code),
        Err(Failure::Fatal(code, message)) => Err(Failure::Fatal(code, format!("({code}) {message}"))),
        result => result,
    }
}

fn fetch(line: &Line, io: &mut Streams) -> Result<u8, Failure> {
    // A URL without a host leads to the server on this machine.
    let home = cli::server(&Sources::SYSTEM).map_err(Failure::Usage)?;
    let url = Url::parse(&line.url, home.traffic, 80).map_err(failed)?;
    let body = body(&line.data, io)?;
    let headers = line.headers();
    let request = Request {
        method: line.method(),
        url: &url,
        headers: &headers,
        body: body.as_deref(),
        addresses: &[],
        timeout: line.timeout,
    };
    if line.verbose {
        let head = request.head().map_err(failed)?;
        head.lines().for_each(|line| drop(writeln!(io.err, "> {line}")));
    }
    let reply = request.send().map_err(failed)?;
    if line.verbose {
        head(&reply).lines().for_each(|line| drop(writeln!(io.err, "< {line}")));
    }
    let is_refused = line.fail && reply.status >= 400;
    let mut output = if line.include || line.head_only { head(&reply).into_bytes() } else { Vec::new() };
    if !is_refused {
        output.extend(&reply.body);
    }
    write(line, &output, io)?;
    match is_refused {
        true => Err(Failure::Fatal(REFUSED, format!("failed to get `{url}`: {}", reply.status_text()))),
        false => Ok(0),
    }
}

/// Joins the pieces of `-d` and similar options, like the fields of a form.
fn body(data: &[Data], io: &mut Streams) -> Result<Option<Vec<u8>>, Failure> {
    let mut pieces = Vec::new();
    for data in data {
        pieces.push(match data {
            Data::Text(text) => text.clone().into_bytes(),
            Data::File { path, exact } => {
                let mut bytes = Vec::new();
                let read = match path.as_str() {
                    "-" => io.input.read_to_end(&mut bytes).map(drop),
                    path => fs::read(path).map(|content| bytes = content),
                };
                read.map_err(|error| unusable(NOT_READ, "read", path, &error))?;
                bytes.retain(|byte| *exact || !b"\r\n\0".contains(byte));
                bytes
            }
        });
    }
    Ok((!pieces.is_empty()).then(|| pieces.join(&b'&')))
}

fn head(reply: &Reply) -> String {
    let mut head = format!("{}\r\n", reply.line);
    reply.headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
    head + "\r\n"
}

fn write(line: &Line, output: &[u8], io: &mut Streams) -> Result<(), Failure> {
    let Some(path) = line.output.as_ref().filter(|path| *path != "-") else {
        return io.write(output);
    };
    fs::write(path, output).map_err(|error| unusable(NOT_WRITTEN, "write", path, &error))
}

fn unusable(code: u8, verb: &str, path: impl AsRef<OsStr>, error: &io::Error) -> Failure {
    Failure::Fatal(code, format!("failed to {verb} `{}`: {}", display(path), describe_io(error)))
}

fn failed(error: ClientError) -> Failure {
    let code = match error {
        ClientError::Url { .. } => BAD_URL,
        ClientError::Header { .. } => super::USAGE,
        ClientError::Resolve { .. } => UNRESOLVED,
        ClientError::Connect { .. } => NO_CONNECTION,
        ClientError::Exchange { .. } => BROKEN,
        ClientError::Reply { .. } | ClientError::TooLarge { .. } => NO_HTTP,
        ClientError::Late { .. } | ClientError::ConnectLate { .. } => LATE,
    };
    Failure::Fatal(code, error.to_string())
}
