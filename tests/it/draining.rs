//! Restarts without a failed request: two instances behind a service, of which one is stopped at a time.

use crate::harness::{Client, DEADLINE, Mock, eventually};
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// Number of restarts, each of which takes `--drain`. `RESTARTS=20` checks the whole claim.
fn restarts() -> usize {
    std::env::var("RESTARTS").map_or(4, |count| count.parse().unwrap())
}

/// How often the service asks which instances are ready.
const POLL: Duration = Duration::from_millis(50);

/// Number of clients without retries, and the pause of each between two requests.
const PAUSES: [u64; 8] = [0, 0, 1, 5, 20, 100, 300, 700];

const PROVISION: &str = r#"fn registerRules() {
    app.get("/ping", || "pong");
    app.get("/late", || { time.sleep(0.2); "pong" });
}"#;

/// Two addresses of the loopback network. No other test listens on them, so ports stay free while an instance is down.
const ADDRESSES: [&str; 2] = ["127.0.74.1", "127.0.74.2"];

/// The instances as clients see them: those that were ready at the last poll.
struct Service {
    /// The addresses of each instance's mock and admin ports.
    instances: [(String, String); 2],
    ready: Mutex<Vec<usize>>,
    next: AtomicUsize,
    over: AtomicBool,
}

impl Service {
    fn follow(&self) {
        while !self.over.load(Ordering::Acquire) {
            let ready = (0..2).filter(|instance| self.asks(*instance)).collect();
            *self.ready.lock().unwrap() = ready;
            // The pace of the service, as of a readiness probe.
            thread::sleep(POLL);
        }
    }

    fn asks(&self, instance: usize) -> bool {
        let admin = Client::connect(&self.instances[instance].1, DEADLINE);
        let reply = admin.and_then(|mut admin| admin.try_send("GET", "/readyz", &[], b""));
        reply.is_ok_and(|reply| reply.status == 200)
    }

    fn is_ready(&self, instance: usize) -> bool {
        self.ready.lock().unwrap().contains(&instance)
    }

    /// Connects to an instance that is ready. The instances take turns.
    fn connect(&self) -> io::Result<Client> {
        let ready = self.ready.lock().unwrap().clone();
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let instance =
            ready.get(turn % ready.len().max(1)).ok_or_else(|| io::Error::other("none is ready"))?;
        Client::connect(&self.instances[*instance].0, DEADLINE)
    }

    /// Sends requests on one connection until the mock closes it, then on the next. Returns the number of answers.
    ///
    /// The first request that fails ends the client: there are no retries.
    fn ask(&self, pause: u64) -> io::Result<usize> {
        let target = if pause < 10 { "/ping" } else { "/late" };
        let (mut client, mut answers) = (self.connect()?, 0);
        while !self.over.load(Ordering::Acquire) {
            let reply = client.try_send("GET", target, &[], b"")?;
            if (reply.status, reply.text().as_str()) != (200, "pong") {
                return Err(io::Error::other(format!("{reply:?}")));
            }
            answers += 1;
            if reply.header("connection").eq_ignore_ascii_case("close") {
                client = self.connect()?;
            }
            // The pace of this client.
            thread::sleep(Duration::from_millis(pause));
        }
        Ok(answers)
    }
}

fn start(bind: &str, ports: Option<&(String, String)>) -> Mock {
    let port = |address: &String| address.rsplit(':').next().unwrap().to_owned();
    let (traffic, admin) =
        ports.map_or(("0".to_owned(), "0".to_owned()), |(traffic, admin)| (port(traffic), port(admin)));
    let arguments = ["--bind", bind, "--drain", "2s", "--traffic-port", &traffic, "--admin-port", &admin];
    Mock::start_with(&arguments, |folder| folder.write("provision/initial", PROVISION))
}

#[test]
fn restarts_behind_a_service_fail_no_request() {
    let mut mocks = ADDRESSES.map(|bind| start(bind, None));
    let instances = [0, 1].map(|index: usize| (mocks[index].traffic.clone(), mocks[index].admin.clone()));
    let service = Service {
        instances,
        ready: Mutex::default(),
        next: AtomicUsize::new(0),
        over: AtomicBool::new(false),
    };
    let answers = thread::scope(|scope| {
        scope.spawn(|| service.follow());
        // Ends the clients and the service also if this test fails.
        let _over = Over(&service.over);
        wait_until_ready(&service);
        let clients: Vec<_> = PAUSES.iter().map(|pause| scope.spawn(|| service.ask(*pause))).collect();
        for restart in 0..restarts() {
            let instance = restart % 2;
            mocks[instance].signal("TERM");
            assert_eq!(mocks[instance].wait().code(), Some(143));
            let log = mocks[instance].log();
            assert!(!log.contains("unanswered"), "{log}");
            mocks[instance] = start(ADDRESSES[instance], Some(&service.instances[instance]));
            wait_until_ready(&service);
        }
        service.over.store(true, Ordering::Release);
        clients.into_iter().map(|client| client.join().unwrap()).collect::<Vec<_>>()
    });
    let failed: Vec<_> = answers.iter().zip(PAUSES).filter(|(answers, _)| answers.is_err()).collect();
    assert!(failed.is_empty(), "clients and their pauses in ms: {failed:?}");
    assert!(answers.iter().flatten().all(|answers| *answers > restarts()));
}

fn wait_until_ready(service: &Service) {
    eventually(|| {
        if (0..2).all(|instance| service.is_ready(instance)) { Ok(()) } else { Err("not both are ready") }
    });
}

struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}
