//! The rooms of `src/` as `lib.rs` lists them, their files, and the imports between them.

use crate::harness::project;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A room: a module of `lib.rs`, or one of the three inside of `script`.
pub(super) struct Room {
    /// Its path: `script/flask`.
    pub name: String,
    /// Its line in the table of contents.
    pub job: String,
}

/// A file outside of tests.
#[derive(Debug)]
pub(super) struct SourceFile {
    /// Its module as a path: `script/flask/app`.
    pub module: String,
    /// The room that it is in.
    pub room: String,
    /// Number of lines without tests.
    pub lines: usize,
    /// Modules that it imports, as paths.
    pub imports: BTreeSet<String>,
}

/// An import from one room into another.
pub(super) struct Edge {
    pub file: String,
    pub from: String,
    pub to: String,
}

pub(super) struct House {
    /// From top to bottom.
    pub rooms: Vec<Room>,
    pub files: Vec<SourceFile>,
}

impl House {
    pub(super) fn read() -> House {
        let source = project().join("src");
        House { rooms: rooms(&source), files: source_files(&source) }
    }

    /// Reads the files of the engine, which has no rooms.
    pub(super) fn read_engine() -> House {
        House { rooms: Vec::new(), files: source_files(&project().join("crates/tiny_http/src")) }
    }

    /// Returns the number of rooms above a room.
    pub(super) fn floor(&self, room: &str) -> usize {
        self.rooms.iter().position(|other| other.name == room).unwrap_or_else(|| panic!("no room `{room}`"))
    }

    /// Returns the lines of a room without tests.
    pub(super) fn lines(&self, room: &str) -> usize {
        self.files.iter().filter(|file| file.room == room).map(|file| file.lines).sum()
    }

    /// Returns the imports between rooms.
    pub(super) fn edges(&self) -> impl Iterator<Item = Edge> {
        self.files.iter().flat_map(|file| {
            let rooms: BTreeSet<String> = file.imports.iter().map(|module| room_of(module)).collect();
            let others = rooms.into_iter().filter(|room| *room != file.room);
            others.map(|to| Edge { file: file.module.clone(), from: file.room.clone(), to })
        })
    }

    /// Returns the groups of files in which each file reaches each other one by imports. Imports between a folder's `mod.rs`
    /// and its files don't count.
    pub(super) fn circles(&self) -> Vec<Vec<String>> {
        let mut reached: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for file in &self.files {
            reached.insert(&file.module, self.reached_from(file));
        }
        let mut groups: BTreeSet<Vec<String>> = BTreeSet::new();
        for (module, others) in &reached {
            let back = |other: &&&str| reached.get(**other).is_some_and(|there| there.contains(module));
            let group: Vec<String> = others.iter().filter(back).map(|other| (*other).to_owned()).collect();
            if group.len() > 1 {
                groups.insert(group);
            }
        }
        groups.into_iter().collect()
    }

    fn reached_from<'h>(&'h self, file: &'h SourceFile) -> BTreeSet<&'h str> {
        let (mut reached, mut left) = (BTreeSet::new(), vec![file]);
        while let Some(file) = left.pop() {
            let apart = |other: &&&SourceFile| {
                !is_within(&other.module, &file.module) && !is_within(&file.module, &other.module)
            };
            let imported = self.files.iter().filter(|other| file.imports.contains(&other.module));
            for next in imported.collect::<Vec<_>>().iter().filter(apart) {
                if reached.insert(next.module.as_str()) {
                    left.push(next);
                }
            }
        }
        reached
    }

    /// Describes the rooms for people: their lines, and the number of imports.
    pub(super) fn summary(&self) -> String {
        let row = |room: &Room| format!("{:>6}  {:<16} {}\n", self.lines(&room.name), room.name, room.job);
        let rows: String = self.rooms.iter().map(row).collect();
        let up = self.edges().filter(|edge| self.floor(&edge.to) < self.floor(&edge.from)).count();
        let total: usize = self.files.iter().map(|file| file.lines).sum();
        let circles = self.circles();
        format!(
            "{rows}{total:>6}  lines in {} files of {} rooms; {} imports between rooms, {up} of them up; circles of files: {}",
            self.files.len(),
            self.rooms.len(),
            self.edges().count(),
            circles.len(),
        )
    }
}

fn is_within(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'))
}

/// Returns the modules of `lib.rs` in its order, and after `script` the modules in it.
fn rooms(source: &Path) -> Vec<Room> {
    let mut rooms = Vec::new();
    for room in table_of_contents(&source.join("lib.rs"), "") {
        let inner = source.join(&room.name).join("mod.rs");
        let inside = if room.name == "script" { table_of_contents(&inner, "script/") } else { Vec::new() };
        rooms.push(room);
        rooms.extend(inside);
    }
    rooms
}

/// Returns the modules that have a doc comment of one line.
fn table_of_contents(path: &Path, prefix: &str) -> Vec<Room> {
    let text = fs::read_to_string(path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let room = |pair: &[&str]| {
        let job = pair[0].strip_prefix("/// ")?.to_owned();
        let name = pair[1]
            .trim_start_matches("pub(crate) ")
            .trim_start_matches("pub ")
            .strip_prefix("mod ")?
            .strip_suffix(';')?;
        Some(Room { name: format!("{prefix}{name}"), job })
    };
    lines.windows(2).filter_map(room).collect()
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match name.as_str() {
            "tests" | "tests.rs" | "lib.rs" | "main.rs" => {}
            _ if path.is_dir() => rust_files(&path, found),
            _ if name.ends_with(".rs") => found.push(path),
            _ => {}
        }
    }
}

/// Returns the files of `#[cfg(test)] mod name;` in a file.
fn modules_for_tests(path: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(path).unwrap();
    let declared = text.split("#[cfg(test)]\n").skip(1).filter_map(|after| {
        let line = after.lines().next()?.trim_start_matches("pub(crate) ").trim_start_matches("pub ");
        line.strip_prefix("mod ")?.strip_suffix(';').map(str::to_owned)
    });
    let folder = match path.file_name().is_some_and(|name| name == "mod.rs") {
        true => path.with_file_name(""),
        false => path.with_extension(""),
    };
    declared.map(|name| folder.join(name + ".rs")).collect()
}

fn module(source: &Path, path: &Path) -> String {
    let relative = path.strip_prefix(source).unwrap().with_extension("");
    let relative = relative.to_string_lossy().into_owned();
    relative.strip_suffix("/mod").unwrap_or(&relative).to_owned()
}

fn room_of(module: &str) -> String {
    let mut parts = module.split('/');
    match (parts.next().unwrap_or_default(), parts.next()) {
        ("script", Some(inner @ ("flask" | "python" | "runtime"))) => format!("script/{inner}"),
        (first, _) => first.to_owned(),
    }
}

/// Reads the files of a crate except tests, `lib.rs` and `main.rs`.
fn source_files(source: &Path) -> Vec<SourceFile> {
    let mut paths = Vec::new();
    rust_files(source, &mut paths);
    let for_tests: BTreeSet<PathBuf> = paths.iter().flat_map(|path| modules_for_tests(path)).collect();
    paths.retain(|path| !for_tests.contains(path));
    let modules: BTreeSet<String> = paths.iter().map(|path| module(source, path)).collect();
    paths.iter().map(|path| source_file(source, path, &modules)).collect()
}

fn source_file(source: &Path, path: &Path, modules: &BTreeSet<String>) -> SourceFile {
    let module = module(source, path);
    let text = fs::read_to_string(path).unwrap();
    let own = text.split("\n#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let code: Vec<&str> = own.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
    let imports = paths(&code.join(" "))
        .iter()
        .filter_map(|path| absolute(path, &module))
        .filter_map(|path| longest(path, modules))
        .filter(|imported| *imported != module)
        .collect();
    SourceFile { room: room_of(&module), lines: own.lines().count(), module, imports }
}

/// Returns the paths in `code` that may name a module: one for each leaf of a `use`, and others, such as `crate::rule::parse`.
fn paths(code: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(start) = rest.find("use ") {
        let (before, after) = rest.split_at(start);
        inline(before, &mut found);
        let end = after.find(';').unwrap_or(after.len());
        match before.chars().last() {
            None | Some(' ' | '{' | '}' | ';' | ')') => {
                let tree: String = after[4..end].replace(" as ", "@").split_whitespace().collect();
                leaves(&tree, &[], &mut found);
            }
            _ => inline(&after[..end], &mut found),
        }
        rest = &after[end..];
    }
    inline(rest, &mut found);
    found
}

/// Collects the leaves of a tree such as `a::{b, c::d}`. Returns the text behind it.
fn leaves<'t>(tree: &'t str, prefix: &[String], found: &mut Vec<Vec<String>>) -> &'t str {
    let end = tree.find(['{', ',', '}']).unwrap_or(tree.len());
    let name = tree[..end].split('@').next().unwrap_or_default();
    let parts = name.split("::").filter(|part| !part.is_empty()).map(str::to_owned);
    let path: Vec<String> = prefix.iter().cloned().chain(parts).collect();
    let Some(mut rest) = tree[end..].strip_prefix('{') else {
        if !name.is_empty() {
            found.push(path);
        }
        return &tree[end..];
    };
    loop {
        rest = leaves(rest, &path, found);
        match rest.strip_prefix(',') {
            Some(next) => rest = next,
            None => return rest.strip_prefix('}').unwrap_or(rest),
        }
    }
}

fn inline(code: &str, found: &mut Vec<Vec<String>>) {
    for word in code.split(|letter: char| !(letter.is_alphanumeric() || letter == '_' || letter == ':')) {
        let parts: Vec<String> = word.split("::").map(str::to_owned).collect();
        if parts.len() > 1 && parts[0].starts_with(char::is_lowercase) {
            found.push(parts);
        }
    }
}

/// Returns `path` from the crate's root. `path` stands in `module`. `None` for other crates.
fn absolute(path: &[String], module: &str) -> Option<Vec<String>> {
    let here: Vec<String> = module.split('/').map(str::to_owned).collect();
    match path.first()?.as_str() {
        "crate" => Some(path[1..].to_vec()),
        "super" | "self" => {
            let ups = path.iter().take_while(|part| *part == "super").count();
            let down = path.iter().filter(|part| *part != "super" && *part != "self").cloned();
            Some(here[..here.len().checked_sub(ups)?].iter().cloned().chain(down).collect())
        }
        // A module inside of this one.
        _ => Some(here.into_iter().chain(path.iter().cloned()).collect()),
    }
}

/// Returns the longest beginning of `path` that is a module.
fn longest(path: Vec<String>, modules: &BTreeSet<String>) -> Option<String> {
    (1..=path.len()).rev().map(|length| path[..length].join("/")).find(|module| modules.contains(module))
}

#[test]
fn imports_are_found_in_all_their_forms() {
    for (code, expected) in [
        ("use crate::a::b;", "crate::a::b"),
        ("pub use crate::a::{self, b::{C, d as e}};", "crate::a::self crate::a::b::C crate::a::b::d"),
        ("fn f() -> super::a::B { crate::c::d() }", "super::a::B crate::c::d"),
        ("reuse (x); use a::b;", "a::b"),
        ("use a::{b, c}; use crate::d::*;", "a::b a::c crate::d::*"),
    ] {
        let found: Vec<String> = paths(code).iter().map(|path| path.join("::")).collect();
        assert_eq!(found.join(" "), expected, "{code}");
    }
    let path = |text: &str| text.split("::").map(str::to_owned).collect::<Vec<_>>();
    for (written, module, expected) in [
        ("crate::a::B", "x/y", "a/B"),
        ("super::B", "x/y", "x/B"),
        ("super::super::z::B", "x/y", "z/B"),
        ("self::c::D", "x/y", "x/y/c/D"),
        ("c::D", "x/y", "x/y/c/D"),
    ] {
        assert_eq!(absolute(&path(written), module).unwrap().join("/"), expected, "{written}");
    }
}
