//! One provision, loaded: source -> compiled files -> `registerRules()` -> rules, view functions, hooks. Never changes after
//! that; a request holds on to the one that it began with.

use crate::message::epoch::ResetCounter;
use crate::observing::counters::RuleCounters;
use crate::provisioning::warnings;
use crate::routing::router::Router;
use crate::routing::rule::Rule;
use crate::routing::value::Value;
use crate::script::runtime::analysis::{self, rules};
use crate::script::runtime::budget::{self, Budget};
use crate::script::runtime::call::{self, Call, CurrentFunction, Loading};
use crate::script::runtime::fault::{Fault, LoadError};
use crate::script::runtime::files::{File, Files};
use crate::script::runtime::http_error::ErrorClass;
use crate::script::runtime::load_time;
use crate::script::runtime::registration::{Entry, REGISTER_RULES, Registration, Routes, RuleView, Scope};
use crate::script::runtime::view::View;
use rhai::{Dynamic, Engine, EvalAltResult, FnPtr, NativeCallContext, Position};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// A compiled provision with its rule table.
pub struct Provision {
    /// File name in the provision directory.
    pub name: String,
    /// Which activation this is, from 1; 0 before it is active.
    pub generation: u64,
    /// Whether it is the built-in one, which stands in for a file.
    pub built_in: bool,
    engine: Arc<Engine>,
    /// Time and memory of one call.
    budget: Budget,
    /// Its files.
    pub files: Arc<Files>,
    /// Whether the default pages of 404 and 405 list the closest rules.
    pub explain: bool,
    /// Its rules; the index of a rule is that of its view.
    pub router: Arc<Router>,
    /// What its functions see of it.
    pub routes: Arc<Routes>,
    /// What is known of each rule besides.
    pub views: Vec<Served>,
    /// Warnings of its load.
    pub warnings: Vec<Fault>,
    before: Vec<(Scope, View)>,
    after: Vec<(Scope, View)>,
    /// Of one class and scope, the last registered counts.
    error_handlers: Vec<(Scope, ErrorClass, View)>,
}

/// Where one rule comes from, and what is counted of it.
pub struct Served {
    /// File of the line that registered it.
    pub file: String,
    /// Line that registered it, from 1.
    pub line: usize,
    hits: ResetCounter,
    /// What is counted of its requests; `None` where its rule shares that with others.
    pub counters: Option<Arc<RuleCounters>>,
}

impl Served {
    /// Whether it served any request, before a reset perhaps.
    fn was_used(&self) -> bool {
        self.counters.as_ref().map_or_else(|| self.hits.any(), |counters| counters.total() > 0)
    }

    /// Requests of `epoch` that it served.
    pub fn hits(&self, epoch: u64) -> u64 {
        self.hits.in_epoch(epoch)
    }
}

/// One rule for lists: the admin interface and `h1mock routes`.
#[derive(Debug, Clone, serde::Serialize)]
pub struct RuleRow {
    /// The rule as registered.
    pub rule: String,
    pub endpoint: String,
    /// Its methods, with those that come by themselves.
    pub methods: Vec<String>,
    /// Its variables and their converters.
    #[serde(skip)]
    pub converters: String,
    /// File of the line that registered it.
    pub file: String,
    /// That line, from 1.
    pub line: usize,
    /// Requests that it served.
    pub hits: u64,
    pub never_hit: bool,
    /// An earlier rule that takes all its requests.
    pub shadowed_by: Option<String>,
}

/// What a file turned out to be.
pub enum Loaded {
    /// A provision, not yet active.
    Provision(Box<Provision>),
    /// A file without `registerRules()`: for imports. With what looks wrong with it.
    Library(Vec<Fault>),
}

impl Provision {
    /// Compiles the files' main file, runs `registerRules()` and builds the rule table. Changes nothing that serves.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn load(engine: &Arc<Engine>, budget: Budget, files: Files) -> Result<Loaded, LoadError> {
        let files = Arc::new(files);
        let load = || load_time::run(budget.load, || Provision::load_files(engine, budget, &files));
        // A native function of the engine that panics must not take the thread with it.
        catch_unwind(AssertUnwindSafe(load))
            .unwrap_or_else(|_| Err(Fault::of_file(&files.main, "a native function panicked: see the log")))
    }

    fn load_files(engine: &Arc<Engine>, budget: Budget, files: &Arc<Files>) -> Result<Loaded, LoadError> {
        let loading = Loading { files: files.clone(), registration: Registration::default() };
        let call = Call { loading: Some(loading.into()), ..Call::default() };
        let (loaded, call) = call::within(call, || budget.run(|| run(engine, files)));
        let found = analysis::analyse(engine, files);
        let loaded = loaded.map_err(|error| {
            warnings::explain(Fault::new(&error, &files.main, files).or_line(files, call.line()), &found)
        });
        let mut warnings = found.warnings(files);
        let Some(main) = loaded? else {
            warnings.extend(warnings::of_library(files));
            return Ok(Loaded::Library(warnings));
        };
        let registration = call.loading.map(|loading| loading.registration).unwrap_or_default();
        warnings.extend(warnings::of_rules(files, &registration.rules));
        warnings.sort_by_key(|warning| (warning.file != files.main, warning.line, warning.column));
        let provision = Provision { warnings, ..Provision::build(engine, budget, files, registration)? };
        budget::check_load().map_err(|error| Fault::new(&error, &files.main, files))?;
        log::debug!("loaded `{}`: {} rules", main.name, provision.views.len());
        Ok(Loaded::Provision(Box::new(provision)))
    }

    fn build(
        engine: &Arc<Engine>,
        budget: Budget,
        files: &Arc<Files>,
        registration: Registration,
    ) -> Result<Provision, LoadError> {
        endpoints_are_unique(files, &registration.rules)?;
        let (mut rules, mut functions, mut views) = (Vec::new(), Vec::new(), Vec::new());
        for entry in registration.rules {
            let wrong = |message: String| {
                let hint = rules::foreign_variable(&entry.rule).map(|(_, meant)| rules::as_variable(&meant));
                Fault { hint, ..Fault::from_position(files, &entry.file, entry.at, message) }
            };
            let rule = Rule::parse(&entry.rule, &entry.endpoint, entry.options.clone())
                .map_err(|error| wrong(error.to_string()))?;
            let bind = |view: View| view.bind(&entry.rule, &rule.variables());
            let function = entry.view.clone().map(bind).transpose().map_err(wrong)?;
            functions.push(RuleView { function, blueprint: entry.blueprint });
            views.push(Served {
                file: entry.file,
                line: entry.at.line().unwrap_or(0),
                hits: ResetCounter::default(),
                counters: None,
            });
            rules.push(rule);
        }
        let router = Arc::new(Router::new(rules));
        let routes = Routes { files: files.clone(), router: router.clone(), views: functions };
        Ok(Provision {
            name: files.main.clone(),
            generation: 0,
            built_in: false,
            engine: engine.clone(),
            budget,
            files: files.clone(),
            explain: false,
            router,
            routes: routes.into(),
            views,
            warnings: Vec::new(),
            before: registration.before,
            after: registration.after,
            error_handlers: registration.error_handlers,
        })
    }

    /// Calls the view function of rule `index` with the values of its variables, in their order, for a request of `epoch`.
    ///
    /// # Errors
    /// What the script throws.
    pub fn call_view(
        &self,
        epoch: u64,
        index: usize,
        values: Vec<Value>,
    ) -> Result<Dynamic, Box<EvalAltResult>> {
        self.count_hit(epoch, index);
        let Some(function) = &self.routes.views[index].function else { return Ok(Dynamic::UNIT) };
        self.budget.run(|| function.call(&self.engine, index, values))
    }

    /// Counts a request of `epoch` for rule `index`.
    pub fn count_hit(&self, epoch: u64, index: usize) {
        self.views[index].hits.count(epoch);
    }

    /// Calls a hook or an error handler. Like each view function it has a budget of its own: what comes after a view that
    /// used up its time still runs.
    ///
    /// # Errors
    /// What the script throws.
    pub fn call(&self, view: &View, arguments: &mut [Dynamic]) -> Result<Dynamic, Box<EvalAltResult>> {
        self.budget.run(|| view.call(&self.engine, arguments))
    }

    /// `before_request` functions for requests of `blueprint`: the app's, then its own.
    pub fn before<'p>(&'p self, blueprint: Option<&'p str>) -> impl Iterator<Item = &'p View> {
        let own =
            self.before.iter().filter(move |(scope, _)| scope.is_some() && scope.as_deref() == blueprint);
        self.before.iter().filter(|(scope, _)| scope.is_none()).chain(own).map(|(_, view)| view)
    }

    /// `after_request` functions for requests of `blueprint`: its own, then the app's, each the last registered first.
    pub fn after<'p>(&'p self, blueprint: Option<&'p str>) -> impl Iterator<Item = &'p View> {
        let own = self
            .after
            .iter()
            .rev()
            .filter(move |(scope, _)| scope.is_some() && scope.as_deref() == blueprint);
        own.chain(self.after.iter().rev().filter(|(scope, _)| scope.is_none())).map(|(_, view)| view)
    }

    /// The error handler for `code`, the blueprint's before the app's, in Flask's order: that of the code, of `HTTPException`,
    /// of `Exception`. What a script threw (`thrown`) goes to that of `Exception` first, since it has no code yet.
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

    /// Blueprint of rule `index`.
    pub fn blueprint(&self, index: usize) -> Option<&str> {
        self.routes.blueprint(index)
    }

    /// Gives its views the counters of their rules, in their order.
    pub fn count_with(&mut self, counters: Vec<Option<Arc<RuleCounters>>>) {
        for (view, counters) in self.views.iter_mut().zip(counters) {
            view.counters = counters;
        }
    }

    /// Its rules that served no request, since the process began: `GET,POST /foo`.
    pub fn unused(&self) -> Vec<String> {
        let rules = self.router.rules().iter().zip(&self.views).filter(|(_, view)| !view.was_used());
        rules.map(|(rule, _)| format!("{} {}", rule.listed_methods().join(","), rule.display())).collect()
    }

    /// All rules in the order of registration, with their hits of `epoch`.
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
            }
        };
        rules.iter().enumerate().map(row).collect()
    }
}

/// Evaluates the main file and calls its `registerRules()`; `None` if it has none.
fn run(engine: &Engine, files: &Files) -> Result<Option<Arc<File>>, Box<EvalAltResult>> {
    let main = files.load_main(engine)?;
    let overloads = main.overloads(REGISTER_RULES);
    let Some(first) = overloads.first() else { return Ok(None) };
    call::with(|call| call.function = CurrentFunction::Other(main.clone(), first.line));
    if !overloads.iter().any(|function| function.params.is_empty() && !function.private) {
        return Err("registerRules() must take no parameters and not be private".into());
    }
    let context =
        NativeCallContext::new_with_all_fields(engine, REGISTER_RULES, None, &main.state, Position::NONE);
    let _ = FnPtr::new(REGISTER_RULES)?.call_raw(&context, None, [])?;
    Ok(Some(main))
}

/// One endpoint is one function, as in Flask: `url_for` must know whose URL it builds.
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
                "endpoint `{}` is {} already (line {}): give {} an endpoint of its own",
                entry.endpoint,
                name(first),
                line(first.at),
                name(entry)
            );
            return Err(Fault::from_position(files, &entry.file, entry.at, message));
        }
    }
    Ok(())
}

fn line(at: Position) -> usize {
    at.line().unwrap_or(0)
}

/// What is wrong with a file that has no `registerRules()`, where a provision is wanted; `warnings` are those of its load.
pub(crate) fn no_register_rules(name: &str, warnings: &[Fault]) -> LoadError {
    let mut error = Fault::of_file(name, "function registerRules() is missing");
    // The last one is of the file as a whole, if any is.
    match warnings.last().filter(|warning| warning.line.is_none()) {
        Some(whole) => {
            error.message = format!("{}: {}", error.message, whole.message);
            error.hint.clone_from(&whole.hint);
        }
        None => error.hint = Some("define `fn registerRules() { app.get(\"/foo\", foo); }`".to_owned()),
    }
    error
}
