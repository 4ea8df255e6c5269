//! Answers `hello` to every request, on four threads. Prints its address.

use std::sync::Arc;
use std::{io::Write, net::TcpListener, thread};

fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    writeln!(std::io::stdout(), "{}", listener.local_addr()?)?;
    let server = Arc::new(tiny_http::Server::from_listener(listener, None)?);
    let worker = |server: Arc<tiny_http::Server>| {
        while let Ok(request) = server.recv() {
            let _ = request.respond(tiny_http::Response::from_string("hello"));
        }
    };
    let workers: Vec<_> = (0..4)
        .map(|_| (server.clone(), worker))
        .map(|(server, work)| thread::spawn(move || work(server)))
        .collect();
    workers.into_iter().for_each(|worker| drop(worker.join()));
    Ok(())
}
