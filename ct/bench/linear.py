#!/usr/bin/env python3
"""Checks that the CPU time of views grows linearly: measures them with 500, 4,000 and 20,000 items.

    ct/bench/linear.py [BINARY] [--rows 'push|get'] [--rounds 7] [--check]

Eight times the items may cost 8 x 1.3 times as much, five times the items 5 x 1.3. `--check` fails beyond that. A row beyond the
limit is measured up to five times again, and passes with one of them. The least CPU time of a size counts, since other load only adds to it.
"""

import argparse
import contextlib
import http.client
import json
import pathlib
import sys

from subject import Mock, process_clock, stop_on_signal
from table import print_table

BINARY = pathlib.Path(__file__).resolve().parent.parent.parent / "target/release/h1mock"
SIZES = (500, 4_000, 20_000)
BAND = 1.3
# Requests that take fewer nanoseconds are measured many at once.
SHORT = 20_000_000

ITEMS = "let l = []; for i in range(N) { l.push(#{ id: i, name: `item ${i}`, ok: true }); }"
MAP = "let m = #{}; for i in range(N) { m[`k${i}`] = i; }"
TEXT = 'let s = ""; for i in range(N) { s += "x"; }'
TURNS = "for i in range(N)"

# Bodies of views by name. `N` is the number of items, `BIG` a constant list of N items, `BYKEY` a constant map.
ROWS = {
    "push a map, then JSON": f"{ITEMS} jsonify(l)",
    "m.get(k, d)": f"{MAP} let s = 0; {TURNS} {{ s += m.get(`k${{i}}`, 0); }} `${{s}}`",
    "k in m": f"{MAP} let s = 0; {TURNS} {{ if `k${{i}}` in m {{ s += 1; }} }} `${{s}}`",
    "m[k] = x": f"{MAP} `${{m.len()}}`",
    "m[k] += 1": f"{MAP} {TURNS} {{ m[`k${{i}}`] += 1; }} `${{m.len()}}`",
    "m.pop(k)": f"{MAP} {TURNS} {{ m.pop(`k${{i}}`); }} `${{m.len()}}`",
    "l.len()": f"{ITEMS} let s = 0; {TURNS} {{ s += l.len(); }} `${{s}}`",
    "l.pop()": f"{ITEMS} {TURNS} {{ l.pop(); }} `${{l.len()}}`",
    "l[i] = x": f"{ITEMS} {TURNS} {{ l[i] = i; }} `${{l.len()}}`",
    "l[i].id += 1": f"{ITEMS} {TURNS} {{ l[i].id += 1; }} `${{l.len()}}`",
    "l += [x]": f"let l = []; {TURNS} {{ l += [#{{ id: i }}]; }} `${{l.len()}}`",
    "l.append(x)": f"let l = []; {TURNS} {{ l.append(#{{ id: i }}); }} `${{l.len()}}`",
    "g[k].push(i)": f"let g = #{{}}; for k in range(10) {{ g[`${{k}}`] = []; }} {TURNS} {{ g[`${{i % 10}}`].push(i); }} jsonify(g)",
    "m.a.b.push(x)": f"let m = #{{ a: #{{ b: [] }} }}; {TURNS} {{ m.a.b.push(#{{ id: i }}); }} `${{m.a.b.len()}}`",
    "m.a.b += 1 beside a list": f"{ITEMS} let m = #{{ a: #{{ b: 0 }}, l: l }}; {TURNS} {{ m.a.b += 1; m.l.len(); }} `${{m.a.b}}`",
    "f(l) for a short list": f"{ITEMS} let t = [1, 2]; {TURNS} {{ t.sum(); }} `${{l.len()}}`",
    "for x in l": f"{ITEMS} let s = 0; for x in l {{ s += x.id; }} `${{s}}`",
    "l.map, filter, sorted": f"{ITEMS} let k = sorted(l.filter(|x| x.id % 2 == 0).map(|x| x.id)); `${{k.len()}}`",
    "CONST[i].id": f"let s = 0; {TURNS} {{ s += BIG[i].id; }} `${{s}}`",
    "CONST.len()": f"let s = 0; {TURNS} {{ s += BIG.len(); }} `${{s}}`",
    "for x in CONST": "let s = 0; for x in BIG { s += x.id; } `${s}`",
    "CONST.filter": "let l = BIG.filter(|x| x.id % 2 == 0); `${l.len()}`",
    "CONST.filter, 10 times, 10 kept": "let s = 0; for i in range(10) { s += BIG.filter(|x| x.id < 10).len(); } `${s}`",
    "k in CONST map": f"let s = 0; {TURNS} {{ if `k${{i}}` in BYKEY {{ s += 1; }} }} `${{s}}`",
    "CONST map.get(k, d)": f"let s = 0; {TURNS} {{ s += BYKEY.get(`k${{i}}`, 0); }} `${{s}}`",
    "CONST map[k]": f"let s = 0; {TURNS} {{ s += BYKEY[`k${{i}}`]; }} `${{s}}`",
    "closure over CONST": f"let s = 0; let f = |i| BIG[i].id; {TURNS} {{ s += f.call(i); }} `${{s}}`",
    "request.json[i].id": f"let s = 0; {TURNS} {{ s += request.json[i].id; }} `${{s}}`",
    "request.json.len()": f"let s = 0; {TURNS} {{ s += request.json.len(); }} `${{s}}`",
    'store["k"][i].id': f"store[\"big\"] = BIG; let s = 0; {TURNS} {{ s += store[\"big\"][i].id; }} `${{s}}`",
    'store["k"].x': f"store[\"m\"] = BYKEY; let s = 0; {TURNS} {{ s += store[\"m\"].k7; }} `${{s}}`",
    'store["k" + i] = x': f"{TURNS} {{ store[`k${{i}}`] = i; }} `${{store.len()}}`",
    's += "x"': f"{TEXT} `${{s.len}}`",
    's += "x", of a map': f"let m = #{{ s: \"\" }}; {TURNS} {{ m.s += \"x\"; }} `${{m.s.len}}`",
    "s += i": f"let s = \"\"; {TURNS} {{ s += i; }} `${{s.len}}`",
    "`${s}x`": f"let s = \"\"; {TURNS} {{ s = `${{s}}x`; }} `${{s.len}}`",
    "s[i]": f"{TEXT} let k = 0; {TURNS} {{ if s[i] == 'x' {{ k += 1; }} }} `${{k}}`",
    "s.sub_string(i, 1)": f"{TEXT} let k = 0; {TURNS} {{ if s.sub_string(i, 1) == \"x\" {{ k += 1; }} }} `${{k}}`",
    "s.len()": f"{TEXT} let k = 0; {TURNS} {{ k += s.len(); }} `${{k}}`",
    "for c in s": f"{TEXT} let k = 0; for c in s {{ if c == 'x' {{ k += 1; }} }} `${{k}}`",
    "b.push(x)": f"let b = blob(); {TURNS} {{ b.push(7); }} `${{b.len()}}`",
    "b[i]": f"let b = blob(N, 1); let k = 0; {TURNS} {{ k += b[i]; }} `${{k}}`",
    "join, split": f"{ITEMS} let t = \",\".join(l.map(|x| x.name)); `${{t.split(\",\").len()}}`",
    "json.loads(json.dumps)": f"{ITEMS} `${{json.loads(json.dumps(l)).len()}}`",
    "l.remove(0)": f"{ITEMS} {TURNS} {{ l.remove(0); }} `${{l.len()}}`",
    "x in l": f"let l = []; {TURNS} {{ l.push(i); }} let k = 0; {TURNS} {{ if i in l {{ k += 1; }} }} `${{k}}`",
}
# Views that make n calls, each of which handles n items.
INHERENT = {"l.remove(0)", "x in l", "`${s}x`", "s[i]", "s.len()"}


def provision(size):
    """A provision with all rows for one size."""
    views = "\n".join(f"fn row{index}() {{ {body} }}" for index, body in enumerate(ROWS.values()))
    rules = "\n".join(f'app.post("/{index}", row{index});' for index in range(len(ROWS)))
    return f'const N = {size};\nconst BIG = read_json("big.json");\nconst BYKEY = read_json("bykey.json");\n{views}\nfn registerRules() {{ {rules} }}\n'


class Side:
    """A server whose views have `size` items, and a connection to it."""

    def __init__(self, stack, binary, size):
        self.items = json.dumps([{"id": i, "name": f"item {i}", "ok": True} for i in range(size)])
        files = {"big.json": self.items, "bykey.json": json.dumps({f"k{i}": i for i in range(size)})}
        arguments = ["--workers", "1", "--script-timeout", "60s", "--script-memory", "256M"]
        self.mock = stack.enter_context(Mock(binary, provision(size), *arguments, files=files))
        self.connection = http.client.HTTPConnection("127.0.0.1", self.mock.port, timeout=120)

    def cost(self, name, times):
        """CPU nanoseconds of one of so many requests. None if a request fails."""
        before = process_clock(self.mock.process.pid)
        for _ in range(times):
            body = self.items if "request" in name else ""
            self.connection.request("POST", f"/{list(ROWS).index(name)}", body, {"Content-Type": "application/json"})
            answer = self.connection.getresponse()
            text = answer.read()
            if answer.status != 200:
                print(f"{name}: {text.decode(errors='replace')[:300]}", file=sys.stderr)
                return None
        return (process_clock(self.mock.process.pid) - before) / times


def costs_of(sides, name, rounds):
    """The least CPU nanoseconds of a request by size. Each round measures all sizes, since a busy machine is slower for a while."""
    least = {size: side.cost(name, 1) for size, side in sides.items()}
    if not all(least.values()):
        return least
    times = {size: max(1, int(SHORT / ns)) for size, ns in least.items()}
    for _ in range(rounds if max(least.values()) < 300_000_000 else 1):
        for size, side in sides.items():
            least[size] = min(least[size], side.cost(name, times[size]))
    return least


def measure(binary, names, rounds):
    """CPU nanoseconds by row and size."""
    with contextlib.ExitStack() as stack:
        sides = {size: Side(stack, binary, size) for size in SIZES}
        return {name: costs_of(sides, name, rounds) for name in names}


def factors(of):
    """From size to size, the growth of the cost divided by the growth of the work. None if a view failed."""
    return [of[large] / of[small] / (large / small) if of[small] and of[large] else None for small, large in zip(SIZES, SIZES[1:])]


def is_over(name, of):
    return name not in INHERENT and any(factor is None or factor > BAND for factor in factors(of))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", nargs="?", default=str(BINARY))
    parser.add_argument("--rows", help="parts of their names")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    stop_on_signal()
    wanted = options.rows.split("|") if options.rows else [""]
    names = [name for name in ROWS if any(part in name for part in wanted)]
    binary = str(pathlib.Path(options.binary).resolve())
    costs = measure(binary, names, options.rounds)
    for _ in range(5 if options.check else 0):
        again = [name for name in names if is_over(name, costs[name])]
        costs.update(measure(binary, again, options.rounds) if again else {})
    rows, bad = [], []
    for name in names:
        of, by = [costs[name][size] for size in SIZES], factors(costs[name])
        over = is_over(name, costs[name])
        bad += [name] * over
        rows.append([name] + [f"{ns / 1e6:.2f}" if ns else "" for ns in of] + [f"{factor:.2f}" if factor else "" for factor in by]
                    + ["inherent" if name in INHERENT else "OVER" if over else ""])
    print_table(["view"] + [f"{size:,}: ms" for size in SIZES] + ["x of 8", "x of 5", ""], rows)
    if bad and options.check:
        sys.exit(f"more than {BAND} times the work: {', '.join(bad)}")


main()
