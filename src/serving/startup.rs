//! `h1mock serve`: starts everything in order, waits for a signal, then stops in order.

use crate::admin::{Admin, Job, LargeAnswers, Observing, Readiness, Streams};
use crate::chaos::Chaos;
use crate::cli::Settings;
use crate::directory::ProvisionDir;
use crate::message::epoch::Epoch;
use crate::message::progress::Ending;
use crate::message::request::reception::Reception;
use crate::observing::access_log::AccessLog;
use crate::observing::journal::waiting::Waiters;
use crate::observing::journal::{Journal, on_own_thread};
use crate::observing::logger;
use crate::observing::metrics::metrics;
use crate::observing::metrics::page::Readings;
use crate::outgoing::Outgoing;
use crate::provisioning::activation::Activation;
use crate::provisioning::load::LoadOptions;
use crate::provisioning::required::Required;
use crate::provisioning::watcher::{WatchOptions, Watcher};
use crate::script;
use crate::script::runtime::budget::Budget;
use crate::script::runtime::forward::Forward;
use crate::script::runtime::key_value_store::KeyValueStore;
use crate::serving::admin_work::AdminWork;
use crate::serving::callbacks::Callbacks;
use crate::serving::console;
use crate::serving::directories::Directories;
use crate::serving::http::{Reactor, Server};
use crate::serving::limits::EffectiveLimits;
use crate::serving::listeners::{Listener, Shared};
use crate::serving::pending::PendingBudget;
use crate::serving::refusal::{self, Loaded};
use crate::serving::signals;
use crate::serving::stopping::{finish, unfinished, write_log};
use crate::serving::timer::Timer;
use crate::serving::verdict::{QUIT, report_of, verdict};
use crate::serving::workers::MockWork;
use crate::simulation::Simulation;
use crate::system::io_error::failed_to;
use crate::system::memory;
use std::io::{IsTerminal, stderr};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex, Weak};
use std::thread;
use std::time::{Duration, SystemTime};

/// Longest pause between two file events that count as one change.
const QUIET: Duration = Duration::from_millis(5);

/// Serves until a signal comes and returns the exit code. By then the log is written, unless nobody reads it.
pub(crate) fn serve(settings: Settings) -> ExitCode {
    run(settings).unwrap_or_else(|error| {
        logger::print_error(&error);
        ExitCode::FAILURE
    })
}

fn run(settings: Settings) -> Result<ExitCode, String> {
    let json = settings.json_log;
    let paint = settings.color.paint(stderr().is_terminal());
    logger::start(json, console::levels(&settings), paint).map_err(failed_to("start a thread"))?;
    let limits = EffectiveLimits::by_system(&settings)?;
    // Before anything slow: process 1 of a container ignores a signal that has no handler.
    let (stop, signals) = signals::receive()?;
    let reactor = Reactor::new().map_err(failed_to("start the engine"))?;
    let epoch = Arc::default();
    let journal = journal(&settings, &epoch)?;
    let loaded = Loaded::default();
    let (mut mock, mut admin) = listeners(&settings, limits, &reactor, &journal, &loaded)?;
    let begin = SystemTime::now();
    let Directories { provisions, private: _private, _lock } = Directories::open(&settings)?;
    let service = Service::start(&settings, reactor, provisions, (journal, epoch), mock.server())?;
    let _ = loaded.set(service.activation.clone());
    let stack = service.budget.stack();
    let pending = PendingBudget::new(mock.buffered);
    service.share_memory(pending.clone());
    let reception = Reception {
        address: mock.address,
        max_content: settings.max_body,
        trusted_proxies: settings.trust_proxy,
    };
    let mock_work = MockWork {
        shared: service.shared.clone(),
        activation: service.activation.clone(),
        chaos: service.chaos.clone(),
        pending: pending.clone(),
        journal: service.journal.clone(),
        reception,
        outgoing: service.outgoing,
        callbacks: service.callbacks.clone(),
    };
    mock_work.take_early(&mock.server());
    // The mock's workers start last: where threads are short, the administrative port has its own, and the mock takes the rest.
    if let Some(listener) = &mut admin {
        let servers = [mock.server(), listener.server()];
        let observing = service.observing(&settings, servers, pending, stop.clone());
        let work = service.admin_work(&settings, observing, reception, listener.address)?;
        listener.start("admin", settings.admin_workers, stack, Arc::new(work))?;
    }
    let watchers = service.watch(&settings, begin);
    service.outgoing.slots.set_workers(workers(&settings));
    mock.start("mock", workers(&settings), stack, Arc::new(mock_work))?;
    service.outgoing.slots.set_workers(mock.workers());
    service.readiness.set_serving(true);
    console::announce(json, &mock, admin.as_ref(), &service.activation);
    console::follow(&settings, mock.address, &service.activation);
    let ended = "failed to wait for signals: the thread is gone";
    let signal = signals.recv().map_err(|_| ended)?;
    drop(watchers);
    let hurried = service.stop(&settings, &signals, mock, admin);
    let code = verdict(&service.activation, service.callbacks.waiting(), &settings, signal);
    write_log(&signals, hurried);
    // Dropping a provision recurses through its values, and the stack of this thread may be too small for a long chain of closures.
    std::mem::forget(service);
    Ok(ExitCode::from(code))
}

/// Binds the mock's listener, and the administrative one unless `--no-admin` is given.
fn listeners(
    settings: &Settings,
    EffectiveLimits { mock, admin }: EffectiveLimits,
    reactor: &Arc<Reactor>,
    journal: &Arc<Journal>,
    loaded: &Loaded,
) -> Result<(Listener, Option<Listener>), String> {
    let access = access_log(settings);
    let at = |port| (settings.bind, port);
    let refuse = refusal::mock_pages(&mock, access, journal.clone(), loaded.clone());
    let traffic = Listener::bind("--traffic-port", at(settings.traffic_port), &mock, refuse, reactor)?;
    if settings.no_admin {
        return Ok((traffic, None));
    }
    let admin = Listener::bind(
        "--admin-port",
        at(settings.admin_port),
        &admin,
        refusal::admin_pages(&admin, access),
        reactor,
    )?;
    Ok((traffic, Some(admin)))
}

/// Makes the journal, whose size comes from the settings or from the memory of the container.
fn journal(settings: &Settings, epoch: &Arc<Epoch>) -> Result<Arc<Journal>, String> {
    let bytes = settings.journal_bytes.unwrap_or_else(|| Journal::default_budget(memory::granted()));
    let journal = Journal::new(bytes, settings.journal_body)?;
    Ok(Arc::new(journal.of_epoch(epoch)))
}

fn access_log(settings: &Settings) -> AccessLog {
    AccessLog::new(settings.verbose, settings.json_log)
}

struct Service {
    budget: Budget,
    shared: Arc<Shared>,
    activation: Arc<Activation>,
    chaos: Arc<Chaos>,
    readiness: Arc<Readiness>,
    journal: Arc<Journal>,
    outgoing: &'static Outgoing,
    callbacks: Arc<Callbacks>,
}

impl Service {
    fn start(
        settings: &Settings,
        reactor: Arc<Reactor>,
        directory: ProvisionDir,
        (journal, epoch): (Arc<Journal>, Arc<Epoch>),
        mock: Weak<Server>,
    ) -> Result<Service, String> {
        let budget = budget(settings);
        let simulation = Arc::new(Simulation::new(settings.clock, settings.seed));
        let options = LoadOptions {
            budget,
            back_to_initial: settings.back_to_initial,
            keep_store: settings.keep_store,
            store_bytes: settings
                .store_bytes
                .unwrap_or_else(|| KeyValueStore::default_limit(memory::granted())),
            explain: settings.explain,
            simulation: simulation.clone(),
            cors: settings.cors.clone(),
            compress: settings.compress,
            forward_unmatched: settings.forward_unmatched.clone().map(|url| Arc::new(Forward::to(url))),
            required: Required(settings.require_provision.clone()),
            failed_reads: Mutex::default(),
        };
        let reset = epoch.clone();
        let activation = with_stack(budget, move || {
            let engine = Arc::new(script::engine(budget));
            Activation::start(engine, options, Arc::new(directory), epoch).map_err(|error| error.to_string())
        })??;
        let timer = Timer::start(reactor).map_err(failed_to("start the timer"))?;
        let outgoing = Outgoing::new(settings.allow_outgoing.clone(), settings.callback_workers).leak();
        let shared = Shared::new(timer, (mock, reset), access_log(settings), outgoing);
        let timer = shared.timer.clone();
        if journal.is_on() && !settings.no_admin {
            let timer = Box::new(move |delay, job| _ = timer.after(delay, job));
            let after = on_own_thread(timer).map_err(failed_to("start a thread"))?;
            journal.watch.set_timer(after);
        }
        let simulated = (simulation, activation.epoch.clone());
        let callbacks = Callbacks::start(outgoing, journal.clone(), simulated, shared.timer.clone());
        Ok(Service {
            budget,
            shared: Arc::new(shared),
            activation: Arc::new(activation),
            chaos: Arc::default(),
            readiness: Arc::new(Readiness::default()),
            journal,
            outgoing,
            callbacks,
        })
    }

    /// Takes the memory of callbacks from that of answers which wait.
    fn share_memory(&self, pending: Arc<PendingBudget>) {
        let reserve = move |bytes| pending.take_for_callback(bytes).map(|permit| Box::new(permit) as _);
        self.outgoing.places.set_memory(Box::new(reserve));
    }

    fn admin_work(
        &self,
        settings: &Settings,
        observing: Observing,
        reception: Reception,
        address: SocketAddr,
    ) -> Result<AdminWork, String> {
        let failed = failed_to("start a thread");
        let thread = |name| Job::thread(name, self.budget.stack()).map_err(&failed);
        let timer = self.shared.timer.clone();
        let admin = Admin {
            activation: self.activation.clone(),
            after: Box::new(move |delay, job| _ = timer.after(delay, job)),
            token: settings.admin_token.as_deref().map(str::to_owned),
            hosts: settings.admin_hosts.clone(),
            readiness: self.readiness.clone(),
            observing,
            chaos: self.chaos.clone(),
            streams: Streams::new(&self.journal),
            waiters: Waiters::new(&self.journal),
            journal: self.journal.clone(),
            reception,
            loads: thread("loads")?,
            reads: thread("reads")?,
            checks: thread("checks")?,
            large_answers: LargeAnswers::default(),
        };
        Ok(AdminWork { shared: self.shared.clone(), admin: Arc::new(admin), address })
    }

    /// Connects the administrative port with the process: metrics, report, and the end of the process. `servers` are the mock's and
    /// the administrative one.
    fn observing(
        &self,
        settings: &Settings,
        [mock, admin]: [Weak<Server>; 2],
        pending: Arc<PendingBudget>,
        stop: Sender<i32>,
    ) -> Observing {
        let (activation, reported) = (self.activation.clone(), self.activation.clone());
        let (journal, own) = (self.journal.clone(), settings.fail_on.unwrap_or_default());
        let (traffic, shared) = (mock.clone(), self.shared.clone());
        let (observed, callbacks) = (shared.clone(), self.callbacks.clone());
        let (counted, told) = (callbacks.clone(), callbacks.clone());
        let readings = move || Readings {
            generation: activation.generation(),
            differs: activation.differs(),
            mock: connections(&traffic),
            admin: connections(&admin),
            held: pending.now(),
            streams: observed.streaming.open(),
            forwards: observed.forwarding.open(),
            callbacks: counted.waiting(),
            waits: observed.waits.open(),
            journal: journal.stats(),
            dropped_lines: logger::dropped(),
            store: activation.current().files.values.usage(),
        };
        // A second quit must not count, as it would end the grace of running requests.
        let quits = AtomicBool::new(false);
        Observing {
            metrics: Box::new(move || metrics().page(&readings())),
            end_earlier: Box::new(move || {
                mock.upgrade().iter().for_each(|server| server.close_absent());
                shared.streaming.end_all(Ending::Reset);
                shared.forwarding.end_all(Ending::Reset);
                shared.waits.end_all();
                callbacks.cancel_earlier();
            }),
            report: Box::new(move |conditions| {
                report_of(&reported, told.waiting()).text(conditions.unwrap_or(own))
            }),
            quit: Box::new(move || {
                if !quits.swap(true, Ordering::AcqRel) {
                    let _ = stop.send(QUIT);
                }
            }),
        }
    }

    /// Starts the watchers of the provision directory and of the served files, which were loaded since `begin`. A failure is only logged,
    /// because provisions can still be posted to the administrative port.
    fn watch(&self, settings: &Settings, begin: SystemTime) -> Vec<Watcher> {
        let logged = |started: Result<Watcher, String>| started.map_err(|error| log::error!("{error}")).ok();
        let saves = self.activation.directory.served().and_then(|_| logged(self.watch_saves(begin)));
        let is_private = saves.is_some() && settings.provision_dir.is_none() && settings.config_dir.is_none();
        let changes = (!is_private).then(|| logged(self.watch_changes(settings))).flatten();
        saves.into_iter().chain(changes).collect()
    }

    fn watch_saves(&self, begin: SystemTime) -> Result<Watcher, String> {
        let (activation, loading) = (self.activation.clone(), self.activation.clone());
        let names = move || activation.watched();
        let directory = self.activation.directory.clone();
        Watcher::of_saves(directory, self.budget.stack(), begin, names, move |saved| loading.saved(saved))
    }

    fn watch_changes(&self, settings: &Settings) -> Result<Watcher, String> {
        let options = WatchOptions {
            poll: settings.poll,
            interval: settings.poll_interval,
            quiet: QUIET,
            stack: self.budget.stack(),
        };
        let activation = self.activation.clone();
        Watcher::start(self.activation.directory.clone(), options, move |changes| {
            activation.changed(&changes);
        })
    }

    /// Stops in two phases, and returns whether a second signal ended one of them.
    ///
    /// 1. `--drain`: the server is no longer ready, but takes requests while load balancers notice that.
    /// 2. `--grace`: the listeners are closed, and requests in progress may finish. Waits are answered at once.
    fn stop(
        &self,
        settings: &Settings,
        signals: &Receiver<i32>,
        mock: Listener,
        admin: Option<Listener>,
    ) -> bool {
        log::info!("stopping");
        self.readiness.set_draining();
        self.shared.draining.store(true, Ordering::Release);
        let _ = signals.recv_timeout(settings.drain);
        let listeners: Vec<Listener> = [mock].into_iter().chain(admin).collect();
        listeners.iter().for_each(Listener::close);
        self.activation.active.release();
        self.shared.waits.close();
        self.journal.close();
        let (left, hurried) = finish(&listeners, &self.callbacks, settings.grace, signals);
        match unfinished(left, self.shared.streaming.open(), self.callbacks.unfinished()) {
            left if left.is_empty() => log::info!("stopped"),
            left => log::warn!("stopped with {left} after {} ms", settings.grace.as_millis()),
        }
        self.shared.streaming.end_all(Ending::Stop);
        self.shared.forwarding.end_all(Ending::Stop);
        self.shared.stopping.store(true, Ordering::Release);
        listeners.into_iter().for_each(Listener::stop);
        hurried
    }
}

/// Returns the numbers of open and of busy connections of a server. A busy connection has a request that arrives or has no full answer.
fn connections(server: &Weak<Server>) -> (usize, usize) {
    server.upgrade().map(|server| (server.num_connections(), server.num_busy())).unwrap_or_default()
}

/// Runs `load` on a thread whose stack is large enough for scripts.
///
/// # Errors
/// The system refuses the thread, or `load` panics.
pub(crate) fn with_stack<T: Send + 'static>(
    budget: Budget,
    load: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    let thread = thread::Builder::new().name("load".to_owned()).stack_size(budget.stack()).spawn(load);
    let thread = thread.map_err(failed_to("start a thread"))?;
    thread.join().map_err(|_| "failed to load: the thread panicked".to_owned())
}

/// Returns the time and memory of one call of a script.
pub(crate) fn budget(settings: &Settings) -> Budget {
    Budget { time: settings.script_timeout, memory: settings.script_memory, load: settings.load_time }
}

/// Returns the number of mock workers: by default twice the CPUs of the cgroup, from 4 to 16.
fn workers(settings: &Settings) -> usize {
    let processors = || thread::available_parallelism().map_or(2, usize::from);
    settings.workers.unwrap_or_else(|| (processors() * 2).clamp(4, 16))
}
