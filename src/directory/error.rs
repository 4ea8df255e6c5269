//! Errors of files in the provision directory.

use crate::system::io_error::describe_io;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A failed operation on a file or folder: ``failed to read `x`: not found``.
#[derive(Debug)]
pub struct DirectoryError {
    action: &'static str,
    object: String,
    /// The provision directory, if the operation would have changed it, and its preposition in the message. The preposition is
    /// empty if the directory is the object itself.
    changed: Option<(&'static str, PathBuf)>,
    cause: Cause,
}

#[derive(Debug)]
pub enum Cause {
    /// The file does not exist; a link without a target counts as missing.
    NotFound,
    /// The name is the name of a folder.
    IsDirectory,
    /// A folder in the name is a file.
    NotDirectory,
    /// A FIFO, socket or device.
    NotRegular,
    /// The file has more bytes than this limit.
    TooLarge(usize),
    /// A symbolic link leads out of the provision directory and of the ConfigMap mount.
    LeadsOutside,
    /// The file is in this folder of the user, which h1mock never changes.
    NotOwn(PathBuf),
    /// The file changed during each read. Its writer will cause another event.
    Changing,
    /// The file can't be opened, because answers are sending too many other files.
    TooManyOpen,
    /// Another error of the system.
    Io(io::Error),
}

impl DirectoryError {
    /// Makes an error. `action` is a verb (`read`), `object` the name or path of the file.
    pub fn new(action: &'static str, object: impl Into<String>, cause: impl Into<Cause>) -> DirectoryError {
        DirectoryError { action, object: object.into(), changed: None, cause: cause.into() }
    }

    /// Names the provision directory `root` in the message: ``write `x` `` + `to` + `root`. For operations that change it.
    pub fn changing(self, preposition: &'static str, root: &Path) -> DirectoryError {
        DirectoryError { changed: Some((preposition, root.to_owned())), ..self }
    }

    /// Whether the provision directory refuses every change, so that the next change would fail in the same way.
    pub fn refuses_all(&self) -> bool {
        let Cause::Io(error) = &self.cause else { return false };
        let kind = error.kind();
        // A sub-folder may deny the permission that the directory grants.
        let is_root = |preposition: &str| preposition.is_empty() || !self.object.contains('/');
        self.changed.as_ref().is_some_and(|(preposition, _)| match kind {
            io::ErrorKind::ReadOnlyFilesystem => true,
            io::ErrorKind::PermissionDenied => is_root(preposition),
            _ => false,
        })
    }

    /// Returns the cause, for callers that answer some causes in their own way (404, 413 ...).
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
            Cause::NotOwn(folder) => {
                write!(f, "it is in `{}`, where h1mock changes nothing", folder.display())
            }
            Cause::Changing => f.write_str("changes while it is read"),
            Cause::TooManyOpen => f.write_str("too many other files are being sent"),
            Cause::Io(error) => f.write_str(&describe_io(error)),
        }
    }
}

impl fmt::Display for DirectoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failed to {} `{}`", self.action, self.object)?;
        // Other causes are those of the file and not of the directory.
        if let (Some((preposition @ ("to" | "from"), root)), Cause::Io(_)) = (&self.changed, &self.cause) {
            write!(f, " {preposition} the provision directory `{}`", root.display())?;
        }
        write!(f, ": {}", self.cause)?;
        if self.refuses_all() {
            f.write_str("; mount a writable volume there or choose another folder by `--provision-dir`")?;
        }
        Ok(())
    }
}

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
            let error = DirectoryError::new("read", "a b", cause);
            assert_eq!(error.to_string(), format!("failed to read `a b`: {text}"));
        }
    }

    #[test]
    fn a_directory_that_refuses_is_named_with_the_way_out() {
        const HINT: &str = "; mount a writable volume there or choose another folder by `--provision-dir`";
        const DENIED: i32 = 13;
        const FULL: i32 = 28;
        const READ_ONLY: i32 = 30;
        for (action, name, to, number, text, hint) in [
            (
                "write",
                "a",
                "to",
                READ_ONLY,
                "`a` to the provision directory `/d`: read-only file system",
                HINT,
            ),
            (
                "write",
                "s/a",
                "to",
                READ_ONLY,
                "`s/a` to the provision directory `/d`: read-only file system",
                HINT,
            ),
            ("write", "a", "to", DENIED, "`a` to the provision directory `/d`: permission denied", HINT),
            ("remove", "a", "from", DENIED, "`a` from the provision directory `/d`: permission denied", HINT),
            ("open the provision directory", "/d", "", DENIED, "`/d`: permission denied", HINT),
            // The sub-folder may be another user's, and a full volume is a writable one.
            ("write", "s/a", "to", DENIED, "`s/a` to the provision directory `/d`: permission denied", ""),
            ("write", "a", "to", FULL, "`a` to the provision directory `/d`: no space left on device", ""),
        ] {
            let error = DirectoryError::new(action, name, io::Error::from_raw_os_error(number));
            assert!(!error.refuses_all(), "nothing was to be changed");
            let error = error.changing(to, Path::new("/d"));
            assert_eq!(error.to_string(), format!("failed to {action} {text}{hint}"));
            assert_eq!(error.refuses_all(), !hint.is_empty());
        }
        let folder = DirectoryError::new("write", "a", Cause::IsDirectory).changing("to", Path::new("/d"));
        assert_eq!(folder.to_string(), "failed to write `a`: is a directory");
    }
}
