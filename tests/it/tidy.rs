//! Rules of this repository that no compiler checks: rooms import only from rooms below them, files are short, names are nouns
//! of the field, the engine's files import one another in one small circle, comments begin with their subject, and
//! docs/rooms.svg is current.

mod house;
mod picture;

use crate::harness::project;
use house::{House, SourceFile};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const LONGEST_FILE: usize = 400;
/// Most files of the engine that may import one another in a circle.
const LARGEST_CIRCLE: usize = 8;
const FORBIDDEN_WORDS: [&str; 4] = ["utils", "helpers", "common", "manager"];
/// Words with which a comment begins that does not name its subject: "What leaves later", "Whoever waits".
const NO_SUBJECTS: [&str; 9] =
    ["What", "Who", "Whoever", "Whose", "Those", "They", "That", "Which", "Nobody"];
/// Files that may import one another, since they are one topic.
const TIED: [&[&str]; 1] = [&["script/flask/abort", "script/flask/answer", "script/flask/response"]];

#[test]
fn rooms_know_only_the_rooms_below_them() {
    let house = House::read();
    println!("{}", house.summary());
    let up: Vec<String> = house
        .edges()
        .filter(|edge| house.floor(&edge.to) < house.floor(&edge.from))
        .map(|edge| format!("{} ({}) imports {} of the room above", edge.file, edge.from, edge.to))
        .collect();
    assert!(up.is_empty(), "imports that point up:\n{}", up.join("\n"));
}

#[test]
fn files_of_a_room_import_one_another_in_no_circle() {
    let house = House::read();
    let circles: Vec<Vec<String>> = house.circles().into_iter().filter(|circle| !is_tied(circle)).collect();
    assert!(circles.is_empty(), "{circles:#?}");
}

/// The state of a server and its reactor need each other.
#[test]
fn files_of_the_engine_import_one_another_in_one_small_circle() {
    let circles = House::read_engine().circles();
    println!("{circles:#?}");
    let largest = circles.iter().map(Vec::len).max().unwrap_or_default();
    assert!(circles.len() <= 1 && largest <= LARGEST_CIRCLE, "circles of the engine: {circles:#?}");
}

fn is_tied(circle: &[String]) -> bool {
    TIED.iter().any(|tied| circle.iter().all(|file| tied.contains(&file.as_str())))
}

#[test]
fn every_file_belongs_to_a_room() {
    let house = House::read();
    let names: BTreeSet<&str> = house.rooms.iter().map(|room| room.name.as_str()).collect();
    let homeless: Vec<&SourceFile> = house.files.iter().filter(|file| !names.contains(&*file.room)).collect();
    assert!(homeless.is_empty(), "{homeless:#?}");
    let empty: Vec<_> = names.iter().filter(|name| house.lines(name) == 0).collect();
    assert!(empty.is_empty(), "rooms of lib.rs without files: {empty:?}");
}

#[test]
fn files_are_short() {
    let long: Vec<String> = sources()
        .into_iter()
        .map(|path| (text(&path).lines().count(), path))
        .filter(|(lines, _)| *lines > LONGEST_FILE)
        .map(|(lines, path)| format!("{}: {lines} lines", path.display()))
        .collect();
    assert!(long.is_empty(), "over {LONGEST_FILE} lines: {long:#?}");
}

#[test]
fn names_are_nouns_of_the_field() {
    let names = sources();
    let is_forbidden = |path: &&PathBuf| {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        stem.split(['_', '-']).any(|word| FORBIDDEN_WORDS.contains(&word))
    };
    let forbidden: Vec<_> = names.iter().filter(is_forbidden).collect();
    assert!(forbidden.is_empty(), "{forbidden:?}");
}

/// `#[path]` is allowed only for tests that read a file of the program's own tests.
#[test]
fn modules_are_where_their_names_say() {
    let own = project().join("tests/it/tidy.rs");
    for path in sources().iter().filter(|path| **path != own && path.extension().is_some_and(|it| it == "rs"))
    {
        let text = text(path);
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        for (number, _) in lines.iter().enumerate().filter(|(_, line)| line.starts_with("#[path")) {
            let module =
                lines[number..].iter().find(|line| !line.starts_with('#')).copied().unwrap_or_default();
            let is_test = module == "mod tests;" || path.starts_with(project().join("tests"));
            assert!(is_test, "{}:{}: `#[path]` of `{module}`", path.display(), number + 1);
        }
    }
}

#[test]
fn comments_begin_with_their_subject() {
    let mut found = Vec::new();
    for path in sources().iter().filter(|path| path.extension().is_some_and(|it| it == "rs")) {
        let mut within = false;
        for (number, line) in (1..).zip(text(path).lines()) {
            let comment = line.trim_start().strip_prefix("//");
            let first =
                comment.and_then(|words| words.trim_start_matches(['/', '!']).split_whitespace().next());
            if !within && first.is_some_and(|word| NO_SUBJECTS.contains(&word)) {
                found.push(format!("{}:{number}: {}", path.display(), line.trim()));
            }
            within = comment.is_some();
        }
    }
    assert!(found.is_empty(), "comments without a subject:\n{}", found.join("\n"));
}

/// Rhai's own text of a value has no limit: a list of functions prints the values that they captured. `size_limits::full_text`
/// and `text_of` have a limit; their parts are in `size_limits/rendering.rs`.
#[test]
fn texts_of_script_values_have_a_limit() {
    let own = project().join("src/script/runtime/size_limits/rendering.rs");
    let scripts = [project().join("src/script"), project().join("src/handling/mod.rs")];
    let mut unbounded = Vec::new();
    for path in sources().iter().filter(|path| **path != own && !path.to_string_lossy().contains("tests")) {
        if !scripts.iter().any(|room| path.starts_with(room)) {
            continue;
        }
        let text = text(path);
        let program = text.split("\nmod tests {").next().unwrap_or_default();
        let mut found: Vec<usize> = Vec::new();
        for (call, start) in [(".to_string()", ""), ("}", "{"), (":?}", "{")] {
            let values = program.match_indices(call).filter(|(at, _)| is_value(&program[..*at], start));
            found.extend(values.map(|it| it.0));
        }
        for call in ["map(ToString::to_string)", "Dynamic::to_string"] {
            found.extend(program.match_indices(call).map(|it| it.0));
        }
        let line = |at: usize| format!("{}:{}", path.display(), program[..at].lines().count());
        unbounded.extend(found.into_iter().map(line));
    }
    assert!(unbounded.is_empty(), "texts without a limit:\n{}", unbounded.join("\n"));
}

/// Whether `program` ends with `start` and a name that it declares as a value or a function of scripts.
fn is_value(program: &str, start: &str) -> bool {
    let name =
        program.rsplit(|letter: char| !letter.is_alphanumeric() && letter != '_').next().unwrap_or_default();
    let before = &program[..program.len() - name.len()];
    if name.is_empty() || !before.ends_with(start) {
        return false;
    }
    let other =
        [format!("|{name}|"), format!("Ok({name})"), format!("Some({name})"), format!("let {name} = ")];
    let other = other.iter().filter_map(|pattern| before.rfind(pattern)).max();
    let Some(at) = before.rfind(&format!("{name}: ")) else { return false };
    let declared = before[at + name.len() + 2..].trim_start_matches(['&', ' ']).trim_start_matches("mut ");
    (declared.starts_with("Dynamic") || declared.starts_with("FnPtr")) && other.is_none_or(|other| other < at)
}

/// `BLESS=1 cargo test tidy` redraws the picture.
#[test]
fn the_picture_of_the_rooms_is_current() {
    let path = project().join("docs/rooms.svg");
    let drawn = picture::draw(&House::read());
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &drawn).unwrap();
    }
    assert!(text(&path) == drawn, "docs/rooms.svg is stale: BLESS=1 cargo test tidy");
}

/// Returns all our files of Rust and Python.
fn sources() -> Vec<PathBuf> {
    let folders =
        ["src", "tests", "benches", "image", "ct", "crates/tiny_http/src", "crates/tiny_http/tests"];
    let mut found = Vec::new();
    for folder in folders {
        collect(&project().join(folder), &mut found);
    }
    assert!(found.len() > 300, "{} files only", found.len());
    found
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // Tools leave builds and peers of the benchmark there.
        if entry.is_dir() && !name.starts_with('.') && name != "target" && name != "__pycache__" {
            collect(&entry, found);
        } else if name.ends_with(".rs") || name.ends_with(".py") {
            found.push(entry);
        }
    }
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
