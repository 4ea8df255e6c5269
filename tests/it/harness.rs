//! Starts the binary in a folder of its own and speaks to it. Everything that waits has a deadline.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Far more than anything here takes; a slow machine is no failure.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// The binary under test.
pub fn binary() -> Command {
    clean(Command::new(env!("CARGO_BIN_EXE_h1mock")))
}

/// The binary under a limit of the shell, such as `ulimit -n 64`.
pub fn binary_under(limit: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{limit}; exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_h1mock")]);
    clean(shell)
}

/// Settings of the shell that runs the tests must not reach the mock.
fn clean(mut command: Command) -> Command {
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("H1MOCK_")) {
        command.env_remove(name);
    }
    command.env_remove("RUST_LOG");
    command
}

/// A folder that is removed when the test ends.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("h1mock-it-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub fn write(&self, name: &str, text: &str) {
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
pub struct Mock {
    child: Child,
    pub folder: Folder,
    pub traffic: String,
    pub admin: String,
    pub banner: String,
    log: Arc<Mutex<String>>,
}

impl Mock {
    /// With no provision but the built-in one.
    pub fn start() -> Mock {
        Mock::start_with(&[], |_| ())
    }

    /// With `source` as `initial`.
    pub fn serving(source: &str) -> Mock {
        Mock::start_with(&[], |folder| folder.write("provision/initial", source))
    }

    /// With further arguments, in a folder that `prepare` fills: `provision` and `config` are in it.
    pub fn start_with(arguments: &[&str], prepare: impl FnOnce(&Folder)) -> Mock {
        Mock::start_command(binary(), arguments, prepare)
    }

    pub fn start_command(mut command: Command, arguments: &[&str], prepare: impl FnOnce(&Folder)) -> Mock {
        let folder = Folder::new();
        prepare(&folder);
        command
            .args([
                "--bind",
                "127.0.0.1",
                "--traffic-port",
                "0",
                "--admin-port",
                "0",
                "--config-dir",
                "config",
            ])
            .args(arguments)
            .current_dir(&folder.0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let log = drain(child.stderr.take().unwrap());
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut banner = String::new();
        out.read_line(&mut banner).unwrap();
        thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
        if !banner.contains("mock") {
            thread::sleep(Duration::from_millis(50));
            panic!("the mock did not start: {banner}{}", log.lock().unwrap());
        }
        let traffic = address(&banner, "mock");
        let admin = address(&banner, "admin");
        Mock { child, folder, traffic, admin, banner, log }
    }

    /// The provision directory.
    pub fn directory(&self) -> PathBuf {
        self.folder.0.join("provision")
    }

    /// GET of the mock.
    pub fn get(&self, target: &str) -> Reply {
        self.send("GET", target, &[], b"")
    }

    pub fn post(&self, target: &str, kind: &str, body: &[u8]) -> Reply {
        self.send("POST", target, &[("Content-Type", kind)], body)
    }

    /// A request to the mock on a connection of its own.
    pub fn send(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        Client::new(&self.traffic).send(method, target, headers, body)
    }

    /// A request to the admin interface, such as `"GET /healthz"`.
    pub fn admin(&self, line: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let (method, target) = line.split_once(' ').unwrap();
        Client::new(&self.admin).send(method, target, headers, body)
    }

    /// POSTs a provision.
    pub fn provision(&self, name: &str, source: &str) -> Reply {
        self.admin(
            &format!("POST /app/v1/provision/{name}"),
            &[("Content-Type", "text/plain")],
            source.as_bytes(),
        )
    }

    /// POSTs a provision that must load; gives its generation.
    #[track_caller]
    pub fn activate(&self, name: &str, source: &str) -> u64 {
        let reply = self.provision(name, source);
        assert_eq!(reply.status, 201, "{}", reply.text());
        reply.json()["generation"].as_u64().unwrap()
    }

    /// The active provision: name and generation.
    pub fn active(&self) -> (String, u64) {
        let ledger = self.admin("GET /app/v1/provision", &[], b"").json();
        let active = &ledger["active"];
        (active["name"].as_str().unwrap().to_owned(), active["generation"].as_u64().unwrap())
    }

    /// What was logged so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits until the log has `text`.
    #[track_caller]
    pub fn wait_for_log(&self, text: &str) {
        eventually(|| self.log().contains(text).then_some(()).ok_or_else(|| self.log()));
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by its name (`TERM`).
    pub fn signal(&self, name: &str) {
        let sent =
            Command::new("kill").args([&format!("-{name}"), &self.pid().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the end of the process.
    #[track_caller]
    pub fn wait(&mut self) -> ExitStatus {
        eventually(|| self.child.try_wait().unwrap().ok_or("the mock still runs"))
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

/// Asks again until it is there, or fails with the last answer.
#[track_caller]
pub fn eventually<T, E: std::fmt::Display>(mut ask: impl FnMut() -> Result<T, E>) -> T {
    let end = Instant::now() + DEADLINE;
    loop {
        match ask() {
            Ok(value) => return value,
            Err(last) => assert!(Instant::now() < end, "not within {DEADLINE:?}: {last}"),
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// One answer.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub reason: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The first value of a header; empty where it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.all(name).first().copied().unwrap_or_default()
    }

    pub fn all(&self, name: &str) -> Vec<&str> {
        let same = self.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        same.map(|(_, value)| value.as_str()).collect()
    }
}

/// A keep-alive connection.
pub struct Client(BufReader<TcpStream>);

impl Client {
    #[track_caller]
    pub fn new(address: &str) -> Client {
        Client::connect(address, DEADLINE).unwrap()
    }

    /// A connection on which nothing takes longer than `deadline`.
    pub fn connect(address: &str, deadline: Duration) -> std::io::Result<Client> {
        let address: SocketAddr = address.parse().map_err(std::io::Error::other)?;
        let stream = TcpStream::connect_timeout(&address, deadline)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(deadline))?;
        stream.set_write_timeout(Some(deadline))?;
        Ok(Client(BufReader::new(stream)))
    }

    /// The socket, for its options.
    pub fn stream(&self) -> &TcpStream {
        self.0.get_ref()
    }

    /// Sends a request and reads its answer.
    #[track_caller]
    pub fn send(&mut self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        self.try_send(method, target, headers, body).unwrap()
    }

    pub fn try_send(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> std::io::Result<Reply> {
        let mut head = format!("{method} {target} HTTP/1.1\r\n");
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            head += "Host: mock.test\r\n";
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        if !body.is_empty() || method == "POST" || method == "PUT" {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        self.try_write(format!("{head}\r\n").as_bytes())?;
        // The mock may answer and close before it has read a body that is too long.
        let _ = self.try_write(body);
        self.try_read(method == "HEAD")
    }

    #[track_caller]
    pub fn write(&mut self, bytes: &[u8]) {
        self.try_write(bytes).unwrap();
    }

    pub fn try_write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.0.get_mut().write_all(bytes)
    }

    /// Reads one answer.
    #[track_caller]
    pub fn read(&mut self, head_only: bool) -> Reply {
        self.try_read(head_only).unwrap()
    }

    pub fn try_read(&mut self, head_only: bool) -> std::io::Result<Reply> {
        let line = self.line()?;
        let mut words = line.splitn(3, ' ');
        let status = words.nth(1).and_then(|code| code.parse().ok()).ok_or_else(|| broken(&line))?;
        let reason = words.next().unwrap_or_default().to_owned();
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').ok_or_else(|| broken(&line))?;
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
        let mut reply = Reply { status, reason, headers, body: Vec::new() };
        let length = reply.header("content-length").parse().unwrap_or(0);
        if !head_only && status != 304 {
            reply.body = vec![0; length];
            self.0.read_exact(&mut reply.body)?;
        }
        Ok(reply)
    }

    /// What comes, read by read.
    pub fn reader(&mut self) -> &mut impl Read {
        &mut self.0
    }

    /// What comes until the mock ends the connection.
    pub fn rest(&mut self) -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.0.read_to_end(&mut bytes).map(|_| bytes)
    }

    fn line(&mut self) -> std::io::Result<String> {
        let mut bytes = Vec::new();
        self.0.read_until(b'\n', &mut bytes)?;
        match bytes.strip_suffix(b"\r\n") {
            Some(line) => Ok(String::from_utf8_lossy(line).into_owned()),
            None => Err(broken(&String::from_utf8_lossy(&bytes))),
        }
    }
}

fn broken(line: &str) -> std::io::Error {
    std::io::Error::other(format!("no answer but `{line}`"))
}

/// The project's folder.
pub fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file of `provisions/`.
pub fn example(name: &str) -> String {
    fs::read_to_string(project().join("provisions").join(name)).unwrap()
}
