//! One loaded provision: source -> compiled files -> `registerRules()` -> rules, view functions, hooks.
//!
//! A provision does not change after its load. A request keeps the provision with which it began.

use crate::message::answer::Answer;
use crate::message::cors::Cors;
use crate::message::epoch::ResetCounter;
use crate::message::request::Request;
use crate::observing::counters::RuleCounters;
use crate::provisioning::registering;
use crate::provisioning::rule_row::RuleRow;
use crate::provisioning::warnings;
use crate::routing::router::Router;
use crate::routing::rule::Rule;
use crate::routing::value::Value;
use crate::script::runtime::analysis;
use crate::script::runtime::budget::{self, Budget};
use crate::script::runtime::call::{self, Call, Loading};
use crate::script::runtime::conditions::Conditions;
use crate::script::runtime::fault::{Fault, LoadError};
use crate::script::runtime::files::Files;
use crate::script::runtime::forward::Forward;
use crate::script::runtime::http_error::ErrorClass;
use crate::script::runtime::load_time;
use crate::script::runtime::registration::{Entry, Registration, Routes, RuleView, Scope};
use crate::script::runtime::view::View;
use crate::simulation::Dice;
use rhai::{Dynamic, Engine, EvalAltResult};
use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// A compiled provision with its rule table.
pub struct Provision {
    /// The file name in the provision directory.
    pub name: String,
    /// The number of its activation, from 1; 0 before.
    pub generation: u64,
    /// Whether this is the built-in provision, which replaces `initial`.
    pub built_in: bool,
    /// The main file and its imports.
    pub files: Arc<Files>,
    /// Whether the default pages of 404 and 405 list the closest rules.
    pub explain: bool,
    /// The policies of `app.cors`, or else of `--cors`.
    pub cors: Option<Arc<Cors>>,
    /// The server that gets the requests for which no rule matches.
    pub(crate) forward_unmatched: Option<Arc<Forward>>,
    /// `--compress`: answers of text are compressed.
    pub compress: bool,
    /// The rules. The index of a rule is also its index in `views` and in `routes.views`.
    pub router: Arc<Router>,
    /// The part of the provision that its functions see while they handle a request.
    pub routes: Arc<Routes>,
    /// The source line and the counters of each rule.
    pub views: Vec<Served>,
    /// The warnings of the load.
    pub warnings: Vec<Fault>,
    before: Vec<(Scope, View)>,
    after: Vec<(Scope, View)>,
    /// The last registered handler of a class and scope wins.
    error_handlers: Vec<(Scope, ErrorClass, View)>,
}

/// The source line and the counters of one rule.
pub struct Served {
    /// The file that registered the rule.
    pub file: String,
    /// The line that registered the rule, from 1.
    pub line: usize,
    hits: ResetCounter,
    /// The metrics of the rule; `None` if there are too many rules and this one shares its metrics with others.
    pub counters: Option<Arc<RuleCounters>>,
}

impl Served {
    /// Whether the rule served a request since the process began, resets included.
    fn was_used(&self) -> bool {
        self.counters.as_ref().map_or_else(|| self.hits.any(), |counters| counters.total() > 0)
    }

    /// Returns the number of requests of `epoch` that the rule served.
    pub fn hits(&self, epoch: u64) -> u64 {
        self.hits.in_epoch(epoch)
    }
}

/// The result of loading a file.
pub enum Loaded {
    /// A provision that is not active yet.
    Provision(Box<Provision>),
    /// A file for imports, without `registerRules()`, and its warnings.
    Library(Vec<Fault>),
}

impl Loaded {
    /// Returns the provision of file `name`.
    ///
    /// # Errors
    /// `function registerRules() is missing`
    pub fn into_provision(self, name: &str) -> Result<Provision, LoadError> {
        match self {
            Loaded::Provision(provision) => Ok(*provision),
            Loaded::Library(warnings) => Err(no_register_rules(name, &warnings)),
        }
    }
}

impl Provision {
    /// Compiles the main file, calls its `registerRules()` and builds the rule table. Changes nothing that serves.
    ///
    /// # Errors
    /// The first fault, with its place.
    pub fn load(engine: &Arc<Engine>, budget: Budget, files: Files) -> Result<Loaded, LoadError> {
        Provision::load_under(Conditions::default(), engine, budget, files)
    }

    /// Loads like [`Provision::load`], with `conditions` for the scripts that run.
    pub(crate) fn load_under(
        conditions: Conditions,
        engine: &Arc<Engine>,
        budget: Budget,
        files: Files,
    ) -> Result<Loaded, LoadError> {
        let files = Arc::new(files);
        let load =
            || load_time::run(budget.load, || Provision::load_files(conditions, engine, budget, &files));
        // A panic of a native function must not end the thread.
        catch_unwind(AssertUnwindSafe(load))
            .unwrap_or_else(|_| Err(Fault::of_file(&files.main, "a native function panicked: see the log")))
    }

    fn load_files(
        conditions: Conditions,
        engine: &Arc<Engine>,
        budget: Budget,
        files: &Arc<Files>,
    ) -> Result<Loaded, LoadError> {
        let loading = Loading { files: files.clone(), registration: Registration::default(), seed: None };
        let call = Call { loading: Some(loading.into()), conditions, ..Call::default() };
        let (loaded, call) = call::within(call, || budget.run(|| registering::run(engine, files)));
        let found = analysis::analyse(engine, files);
        let loaded = loaded.map_err(|error| {
            warnings::explain(Fault::new(&error, &files.main, files).or_line(files, call.line()), &found)
        });
        let mut warnings = found.warnings(files);
        let (mut registration, seed) =
            call.loading.map(|loading| (loading.registration, loading.seed)).unwrap_or_default();
        let Some(main) = loaded? else {
            warnings.extend(warnings::of_library(files, &registration));
            return Ok(Loaded::Library(warnings));
        };
        registering::tell_closures_apart(files, &mut registration.rules);
        warnings.extend(warnings::of_rules(files, &registration.rules));
        warnings.sort_by_key(|warning| (warning.file != files.main, warning.line, warning.column));
        let provision =
            Provision { warnings, ..Provision::build(engine, budget, files, registration, seed)? };
        budget::check_load().map_err(|error| Fault::new(&error, &files.main, files))?;
        log::debug!("loaded `{}`: {} rules", main.name, provision.views.len());
        Ok(Loaded::Provision(Box::new(provision)))
    }

    fn build(
        engine: &Arc<Engine>,
        budget: Budget,
        files: &Arc<Files>,
        registration: Registration,
        seed: Option<i64>,
    ) -> Result<Provision, LoadError> {
        endpoints_are_unique(files, &registration.rules)?;
        let (mut rules, mut functions, mut views) = (Vec::new(), Vec::new(), Vec::new());
        for entry in registration.rules {
            let wrong = |message: String| {
                let hint = warnings::meant_pattern(&entry);
                Fault { hint, ..Fault::from_position(files, &entry.file, entry.at, message) }
            };
            let rule = Rule::parse(&entry.rule, &entry.endpoint, entry.options.clone())
                .map_err(|error| wrong(error.to_string()))?;
            let bind = |view: View| view.bind(&entry.rule, &rule.variables());
            let function = entry.view.clone().map(bind).transpose().map_err(wrong)?;
            functions.push(RuleView { function, forward: entry.forward, blueprint: entry.blueprint });
            views.push(Served {
                file: entry.file,
                line: entry.at.line().unwrap_or(0),
                hits: ResetCounter::default(),
                counters: None,
            });
            rules.push(rule);
        }
        let router = Arc::new(Router::new(rules));
        let dice = seed.map(Dice::seeded).unwrap_or_default();
        let (files, engine) = (files.clone(), engine.clone());
        let routes =
            Routes { engine, budget, files: files.clone(), router: router.clone(), views: functions, dice };
        Ok(Provision {
            name: files.main.clone(),
            generation: 0,
            built_in: false,
            files,
            explain: false,
            cors: Cors::new(registration.cors),
            forward_unmatched: registration.forward_unmatched,
            compress: false,
            router,
            routes: routes.into(),
            views,
            warnings: Vec::new(),
            before: registration.before,
            after: registration.after,
            error_handlers: registration.error_handlers,
        })
    }

    /// Calls the view function of rule `index` with the values of its variables, for a request of `epoch`, and counts the request.
    ///
    /// # Errors
    /// The error of the script.
    pub fn call_view(
        &self,
        epoch: u64,
        index: usize,
        values: Vec<Value>,
    ) -> Result<Dynamic, Box<EvalAltResult>> {
        self.count_hit(epoch, index);
        let Some(function) = &self.routes.views[index].function else { return Ok(Dynamic::UNIT) };
        self.routes.budget.run(|| function.call(&self.routes.engine, index, values))
    }

    /// Adds the headers of CORS to an answer that is complete otherwise.
    pub(crate) fn add_cors(&self, request: &Request, answer: &mut Answer) {
        if let Some(cors) = &self.cors {
            cors.apply(request, answer);
        }
    }

    /// Counts a request of `epoch` for rule `index`.
    pub fn count_hit(&self, epoch: u64, index: usize) {
        self.views[index].hits.count(epoch);
    }

    /// Calls a hook or an error handler. Each call has a budget of its own, so that hooks run even if the view function has used up its
    /// time.
    ///
    /// # Errors
    /// The error of the script.
    pub fn call(&self, view: &View, arguments: &mut [Dynamic]) -> Result<Dynamic, Box<EvalAltResult>> {
        self.routes.call(view, arguments)
    }

    /// Whether functions beside the views may handle a request: hooks and error handlers.
    pub fn has_functions_for_all(&self) -> bool {
        !(self.before.is_empty() && self.after.is_empty() && self.error_handlers.is_empty())
    }

    /// Returns the `before_request` functions for requests of `blueprint`: those of the app, then those of the blueprint.
    pub fn before<'p>(&'p self, blueprint: Option<&'p str>) -> impl Iterator<Item = &'p View> {
        hooks(&self.before, blueprint)
    }

    /// Returns the `after_request` functions for requests of `blueprint`: those of the blueprint, then those of the app, each from the last
    /// registered to the first.
    pub fn after<'p>(&'p self, blueprint: Option<&'p str>) -> impl Iterator<Item = &'p View> {
        hooks(&self.after, blueprint).rev()
    }

    /// Returns the error handler for `code`. The blueprint's handler wins over the app's, and in Flask's order that of the code over
    /// those of `HTTPException` and `Exception`. An error of a script (`thrown`) has no code yet, so its first handler is that of `Exception`.
    pub fn error_handler(&self, blueprint: Option<&str>, code: u16, thrown: bool) -> Option<&View> {
        use ErrorClass::{Code, Exception, HttpException};
        let of = |class: ErrorClass, wanted: Option<&str>| {
            let mut handlers = self.error_handlers.iter();
            handlers.rfind(|(scope, own, _)| *own == class && scope.as_deref() == wanted)
        };
        let order: &[&[ErrorClass]] = match thrown {
            true => &[&[Exception], &[Code(code)], &[HttpException]],
            false => &[&[Code(code)], &[HttpException, Exception]],
        };
        let scopes = [blueprint, None];
        let mut places = order.iter().flat_map(|classes| {
            scopes.iter().flat_map(move |scope| classes.iter().map(move |class| (*class, *scope)))
        });
        places.find_map(|(class, scope)| of(class, scope)).map(|(.., view)| view)
    }

    /// Sets the counters of the rules, in the order of registration.
    pub fn count_with(&mut self, counters: Vec<Option<Arc<RuleCounters>>>) {
        for (view, counters) in self.views.iter_mut().zip(counters) {
            view.counters = counters;
        }
    }

    /// Lists the rules that served no request since the process began: `GET,POST /foo`. The two rules of one `app.forward` count as one.
    pub fn unused(&self) -> Vec<String> {
        let forwards = || self.routes.views.iter().map(|view| view.forward.as_ref().map(Arc::as_ptr));
        let used =
            forwards().zip(&self.views).filter_map(|(forward, view)| forward.filter(|_| view.was_used()));
        let mut known: HashSet<*const Forward> = used.collect();
        let mut is_unused = |forward: Option<_>, view: &Served| {
            !view.was_used() && forward.is_none_or(|forward| known.insert(forward))
        };
        let rules = self.router.rules().iter().zip(forwards().zip(&self.views));
        let rules = rules.filter(|(_, (forward, view))| is_unused(*forward, view));
        rules.map(|(rule, _)| format!("{} {}", rule.listed_methods().join(","), rule.display())).collect()
    }

    /// Lists all rules in the order of registration, with their hits of `epoch`.
    pub fn rules(&self, epoch: u64) -> Vec<RuleRow> {
        let shadowed = self.router.shadowed();
        let earlier = |index: usize| {
            let at = shadowed.binary_search_by_key(&index, |(index, _)| *index);
            at.ok().map(|at| shadowed[at].1)
        };
        let rules = self.router.rules();
        let row = |(index, rule): (usize, &Rule)| {
            let served = &self.views[index];
            let hits = served.hits(epoch);
            RuleRow {
                rule: rule.display().into_owned(),
                endpoint: rule.endpoint().to_owned(),
                methods: rule.methods().to_vec(),
                converters: rule.converters().to_string(),
                file: served.file.clone(),
                line: served.line,
                hits,
                never_hit: hits == 0,
                shadowed_by: earlier(index).map(|earlier| rules[earlier].display().into_owned()),
                forwards_to: self.routes.views[index].forward.as_ref().map(|forward| forward.url.to_string()),
            }
        };
        rules.iter().enumerate().map(row).collect()
    }
}

/// Returns the hooks of the app, then those of `blueprint`, each in the order of registration.
fn hooks<'p>(
    hooks: &'p [(Scope, View)],
    blueprint: Option<&'p str>,
) -> impl DoubleEndedIterator<Item = &'p View> {
    let of_app = hooks.iter().filter(|(scope, _)| scope.is_none());
    let own = hooks.iter().filter(move |(scope, _)| scope.is_some() && scope.as_deref() == blueprint);
    of_app.chain(own).map(|(_, view)| view)
}

/// Checks that an endpoint has one function, as in Flask: `url_for` builds the URL of one view.
fn endpoints_are_unique(files: &Files, entries: &[Entry]) -> Result<(), LoadError> {
    let name = |entry: &Entry| match &entry.view {
        Some(view) => view.name(),
        None => "a redirect".to_owned(),
    };
    let mut known: HashMap<&str, &Entry> = HashMap::new();
    for entry in entries {
        let first = *known.entry(&entry.endpoint).or_insert(entry);
        if first.view != entry.view {
            let message = format!(
                "endpoint `{}` is {} already ({}line {}): give {} another name, or an endpoint of its own",
                entry.endpoint,
                name(first),
                if first.file == entry.file { String::new() } else { format!("`{}`, ", first.file) },
                first.at.line().unwrap_or(0),
                name(entry)
            );
            return Err(Fault::from_position(files, &entry.file, entry.at, message));
        }
    }
    Ok(())
}

/// Returns the error for a file without `registerRules()` that must be a provision. `warnings` are those of its load.
pub(crate) fn no_register_rules(name: &str, warnings: &[Fault]) -> LoadError {
    let mut error = Fault::of_file(name, "function registerRules() is missing");
    // A warning about the whole file is the last one.
    match warnings.last().filter(|warning| warning.line.is_none()) {
        Some(whole) => {
            error.message = format!("{}: {}", error.message, whole.message);
            error.hint.clone_from(&whole.hint);
        }
        None => error.hint = Some("define `fn registerRules() { app.get(\"/foo\", foo); }`".to_owned()),
    }
    error
}
