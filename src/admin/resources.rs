//! The table of resources: method and path -> function.
//!
//! To add a resource, add a row to `ROWS` and the function that it names, and describe it in `docs/openapi.json` and
//! `docs/admin.md`. `Allow`, OPTIONS, 404, 405 and the token follow from the table.

use super::{
    Call, OnGone, Respond, chaos, check, process, provision, requests, simulation, store, stream, verify,
    wait,
};
use crate::chaos::Reply;
use crate::message::answer::Answer;
use crate::provisioning::turns::Turn;
use Handler::{Check, Later, Load, Now, Read, ReadOn};

/// A function that answers a method, and the thread on which it runs.
#[derive(Clone, Copy)]
pub(super) enum Handler {
    /// Runs on the worker that received the request: for functions that take no time.
    Now(fn(&Call) -> Result<Answer, Answer>),
    /// Runs on the thread `loads`, one request after the other: for functions that run scripts or wait for a load.
    Load(fn(&Call, &Turn) -> Result<Answer, Answer>),
    /// Runs on the thread `checks`, one request after the other: for functions that run scripts and change nothing.
    Check(fn(&Call) -> Result<Answer, Answer>),
    /// Runs on the thread `reads`, one request after the other: for functions that search any number of files, values or entries.
    Read(fn(&Call) -> Result<Answer, Answer>),
    /// Like [`Handler::Read`], for a body that is made while it is sent.
    ReadOn(fn(&Call) -> Result<Reply, Answer>),
    /// Responds later, from another thread, or with a reply that continues after its head.
    Later(fn(&Call, Respond, OnGone)),
}

/// Methods, path and function. The first row whose path matches names the resource; OPTIONS works for all.
///
/// HEAD works like GET: the connection omits the body. Where GET activates a provision, HEAD is refused: HEAD must change
/// nothing (RFC 9110, 9.2.1).
static ROWS: &[(&str, &str, Handler)] = &[
    ("GET, HEAD", "/healthz", Now(process::healthz)),
    ("GET, HEAD", "/readyz", Now(process::readyz)),
    ("GET, HEAD", "/metrics", Now(process::metrics)),
    ("GET, HEAD", "/app/v1/openapi.json", Now(process::openapi)),
    ("GET, HEAD", "/app/v1/report", Now(process::report)),
    ("POST", "/app/v1/quit", Later(process::quit)),
    ("DELETE", "/app/v1/all", Now(process::reset)),
    ("GET, HEAD", "/app/v1/wait", Later(wait::get)),
    ("GET, HEAD", "/app/v1/provision", Read(provision::list)),
    ("GET", "/app/v1/provision/<path:name>", Load(provision::get)),
    ("POST", "/app/v1/provision/<path:name>", Load(provision::post)),
    ("DELETE", "/app/v1/provision/<path:name>", Load(provision::delete)),
    ("POST", "/app/v1/check", Check(check::post)),
    ("GET, HEAD", "/app/v1/source/<path:name>", Read(provision::source)),
    ("PUT", "/app/v1/file/<path:name>", Load(provision::put_file)),
    ("GET, HEAD", "/app/v1/store", ReadOn(store::list)),
    ("DELETE", "/app/v1/store", Now(store::clear)),
    ("GET, HEAD", "/app/v1/store/<path:key>", ReadOn(store::get)),
    ("PUT", "/app/v1/store/<path:key>", Now(store::put)),
    ("DELETE", "/app/v1/store/<path:key>", Now(store::delete)),
    ("GET, HEAD", "/app/v1/chaos", Now(chaos::get)),
    ("PUT", "/app/v1/chaos", Now(|call| chaos::set(call, true))),
    ("POST", "/app/v1/chaos", Now(|call| chaos::set(call, false))),
    ("DELETE", "/app/v1/chaos", Now(chaos::delete)),
    ("GET, HEAD", "/app/v1/clock", Now(simulation::get_clock)),
    ("PUT", "/app/v1/clock", Now(simulation::put_clock)),
    ("DELETE", "/app/v1/clock", Now(simulation::delete_clock)),
    ("GET, HEAD", "/app/v1/random", Now(simulation::get_random)),
    ("PUT", "/app/v1/random", Now(simulation::put_random)),
    ("DELETE", "/app/v1/random", Now(simulation::delete_random)),
    ("GET, HEAD", "/app/v1/requests", Read(requests::list)),
    ("DELETE", "/app/v1/requests", Now(requests::clear)),
    ("GET, HEAD", "/app/v1/requests.har", Read(requests::archive)),
    ("GET, HEAD", "/app/v1/requests/stream", Later(stream::get)),
    ("GET, HEAD", "/app/v1/requests/wait", Later(verify::wait)),
    ("GET, HEAD", "/app/v1/requests/<number>", Read(requests::get)),
    ("GET, HEAD", "/app/v1/verify", Read(verify::get)),
    ("POST", "/app/v1/verify", Read(verify::post)),
];

/// The resource of a path.
#[derive(Clone, Copy)]
pub(super) struct Resource<'p> {
    /// The path in the table.
    path: &'static str,
    /// The text in place of the path's variable, as sent and not yet checked.
    pub name: &'p str,
}

impl Resource<'_> {
    /// Finds the resource of `path`.
    pub(super) fn find(path: &str) -> Option<Resource<'_>> {
        ROWS.iter().find_map(|(_, row, _)| Some(Resource { path: row, name: variable(row, path)? }))
    }

    /// Returns the function for `method`.
    pub(super) fn handler(self, method: &str) -> Option<Handler> {
        let mut rows = self.rows();
        rows.find(|(methods, ..)| methods.split(", ").any(|one| one == method)).map(|(.., handler)| *handler)
    }

    /// Returns the value of `Allow`.
    pub(super) fn allow(self) -> String {
        let mut methods: Vec<&str> = self.rows().flat_map(|(methods, ..)| methods.split(", ")).collect();
        methods.push("OPTIONS");
        methods.sort_unstable();
        methods.join(", ")
    }

    /// Whether the resource needs no token.
    pub(super) fn is_probe(self) -> bool {
        ["/healthz", "/readyz"].contains(&self.path)
    }

    fn rows(self) -> impl Iterator<Item = &'static (&'static str, &'static str, Handler)> {
        ROWS.iter().filter(move |(_, path, _)| *path == self.path)
    }
}

/// Returns the text in place of the variable of `row`, empty where `row` has none; `None` where `path` does not match.
fn variable<'p>(row: &str, path: &'p str) -> Option<&'p str> {
    match row.split_once('<') {
        None => (row == path).then_some(""),
        Some((before, variable)) => path
            .strip_prefix(before)
            .filter(|name| !name.is_empty() && (variable.starts_with("path:") || !name.contains('/'))),
    }
}

/// Returns the methods and the path of each row.
#[cfg(test)]
pub(super) fn rows() -> impl Iterator<Item = (&'static str, &'static str)> {
    ROWS.iter().map(|(methods, path, _)| (*methods, *path))
}
