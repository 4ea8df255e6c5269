//! The applets: the built binary under its other names, by links as in the image.

mod curl;
mod files;
mod first_process;
mod odd_archives;
mod shell;
mod tar_in;
mod tar_out;

use crate::harness::{Folder, binary, skip_without};
use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

/// A folder with links in `bin` and a working folder `app`.
pub(crate) struct Image {
    folder: Folder,
}

/// The output and exit code of a command.
#[derive(Debug)]
pub(crate) struct Left {
    pub code: i32,
    pub out: Vec<u8>,
    pub err: String,
    /// Whether the command read all of its input.
    pub drained: bool,
}

impl Left {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.out).unwrap()
    }

    /// Returns exit code, standard output and standard error, to compare them at once.
    pub(crate) fn all(&self) -> (i32, &str, &str) {
        (self.code, self.text(), &self.err)
    }
}

impl Image {
    pub(crate) fn new() -> Image {
        let folder = Folder::new();
        fs::create_dir(folder.0.join("bin")).unwrap();
        fs::create_dir(folder.0.join("app")).unwrap();
        for name in ["tar", "test", "[", "touch", "ls", "cat", "sh", "bash", "curl", "h1mock", "zsh"] {
            symlink(binary().get_program(), folder.0.join("bin").join(name)).unwrap();
        }
        Image { folder }
    }

    /// Returns a path below the working folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.0.join("app").join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        self.folder.write(&format!("app/{name}"), text);
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Returns the applet as a command in the working folder, without inherited environment variables.
    pub(crate) fn command(&self, argv: &[&str]) -> Command {
        let mut command = Command::new(self.folder.0.join("bin").join(argv[0]));
        for (name, _) in binary().get_envs() {
            command.env_remove(name);
        }
        command.args(&argv[1..]).current_dir(self.path(""));
        command
    }

    pub(crate) fn run(&self, argv: &[&str]) -> Left {
        self.feed(argv, b"")
    }

    pub(crate) fn feed(&self, argv: &[&str], input: &[u8]) -> Left {
        feed(self.command(argv), input)
    }
}

/// Runs `command` with `input`.
pub(crate) fn feed(mut command: Command, input: &[u8]) -> Left {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let feeder = thread::spawn(move || stdin.write_all(&input).is_ok());
    let output = child.wait_with_output().unwrap();
    Left {
        code: output.status.code().unwrap_or_else(|| -output.status.signal().unwrap()),
        out: output.stdout,
        err: String::from_utf8(output.stderr).unwrap(),
        drained: feeder.join().unwrap(),
    }
}

/// Runs the machine's own tar in `folder`.
pub(crate) fn gnu_tar(folder: &Path, args: &[&str]) -> Vec<u8> {
    let output = Command::new("tar").args(args).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Returns `unshare` with `flags`; the next argument is the shell script that it runs. `None`, after [`skip_without`], where
/// this machine does not allow it.
pub(crate) fn isolated(flags: &[&str]) -> Option<Command> {
    for user in [&[][..], &["--map-root-user"]] {
        let mut unshare = Command::new("unshare");
        unshare.args(user).args(flags);
        let mut attempt = Command::new("unshare");
        let tried = attempt.args(user).args(flags).arg("true").stderr(Stdio::null()).status();
        if tried.is_ok_and(|status| status.success()) {
            unshare.args(["/bin/sh", "-c"]);
            return Some(unshare);
        }
    }
    skip_without("`unshare` with the right to use it");
    None
}

/// Lists all files below `folder` with their kinds and contents, sorted.
pub(crate) fn tree(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            let metadata = path.symlink_metadata().unwrap();
            found.push(if metadata.is_dir() {
                folders.push(path);
                format!("{name}/")
            } else if metadata.is_symlink() {
                format!("{name} -> {}", fs::read_link(&path).unwrap().display())
            } else {
                format!("{name}: {}", String::from_utf8_lossy(&fs::read(&path).unwrap()))
            });
        }
    }
    found.sort();
    found
}

#[test]
fn a_link_of_another_name_is_h1mock() {
    let image = Image::new();
    for name in ["h1mock", "zsh"] {
        assert_eq!(image.run(&[name, "--version"]).all(), (0, "h1mock 1.0.0\n", ""));
    }
}
