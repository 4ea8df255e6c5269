//! The reference, `docs/provisions.md`, has every name that scripts can use.

use crate::script::runtime::budget::Budget;
use crate::script::runtime::natives::Natives;
use crate::script::{TOPICS, engine};
use rhai::Engine;
use std::collections::BTreeSet;

const REFERENCE: &str = include_str!("../../../docs/provisions.md");

/// Returns the names of functions, properties (without `get$`, `set$`) and global variables. Operators and indexers have no name.
fn registered() -> BTreeSet<String> {
    let name = |name: &str| name.rsplit('$').next().unwrap_or_default().to_owned();
    let functions = engine(Budget::default()).collect_fn_metadata(
        None,
        |function| Some(function.metadata.name.to_string()),
        false,
    );
    let mut engine = Engine::new();
    let mut natives = Natives::new(&mut engine);
    for register in TOPICS {
        register(&mut natives);
    }
    let variables = natives.variables().map(|(name, _)| name.to_owned()).collect::<Vec<_>>();
    let is_word = |name: &String| name.starts_with(|letter: char| letter.is_alphabetic());
    functions.iter().map(|function| name(function)).chain(variables).filter(is_word).collect()
}

/// Returns the words between backticks outside of fenced blocks.
fn documented() -> BTreeSet<&'static str> {
    let mut fenced = false;
    let prose = REFERENCE.lines().filter(|line| {
        let fence = line.starts_with("```");
        fenced ^= fence;
        !fence && !fenced
    });
    let code = prose.flat_map(|line| line.split('`').skip(1).step_by(2));
    code.flat_map(|code| code.split(|letter: char| !(letter.is_alphanumeric() || letter == '_'))).collect()
}

#[test]
fn the_reference_has_every_name() {
    let (registered, documented) = (registered(), documented());
    assert!(registered.len() > 200, "{}", registered.len());
    let missing: Vec<&String> =
        registered.iter().filter(|name| !documented.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "not in docs/provisions.md: {missing:?}");
}
