//! Activations without a server and without a watcher: the tests report the changes of files themselves.

use super::*;
use crate::directory::fixture::{Folder, name, swap_config_map};
use crate::provisioning::layers::OverlayId;
use crate::provisioning::ledger::Kind;
use crate::provisioning::watcher::Changes;
use crate::script;
use crate::script::runtime::budget::Budget;
use std::fs;
use std::sync::LazyLock;
use std::time::Duration;

const GOOD: &str = "fn registerRules() { app.get(\"/\", || \"good\"); }";
const LIBRARY: &str = "fn one() { 1 }";
const BROKEN: &str = "fn registerRules() { ( }";

struct Tested {
    folder: Folder,
    activation: Activation,
}

/// A provision directory with `initial`. With `back_to_initial`, each logged failure activates `initial`.
fn tested(back_to_initial: bool) -> Tested {
    static ENGINE: LazyLock<Arc<Engine>> = LazyLock::new(|| Arc::new(script::engine(Budget::default())));
    let folder = Folder::new();
    let directory = Arc::new(folder.directory());
    fs::write(folder.root().join("initial"), GOOD).unwrap();
    let options = LoadOptions { back_to_initial, store_bytes: 1 << 20, ..LoadOptions::default() };
    let activation = Activation::start(ENGINE.clone(), options, directory, Arc::default()).unwrap();
    Tested { folder, activation }
}

impl Tested {
    fn write(&self, file: &str, source: &str) {
        let path = self.folder.root().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, source).unwrap();
    }

    fn post(&self, file: &str, source: &str) -> Result<u64, ActivationError> {
        self.activation.post(&self.activation.turn(), &name(file), source.as_bytes())
    }

    /// Reports one batch of file events.
    fn changed(&self, written: &[&str], removed: &[&str]) {
        let names = |files: &[&str]| files.iter().map(|file| name(file)).collect();
        self.activation.changed(&Changes { written: names(written), removed: names(removed), config: false });
    }

    fn serves(&self) -> (String, u64) {
        let current = self.activation.current();
        (current.name.clone(), current.generation)
    }
}

#[test]
fn of_several_written_files_the_last_one_that_loads_serves() {
    for (written, serves) in [
        (&["a", "b"][..], "b"),
        (&["b", "a"], "a"),
        (&["b", "a", "broken"], "a"),
        (&["a", "lib.rhai", "sub/a", "data.json"], "a"),
        (&["broken"], "initial"),
        (&["lib.rhai", "sub/a", "data.json"], "initial"),
    ] {
        let tested = tested(false);
        for (file, source) in [
            ("a", GOOD),
            ("b", GOOD),
            ("broken", BROKEN),
            ("lib.rhai", LIBRARY),
            ("sub/a", GOOD),
            ("data.json", "{}"),
        ] {
            tested.write(file, source);
        }
        tested.changed(written, &[]);
        assert_eq!(tested.serves().0, serves, "{written:?}");
        assert!(tested.serves().1 <= 2, "{written:?}: one activation at most");
    }
}

#[test]
fn a_posted_name_must_be_one_that_a_provision_can_have() {
    let tested = tested(false);
    for file in ["a~", "a.tmp", "a.swp", "sub/a~", "data.json"] {
        let refused = tested.post(file, GOOD);
        assert!(matches!(refused, Err(ActivationError::NotAProvision(_))), "{file}: {refused:?}");
        assert!(!tested.folder.root().join(file).exists(), "{file}");
    }
    assert_eq!(tested.serves(), ("initial".to_owned(), 1));
}

#[test]
fn a_removed_file_that_was_stored_again_keeps_its_record() {
    let tested = tested(false);
    tested.post("a", GOOD).unwrap();
    tested.changed(&[], &["a"]);
    assert_eq!(tested.activation.ledger.record("a").generation, Some(2), "the file is there");
    fs::remove_file(tested.folder.root().join("a")).unwrap();
    tested.changed(&[], &["a"]);
    assert_eq!(tested.activation.ledger.record("a").generation, None);
    assert_eq!(tested.serves(), ("a".to_owned(), 2), "it goes on serving");
}

#[test]
fn a_written_file_that_is_gone_again_is_no_failure() {
    let tested = tested(true);
    tested.post("a", GOOD).unwrap();
    tested.changed(&["gone"], &[]);
    assert_eq!(tested.serves(), ("a".to_owned(), 2), "no failure, so no way back to `initial`");
    assert_eq!(tested.activation.ledger.record("gone").error, None);
    tested.write("broken", BROKEN);
    tested.changed(&["broken"], &[]);
    assert_eq!(tested.serves(), ("initial".to_owned(), 3));
    assert!(tested.activation.ledger.record("broken").error.is_some());
}

#[test]
fn a_refused_post_leaves_a_record_only_of_a_file_that_exists() {
    let tested = tested(false);
    let error_of = |file: &str| tested.activation.ledger.record(file).error;
    assert!(matches!(tested.post("new", BROKEN), Err(ActivationError::Load(_))));
    assert_eq!((error_of("new"), tested.folder.root().join("new").exists()), (None, false));
    // A posted library is no provision; the file on disk is still the old one.
    assert!(matches!(tested.post("initial", LIBRARY), Err(ActivationError::Load(_))));
    assert_eq!(tested.activation.ledger.record("initial").kind, Some(Kind::Provision));
    assert_eq!(error_of("initial"), None);
    assert!(matches!(tested.post("initial", BROKEN), Err(ActivationError::Load(_))));
    assert!(error_of("initial").is_some());
    assert_eq!(fs::read_to_string(tested.folder.root().join("initial")).unwrap(), GOOD);
    assert_eq!(tested.serves(), ("initial".to_owned(), 1));
}

#[test]
fn a_new_version_of_the_config_map_drops_the_errors_of_its_files() {
    let tested = tested(false);
    fs::create_dir(tested.folder.config()).unwrap();
    let config = Changes { config: true, ..Changes::default() };
    for (version, source, failed) in [("1", BROKEN, true), ("2", GOOD, false)] {
        swap_config_map(&tested.folder.config(), version, &[("other", source)]);
        tested.activation.changed(&config);
        assert_eq!(tested.activation.ledger.record("other").error, None);
        tested.changed(&["other"], &[]);
        assert_eq!(tested.activation.ledger.record("other").error.is_some(), failed);
    }
}

/// Two workers may take turns in one order and get the lock in the other.
#[test]
fn an_earlier_turn_reloads_the_provision_of_a_later_one() {
    let tested = tested(false);
    tested.write("lib.rhai", LIBRARY);
    let earlier = tested.activation.turn();
    let importing = format!("import \"lib\" as lib;\n{GOOD}");
    assert_eq!(tested.post("a", &importing).unwrap(), 2);
    let library = name("lib.rhai");
    assert_eq!(tested.activation.put_file(&earlier, &library, b"fn one() { 2 }").unwrap(), 3);
    assert_eq!(tested.serves(), ("a".to_owned(), 3));
    // A new load serves only if no load that was asked for later serves.
    let earlier = tested.activation.turn();
    tested.post("b", GOOD).unwrap();
    assert_eq!(tested.activation.post(&earlier, &name("c"), GOOD.as_bytes()).unwrap(), 4);
    assert_eq!(tested.serves(), ("b".to_owned(), 4));
}

#[test]
fn a_failure_goes_back_to_initial_unless_a_later_load_serves() {
    let tested = tested(true);
    let post = |turn: &Turn, file: &str, source: &str| {
        tested.activation.post(turn, &name(file), source.as_bytes()).is_ok()
    };
    let (earlier, later) = (tested.activation.turn(), tested.activation.turn());
    assert!(post(&later, "later", GOOD));
    assert!(!post(&earlier, "earlier", BROKEN));
    assert_eq!(tested.serves(), ("later".to_owned(), 2));
    assert!(!post(&later, "broken", BROKEN));
    assert_eq!(tested.serves(), ("initial".to_owned(), 3));
}

const OVERLAY: &str = "fn registerRules() { app.get(\"/\", || \"overlay\"); }";

impl Tested {
    fn overlay(&self, name: &str, lasts: Option<Duration>, source: &str) -> Result<u64, ActivationError> {
        let (activation, id) = (&self.activation, id(name));
        activation.post_overlay(id, lasts, source.as_bytes()).map(|(generation, _)| generation)
    }

    fn overlays(&self) -> Vec<String> {
        self.activation.layers().overlays.iter().map(|overlay| overlay.id.name.clone()).collect()
    }
}

fn id(name: &str) -> OverlayId {
    OverlayId { name: name.to_owned(), member: None }
}

#[test]
fn overlays_stay_over_activations_and_each_change_is_a_generation() {
    let tested = tested(false);
    assert_eq!(tested.overlay("one", None, OVERLAY).unwrap(), 2);
    assert_eq!(tested.overlay("two", None, OVERLAY).unwrap(), 3);
    assert_eq!(tested.post("a", GOOD).unwrap(), 4);
    assert_eq!(tested.overlay("one", None, OVERLAY).unwrap(), 5);
    assert_eq!((tested.overlays(), tested.serves()), (vec!["two".into(), "one".into()], ("a".into(), 4)));
    for source in [BROKEN, LIBRARY, "fn registerRules() { app.before_request(|| ()); }"] {
        assert!(matches!(tested.overlay("one", None, source), Err(ActivationError::Load(_))), "{source}");
    }
    assert_eq!(tested.activation.generation(), 5);
    assert_eq!(tested.activation.remove_overlay(&id("two")).unwrap(), 6);
    let unknown = tested.activation.remove_overlay(&id("two")).unwrap_err();
    assert_eq!(unknown.to_string(), "there is no overlay `two`: there are `one`");
    assert_eq!((tested.activation.reset(), tested.activation.reset()), (7, 7));
    let unknown = tested.activation.remove_overlay(&id("one")).unwrap_err();
    assert_eq!(unknown.to_string(), "there is no overlay `one`, nor any other");
    assert!(!tested.folder.root().join("one").exists());
}

#[test]
fn the_end_of_an_overlay_is_planned_once() {
    let tested = tested(false);
    let hour = Some(Duration::from_secs(3600));
    tested.overlay("long", hour, OVERLAY).unwrap();
    let long = tested.activation.plan_end().unwrap();
    // Loaded again, it ends later: the planned call plans the next one.
    tested.overlay("long", hour, OVERLAY).unwrap();
    assert_eq!(tested.activation.plan_end(), None);
    tested.overlay("short", Some(Duration::ZERO), OVERLAY).unwrap();
    let short = tested.activation.plan_end().unwrap();
    assert!(short < long);
    assert_eq!(tested.activation.layers().live().count(), 1);
    tested.activation.remove_ended(short);
    assert_eq!((tested.overlays(), tested.activation.generation()), (vec!["long".into()], 5));
    assert_eq!(tested.activation.plan_end(), None);
    tested.activation.remove_ended(long);
    assert_eq!(tested.activation.generation(), 5, "nothing has ended");
    assert!(tested.activation.plan_end().is_some_and(|end| end > long));
}
