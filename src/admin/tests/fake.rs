//! A stand-in for the activation: names, generations and waits are real, files and scripts are not.

use crate::admin::provisioning::{
    ActivationError, Active, LedgerRow, LoadError, Provisioning, RuleRow, Served, Values,
};
use crate::directory::{Cause, DirectoryError, Name};
use crate::message::epoch::Epoch;
use crate::provisioning::ledger::Kind;
use crate::script::runtime::key_value_store::KeyValueStore;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::UNIX_EPOCH;

/// One stored file set, `initial` active as generation 1. A body `library` is one, `full` finds a file that changes, one
/// with `broken` in it or not in UTF-8 does not compile.
#[derive(Default)]
pub struct Fake {
    pub state: Mutex<State>,
    data: Arc<KeyValueStore>,
    pub epoch: Arc<Epoch>,
    /// How often a request was compared with the rules. Those of generation 1 serve no more.
    pub compared: AtomicUsize,
}

pub struct State {
    files: BTreeMap<String, Vec<u8>>,
    active: String,
    generation: u64,
    pub waits: Vec<(u64, u64, Served)>,
    next_wait: u64,
    /// The provision that readiness waits for.
    pub required: Option<&'static str>,
}

impl Default for State {
    fn default() -> State {
        let files = [("initial", "404"), ("stale", "broken"), ("lib.rhai", "library"), ("data.json", "{}")];
        State {
            files: files.map(|(name, text)| (name.into(), text.into())).into(),
            active: "initial".into(),
            generation: 1,
            waits: Vec::new(),
            next_wait: 0,
            required: None,
        }
    }
}

pub fn load_error(file: &str, message: &str) -> LoadError {
    LoadError {
        line: Some(3),
        column: Some(7),
        source: Some("let x = broken;".into()),
        ..LoadError::of_file(file, message)
    }
}

fn compile(name: &str, source: &[u8]) -> Result<(), ActivationError> {
    match std::str::from_utf8(source) {
        Ok("library") => Err(ActivationError::Library(load_error(name, "`registerRules` is not defined"))),
        Ok("full") => Err(ActivationError::Directory(DirectoryError::new("write", "full", Cause::Changing))),
        Ok(text) if !text.is_empty() && !text.contains("broken") => Ok(()),
        _ => Err(ActivationError::Load(load_error(name, "`broken` is unknown"))),
    }
}

impl Fake {
    fn serve(&self, name: &str) -> u64 {
        let mut state = self.state.lock().unwrap();
        state.generation += 1;
        state.active = name.into();
        let generation = state.generation;
        let (due, waiting) =
            std::mem::take(&mut state.waits).into_iter().partition(|wait| wait.0 <= generation);
        state.waits = waiting;
        drop(state);
        let due: Vec<(u64, u64, Served)> = due;
        due.into_iter().for_each(|(_, _, then)| then(generation));
        generation
    }
}

impl Provisioning for Fake {
    type Wait = u64;

    fn active(&self) -> Active {
        let state = self.state.lock().unwrap();
        let row = RuleRow {
            rule: "/a/<int:id>".into(),
            endpoint: "show".into(),
            methods: vec!["GET".into(), "HEAD".into()],
            converters: "int".into(),
            line: 2,
            file: state.active.clone(),
            hits: 0,
            shadowed_by: Some("/a/<id>".into()),
        };
        Active { name: state.active.clone(), generation: state.generation, rules: vec![row] }
    }

    fn not_ready(&self) -> Option<String> {
        let state = self.state.lock().unwrap();
        let required = state.required.filter(|required| *required != state.active)?;
        Some(format!("provision `{required}` is required, but `{}` is active", state.active))
    }

    fn post(&self, name: &Name, source: &[u8]) -> Result<u64, ActivationError> {
        compile(name.as_str(), source)?;
        self.state.lock().unwrap().files.insert(name.as_str().into(), source.into());
        Ok(self.serve(name.as_str()))
    }

    fn activate(&self, name: &Name) -> Result<u64, ActivationError> {
        compile(name.as_str(), &self.source(name)?)?;
        if !name.is_provision() {
            return Err(ActivationError::NotAProvision(name.as_str().into()));
        }
        Ok(self.serve(name.as_str()))
    }

    fn put_file(&self, name: &Name, bytes: &[u8]) -> Result<u64, ActivationError> {
        let mut state = self.state.lock().unwrap();
        state.files.insert(name.as_str().into(), bytes.into());
        Ok(state.generation)
    }

    fn remove(&self, name: &Name) -> Result<(), ActivationError> {
        let mut state = self.state.lock().unwrap();
        if state.active == name.as_str() {
            return Err(ActivationError::Active(name.as_str().into()));
        }
        let removed = state.files.remove(name.as_str());
        removed.map(|_| ()).ok_or(ActivationError::Unknown(name.as_str().into()))
    }

    fn source(&self, name: &Name) -> Result<Vec<u8>, ActivationError> {
        let found = self.state.lock().unwrap().files.get(name.as_str()).cloned();
        found.ok_or(ActivationError::Unknown(name.as_str().into()))
    }

    fn ledger(&self) -> Result<Vec<LedgerRow>, ActivationError> {
        let state = self.state.lock().unwrap();
        let row = |(name, bytes): (&String, &Vec<u8>)| LedgerRow {
            name: name.clone(),
            size: bytes.len() as u64,
            sha256: "00".repeat(32),
            modified: Some(UNIX_EPOCH),
            resolved: None,
            kind: if name == "lib.rhai" { Kind::Library } else { Kind::Provision },
            generation: (*name == state.active).then_some(state.generation),
            error: (name == "stale").then(|| load_error(name, "`broken` is unknown")),
            skipped: None,
        };
        Ok(state.files.iter().map(row).collect())
    }

    fn values(&self) -> Values {
        let generation = self.state.lock().unwrap().generation;
        Values { data: self.data.clone(), epoch: self.epoch.clone(), generation }
    }

    fn closest(&self, generation: u64, method: &str, path: &str) -> Option<Vec<String>> {
        self.compared.fetch_add(1, Ordering::Relaxed);
        (generation > 1).then(|| vec![format!("`/near` for {method} {path}")])
    }

    fn reset(&self) -> u64 {
        self.epoch.next();
        self.state.lock().unwrap().generation
    }

    fn on_generation(&self, wanted: u64, then: Served) -> u64 {
        let mut state = self.state.lock().unwrap();
        let generation = state.generation;
        if generation >= wanted {
            drop(state);
            then(generation);
            return 0;
        }
        state.next_wait += 1;
        let id = state.next_wait;
        state.waits.push((wanted, id, then));
        id
    }

    fn forget(&self, wait: u64) {
        self.state.lock().unwrap().waits.retain(|(_, id, _)| *id != wait);
    }
}
