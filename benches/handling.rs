//! Time of one request from the parsed head to the finished answer, without a connection: `cargo bench --bench handling`.
//!
//! `-- instructions` also counts the instructions of a call with `valgrind`: a busy machine does not change that number.
//! `-- CASE CALLS THREADS` runs one case only, for profilers, or with `time` to measure the additional processor time when threads
//! write to shared memory.

use h1mock::bench::{
    Budget, Chaos, Conditions, Counting, Files, LayerRules, Loaded, Outcome, Provision, ProvisionDir,
    Request, engine, handle as handle_request, metrics,
};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::Instant;

/// The allocator of the program, which also counts allocations here.
#[global_allocator]
static ALLOCATOR: Tally<Counting<System>> = Tally(Counting(System));

/// Chaos without entries: no delays and no faults.
static CHAOS: LazyLock<Chaos> = LazyLock::new(Chaos::default);

const ROUNDS: usize = 3_000;
const CALLS: usize = 100;

const PROVISION: &str = r#"
fn registerRules() {
    app.get("/hello", show);
    app.get("/items/<int:id>", item);
    app.get("/json", json_view);
    app.get("/read", read);
}
fn show() { "hello" }
fn item(id) { "item " + id }
fn json_view() { [#{ id: 1, name: "one" }, 200, #{ "X-A": "1", "X-B": "2" }] }
fn read() { request.headers["User-Agent"] + request.args["a"] }
"#;

/// Name, target, expected status and body.
const CASES: [(&str, &str, u16, &str); 5] = [
    ("constant", "/hello", 200, "hello"),
    ("variable", "/items/4711", 200, "item 4711"),
    ("json", "/json", 200, "{\"id\":1,\"name\":\"one\"}\n"),
    ("read", "/read?a=1&b=2", 200, "bench/1.01"),
    ("missing", "/nowhere", 404, "<!doctype html>"),
];

/// The header fields of a simple client.
const HEADERS: [(&str, &str); 3] =
    [("Host", "127.0.0.1:8000"), ("User-Agent", "bench/1.0"), ("Accept", "*/*")];

fn provision() -> Arc<Provision> {
    let budget = Budget::default();
    let folder = std::env::temp_dir().join(format!("h1mock-bench-{}", std::process::id()));
    let store = ProvisionDir::open(&folder, None).expect("a temporary folder");
    let files = Files::new(store.into(), "bench", Some(PROVISION.into()), Arc::default());
    let loaded = Provision::load(&engine(budget).into(), budget, files);
    let _ = std::fs::remove_dir(folder);
    match loaded {
        Ok(Loaded::Provision(mut provision)) => {
            let rules = LayerRules { overlay: None, rules: provision.router.rules() };
            let counters = metrics().loaded(&rules, &[]);
            provision.count_with(counters);
            (*provision).into()
        }
        Ok(Loaded::Library(_)) => panic!("the provision has no rules"),
        Err(error) => panic!("{}", error.report()),
    }
}

/// Handles one request like a worker, from the parsed head to the answer.
fn handle(provision: &Arc<Provision>, target: &str) -> Outcome {
    let headers = HEADERS.iter().copied();
    let address = SocketAddr::from(([127, 0, 0, 1], 8000));
    let request = Request::from_parts("GET", target, headers, Vec::new(), Some(address), Some(address));
    handle_request(&provision.clone(), &CHAOS, &Conditions::default(), &mut Arc::new(request))
}

fn run(provision: &Arc<Provision>, target: &str, calls: usize) {
    for _ in 0..calls {
        let began = Instant::now();
        let handled = handle(provision, black_box(target));
        let took = began.elapsed().as_nanos() as u64;
        metrics().answered(&handled.counted(provision, ("GET", target), took));
        black_box(&handled);
    }
}

/// Returns nanoseconds per call: the minimum of many short runs.
fn time(provision: &Arc<Provision>, target: &str) -> f64 {
    let round = || {
        let start = Instant::now();
        run(provision, target, CALLS);
        start.elapsed().as_nanos() as f64 / CALLS as f64
    };
    (0..ROUNDS).map(|_| round()).fold(f64::MAX, f64::min)
}

/// Returns the instructions per call: the difference between two runs under valgrind, which excludes loading.
fn instructions(name: &str) -> Option<f64> {
    let total = |calls: usize| {
        let program = std::env::current_exe().ok()?;
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
        let output = valgrind.arg(program).args([name, &calls.to_string()]).output().ok()?;
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        text.split_once("Collected : ")?.1.split_whitespace().next()?.parse::<f64>().ok()
    };
    Some((total(3_000)? - total(1_000)?) / 2_000.0)
}

fn table(provision: &Arc<Provision>, counting: bool) {
    println!("{:<10}{:>8}{:>14}{:>14}", "view", "ns", "allocations", "instructions");
    for (name, target, status, body) in CASES {
        let answer = handle(provision, target).reply.answer;
        assert_eq!(answer.status, status, "{name}");
        let sent = answer.body.bytes();
        assert!(sent.starts_with(body.as_bytes()), "{}", String::from_utf8_lossy(sent));
        let before = ALLOCATIONS.get();
        run(provision, target, 1_000);
        let allocations = (ALLOCATIONS.get() - before) as f64 / 1_000.0;
        let counted = counting.then(|| instructions(name)).flatten();
        let counted = counted.map_or("-".to_owned(), |count| format!("{count:.0}"));
        println!("{name:<10}{:>8.0}{allocations:>14.1}{counted:>14}", time(provision, target));
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let provision = provision();
    let one = |name: &str| CASES.iter().find(|case| case.0 == name);
    match arguments.as_slice() {
        [name, numbers @ ..] if one(name).is_some() => {
            let target = one(name).map_or("/", |case| case.1);
            let number = |at: usize| numbers.get(at).map(|text| text.parse::<usize>().expect("a number"));
            let (calls, threads) = (number(0).unwrap_or(1_000), number(1).unwrap_or(1));
            thread::scope(|scope| {
                (0..threads).for_each(|_| drop(scope.spawn(|| run(&provision, target, calls))));
            });
        }
        // `cargo bench` adds `--bench`.
        others => table(&provision, others.iter().any(|other| other == "instructions")),
    }
}

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// Counts the allocations of each thread.
struct Tally<A>(A);

fn count() {
    let _ = ALLOCATIONS.try_with(|total| total.set(total.get() + 1));
}

// SAFETY: every call goes to `A` unchanged, and `A` has the same contract. The count is a constant-initialised `Cell`.
#[allow(unsafe_code)] // `GlobalAlloc` can't be implemented without.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Tally<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        unsafe { self.0.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        unsafe { self.0.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        unsafe { self.0.realloc(block, layout, size) }
    }
}
