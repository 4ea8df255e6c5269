//! The time of each native of Rhai and h1mock is at most linear in the size of its receiver. The test calls each native on receivers
//! of two sizes.
//!
//! The test measures the CPU time of the thread and takes the minimum of several calls, since other load only makes calls slower. For
//! eight times the items a linear native takes eight times as long, and a quadratic one sixty-four times.

use crate::script;
use crate::script::runtime::budget::Budget;
use crate::script::runtime::frozen::{FrozenList, FrozenMap, freeze};
use rhai::{AST, Array, Blob, Dynamic, Engine, FnPtr, ImmutableString, Map, Scope};
use rustix::time::{ClockId, clock_gettime};
use std::any::TypeId;
use std::collections::BTreeSet;
use std::ops::{Range, RangeInclusive};

const SMALL: i64 = 500;
const LARGE: i64 = 8 * SMALL;
/// Limit between linear (8, and more for sorting and cache misses) and quadratic (64).
const MOST: u64 = 20;
/// Limit for constant time, clearly below 8.
const MOST_CONSTANT: u64 = 3;
const ROUNDS: usize = 12;
/// Calls that take fewer nanoseconds can't be judged.
const SHORT: u64 = 3_000;

fn list(size: i64) -> Array {
    (0..size).map(Dynamic::from_int).collect()
}

fn map(size: i64) -> Map {
    (0..size).map(|number| (format!("k{number}").into(), number.into())).collect()
}

/// Returns a receiver for the type of a first parameter.
fn receiver(of: TypeId, size: i64) -> Option<Dynamic> {
    match of {
        _ if of == TypeId::of::<Array>() => Some(list(size).into()),
        _ if of == TypeId::of::<FrozenList>() => Some(freeze(list(size).into())),
        _ if of == TypeId::of::<Map>() => Some(map(size).into()),
        _ if of == TypeId::of::<FrozenMap>() => Some(freeze(map(size).into())),
        _ if of == TypeId::of::<Blob>() => Some(Dynamic::from_blob(vec![7; usize::try_from(size).unwrap()])),
        _ if of == TypeId::of::<ImmutableString>() => {
            Some("ab, ".repeat(usize::try_from(size).unwrap()).into())
        }
        _ => None,
    }
}

/// Returns an argument for the type of a further parameter.
fn argument(of: TypeId) -> Option<&'static str> {
    [
        (TypeId::of::<i64>(), "1"),
        (TypeId::of::<ImmutableString>(), "\"k1\""),
        (TypeId::of::<Dynamic>(), "-1"),
        (TypeId::of::<FnPtr>(), "|x| x == 1"),
        (TypeId::of::<Array>(), "[1]"),
        (TypeId::of::<Map>(), "#{ k1: 1 }"),
        (TypeId::of::<Blob>(), "blob(1)"),
        (TypeId::of::<char>(), "'b'"),
        (TypeId::of::<bool>(), "true"),
        (TypeId::of::<f64>(), "1.5"),
        (TypeId::of::<Range<i64>>(), "(0..2)"),
        (TypeId::of::<RangeInclusive<i64>>(), "(0..=1)"),
    ]
    .iter()
    .find_map(|(known, text)| (*known == of).then_some(*text))
}

/// Returns the call of a native in a script, or `None` for natives that scripts don't call in that form.
fn call(name: &str, arguments: &[&str]) -> Option<String> {
    if let Some(property) = name.strip_prefix("get$") {
        return Some(format!("v.{property}"));
    }
    match (name, arguments) {
        // These natives write to the log of the test.
        ("print" | "debug", _) => None,
        ("index$get$", [index]) => Some(format!("v[{index}]")),
        ("index$set$", [index, value]) => Some(format!("v[{index}] = {value}")),
        _ if name.starts_with(char::is_alphabetic) && !name.contains('$') => {
            Some(format!("v.{name}({})", arguments.join(", ")))
        }
        (_, [other]) if name != "!" && !name.contains('$') => Some(format!("v {name} {other}")),
        _ => None,
    }
}

/// Returns the CPU nanoseconds of one call: the minimum of several.
fn cost(engine: &Engine, ast: &AST, of: TypeId, size: i64) -> u64 {
    let now = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        u64::try_from(time.tv_sec * 1_000_000_000 + time.tv_nsec).unwrap()
    };
    let value = receiver(of, size).unwrap();
    let once = || {
        let mut scope = Scope::new();
        scope.push_dynamic("v", value.clone());
        let began = now();
        // A native may refuse the arguments.
        let result = engine.eval_ast_with_scope::<Dynamic>(&mut scope, ast);
        let took = now() - began;
        drop(result);
        took
    };
    (0..ROUNDS).map(|_| once()).min().unwrap()
}

/// Returns how many times as long the large receiver takes; `None` where that is at most `most`. Measures again where the time
/// seems too long, since the machine may have been busy.
fn factor(engine: &Engine, source: &str, of: TypeId, most: u64) -> Option<u64> {
    let ast = engine.compile(source).unwrap_or_else(|error| panic!("{source}: {error}"));
    let mut least = u64::MAX;
    for _ in 0..4 {
        let (small, large) = (cost(engine, &ast, of, SMALL), cost(engine, &ast, of, LARGE));
        least = least.min(large / small.max(SHORT));
        if least <= most {
            return None;
        }
    }
    Some(least)
}

#[test]
fn no_native_costs_the_square_of_its_receiver() {
    let engine = script::engine(Budget::default());
    let natives = engine.collect_fn_metadata(
        None,
        |function| Some((function.metadata.name.to_string(), function.metadata.param_types.to_vec())),
        true,
    );
    let mut calls = BTreeSet::new();
    for (name, types) in natives {
        let Some((of, further)) = types.split_first().filter(|(of, _)| receiver(**of, 1).is_some()) else {
            continue;
        };
        let arguments: Option<Vec<&str>> = further.iter().map(|of| argument(*of)).collect();
        if let Some(source) = arguments.and_then(|arguments| call(&name, &arguments)) {
            calls.insert((source, *of));
        }
    }
    for source in [
        "v.sort(|a, b| b - a)",
        "v.reduce(|s, x| s + x)",
        "v.map(|x| [x])",
        "sorted(v, |x| -x)",
        "for x in v {}",
    ] {
        calls.extend([TypeId::of::<Array>(), TypeId::of::<FrozenList>()].map(|of| (source.to_owned(), of)));
    }
    let slow: Vec<String> = calls
        .iter()
        .filter_map(|(source, of)| factor(&engine, source, *of, MOST).map(|by| format!("{source}: {by}")))
        .collect();
    println!("{} calls", calls.len());
    assert!(calls.len() > 400, "{}", calls.len());
    assert!(slow.is_empty(), "eight times the receiver cost more than {MOST} times as much: {slow:#?}");
}

/// A loop with n steps takes n times as long as one step.
#[test]
fn a_step_costs_the_same_on_every_receiver() {
    let engine = script::engine(Budget::default());
    let (lists, maps) = (
        [TypeId::of::<Array>(), TypeId::of::<FrozenList>()],
        [TypeId::of::<Map>(), TypeId::of::<FrozenMap>()],
    );
    let reading: [(&[TypeId], &[&str]); 2] = [
        (&lists, &["v.len()", "v.len", "v[7]", "v[-1]", "v.get(7)", "v.is_empty()"]),
        (
            &maps,
            &[
                "v.len()",
                "v.k7",
                "v[\"k7\"]",
                "v.get(\"k7\")",
                "v.get(\"z\", 1)",
                "\"k7\" in v",
                "v.contains(\"z\")",
            ],
        ),
    ];
    let changing: [(&[TypeId], &[&str]); 4] = [
        (
            &lists[..1],
            &[
                "v.push(1)",
                "v.append(1)",
                "v.pop()",
                "v += [1]",
                "v += 1",
                "v[7] = 1",
                "v[7] += 1",
                "v.set(7, 1)",
            ],
        ),
        (
            &maps[..1],
            &[
                "v.k7 = 1",
                "v[\"z\"] = 1",
                "v.k7 += 1",
                "v.pop(\"k7\")",
                "v.remove(\"k7\")",
                "v.setdefault(\"z\", 1)",
            ],
        ),
        (&[TypeId::of::<Blob>()], &["v.push(1)", "v[7]", "v[7] = 1", "v.len()", "v += 1"]),
        (&[TypeId::of::<ImmutableString>()], &["v[7]", "v.is_empty()", "v.sub_string(7, 1)"]),
    ];
    let mut slow = Vec::new();
    for (types, steps) in reading.into_iter().chain(changing) {
        for (of, step) in types.iter().flat_map(|of| steps.iter().map(move |step| (of, step))) {
            // Many steps, since one ends before the clock advances. A list that grows is copied now and then.
            let source = format!("for i in 0..50 {{ {step}; }}");
            if let Some(by) = factor(&engine, &source, *of, MOST_CONSTANT) {
                slow.push(format!("{step}: {by}"));
            }
        }
    }
    assert!(
        slow.is_empty(),
        "eight times the receiver cost more than {MOST_CONSTANT} times as much: {slow:#?}"
    );
}
