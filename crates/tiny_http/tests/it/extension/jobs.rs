//! Jobs of the program, which the workers run beside their requests.

use super::{Attended, DEADLINE};
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};
use tiny_http::extension::{Job, Limits, Reactor, Task, plain_pages};
use tiny_http::{Response, Server};

/// Returns a server with a thread for its reactor and `workers` workers that take requests and jobs.
fn pool(workers: usize, limits: Limits) -> Arc<Server> {
    let reactor = Reactor::new().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = Arc::new(Server::with_limits(listener, limits, plain_pages(), &reactor).unwrap());
    // The threads end with the process.
    thread::spawn(move || {
        loop {
            reactor.turn(None);
        }
    });
    for _ in 0..workers {
        let server = server.clone();
        thread::spawn(move || {
            while let Ok(task) = server.take() {
                match task {
                    Task::Request(request) => _ = request.respond(Response::from_string("pong")),
                    Task::Job(job) => job(),
                }
            }
        });
    }
    server
}

fn submit(server: &Server, job: impl FnOnce() + Send + 'static) {
    assert!(server.submit(Box::new(job)).is_ok(), "the queue is full");
}

#[test]
fn a_worker_that_waits_runs_jobs_and_survives_their_panic() {
    let server = Attended::start(Limits::default(), drop);
    let (tell, told) = channel();
    for number in 0..20 {
        let tell = tell.clone();
        if number == 7 {
            submit(&server.server, || panic!("a job may panic"));
        }
        submit(&server.server, move || tell.send(number).unwrap());
    }
    let ran: Vec<i32> = (0..20).map(|_| told.recv_timeout(DEADLINE).unwrap()).collect();
    assert!(ran.is_sorted(), "{ran:?}");
    server.pings();
}

/// Each round finds the workers in another state: parked, leading, on their way.
#[test]
fn no_job_is_forgotten_however_the_workers_wait() {
    for (workers, submitters) in [(1, 1), (2, 3), (4, 2)] {
        let server = pool(workers, Limits::default());
        thread::scope(|scope| {
            for _ in 0..submitters {
                scope.spawn(|| {
                    for round in 0..500 {
                        let (tell, told) = channel();
                        for _ in 0..1 + round % 3 {
                            let tell = tell.clone();
                            submit(&server, move || tell.send(()).unwrap());
                        }
                        (0..1 + round % 3).for_each(|_| told.recv_timeout(DEADLINE).unwrap());
                    }
                });
            }
        });
        (0..workers).for_each(|_| server.unblock());
    }
}

/// The second job comes while a worker runs the first one and no worker waits for events.
#[test]
fn a_long_job_delays_no_other_job_and_no_request_while_a_worker_is_free() {
    let server = pool(3, Limits::default());
    let (go_on, gate) = channel::<()>();
    let (tell, told) = channel();
    let (at_work, telling) = (tell.clone(), tell);
    submit(&server, move || {
        at_work.send("first").unwrap();
        let _ = gate.recv_timeout(DEADLINE);
    });
    assert_eq!(told.recv_timeout(DEADLINE), Ok("first"));
    submit(&server, move || telling.send("second").unwrap());
    assert_eq!(told.recv_timeout(DEADLINE / 2), Ok("second"));
    let attended = Attended { address: server.server_addr().to_ip().unwrap(), server };
    attended.pings();
    go_on.send(()).unwrap();
    (0..2).for_each(|_| attended.server.unblock());
}

#[test]
fn jobs_wait_for_a_busy_pool_up_to_the_limit() {
    let server = pool(1, Limits { jobs: 2, ..Limits::default() });
    let (go_on, gate) = channel::<()>();
    let (tell, told) = channel();
    let at_work = tell.clone();
    submit(&server, move || {
        at_work.send(0).unwrap();
        let _ = gate.recv_timeout(DEADLINE);
    });
    assert_eq!(told.recv_timeout(DEADLINE), Ok(0));
    let job = |number| -> Job {
        let tell = tell.clone();
        Box::new(move || tell.send(number).unwrap())
    };
    assert!(server.submit(job(1)).is_ok() && server.submit(job(2)).is_ok());
    let Err(third) = server.submit(job(3)) else { panic!("the queue has no bound") };
    go_on.send(()).unwrap();
    assert_eq!([1, 2].map(|_| told.recv_timeout(DEADLINE).unwrap()), [1, 2]);
    // The caller has its job back, and may try again.
    assert!(server.submit(third).is_ok());
    assert_eq!(told.recv_timeout(DEADLINE), Ok(3));
    server.unblock();
}

/// Submits itself again each time that it ran, until `done`.
fn flood(server: Weak<Server>, done: Arc<AtomicBool>, ran: Arc<AtomicUsize>) {
    ran.fetch_add(1, Ordering::Relaxed);
    if let Some(strong) = server.upgrade()
        && !done.load(Ordering::Acquire)
    {
        submit(&strong, move || flood(server, done, ran));
    }
}

#[test]
fn a_flood_of_jobs_and_a_flood_of_requests_leave_room_for_each_other() {
    let server = pool(2, Limits::default());
    let attended = Attended { address: server.server_addr().to_ip().unwrap(), server };
    let (done, ran) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    for _ in 0..16 {
        flood(Arc::downgrade(&attended.server), done.clone(), ran.clone());
    }
    // Requests pass a flood of jobs, and a new connection too.
    (0..20).for_each(|_| attended.pings());
    // Jobs pass a flood of requests: four clients, each of which always has some that wait.
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut client = attended.get("/");
                while !done.load(Ordering::Acquire) {
                    client.send(&b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(8));
                    (0..8).for_each(|_| assert_eq!(client.answer(false).unwrap().body, b"pong"));
                }
            });
        }
        let (end, before) = (Instant::now() + DEADLINE, ran.load(Ordering::Relaxed));
        while ran.load(Ordering::Relaxed) < before + 2000 {
            assert!(Instant::now() < end, "the jobs starve");
            thread::sleep(Duration::from_millis(1));
        }
        done.store(true, Ordering::Release);
    });
    attended.server.unblock();
}

/// A job may own an answer that goes on, which owns the state of the server.
#[test]
fn a_server_that_ends_drops_the_jobs_that_wait() {
    let reactor = Reactor::new().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = Server::with_limits(listener, Limits::default(), plain_pages(), &reactor).unwrap();
    let owned = Arc::new(());
    let owner = owned.clone();
    submit(&server, move || drop(owner));
    drop(server);
    assert_eq!(Arc::strong_count(&owned), 1);
}

/// Threads may wait with a deadline too, without a leader. One event wakes one of them.
#[test]
fn threads_that_wait_with_a_deadline_run_jobs_side_by_side() {
    let server = pool(0, Limits::default());
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Acquire) {
                    let _ = server.recv_timeout(Duration::from_secs(60));
                }
            });
        }
        let (tell, told) = channel();
        let (go_on, gate) = channel::<()>();
        let first = tell.clone();
        submit(&server, move || {
            first.send(1).unwrap();
            let _ = gate.recv_timeout(DEADLINE);
        });
        submit(&server, move || tell.send(2).unwrap());
        let mut ran = [1, 2].map(|_| told.recv_timeout(DEADLINE / 2).unwrap_or_default());
        ran.sort_unstable();
        go_on.send(()).unwrap();
        done.store(true, Ordering::Release);
        (0..2).for_each(|_| server.unblock());
        assert_eq!(ran, [1, 2]);
    });
}
