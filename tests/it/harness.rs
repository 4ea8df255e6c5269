//! Starts the binary in a folder of its own and sends requests to it. Each wait has a deadline.

mod client;

pub(crate) use client::{Client, Reply};

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Far longer than any step takes, so that a slow machine causes no failure.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// Deadline for the end of a process: on a busy machine the kernel took 20 s to close an inotify instance.
const EXIT: Duration = Duration::from_secs(60);

/// Sets the flag that ends the clients of a test when it is dropped, also when the test fails.
pub(crate) struct Stop<'s>(pub &'s AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Returns a command that runs the binary under test.
pub(crate) fn binary() -> Command {
    clean(Command::new(env!("CARGO_BIN_EXE_h1mock")))
}

/// Returns a command that runs the binary under a limit of the shell, such as `ulimit -n 64`.
pub(crate) fn binary_under(limit: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{limit}; exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_h1mock")]);
    clean(shell)
}

/// Removes settings of the shell that runs the tests, which must not reach the mock.
fn clean(mut command: Command) -> Command {
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("H1MOCK_")) {
        command.env_remove(name);
    }
    command.env_remove("RUST_LOG");
    command
}

/// A temporary folder. Dropping it removes the folder.
pub(crate) struct Folder(pub PathBuf);

impl Folder {
    pub(crate) fn new() -> Folder {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("h1mock-it-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A running mock.
pub(crate) struct Mock {
    child: Child,
    pub folder: Folder,
    pub traffic: String,
    pub admin: String,
    pub banner: String,
    log: Arc<Mutex<String>>,
    output: Arc<Mutex<String>>,
}

impl Mock {
    /// Starts a mock with the built-in provision only.
    pub(crate) fn start() -> Mock {
        Mock::start_with(&[], |_| ())
    }

    /// Starts a mock with `source` as `initial`.
    pub(crate) fn serving(source: &str) -> Mock {
        Mock::start_with(&[], |folder| folder.write("provision/initial", source))
    }

    /// Starts a mock with further arguments. `prepare` fills its folder, which has `provision` and `config`.
    pub(crate) fn start_with(arguments: &[&str], prepare: impl FnOnce(&Folder)) -> Mock {
        Mock::start_command(binary(), arguments, prepare)
    }

    pub(crate) fn start_command(command: Command, arguments: &[&str], prepare: impl FnOnce(&Folder)) -> Mock {
        let (mut mock, pipe) = Mock::start_unread(command, arguments, prepare);
        mock.read_log(pipe);
        mock
    }

    /// Starts a mock whose log nobody reads, until the test passes the pipe to [`Mock::read_log`].
    pub(crate) fn start_unread(
        command: Command,
        arguments: &[&str],
        prepare: impl FnOnce(&Folder),
    ) -> (Mock, ChildStderr) {
        let folder = Folder::new();
        fs::create_dir(folder.0.join("config")).unwrap();
        prepare(&folder);
        Mock::start_in(folder, command, &[&["--config-dir", "config"], arguments].concat())
    }

    /// Starts a mock in `folder`, on free ports. Returns it with the pipe of its log.
    fn start_in(folder: Folder, mut command: Command, arguments: &[&str]) -> (Mock, ChildStderr) {
        command
            .args(["--bind", "127.0.0.1", "--traffic-port", "0", "--admin-port", "0"])
            .args(arguments)
            .current_dir(&folder.0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut log = child.stderr.take().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut banner = String::new();
        out.read_line(&mut banner).unwrap();
        let output = drain(out);
        if !banner.contains("mock") {
            let mut text = String::new();
            let _ = log.read_to_string(&mut text);
            panic!("the mock did not start: {banner}{text}");
        }
        let traffic = address(&banner, "mock");
        let admin = address(&banner, "admin");
        (Mock { child, folder, traffic, admin, banner, log: Arc::default(), output }, log)
    }

    /// Starts a mock without a mount, for files of the folder that `prepare` fills.
    pub(crate) fn of_files(command: Command, arguments: &[&str], prepare: impl FnOnce(&Folder)) -> Mock {
        let folder = Folder::new();
        prepare(&folder);
        let (mut mock, pipe) = Mock::start_in(folder, command, arguments);
        mock.read_log(pipe);
        mock
    }

    /// Returns the lines on standard output after the banner so far.
    pub(crate) fn output(&self) -> String {
        self.output.lock().unwrap().clone()
    }

    /// Waits until standard output contains `text`.
    #[track_caller]
    pub(crate) fn wait_for_output(&self, text: &str) {
        eventually(|| {
            let output = self.output();
            output.contains(text).then_some(()).ok_or_else(|| format!("{output}\n{}", self.log()))
        });
    }

    /// Starts to read the log.
    pub(crate) fn read_log(&mut self, pipe: ChildStderr) {
        self.log = drain(pipe);
    }

    /// Returns the path of the provision directory.
    pub(crate) fn directory(&self) -> PathBuf {
        self.folder.0.join("provision")
    }

    /// Sends a GET to the mock.
    pub(crate) fn get(&self, target: &str) -> Reply {
        self.send("GET", target, &[], b"")
    }

    pub(crate) fn post(&self, target: &str, kind: &str, body: &[u8]) -> Reply {
        self.send("POST", target, &[("Content-Type", kind)], body)
    }

    /// Sends a request to the mock on a new connection.
    pub(crate) fn send(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        Client::new(&self.traffic).send(method, target, headers, body)
    }

    /// Sends a request to the admin interface, such as `"GET /healthz"`. Checks that JSON ends with a line end, and removes it.
    #[track_caller]
    pub(crate) fn admin(&self, line: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let (method, target) = line.split_once(' ').unwrap();
        let mut reply = Client::new(&self.admin).send(method, target, headers, body);
        if reply.header("Content-Type") == "application/json" && method != "HEAD" {
            assert_eq!(reply.body.pop(), Some(b'\n'), "{line}");
        }
        reply
    }

    /// POSTs a provision.
    pub(crate) fn provision(&self, name: &str, source: &str) -> Reply {
        self.admin(
            &format!("POST /app/v1/provision/{name}"),
            &[("Content-Type", "text/plain")],
            source.as_bytes(),
        )
    }

    /// POSTs a provision that must load. Returns its generation.
    #[track_caller]
    pub(crate) fn activate(&self, name: &str, source: &str) -> u64 {
        let reply = self.provision(name, source);
        assert_eq!(reply.status, 201, "{}", reply.text());
        reply.json()["generation"].as_u64().unwrap()
    }

    /// Returns the active provision: name and generation.
    pub(crate) fn active(&self) -> (String, u64) {
        let ledger = self.admin("GET /app/v1/provision", &[], b"").json();
        let active = &ledger["active"];
        (active["name"].as_str().unwrap().to_owned(), active["generation"].as_u64().unwrap())
    }

    /// Returns the log so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits until the log contains `text`.
    #[track_caller]
    pub(crate) fn wait_for_log(&self, text: &str) {
        eventually(|| self.log().contains(text).then_some(()).ok_or_else(|| self.log()));
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by its name (`TERM`).
    pub(crate) fn signal(&self, name: &str) {
        let sent =
            Command::new("kill").args([&format!("-{name}"), &self.pid().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the end of the process.
    #[track_caller]
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let end = Instant::now() + EXIT;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < end, "the mock still runs after {EXIT:?}: {}", self.stuck());
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Returns the system calls in which its threads wait, and its log.
    fn stuck(&self) -> String {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).into_iter().flatten().flatten();
        let read = |path: PathBuf| fs::read_to_string(path).unwrap_or_default().trim().to_owned();
        let threads = tasks.map(|task| ["comm", "wchan", "syscall"].map(|file| read(task.path().join(file))));
        format!("{:?}\n{}", threads.collect::<Vec<_>>(), self.log())
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn address(banner: &str, listener: &str) -> String {
    if let Ok(line) = serde_json::from_str::<serde_json::Value>(banner) {
        return line[listener].as_str().unwrap_or_default().to_owned();
    }
    let rest = banner.split(&format!(" {listener} ")).nth(1).unwrap_or_default();
    rest.split(',').next().unwrap_or_default().to_owned()
}

/// Reads a pipe to its end, so that the mock never waits for its reader.
fn drain(mut pipe: impl Read + Send + 'static) -> Arc<Mutex<String>> {
    let log = Arc::new(Mutex::new(String::new()));
    let kept = log.clone();
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = pipe.read(&mut buffer) {
            log.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
    });
    kept
}

/// Calls `ask` until it returns `Ok`. Panics with the last error after [`DEADLINE`].
#[track_caller]
pub(crate) fn eventually<T, E: std::fmt::Display>(mut ask: impl FnMut() -> Result<T, E>) -> T {
    let end = Instant::now() + DEADLINE;
    loop {
        match ask() {
            Ok(value) => return value,
            Err(last) => assert!(Instant::now() < end, "not within {DEADLINE:?}: {last}"),
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// Says that a test is skipped because this machine has no `tool` (or right, kernel feature, address family). Fails in CI:
/// `.ci/run` sets `H1MOCK_REQUIRE_TOOLS`.
#[track_caller]
pub(crate) fn skip_without(tool: &str) {
    assert!(std::env::var_os("H1MOCK_REQUIRE_TOOLS").is_none(), "required in CI: {tool}");
    eprintln!("skipped: no {tool}");
}

/// Returns the project's folder.
pub(crate) fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Reads a file of `provisions/`.
pub(crate) fn example(name: &str) -> String {
    fs::read_to_string(project().join("provisions").join(name)).unwrap()
}
