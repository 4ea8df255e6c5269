//! Listeners, the fixed pools of workers, the guard against panics, and the stop. Knows tiny_http, and neither rules nor scripts.

use crate::access::{AccessLog, Line};
use crate::activation::Activation;
use crate::admin::{self, Admin};
use crate::mock::{self, Handled};
use crate::request::Request;
use crate::response::{self, Answer, Reply};
use crate::running::{One, Running, Turn};
use crate::timer::Timer;
use rustix::net::sockopt::{self, Timeout};
use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Longest time that a client may take to accept the bytes of an answer.
const WRITE_DEADLINE: Duration = Duration::from_secs(10);

/// A bound listener and the workers on it.
pub struct Listener {
    server: Arc<tiny_http::Server>,
    /// The address that it is bound to.
    pub address: SocketAddr,
    workers: Vec<JoinHandle<()>>,
}

/// What all workers share.
pub struct Shared {
    /// Longest body of a request, in bytes.
    pub max_body: usize,
    /// Where answers wait that leave later.
    pub timer: Timer,
    /// Lines of the access log.
    pub access: AccessLog,
    /// Requests that were taken and not yet answered.
    pub running: Running,
    /// Every answer ends its connection.
    pub draining: AtomicBool,
    /// Workers take no more requests.
    pub stopping: AtomicBool,
}

impl Listener {
    /// Binds `address`:`port`; port 0 takes a free one. `::` serves IPv4 too where the system allows it.
    ///
    /// # Errors
    /// ``failed to listen on `0.0.0.0:8000`: address already in use``
    pub fn bind(address: IpAddr, port: u16) -> Result<Listener, String> {
        let wanted = SocketAddr::new(address, port);
        let failed = |cause: String| format!("failed to listen on `{wanted}`: {cause}");
        let listener = TcpListener::bind(wanted).map_err(|error| failed(cause(&error)))?;
        // Both are inherited by accepted connections. Without the first, a body that takes two writes costs 44 ms.
        sockopt::set_tcp_nodelay(&listener, true).map_err(|error| failed(error.to_string()))?;
        sockopt::set_socket_timeout(&listener, Timeout::Send, Some(WRITE_DEADLINE))
            .map_err(|error| failed(error.to_string()))?;
        let address = listener.local_addr().map_err(|error| failed(cause(&error)))?;
        let server =
            tiny_http::Server::from_listener(listener, None).map_err(|error| failed(error.to_string()))?;
        Ok(Listener { server: Arc::new(server), address, workers: Vec::new() })
    }

    /// Starts `count` workers with stacks of `stack` bytes. Where the system refuses some, those that started serve.
    ///
    /// # Errors
    /// Not one could be started.
    pub fn start(
        &mut self,
        name: &str,
        count: usize,
        stack: usize,
        work: Arc<dyn Work>,
    ) -> Result<(), String> {
        for number in 0..count {
            let (server, work) = (self.server.clone(), work.clone());
            let builder = thread::Builder::new().name(format!("{name}-{number}")).stack_size(stack);
            match builder.spawn(move || run(&server, work.as_ref())) {
                Ok(worker) => self.workers.push(worker),
                Err(error) if self.workers.is_empty() => {
                    return Err(format!("failed to start {name} workers: {}", cause(&error)));
                }
                Err(error) => {
                    log::warn!("{} of {count} {name} workers serve: {}", self.workers.len(), cause(&error));
                    break;
                }
            }
        }
        Ok(())
    }

    /// Lets the workers end once they have answered what they took. `Shared::stopping` is set before.
    pub fn stop(self) {
        for _ in &self.workers {
            self.server.unblock();
        }
    }
}

/// The words of an I/O error without its number, lower case.
pub fn cause(error: &io::Error) -> String {
    let text = error.to_string();
    let plain = text.split(" (os error").next().unwrap_or(&text);
    let mut characters = plain.chars();
    characters.next().map(|first| first.to_lowercase().chain(characters).collect()).unwrap_or_default()
}

/// What a worker does with a request.
pub trait Work: Send + Sync {
    /// Answers one request, now or later. Panics are caught outside.
    fn serve(&self, incoming: tiny_http::Request);
    /// State that all workers share.
    fn shared(&self) -> &Shared;
}

fn run(server: &tiny_http::Server, work: &dyn Work) {
    let stopping = || work.shared().stopping.load(Ordering::Acquire);
    while !stopping() {
        match server.recv() {
            Ok(incoming) => guarded(work, incoming),
            Err(error) if stopping() => log::debug!("worker ends: {error}"),
            Err(error) => log::error!("failed to take a request: {}", cause(&error)),
        }
    }
    // Requests that had arrived by then are answered too.
    while let Ok(Some(incoming)) = server.try_recv() {
        guarded(work, incoming);
    }
}

/// A panic costs the request that caused it, and no worker.
fn guarded(work: &dyn Work, incoming: tiny_http::Request) {
    if catch_unwind(AssertUnwindSafe(|| work.serve(incoming))).is_err() {
        // The engine has sent 500 when the request was dropped.
        log::error!("a handler panicked; the worker goes on");
    }
}

/// Takes requests of the mock listener.
pub struct MockWork {
    /// State that all workers share.
    pub shared: Arc<Shared>,
    /// Where the provision comes from.
    pub activation: Arc<Activation>,
    /// Address of the listener.
    pub address: SocketAddr,
}

impl Work for MockWork {
    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn serve(&self, incoming: tiny_http::Request) {
        let guard = self.shared.running.one(incoming.remote_addr());
        let provision = self.activation.current();
        let line = self.shared.line(&incoming, "mock", provision.generation);
        let (request, incoming) = match receive(incoming, self.shared.max_body, self.address) {
            Received::Whole(request, incoming) => (request, incoming),
            Received::TooLarge(incoming) => {
                return self.shared.reply(incoming, line, guard, true)(too_large(self.shared.max_body));
            }
            Received::Broken => return,
        };
        let handled = catch_unwind(AssertUnwindSafe(|| mock::handle(&provision, *request)));
        let Handled { answer, rule } = handled.unwrap_or_else(|_| panicked());
        let rule = rule.map(|index| provision.router.rules()[index].pattern().to_owned());
        let line = line.map(|line| line.served_by(rule));
        let turn = guard.turn();
        let reply = self.shared.reply(incoming, line, guard, false);
        self.shared.leave(answer, reply, turn);
    }
}

fn panicked() -> Handled {
    let text = "a native function panicked while this request was handled: see the log\n";
    Handled { answer: Answer::text(500, text), rule: None }
}

fn too_large(limit: usize) -> Answer {
    let error = crate::script::abort::HttpError {
        description: format!("the body of the request is longer than {limit} bytes (--max-body)"),
        ..crate::script::abort::HttpError::new(413)
    };
    error.page()
}

/// Takes requests of the admin listener.
pub struct AdminWork {
    /// State that all workers share.
    pub shared: Arc<Shared>,
    /// The interface.
    pub admin: Admin,
    /// Address of the listener.
    pub address: SocketAddr,
}

impl Work for AdminWork {
    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn serve(&self, incoming: tiny_http::Request) {
        let guard = self.shared.running.one(incoming.remote_addr());
        let line = self.shared.line(&incoming, "admin", self.admin.activation.generation());
        match receive(incoming, self.shared.max_body, self.address) {
            Received::Whole(request, incoming) => {
                admin::handle(&self.admin, *request, self.shared.reply(incoming, line, guard, false));
            }
            Received::TooLarge(incoming) => {
                self.shared.reply(incoming, line, guard, true)(admin::too_large(self.shared.max_body));
            }
            Received::Broken => {}
        }
    }
}

impl Shared {
    /// The line of the access log for a request that has come, where there is a log.
    fn line(&self, incoming: &tiny_http::Request, listener: &'static str, generation: u64) -> Option<Line> {
        let line = || Line::new(listener, incoming.method().as_str(), incoming.url(), generation);
        self.access.is_on().then(line)
    }

    /// What sends an answer to the client of `incoming`, from any thread. The request counts as running until then.
    fn reply(
        self: &Arc<Self>,
        incoming: tiny_http::Request,
        line: Option<Line>,
        guard: One,
        close: bool,
    ) -> Reply {
        let shared = self.clone();
        Box::new(move |answer| {
            let close = close || shared.draining.load(Ordering::Acquire);
            if let Err(error) = response::send(incoming, &answer, close) {
                log::debug!("the client did not take its answer: {}", cause(&error));
            }
            if let Some(line) = line {
                shared.access.write(&line, &answer);
            }
            drop(guard);
        })
    }

    /// Sends `answer` now, or lets it wait on the timer. On the timer it leaves in its turn: the engine makes the writer of a
    /// pipelined request wait for the one before, which may be due later on that very thread.
    fn leave(&self, answer: Answer, reply: Reply, turn: Turn) {
        if answer.hold.is_zero() {
            return reply(answer);
        }
        let (hold, timer) = (answer.hold, self.timer.clone());
        self.timer.after(hold, Box::new(move || in_turn(&timer, answer, reply, turn)));
    }
}

/// How often an answer that is due looks whether its turn has come.
const TURN: Duration = Duration::from_millis(5);

fn in_turn(timer: &Timer, answer: Answer, reply: Reply, turn: Turn) {
    if turn.has_come() {
        return reply(answer);
    }
    let again = timer.clone();
    timer.after(TURN, Box::new(move || in_turn(&again, answer, reply, turn)));
}

enum Received {
    /// Head and body.
    Whole(Box<Request>, tiny_http::Request),
    /// The body is over the limit.
    TooLarge(tiny_http::Request),
    /// The client went away in the middle.
    Broken,
}

/// Reads the body, which the engine leaves to its caller. The worker waits for it: the engine has no other way.
fn receive(mut incoming: tiny_http::Request, max_body: usize, local: SocketAddr) -> Received {
    if incoming.body_length().is_some_and(|length| length > max_body) {
        return Received::TooLarge(incoming);
    }
    let mut body = Vec::new();
    let limit = u64::try_from(max_body).unwrap_or(u64::MAX - 1) + 1;
    if let Err(error) = incoming.as_reader().take(limit).read_to_end(&mut body) {
        log::debug!("failed to read the body of a request: {}", cause(&error));
        return Received::Broken;
    }
    if body.len() > max_body {
        return Received::TooLarge(incoming);
    }
    let headers = incoming.headers().iter();
    let headers = headers.map(|header| (header.field.as_str().as_str(), header.value.as_str()));
    let (method, target) = (incoming.method().as_str(), incoming.url());
    let remote = incoming.remote_addr().copied();
    let request = Request::from_parts(method, target, headers, body, remote, Some(local));
    Received::Whole(Box::new(request), incoming)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::net::TcpStream;

    struct Panics(Arc<Shared>);

    impl Work for Panics {
        fn serve(&self, _: tiny_http::Request) {
            panic!("a handler may panic");
        }

        fn shared(&self) -> &Shared {
            &self.0
        }
    }

    fn shared() -> Arc<Shared> {
        Arc::new(Shared {
            max_body: 1,
            timer: Timer::start().unwrap(),
            access: AccessLog::new(false, false),
            running: Running::default(),
            draining: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
        })
    }

    #[test]
    fn a_panic_costs_its_request_a_500_and_no_worker() {
        let mut listener = Listener::bind(IpAddr::from([127, 0, 0, 1]), 0).unwrap();
        let shared = shared();
        listener.start("test", 1, 1 << 20, Arc::new(Panics(shared.clone()))).unwrap();
        for _ in 0..3 {
            let mut client = TcpStream::connect(listener.address).unwrap();
            client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
            let mut answer = [0; 12];
            client.read_exact(&mut answer).unwrap();
            assert_eq!(&answer, b"HTTP/1.1 500");
        }
        shared.stopping.store(true, Ordering::Release);
        listener.stop();
    }

    #[test]
    fn causes_are_lower_case_and_without_numbers() {
        let error = io::Error::from_raw_os_error(98);
        assert_eq!(cause(&error), "address already in use");
    }
}
