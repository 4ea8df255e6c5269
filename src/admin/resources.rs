//! The table of the interface: which function answers which method of which path. Knows no answer.

use super::{
    Call, OnGone, Respond, arrival, chaos, files, health, ledger, openapi, process, provision, requests,
    store, stream, verify, wait,
};
use crate::chaos::Reply;
use crate::message::answer::Answer;
use crate::provisioning::turns::Turn;
use Handler::{Later, Load, Now, Read, ReadOn};

/// What answers a method.
#[derive(Clone, Copy)]
pub(super) enum Handler {
    /// At once.
    Now(fn(&Call) -> Result<Answer, Answer>),
    /// In its turn, on the thread that loads: what runs scripts or waits for a load.
    Load(fn(&Call, &Turn) -> Result<Answer, Answer>),
    /// In its turn, on the thread that reads: what looks through files, values or entries of any number.
    Read(fn(&Call) -> Result<Answer, Answer>),
    /// As [`Handler::Read`], with a body that may be made while it leaves.
    ReadOn(fn(&Call) -> Result<Reply, Answer>),
    /// Perhaps later, from another thread, or with a reply that goes on after its beginning.
    Later(fn(&Call, Respond, OnGone)),
}

/// Methods, path, and what answers them. HEAD works as GET; the connection leaves the body out. Not where GET activates: HEAD must
/// change nothing (RFC 9110, 9.2.1). The first row with a path that matches names the resource; OPTIONS works for all.
static ROWS: &[(&str, &str, Handler)] = &[
    ("GET, HEAD", "/healthz", Now(health::healthz)),
    ("GET, HEAD", "/readyz", Now(health::readyz)),
    ("GET, HEAD", "/metrics", Now(process::metrics)),
    ("GET, HEAD", "/app/v1/openapi.json", Now(openapi::get)),
    ("GET, HEAD", "/app/v1/report", Now(process::report)),
    ("POST", "/app/v1/quit", Later(process::quit)),
    ("DELETE", "/app/v1/all", Now(process::reset)),
    ("GET, HEAD", "/app/v1/wait", Later(wait::get)),
    ("GET, HEAD", "/app/v1/provision", Read(ledger::get)),
    ("GET", "/app/v1/provision/<path:name>", Load(provision::get)),
    ("POST", "/app/v1/provision/<path:name>", Load(provision::post)),
    ("DELETE", "/app/v1/provision/<path:name>", Load(provision::delete)),
    ("GET, HEAD", "/app/v1/source/<path:name>", Read(files::source)),
    ("PUT", "/app/v1/file/<path:name>", Load(files::put)),
    ("GET, HEAD", "/app/v1/store", ReadOn(store::list)),
    ("DELETE", "/app/v1/store", Now(store::clear)),
    ("GET, HEAD", "/app/v1/store/<path:key>", ReadOn(store::get)),
    ("PUT", "/app/v1/store/<path:key>", Now(store::put)),
    ("DELETE", "/app/v1/store/<path:key>", Now(store::delete)),
    ("GET, HEAD", "/app/v1/chaos", Now(chaos::get)),
    ("PUT", "/app/v1/chaos", Now(chaos::put)),
    ("POST", "/app/v1/chaos", Now(chaos::post)),
    ("DELETE", "/app/v1/chaos", Now(chaos::delete)),
    ("GET, HEAD", "/app/v1/requests", Read(requests::list)),
    ("DELETE", "/app/v1/requests", Now(requests::clear)),
    ("GET, HEAD", "/app/v1/requests.har", Read(requests::archive)),
    ("GET, HEAD", "/app/v1/requests/stream", Later(stream::get)),
    ("GET, HEAD", "/app/v1/requests/wait", Later(arrival::get)),
    ("GET, HEAD", "/app/v1/requests/<number>", Read(requests::get)),
    ("GET, HEAD", "/app/v1/verify", Read(verify::get)),
    ("POST", "/app/v1/verify", Read(verify::post)),
];

/// What a path stands for.
#[derive(Clone, Copy)]
pub(super) struct Resource<'p> {
    /// The path in the table.
    path: &'static str,
    /// What the path has in place of the variable, as sent and not yet checked.
    pub name: &'p str,
}

impl Resource<'_> {
    /// The resource of `path`.
    pub(super) fn find(path: &str) -> Option<Resource<'_>> {
        ROWS.iter().find_map(|(_, row, _)| Some(Resource { path: row, name: variable(row, path)? }))
    }

    /// What answers `method`.
    pub(super) fn handler(self, method: &str) -> Option<Handler> {
        let mut rows = self.rows();
        rows.find(|(methods, ..)| methods.split(", ").any(|one| one == method)).map(|(.., handler)| *handler)
    }

    /// The value of `Allow`.
    pub(super) fn allow(self) -> String {
        let mut methods: Vec<&str> = self.rows().flat_map(|(methods, ..)| methods.split(", ")).collect();
        methods.push("OPTIONS");
        methods.sort_unstable();
        methods.join(", ")
    }

    /// Whether it needs no token.
    pub(super) fn is_probe(self) -> bool {
        ["/healthz", "/readyz"].contains(&self.path)
    }

    fn rows(self) -> impl Iterator<Item = &'static (&'static str, &'static str, Handler)> {
        ROWS.iter().filter(move |(_, path, _)| *path == self.path)
    }
}

/// What `path` has in place of the variable of `row`, the empty text where `row` has none; `None` where they don't match.
fn variable<'p>(row: &str, path: &'p str) -> Option<&'p str> {
    match row.split_once('<') {
        None => (row == path).then_some(""),
        Some((before, variable)) => path
            .strip_prefix(before)
            .filter(|name| !name.is_empty() && (variable.starts_with("path:") || !name.contains('/'))),
    }
}
