#!/usr/bin/env python3
"""Measures how many subtle changes of the code make a test fail.

    ct/mutations.py                     all changes of ct/mutations.txt
    ct/mutations.py 17 40-52            these alone
    ct/mutations.py --check             whether each change still finds its place in the code

A build for each change would take hours. So this script copies the project, writes all changes into the copy side by side, each
behind the variable MUTATION, and builds the tests once:

    if kept + size <= MOST       becomes       if (if tiny_http::mutation(17) { kept + size < MOST } else { kept + size <= MOST })

Each test then runs alone without a change, and the copy notes which changes it comes past. A change is tried only on the tests
that come past it, and is caught when one of them fails twice. A test that fails without a change counts for nothing.

The result is a table by room, and the changes that no test caught.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import time

PROJECT = pathlib.Path(__file__).resolve().parents[1]
CHANGES = PROJECT / "ct" / "mutations.txt"
COPY = pathlib.Path(os.environ.get("H1MOCK_MUTATION_DIR", "/tmp/h1mock-mutations"))
# Tests that look at the source text itself, which the copy has changed.
NOT_RUN = ("tidy::",)
# The longest test takes 20 s alone.
TEST_SECONDS = 120
# Tests that one process runs at once for a change: it ends with the first failure.
BATCH = 24

SWITCH = """
/// Whether the change of this number is to be in force (ct/mutations.py). Notes that the test came past it.
#[doc(hidden)]
#[allow(missing_docs, clippy::unwrap_used)]
pub fn mutation(number: u32) -> bool {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicBool, Ordering};
    static CHOSEN: OnceLock<u32> = OnceLock::new();
    static NOTES: OnceLock<Option<std::ffi::OsString>> = OnceLock::new();
    static NOTED: [AtomicBool; 256] = [const { AtomicBool::new(false) }; 256];
    if let Some(notes) = NOTES.get_or_init(|| std::env::var_os("MUTATION_NOTES"))
        && !NOTED[number as usize].swap(true, Ordering::Relaxed)
        && let Ok(mut file) = std::fs::OpenOptions::new().append(true).create(true).open(notes)
    {
        use std::io::Write;
        let _ = file.write_all(format!("{number}\\n").as_bytes());
    }
    let chosen = || std::env::var("MUTATION").ok()?.parse().ok();
    *CHOSEN.get_or_init(|| chosen().unwrap_or(0)) == number
}
"""


class Change:
    """One line of ct/mutations.txt: the code with its expression between « and », and what takes the expression's place."""

    def __init__(self, number, path, line):
        code, self.new = line.rsplit(" =>", 1)
        self.new = self.new.strip()
        self.number, self.path, self.line = number, path, line
        self.before, rest = code.split("«") if "«" in code else ("", code + "»")
        self.old, self.after = rest.split("»")

    @property
    def room(self):
        parts = self.path.split("/")
        if parts[0] == "crates":
            return "crates/tiny_http"
        return "/".join(parts[1:3]) if parts[1] == "script" else parts[1]

    def place(self, text):
        """Where the expression begins in the text of the file; an error if the code stands there never or twice."""
        code = self.before + self.old + self.after
        found = [match.start() for match in re.finditer(re.escape(code), text)]
        if len(found) != 1:
            raise LookupError(f"{self.path}: change {self.number}: found {len(found)} times: {code}")
        return found[0] + len(self.before)

    def switched(self):
        on = f"::tiny_http::mutation({self.number})" if not self.path.startswith("crates") else f"crate::mutation({self.number})"
        if self.new:
            return f"(if {on} {{ {self.new} }} else {{ {self.old} }})"
        return f"if !{on} {{ {self.old} }}"


def changes():
    path, found = None, []
    for line in CHANGES.read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            path = line[2:].strip()
        elif path and " =>" in line:
            found.append(Change(len(found) + 1, path, line.strip()))
    return found


def changed(files, wanted):
    """Writes the changes into the texts of `files` ({path: text}); returns those that have no place."""
    lost, by_path = [], collections.defaultdict(list)
    for change in wanted:
        by_path[change.path].append(change)
    for path, of_file in by_path.items():
        places = []
        for change in of_file:
            try:
                places.append((change.place(files.get(path, "")), change))
            except LookupError as error:
                lost.append(str(error))
        for at, change in sorted(places, key=lambda place: -place[0]):
            files[path] = files[path][:at] + change.switched() + files[path][at + len(change.old) :]
    return lost


def sources():
    """The texts of the project, as git lists its files."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=PROJECT, capture_output=True, text=True, check=True)
    return {path: PROJECT / path for path in listed.stdout.splitlines() if (PROJECT / path).is_file()}


def copy(wanted):
    """Writes the project with all changes to COPY. It leaves equal files alone, so that cargo builds no more than it must."""
    paths = sources()
    texts = {path: file.read_text(encoding="utf-8") for path, file in paths.items() if path.endswith(".rs")}
    lost = changed(texts, wanted)
    texts["crates/tiny_http/src/lib.rs"] += SWITCH
    old = {file for folder in ("src", "crates", "tests") for file in (COPY / folder).rglob("*.rs")}
    for file in old - {COPY / path for path in paths}:
        file.unlink()
    for path, file in paths.items():
        content = texts[path].encode() if path in texts else file.read_bytes()
        target = COPY / path
        if not target.exists() or target.read_bytes() != content:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            target.chmod(file.stat().st_mode)
    return lost


def build():
    """Builds all tests of the copy; returns the programs with the folders that they run in."""
    command = ["cargo", "test", "--locked", "--offline", "--no-run", "--message-format=json"]
    environment = {**os.environ, "CARGO_INCREMENTAL": "0", "CARGO_TARGET_DIR": str(COPY / "target")}
    done = subprocess.run(command, cwd=COPY, env=environment, capture_output=True, text=True)
    programs = []
    for line in done.stdout.splitlines():
        message = json.loads(line) if line.startswith("{") else {}
        if message.get("reason") == "compiler-message" and message["message"]["level"] == "error":
            print(message["message"]["rendered"], file=sys.stderr)
        if message.get("executable") and message["profile"]["test"] and "bench" not in message["target"]["kind"]:
            programs.append((message["executable"], pathlib.Path(message["manifest_path"]).parent))
    if done.returncode != 0:
        sys.exit("the changed copy does not build")
    return programs


def run(program, folder, tests, number=0, notes=None, threads=4):
    """Whether the tests pass with a change in force, and the names of those that failed."""
    environment = {**os.environ, "MUTATION": str(number), "H1MOCK_BINARY": ""}
    environment.pop("H1MOCK_BINARY")
    if notes:
        environment["MUTATION_NOTES"] = str(notes)
    command = [program, "--exact", f"--test-threads={threads}", *tests]
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True
    )
    try:
        output, _ = process.communicate(timeout=TEST_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.communicate()
        return False, list(tests)
    failed = re.findall(r"^test (\S+)(?: - should panic)? \.\.\. FAILED", output, re.M)
    return process.returncode == 0, failed or ([] if process.returncode == 0 else list(tests))


def reached(programs):
    """For each change, the tests that come past it and pass without one: {number: [(program, folder, test)]}."""
    notes = COPY / "notes"
    subprocess.run(["rm", "-rf", str(notes)], check=True)
    notes.mkdir()
    tests = []
    for program, folder in programs:
        listed = subprocess.run([program, "--list", "--format=terse"], cwd=folder, capture_output=True, text=True).stdout
        names = re.findall(r"^(.+): test$", listed, re.M)
        tests += [(program, folder, name) for name in names if not name.startswith(NOT_RUN)]
    reach, broken = collections.defaultdict(list), []

    def one(index_and_test):
        index, (program, folder, test) = index_and_test
        file = notes / str(index)
        passed, _ = run(program, folder, [test], notes=file, threads=1)
        seen = {int(line) for line in file.read_text().split()} if file.exists() else set()
        return passed, seen

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for test, (passed, seen) in zip(tests, pool.map(one, enumerate(tests))):
            if not passed:
                broken.append(test[2])
            for number in seen if passed else ():
                reach[number].append(test)
    print(f"{len(tests)} tests; fail without a change: {', '.join(broken) or 'none'}", flush=True)
    return reach


def catcher(number, tests):
    """The first test that a change breaks, or None."""
    by_program = collections.defaultdict(list)
    for program, folder, test in tests:
        by_program[program, folder].append(test)
    for (program, folder), names in by_program.items():
        for start in range(0, len(names), BATCH):
            passed, failed = run(program, folder, names[start : start + BATCH], number)
            if passed:
                continue
            for test in failed[:3]:
                if not run(program, folder, [test], number)[0]:
                    return test
    return None


def numbers(words, last):
    for word in words or [f"1-{last}"]:
        first, _, end = word.partition("-")
        yield from range(int(first), int(end or first) + 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("numbers", nargs="*")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    all_changes = changes()
    if options.check:
        texts = {path: file.read_text(encoding="utf-8") for path, file in sources().items() if path.endswith(".rs")}
        lost = changed(texts, all_changes)
        print("\n".join(lost) or f"{len(all_changes)} changes find their places")
        return 1 if lost else 0
    lost = copy(all_changes)
    if lost:
        sys.exit("\n".join(lost))
    began = time.monotonic()
    programs = build()
    print(f"built in {time.monotonic() - began:.0f} s", flush=True)
    reach = reached(programs)
    print(f"reached in {time.monotonic() - began:.0f} s", flush=True)
    score = collections.defaultdict(lambda: [0, 0])
    survivors = []
    for change in (all_changes[number - 1] for number in numbers(options.numbers, len(all_changes))):
        caught = catcher(change.number, reach[change.number])
        score[change.room][0] += caught is not None
        score[change.room][1] += 1
        if caught is None:
            survivors.append(change)
        by = caught or f"SURVIVES {len(reach[change.number])} tests"
        print(f"{change.number:>4} {change.path}: {change.line}\n     {by}", flush=True)
    for room, (caught, total) in sorted(score.items()):
        print(f"{room:<18} {caught:>3} of {total:>3}")
    caught, total = (sum(column) for column in zip(*score.values()))
    print(f"{'all':<18} {caught:>3} of {total:>3}  ({100 * caught / total:.0f} %) in {time.monotonic() - began:.0f} s")
    for change in survivors:
        print(f"survives: {change.number} {change.path}: {change.line}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
