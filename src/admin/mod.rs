//! The admin interface (`docs/openapi.json`): finds the resource of a request, checks method and token, calls the resource's
//! function. To add a resource, see `resources.rs`.

mod access;
mod answer;
mod chaos;
mod check;
mod closest;
mod fields;
mod overlay;
mod process;
mod provision;
mod replay;
mod requests;
mod resources;
mod simulation;
mod store;
mod stream;
#[cfg(test)]
mod tests;
mod verify;
mod wait;

pub(crate) use answer::{end_line, failed};
pub(crate) use process::{Observing, Readiness};
pub(crate) use store::LargeAnswers;
pub(crate) use stream::Streams;

use crate::chaos::{Chaos, Reply};
use crate::directory::Name;
use crate::message::answer::Answer;
use crate::message::request::Request;
use crate::message::request::reception::Reception;
use crate::message::request::url::places;
use crate::observing::journal::waiting::Waiters;
use crate::observing::journal::{After, Journal};
use crate::provisioning::activation::Activation;
use crate::script::runtime::{allocator, budget};
use crate::system::job_thread::JobThread;
use percent_encoding::percent_decode_str;
use resources::{Handler, Resource};
use std::io;
use std::sync::Arc;

/// Sends the reply to one request; may be called later, from another thread.
pub(crate) type Respond = Box<dyn FnOnce(Reply) + Send>;

/// Registers a callback for the case that the client leaves before it has its reply. The callback runs soon after the client
/// has left. If the client has already left or has its reply, the callback runs at once.
pub(crate) type OnGone = Box<dyn FnOnce(Box<dyn FnOnce() + Send>)>;

/// The parts of the server that the interface uses; made once.
pub(crate) struct Admin {
    /// Stores, activates and lists provisions.
    pub activation: Arc<Activation>,
    /// The timer, for waits with a deadline.
    pub after: After,
    /// `--admin-token`: required by all resources except the probes.
    pub token: Option<String>,
    /// `--admin-host`: host names of this interface, beside addresses and private names.
    pub hosts: Vec<String>,
    pub readiness: Arc<Readiness>,
    pub observing: Observing,
    pub chaos: Arc<Chaos>,
    pub journal: Arc<Journal>,
    pub streams: Arc<Streams>,
    pub waiters: Arc<Waiters>,
    /// How requests reach the mock, for replays.
    pub reception: Reception,
    /// Runs loads, one after the other, while the workers answer other requests.
    pub loads: JobThread<Job>,
    /// Searches files, values and entries, one request after the other.
    pub reads: JobThread<Job>,
    /// Tries provisions and replays requests, one request after the other. So a long replay delays no load.
    pub checks: JobThread<Job>,
    pub large_answers: LargeAnswers,
}

/// Work for the thread `loads`, `reads` or `checks`, and the response to the request that causes it.
pub(crate) struct Job {
    run: Box<dyn FnOnce(Respond) + Send>,
    respond: Respond,
}

/// Maximum of jobs that wait for a thread; further ones are refused.
const MOST_JOBS: usize = 64;

impl Job {
    fn new<A: Into<Reply> + 'static>(
        admin: &Arc<Admin>,
        request: Request,
        run: impl FnOnce(&Call) -> Result<A, Answer> + Send + 'static,
        respond: Respond,
    ) -> Job {
        let admin = admin.clone();
        let run = move |respond: Respond| {
            let name = Resource::find(request.path()).map_or("", |resource| resource.name);
            let call = Call { admin: &admin, request: &request, name };
            respond(run(&call).map_or_else(Reply::from, A::into));
        };
        Job { run: Box::new(run), respond }
    }

    /// Runs `work` on `thread`, for no request. Returns false where too many jobs wait.
    fn run_on(thread: &JobThread<Job>, work: impl FnOnce() + Send + 'static) -> bool {
        thread.submit(Job { run: Box::new(|_| work()), respond: Box::new(drop) }).is_ok()
    }

    /// Starts a thread for jobs.
    ///
    /// # Errors
    /// The system refuses a thread.
    pub(crate) fn thread(name: &'static str, stack: usize) -> io::Result<JobThread<Job>> {
        JobThread::start(name, stack, MOST_JOBS, budget::stack_has_grown, |job: Job| {
            (job.run)(job.respond);
            allocator::give_back();
        })
    }

    /// Queues the job for `thread`; 503 where too many jobs wait.
    fn submit(self, thread: &JobThread<Job>) {
        if let Err(job) = thread.submit(self) {
            let why = format!("{MOST_JOBS} requests of this kind wait for their turn");
            (job.respond)(answer::busy(&why).into());
        }
    }
}

/// One request for a resource.
struct Call<'a> {
    admin: &'a Arc<Admin>,
    request: &'a Request,
    /// The text in place of the path's variable, as sent.
    name: &'a str,
}

impl Call<'_> {
    /// Returns the file name in the path; 400 with the reason where it is illegal.
    fn file_name(&self) -> Result<Name, Answer> {
        Name::parse(self.utf8("name")?).map_err(|error| answer::failed(400, &error.to_string()))
    }

    /// Returns the text in place of the path's variable; 400 where it was not UTF-8. The path then has `%FF`, which `%25FF` stands
    /// for, too.
    fn utf8(&self, kind: &str) -> Result<&str, Answer> {
        let target = self.request.target();
        if percent_decode_str(&target[places(target).path]).decode_utf8().is_err() {
            return Err(answer::failed(400, &format!("{kind} `{}` is not UTF-8", self.name)));
        }
        Ok(self.name)
    }
}

/// Answers one request whose body has arrived: at once, or later from another thread. Never panics, whatever a client sends.
pub(crate) fn handle(admin: &Arc<Admin>, request: Request, respond: Respond, on_gone: OnGone) {
    let respond: Respond = Box::new(|mut reply| {
        end_line(&mut reply.answer);
        respond(reply);
    });
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
        Some(Handler::Check(run)) => Job::new(admin, request, run, respond).submit(&admin.checks),
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

/// Returns the resource of a request that may use it.
///
/// The token is checked before 404, so that a client without the token learns nothing about paths. The host name is
/// checked only where there is no token. It is never checked for probes: load balancers send them to any name.
fn enter<'a>(admin: &Admin, request: &'a Request) -> Result<Resource<'a>, Answer> {
    access::refuse_pages(request)?;
    let resource = Resource::find(request.path());
    match &admin.token {
        _ if resource.is_some_and(Resource::is_probe) => {}
        Some(token) => access::authorize(token, request)?,
        None => access::refuse_foreign_host(&admin.hosts, request)?,
    }
    resource.ok_or_else(|| answer::not_found(request.path()))
}
