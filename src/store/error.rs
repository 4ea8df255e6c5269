//! What goes wrong with a file of the provision directory. It must not know how an error is answered or logged.

use crate::cause::cause;
use std::fmt;
use std::io;

/// An operation on one file (or folder) that failed: ``failed to read `x`: not found``.
#[derive(Debug)]
pub struct StoreError {
    action: &'static str,
    object: String,
    cause: Cause,
}

/// Why it failed.
#[derive(Debug)]
pub enum Cause {
    /// There is no such file; a link without a target counts as none.
    NotFound,
    /// The name is that of a folder.
    IsDirectory,
    /// A part of the name that should be a folder is a file.
    NotDirectory,
    /// A FIFO, socket or device.
    NotRegular,
    /// The file has more bytes than this.
    TooLarge(usize),
    /// A symbolic link leads out of the provision directory and of the ConfigMap mount.
    LeadsOutside,
    /// The file changed each time while it was read; whoever writes it will cause another event.
    Changing,
    /// Too many other files are being sent for this one to be opened too.
    TooManyOpen,
    /// What the system said.
    Io(io::Error),
}

impl StoreError {
    /// `action` is a verb (`read`), `object` the name or path it was done to.
    pub fn new(action: &'static str, object: impl Into<String>, cause: impl Into<Cause>) -> StoreError {
        StoreError { action, object: object.into(), cause: cause.into() }
    }

    /// The reason, for callers that treat some of them in their own way (404, 413 ...).
    pub fn cause(&self) -> &Cause {
        &self.cause
    }
}

impl From<io::Error> for Cause {
    fn from(error: io::Error) -> Cause {
        match error.kind() {
            io::ErrorKind::NotFound => Cause::NotFound,
            io::ErrorKind::IsADirectory => Cause::IsDirectory,
            io::ErrorKind::NotADirectory => Cause::NotDirectory,
            _ => Cause::Io(error),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::NotFound => f.write_str("not found"),
            Cause::IsDirectory => f.write_str("is a directory"),
            Cause::NotDirectory => f.write_str("a part of the path is not a directory"),
            Cause::NotRegular => f.write_str("not a regular file"),
            Cause::TooLarge(limit) => write!(f, "larger than {limit} bytes"),
            Cause::LeadsOutside => f.write_str("a symbolic link leads outside the provision directory"),
            Cause::Changing => f.write_str("changes while it is read"),
            Cause::TooManyOpen => f.write_str("too many other files are being sent"),
            Cause::Io(error) => f.write_str(&cause(error)),
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failed to {} `{}`: {}", self.action, self.object, self.cause)
    }
}

impl std::error::Error for StoreError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_the_file_and_ends_with_the_cause() {
        let denied = io::Error::from(io::ErrorKind::PermissionDenied);
        for (cause, text) in [
            (Cause::from(io::Error::from(io::ErrorKind::NotFound)), "not found"),
            (Cause::from(io::Error::from(io::ErrorKind::IsADirectory)), "is a directory"),
            (Cause::NotDirectory, "a part of the path is not a directory"),
            (Cause::NotRegular, "not a regular file"),
            (Cause::TooLarge(16), "larger than 16 bytes"),
            (Cause::LeadsOutside, "a symbolic link leads outside the provision directory"),
            (Cause::Changing, "changes while it is read"),
            (Cause::TooManyOpen, "too many other files are being sent"),
            (Cause::from(denied), "permission denied"),
        ] {
            let error = StoreError::new("read", "a b", cause);
            assert_eq!(error.to_string(), format!("failed to read `a b`: {text}"));
        }
    }
}
