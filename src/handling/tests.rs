//! One request through hooks, views and error handlers, without sockets.

use super::*;
use crate::chaos::{Act, Breaking, Course, Delay, Entry, Target};
use crate::directory::fixture::Folder;
use crate::script;
use crate::script::runtime::budget::Budget;
use crate::script::runtime::files::Files;
use fastrand::Rng;
use std::sync::Mutex;
use std::time::Duration;

const EPOCH: u64 = 0;

fn provision(source: &str) -> Arc<Provision> {
    let folder = Folder::new();
    let directory = Arc::new(folder.directory());
    let files = Files::new(directory, "tested", Some(source.into()), Arc::default());
    let engine = Arc::new(script::engine(Budget::default()));
    let loaded = Provision::load(&engine, Budget::default(), files).unwrap_or_else(|error| panic!("{error}"));
    Arc::new(loaded.into_provision("tested").unwrap())
}

fn get(provision: &Arc<Provision>, chaos: &Chaos, path: &str) -> Outcome {
    let request = Request::from_parts("GET", path, None::<(&str, &str)>, Vec::new(), None, None);
    handle(provision, chaos, &Conditions::default(), &mut Arc::new(request))
}

/// Status and body.
fn answer(outcome: &Outcome) -> (u16, String) {
    let answer = &outcome.reply.answer;
    (answer.status, String::from_utf8_lossy(answer.body.bytes()).into_owned())
}

fn answered(status: u16, body: &str) -> (u16, String) {
    (status, body.to_owned())
}

/// Chaos that answers each request by `status` and no body.
fn chaos(status: u16) -> Chaos {
    chaos_with(Act { replacement: Some(Answer { status, ..Answer::default() }), ..Act::default() })
}

fn chaos_with(act: Act) -> Chaos {
    let chaos = Chaos::default();
    let entry = Entry {
        target: Target::default(),
        act,
        probability: 1.0,
        times: None,
        until: None,
        given: serde_json::Value::Null,
        size: 0,
        course: Mutex::new(Course { random: Rng::with_seed(1), hits: 0 }),
    };
    chaos.set(vec![entry], false).unwrap();
    chaos
}

#[test]
fn an_answer_that_chaos_replaces_has_its_rule_and_no_hit() {
    let provision = provision(
        "fn registerRules() { app.get(\"/first\", || 1); app.get(\"/second\", || \"the script\"); }",
    );
    let replaced = get(&provision, &chaos(503), "/second");
    assert_eq!((answer(&replaced).0, replaced.rule, replaced.unmatched), (503, Some(1), None));
    assert_eq!(provision.views[1].hits(EPOCH), 0, "the view function did not run");
    let counted = replaced.counted(&provision, ("GET", "/second"), 1);
    assert!(counted.served && !counted.unmatched && counted.status == 503);
    let unknown = get(&provision, &chaos(503), "/third");
    assert_eq!((answer(&unknown).0, unknown.rule), (503, None));

    let served = get(&provision, &Chaos::default(), "/second");
    assert_eq!((answer(&served), served.rule), (answered(200, "the script"), Some(1)));
    assert_eq!(provision.views[1].hits(EPOCH), 1);
}

#[test]
fn a_wait_counts_its_hit_at_once_and_keeps_delays_and_chaos_until_its_end() {
    let provision = provision(
        r#"fn registerRules() {
            app.get("/", || { time.sleep(1); wait_for("k", 2.5, |value| { time.sleep(2); `${value}` }) });
            app.get("/fails", || { time.sleep(1); wait_for("k", 1, |value| { throw "wrong" }) });
        }"#,
    );
    let delay = Some(Delay::fixed(4000.0).unwrap());
    let chaos = chaos_with(Act { delay, breaking: Some(Breaking::Close), ..Act::default() });
    for (path, body, error, seconds) in [("/", "7", None, 7), ("/fails", "script error", Some("wrong"), 4)] {
        let request = Request::from_parts("GET", path, None::<(&str, &str)>, Vec::new(), None, None);
        let mut request = Arc::new(request);
        let mut outcome = handle(&provision, &chaos, &Conditions::default(), &mut request);
        let (wait, rule) = (outcome.wait.take().unwrap(), outcome.rule.unwrap());
        assert_eq!((wait.awaited(EPOCH).unwrap().key.as_str(), provision.views[rule].hits(EPOCH)), ("k", 1));
        assert!(outcome.reply.injected.is_none() && outcome.error.is_none());
        let outcome =
            wait.resume(&provision, &Others::default(), &request, Resumed::Value(Arc::new(7.into())));
        assert_eq!((outcome.rule, provision.views[rule].hits(EPOCH)), (Some(rule), 1));
        assert!(answer(&outcome).1.starts_with(body), "{:?}", answer(&outcome));
        assert_eq!(outcome.error.is_some_and(|error| error.contains("wrong")), error.is_some());
        assert_eq!((outcome.reply.hold.as_secs(), outcome.reply.status_sent()), (seconds, 0));
    }
}

#[test]
fn error_handlers_run_for_each_error_but_that_of_abort_with_a_response() {
    let provision = provision(
        r#"fn registerRules() {
            app.get("/code", || abort(418));
            app.get("/response", || abort(make_response("own", 418)));
            app.get("/throw", || { throw "thrown" });
            app.get("/failing", || abort(409));
            app.register_error_handler(418, |error| "by code");
            app.register_error_handler(Exception, |error| ["by class", 502]);
            app.register_error_handler(409, |error| { throw "in the handler" });
        }"#,
    );
    let answer_of = |path: &str| answer(&get(&provision, &Chaos::default(), path));
    assert_eq!(answer_of("/code"), answered(200, "by code"));
    assert_eq!(answer_of("/response"), answered(418, "own"), "neither of the handlers");
    assert_eq!(answer_of("/throw"), answered(502, "by class"));
    assert_eq!(answer_of("/nowhere"), answered(502, "by class"));
    let failing = get(&provision, &Chaos::default(), "/failing");
    assert_eq!(answer(&failing).0, 500);
    assert!(failing.error.as_deref().is_some_and(|error| error.ends_with(": in the handler")));
}

#[test]
fn an_outcome_says_why_no_rule_matched_unless_a_hook_answered() {
    let rules = "fn registerRules() { app.post(\"/a\", || 1); HOOK }";
    let plain = provision(&rules.replace("HOOK", ""));
    let hooked = provision(&rules.replace("HOOK", "app.before_request(|| \"hook\");"));
    for (path, status, unmatched) in [("/a", 405, Unmatched::Method), ("/b", 404, Unmatched::Path)] {
        let outcome = get(&plain, &Chaos::default(), path);
        assert_eq!((answer(&outcome).0, outcome.unmatched), (status, Some(unmatched)));
        let outcome = get(&hooked, &Chaos::default(), path);
        assert_eq!((answer(&outcome), outcome.unmatched), (answered(200, "hook"), None));
    }
}

#[test]
fn an_outcome_keeps_the_first_error_and_drops_the_delay() {
    let provision = provision(
        r#"fn registerRules() {
            app.get("/x", || { time.sleep(5); throw "first" });
            app.after_request(|response| { throw "second" });
        }"#,
    );
    let outcome = get(&provision, &Chaos::default(), "/x");
    assert!(outcome.error.as_deref().is_some_and(|error| error.ends_with(": first")), "{:?}", outcome.error);
    assert_eq!(outcome.reply.hold, Duration::ZERO);
}
