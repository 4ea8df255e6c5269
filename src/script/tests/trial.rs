//! Helpers for tests of scripts: an engine, and assertions over tables of scripts and results.

use crate::chaos::Chaos;
use crate::directory::fixture::Folder;
use crate::handling::handle;
use crate::message::request::Request;
use crate::provisioning::provision::{Loaded, Provision};
use crate::script;
use crate::script::flask::{multi_dict, status};
use crate::script::python::{
    base64, builtins, bytes, clock, datetime, environ, gzip, hash, json, logging, random, regex, requests,
    secrets, text, urllib, uuid,
};
use crate::script::runtime::budget::Budget;
use crate::script::runtime::call::{self, Call};
use crate::script::runtime::conditions::Conditions;
use crate::script::runtime::files::Files;
use crate::script::runtime::natives::Natives;
use crate::script::runtime::{frozen, large_int, size_limits};
use rhai::{Dynamic, Engine};
use std::fs;
use std::sync::Arc;

/// Creates an engine with the natives of these topics.
pub(crate) fn engine() -> Engine {
    let mut engine = Engine::new();
    engine.set_max_call_levels(64).set_max_expr_depths(64, 32).set_max_strings_interned(0);
    let mut natives = Natives::new(&mut engine);
    for register in [
        base64::register,
        frozen::natives::register,
        large_int::register,
        size_limits::register,
        builtins::register,
        bytes::register,
        clock::register,
        datetime::register,
        environ::register,
        gzip::register,
        hash::register,
        json::register,
        logging::register,
        multi_dict::register,
        random::register,
        regex::register,
        requests::register,
        secrets::register,
        status::register,
        text::register,
        urllib::register,
        uuid::register,
    ] {
        register(&mut natives);
    }
    let handles = natives.finish();
    #[allow(deprecated)] // "volatile", not deprecated: the lock file pins the version
    engine.on_var(move |name, index, context| {
        let hidden = index != 0 || context.scope().contains(name);
        Ok(if hidden { None } else { handles.get(name).cloned() })
    });
    engine
}

/// Runs each script inside of a function, which sees only global names, and compares `to_debug` of its result.
#[track_caller]
pub(crate) fn yields(table: &[(&str, &str)]) {
    yields_under(&Conditions::default(), table);
}

/// Compares results as [`yields`] does. Each script is a call of its own under `conditions`.
#[track_caller]
pub(crate) fn yields_under(conditions: &Conditions, table: &[(&str, &str)]) {
    let engine = engine();
    for (script, expected) in table {
        let source = format!("fn view() {{ {script} }} let result = view(); result.to_debug()");
        let call = Call { conditions: conditions.clone(), ..Call::default() };
        match call::within(call, || engine.eval::<String>(&source)).0 {
            Ok(result) => assert_eq!(result, *expected, "{script}"),
            Err(error) => panic!("{script}: {error}"),
        }
    }
}

/// Runs each script and compares its error, without line and column.
#[track_caller]
pub(crate) fn fails(table: &[(&str, &str)]) {
    let engine = engine();
    for (script, expected) in table {
        match engine.eval::<Dynamic>(script) {
            Ok(result) => panic!("{script}: gave {}", size_limits::text_of(&result, 200)),
            Err(error) => {
                let text = error.unwrap_inner().to_string();
                let text = text.strip_prefix("Runtime error: ").unwrap_or(&text);
                let end = text.rfind(" (line ").unwrap_or(text.len());
                assert_eq!(&text[..end], *expected, "{script}");
            }
        }
    }
}

/// Loads a provision with this text. The provision directory also has `files`.
pub(crate) fn load(text: String, files: &[(&str, &str)]) -> (Folder, Arc<Provision>) {
    load_within(Budget::default(), text, files)
}

/// Loads a provision as [`load`] does, with this `budget` for its calls.
pub(crate) fn load_within(budget: Budget, text: String, files: &[(&str, &str)]) -> (Folder, Arc<Provision>) {
    let folder = Folder::new();
    let directory = folder.directory();
    for (name, content) in files {
        fs::write(folder.root().join(name), content).unwrap();
    }
    let files = Files::new(directory.into(), "p", Some(text.into()), Arc::default());
    match Provision::load(&script::engine(budget).into(), budget, files) {
        Ok(Loaded::Provision(provision)) => (folder, Arc::new(*provision)),
        Ok(_) => panic!("no provision"),
        Err(fault) => panic!("{}", fault.report()),
    }
}

/// Returns status and body of the answer to a request.
pub(crate) fn answer(provision: &Arc<Provision>, request: Request) -> String {
    let answer =
        handle(provision, &Chaos::default(), &Conditions::default(), &mut request.into()).reply.answer;
    format!("{} {}", answer.status, String::from_utf8_lossy(answer.body.bytes()))
}
