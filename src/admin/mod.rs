//! The admin interface: finds the resource of a request, checks method and token, lets the resource answer.
//! Described in `docs/openapi.json`. Knows no listener, no file and no script.

mod answer;
mod arrival;
mod auth;
mod browser;
mod chaos;
mod closest;
mod files;
mod health;
mod ledger;
mod object;
mod openapi;
mod process;
mod provision;
mod requests;
mod resources;
mod store;
mod stream;
#[cfg(test)]
mod tests;
mod verify;
mod wait;

pub(crate) use answer::failed;
pub(crate) use health::Readiness;
pub(crate) use process::Observing;
pub(crate) use store::LargeAnswers;
pub(crate) use stream::Streams;

use crate::chaos::{Chaos, Reply};
use crate::directory::Name;
use crate::message::answer::Answer;
use crate::message::request::Request;
use crate::observing::journal::Journal;
use crate::observing::journal::waiting::Waiters;
use crate::provisioning::activation::Activation;
use crate::script::runtime::{allocator, budget};
use crate::system::job_thread::JobThread;
use resources::{Handler, Resource};
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// Takes the reply to one request; may be called from another thread, later.
pub(crate) type Respond = Box<dyn FnOnce(Reply) + Send>;

/// Calls what it is given if the client leaves before it has its reply, soon after; at once, where it has left or has it.
pub(crate) type OnGone = Box<dyn FnOnce(Box<dyn FnOnce() + Send>)>;

/// Runs a job on the timer thread after a delay.
pub(crate) type After = Box<dyn Fn(Duration, Box<dyn FnOnce() + Send>) + Send + Sync>;

/// What the interface works with; made once by the server.
pub(crate) struct Admin {
    /// Stores, activates and lists.
    pub activation: Arc<Activation>,
    /// The timer, for waits with a deadline.
    pub after: After,
    /// `--admin-token`: needed for all but the probes.
    pub token: Option<String>,
    /// `--admin-host`: names of this interface beside those that nobody else can have.
    pub hosts: Vec<String>,
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
    /// Loads, one after the other; the workers go on answering.
    pub loads: JobThread<Job>,
    /// Looks through files, values and entries, one after the other.
    pub reads: JobThread<Job>,
    /// Values of `store` on their way to clients.
    pub large_answers: LargeAnswers,
}

/// A request that is answered in its turn.
pub(crate) struct Job {
    admin: Arc<Admin>,
    request: Request,
    run: Box<dyn FnOnce(&Call) -> Reply + Send>,
    respond: Respond,
}

/// So many jobs wait for their turn; the next one is refused.
const MOST_JOBS: usize = 64;

impl Job {
    fn new<A: Into<Reply> + 'static>(
        admin: &Arc<Admin>,
        request: Request,
        run: impl FnOnce(&Call) -> Result<A, Answer> + Send + 'static,
        respond: Respond,
    ) -> Job {
        let run = move |call: &Call| run(call).map_or_else(Reply::from, A::into);
        Job { admin: admin.clone(), request, run: Box::new(run), respond }
    }

    /// A thread for jobs.
    ///
    /// # Errors
    /// The system refuses a thread.
    pub(crate) fn thread(name: &'static str, stack: usize) -> io::Result<JobThread<Job>> {
        JobThread::start(name, stack, MOST_JOBS, budget::stack_has_grown, |job: Job| {
            let Job { admin, request, run, respond } = job;
            let name = Resource::find(request.path()).map_or("", |resource| resource.name);
            let call = Call { admin: &admin, request: &request, name };
            respond(run(&call));
            allocator::give_back();
        })
    }

    /// Lets `thread` answer; 503 where too many wait for their turn.
    fn submit(self, thread: &JobThread<Job>) {
        if let Err(job) = thread.submit(self) {
            let why = format!("{MOST_JOBS} requests of this kind wait for their turn");
            (job.respond)(answer::busy(&why).into());
        }
    }
}

/// One request for a resource.
struct Call<'a> {
    admin: &'a Admin,
    request: &'a Request,
    /// What stands in the path for the variable of the resource, as sent.
    name: &'a str,
}

impl Call<'_> {
    /// The name of a file in the path, or 400 with the reason.
    fn file_name(&self) -> Result<Name, Answer> {
        Name::parse(self.utf8("name")?).map_err(|error| answer::failed(400, &error.to_string()))
    }

    /// What stands in the path, or 400. The path has U+FFFD where its bytes were not UTF-8: two such names would become one.
    fn utf8(&self, kind: &str) -> Result<&str, Answer> {
        if self.name.contains(char::REPLACEMENT_CHARACTER) {
            return Err(answer::failed(400, &format!("{kind} `{}` is not UTF-8", self.name)));
        }
        Ok(self.name)
    }
}

/// Answers one request, whose body has arrived: at once, or later from another thread where that takes time. Never panics on what
/// a client sends.
pub(crate) fn handle(admin: &Arc<Admin>, request: Request, respond: Respond, on_gone: OnGone) {
    let resource = match enter(admin, &request) {
        Ok(resource) => resource,
        Err(answer) => return respond(answer.into()),
    };
    let call = Call { admin, request: &request, name: resource.name };
    match resource.handler(request.method()) {
        Some(Handler::Now(handler)) => respond(handler(&call).unwrap_or_else(|refusal| refusal).into()),
        Some(Handler::Later(handler)) => handler(&call, respond, on_gone),
        Some(Handler::Load(run)) => {
            let turn = admin.activation.turn();
            let run = move |call: &Call| run(call, &turn);
            Job::new(admin, request, run, respond).submit(&admin.loads);
        }
        Some(Handler::Read(run)) => Job::new(admin, request, run, respond).submit(&admin.reads),
        Some(Handler::ReadOn(run)) => Job::new(admin, request, run, respond).submit(&admin.reads),
        None if request.method() == "OPTIONS" => {
            respond(answer::empty(vec![("Allow".into(), resource.allow().into())]).into());
        }
        None => {
            respond(answer::method_not_allowed(request.method(), request.path(), resource.allow()).into());
        }
    }
}

/// The resource of a request that may use it. The token comes before 404, so that paths tell nothing without it. Who has the token
/// needs no host of a certain name, which guards those who have none; probes of load balancers come under any name.
fn enter<'a>(admin: &Admin, request: &'a Request) -> Result<Resource<'a>, Answer> {
    browser::refuse_pages(request)?;
    let resource = Resource::find(request.path());
    match &admin.token {
        _ if resource.is_some_and(Resource::is_probe) => {}
        Some(token) => auth::authorize(token, request)?,
        None => browser::refuse_foreign_host(&admin.hosts, request)?,
    }
    resource.ok_or_else(|| answer::not_found(request.path()))
}
