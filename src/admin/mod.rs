//! The admin interface: finds the resource of a request, checks method and token, lets the resource answer.
//! Described in `docs/openapi.json`. Knows no listener, no file and no script.

mod all;
mod answer;
mod arrival;
mod auth;
mod chaos;
mod closest;
mod file;
mod health;
mod ledger;
mod metrics;
mod object;
mod observing;
mod openapi;
mod provision;
mod provisioning;
mod quit;
mod report;
mod requests;
mod source;
mod store;
mod stream;
#[cfg(test)]
mod tests;
mod verify;
mod wait;

pub use answer::failed;
pub use health::Readiness;
pub use observing::Observing;
pub use provisioning::Provisioning;
pub use stream::Streams;

use crate::chaos::{Chaos, Reply};
use crate::directory::Name;
use crate::message::answer::Answer;
use crate::message::request::Request;
use crate::observing::journal::Journal;
use crate::observing::journal::waiting::Waiters;
use provisioning::Activation;
use std::sync::Arc;
use std::time::Duration;

/// Takes the reply to one request; may be called from another thread, later.
pub type Respond = Box<dyn FnOnce(Reply) + Send>;

/// Runs a job on the timer thread after a delay.
pub type After = Box<dyn Fn(Duration, Box<dyn FnOnce() + Send>) + Send + Sync>;

/// What the interface works with; made once by the server.
pub struct Admin<P = Activation> {
    /// Stores, activates and lists.
    pub activation: Arc<P>,
    /// The timer, for waits with a deadline.
    pub after: After,
    /// `--admin-token`: needed for all but the probes.
    pub token: Option<String>,
    /// Whether the mock serves.
    pub readiness: Arc<Readiness>,
    /// Metrics, report and stop.
    pub observing: Observing,
    /// What is injected for rules.
    pub chaos: Arc<Chaos>,
    /// What the mock received.
    pub journal: Arc<Journal>,
    /// Who follows it.
    pub streams: Arc<Streams>,
    /// Who waits for requests.
    pub waiters: Arc<Waiters>,
}

/// Answers one request, whose body has arrived: at once, or for a wait later from another thread. Never panics on
/// what a client sends.
pub fn handle<P: Provisioning>(admin: &Admin<P>, request: Request, respond: Respond) {
    let resource = match enter(admin, &request) {
        Ok(resource) => resource,
        Err(answer) => return respond(answer.into()),
    };
    match (resource, verb(&request, resource)) {
        (Resource::Wait, "GET") => wait::get(admin, request.query_string(), respond),
        (Resource::Quit, "POST") => quit::post(admin, respond),
        (Resource::Arrival, "GET") => {
            arrival::get(&admin.journal, &admin.waiters, request.query_string(), respond);
        }
        (Resource::Stream, "GET") => respond(stream::get(admin, &request).unwrap_or_else(Reply::from)),
        (resource, verb) => {
            respond(answered(admin, &request, resource, verb).unwrap_or_else(|refusal| refusal).into());
        }
    }
}

/// What a path stands for; names are as sent, not yet checked.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Resource<'a> {
    Healthz,
    Readyz,
    OpenApi,
    Wait,
    Ledger,
    Metrics,
    Report,
    Quit,
    Chaos,
    Provision(&'a str),
    Source(&'a str),
    File(&'a str),
    Store,
    Value(&'a str),
    All,
    Requests,
    Entry(&'a str),
    Archive,
    Stream,
    Arrival,
    Verify,
}

impl Resource<'_> {
    fn find(path: &str) -> Option<Resource<'_>> {
        match path {
            "/healthz" => return Some(Resource::Healthz),
            "/readyz" => return Some(Resource::Readyz),
            "/app/v1/openapi.json" => return Some(Resource::OpenApi),
            "/app/v1/wait" => return Some(Resource::Wait),
            "/metrics" => return Some(Resource::Metrics),
            "/app/v1/report" => return Some(Resource::Report),
            "/app/v1/quit" => return Some(Resource::Quit),
            "/app/v1/provision" => return Some(Resource::Ledger),
            "/app/v1/store" => return Some(Resource::Store),
            "/app/v1/all" => return Some(Resource::All),
            "/app/v1/chaos" => return Some(Resource::Chaos),
            "/app/v1/requests" => return Some(Resource::Requests),
            "/app/v1/requests.har" => return Some(Resource::Archive),
            "/app/v1/requests/stream" => return Some(Resource::Stream),
            "/app/v1/requests/wait" => return Some(Resource::Arrival),
            "/app/v1/verify" => return Some(Resource::Verify),
            _ => {}
        }
        match path.strip_prefix("/app/v1/")?.split_once('/')? {
            (_, "") => None,
            ("provision", name) => Some(Resource::Provision(name)),
            ("source", name) => Some(Resource::Source(name)),
            ("file", name) => Some(Resource::File(name)),
            ("store", key) => Some(Resource::Value(key)),
            ("requests", number) if !number.contains('/') => Some(Resource::Entry(number)),
            _ => None,
        }
    }

    /// The value of `Allow`.
    fn allow(self) -> &'static str {
        match self {
            Resource::Provision(_) => "DELETE, GET, OPTIONS, POST",
            Resource::File(_) => "OPTIONS, PUT",
            Resource::Store => "DELETE, GET, HEAD, OPTIONS",
            Resource::Value(_) => "DELETE, GET, HEAD, OPTIONS, PUT",
            Resource::All => "DELETE, OPTIONS",
            Resource::Quit => "OPTIONS, POST",
            Resource::Chaos => "DELETE, GET, HEAD, OPTIONS, POST, PUT",
            Resource::Requests => "DELETE, GET, HEAD, OPTIONS",
            Resource::Verify => "GET, HEAD, OPTIONS, POST",
            _ => "GET, HEAD, OPTIONS",
        }
    }

    fn is_probe(self) -> bool {
        matches!(self, Resource::Healthz | Resource::Readyz)
    }
}

/// The resource of a request that may use it. The token comes before 404, so that paths tell nothing without it.
fn enter<'a, P>(admin: &Admin<P>, request: &'a Request) -> Result<Resource<'a>, Answer> {
    let resource = Resource::find(request.path());
    if !resource.is_some_and(Resource::is_probe) {
        auth::authorize(admin.token.as_deref(), request)?;
    }
    resource.ok_or_else(|| answer::not_found(request.path()))
}

/// HEAD works as GET; the connection leaves the body out. Not where GET activates: HEAD must change nothing (RFC 9110, 9.2.1).
fn verb<'r>(request: &'r Request, resource: Resource) -> &'r str {
    let activates = matches!(resource, Resource::Provision(_));
    if request.method() == "HEAD" && !activates { "GET" } else { request.method() }
}

fn answered<P: Provisioning>(
    admin: &Admin<P>,
    request: &Request,
    resource: Resource,
    verb: &str,
) -> Result<Answer, Answer> {
    Ok(match (resource, verb) {
        (_, "OPTIONS") => answer::empty(vec![("Allow".into(), resource.allow().into())]),
        (Resource::Healthz, "GET") => health::healthz(),
        (Resource::Readyz, "GET") => health::readyz(admin),
        (Resource::OpenApi, "GET") => openapi::get(),
        (Resource::Ledger, "GET") => ledger::get(admin),
        (Resource::Metrics, "GET") => metrics::get(admin),
        (Resource::Report, "GET") => report::get(admin, request.query_string()),
        (Resource::Chaos, "GET") => chaos::get(&admin.chaos),
        (Resource::Chaos, "PUT") => chaos::set(&admin.chaos, &request.body, true)?,
        (Resource::Chaos, "POST") => chaos::set(&admin.chaos, &request.body, false)?,
        (Resource::Chaos, "DELETE") => chaos::delete(&admin.chaos, request)?,
        (Resource::Provision(name), "GET") => provision::get(admin, &parsed(name)?),
        (Resource::Provision(name), "POST") => provision::post(admin, request, &parsed(name)?),
        (Resource::Provision(name), "DELETE") => provision::delete(admin, &parsed(name)?),
        (Resource::Source(name), "GET") => source::get(admin, &parsed(name)?),
        (Resource::File(name), "PUT") => file::put(admin, request, &parsed(name)?),
        (Resource::Store, "GET") => store::list(admin, request.query_string())?,
        (Resource::Store, "DELETE") => store::clear(admin, request.query_string())?,
        (Resource::Value(key), "GET") => store::get(admin, utf8("key", key)?),
        (Resource::Value(key), "PUT") => store::put(admin, utf8("key", key)?, &request.body),
        (Resource::Value(key), "DELETE") => store::delete(admin, utf8("key", key)?),
        (Resource::All, "DELETE") => all::delete(admin),
        (Resource::Requests, "GET") => requests::list(admin, request)?,
        (Resource::Requests, "DELETE") => requests::clear(&admin.journal)?,
        (Resource::Entry(number), "GET") => requests::get(admin, number)?,
        (Resource::Archive, "GET") => requests::archive(&admin.journal, request)?,
        (Resource::Verify, "GET") => verify::get(&admin.journal, request)?,
        (Resource::Verify, "POST") => verify::post(&admin.journal, request)?,
        _ => answer::method_not_allowed(request.method(), request.path(), resource.allow()),
    })
}

/// What stands in the path, or 400. The path has U+FFFD where its bytes were not UTF-8: two such names would become one.
fn utf8<'n>(kind: &str, name: &'n str) -> Result<&'n str, Answer> {
    if name.contains(char::REPLACEMENT_CHARACTER) {
        return Err(answer::failed(400, &format!("{kind} `{name}` is not UTF-8")));
    }
    Ok(name)
}

/// A name of the path, or 400 with the reason.
fn parsed(name: &str) -> Result<Name, Answer> {
    Name::parse(utf8("name", name)?).map_err(|error| answer::failed(400, &error.to_string()))
}
