//! Why the server could not start.

use crate::directory::DirectoryError;
use crate::script::runtime::fault::LoadError;
use crate::system::descriptors::LEAST;
use crate::system::io_error::describe_io;
use std::net::SocketAddr;
use std::{error, fmt, io};

#[derive(Debug)]
pub(crate) enum StartError {
    /// The system refuses what has to be done, in these words.
    System(&'static str, io::Error),
    Listener(SocketAddr, io::Error),
    /// So few files may be open.
    OpenFiles(u64),
    /// Workers of that name: not one of them.
    Workers(&'static str, io::Error),
    /// The thread that handles signals has ended.
    SignalsLost,
    LoadPanicked,
    /// The memory of the journal.
    Journal(String),
    Directory(DirectoryError),
    /// The first provision.
    Provision(LoadError),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::System(action, error) => write!(f, "failed to {action}: {}", describe_io(error)),
            StartError::Listener(address, error) => {
                write!(f, "failed to listen on `{address}`: {}", describe_io(error))
            }
            StartError::OpenFiles(limit) => {
                write!(
                    f,
                    "the limit of {limit} open files is too low: h1mock needs {LEAST} (`ulimit -n {LEAST}`, or in a container `--ulimit nofile={LEAST}`)"
                )
            }
            StartError::Workers(name, error) => {
                write!(f, "failed to start {name} workers: {}", describe_io(error))
            }
            StartError::SignalsLost => f.write_str("failed to wait for signals: the thread is gone"),
            StartError::LoadPanicked => f.write_str("failed to load: the thread panicked"),
            StartError::Journal(error) => f.write_str(error),
            StartError::Directory(error) => error.fmt(f),
            StartError::Provision(error) => error.fmt(f),
        }
    }
}

impl error::Error for StartError {}
