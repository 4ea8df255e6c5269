"""The figures of `mocks.py` as markdown: a summary, a table for each workload, starts, memory, sizes and goals."""

import statistics
from typing import NamedTuple

from lifetime import KINDS_OF_RELOAD, MIB
from openloop import percentile
from table import milliseconds, print_table, spread, verdict

NGINX, H1MOCK = "nginx", "h1mock"
# Goals: CPU of a request as a multiple of nginx's; milliseconds; MiB; MB.
CPU_GOALS = {"W1": 1.3, "W2": 1.5, "W3-1000": 1.3, "W3-10000": 1.3, "W9": 3.0}
GROWTH_GOAL = 1.10
START_GOAL, START_MORE_GOAL, RELOAD_GOAL = 5, 3, 5
JOURNAL = 2
IDLE_GOAL, LOADED_GOAL = 5, 8 + JOURNAL
SIZE_GOAL = 5


class Paced(NamedTuple):
    """A run of W5: sorted milliseconds of lateness; CPU us of the server for each request; the largest delay of the sender."""

    over: list
    cpu: float
    late: float


class Compared(NamedTuple):
    runs: dict
    paced: dict
    faults: dict


class Figures:
    def __init__(self, workloads, connections, names):
        self.workloads, self.connections, self.names = workloads, connections, names
        self.lacks, self.starts, self.least, self.compared = {}, {}, [], None
        self.memory, self.reloads, self.sizes = {}, {}, {}

    def cpus(self, workload, count, name):
        """CPU us of each round, None for a failed round; an empty list without rounds."""
        return [run and run.cpu for run in self.compared.runs.get((workload, count, name), [])]


def ratios(values, bases):
    """The ratios within each round."""
    return [value / base for value, base in zip(values, bases) if value and base]


def cell(values, form="{:.2f}"):
    values = [value for value in values if value is not None]
    return spread(values, form) if values else "-"


def print_figures(found):
    print_summary(found)
    for workload in found.workloads:
        if workload.name == "W5":
            print_paced(found, workload)
        else:
            print_workload(found, workload)
    print_notes(found)
    print_lives(found)
    print_reloads(found)
    print_sizes(found)
    print_ahead(found)
    print_goals(found)


def print_summary(found):
    """CPU at the middle number of connections, the figure that depends least on the machine."""
    count = found.connections[len(found.connections) // 2]
    closed = [workload.name for workload in found.workloads if workload.name != "W5"]
    if not closed:
        return
    print(f"### CPU us of the server for each request, {count} connections\n")
    rows = [[name, *(cell(found.cpus(workload, count, name), "{:.1f}") for workload in closed)] for name in found.names]
    print_table(["server", *closed], rows)
    print(f"### The same as a multiple of h1mock's in the same round, {count} connections\n")
    rows = [[name, *(cell(ratios(found.cpus(workload, count, name), found.cpus(workload, count, H1MOCK))) for workload in closed)]
            for name in found.names if name != H1MOCK]
    print_table(["server", *closed], rows)


def print_workload(found, workload):
    print(f"### {workload.name}: {workload.what}\n")
    rows = []
    for name in found.names:
        for count in found.connections:
            runs = found.compared.runs.get((workload.name, count, name))
            if runs is None:
                continue
            cpus, good = found.cpus(workload.name, count, name), [run.run for run in runs if run]
            rows.append([
                name, count, cell(cpus, "{:.1f}"),
                cell(ratios(cpus, found.cpus(workload.name, count, NGINX))),
                cell(ratios(cpus, found.cpus(workload.name, count, H1MOCK))),
                cell([run.rate for run in good], "{:,.0f}"), cell([run.p50 for run in good], milliseconds),
                cell([run.p99 for run in good], milliseconds), sum(run.errors for run in good),
            ])
    rows += [[name, *["-"] * 8] for name in found.names if (name, workload.name) in found.lacks]
    print_table(["server", "connections", "CPU us/request", "x nginx", "x h1mock", "requests/s", "p50 ms", "p99 ms", "errors"], rows)


def print_paced(found, workload):
    print(f"### {workload.name}: {workload.what}\n")
    rows = []
    for name, runs in found.compared.paced.items():
        good, ours = [run for run in runs if run], found.compared.paced.get(H1MOCK, [])
        both = [(run.cpu / our.cpu) for run, our in zip(runs, ours) if run and our]
        rows.append([name, cell([percentile(run.over, 50) for run in good]), cell([percentile(run.over, 99) for run in good]),
                     cell([run.over[-1] for run in good]), cell([run.cpu for run in good], "{:.1f}"), cell(both),
                     cell([run.late for run in good])])
    rows += [[name, *["-"] * 6] for name in found.names if (name, workload.name) in found.lacks]
    print_table(["server", "late ms, p50", "p99", "greatest", "CPU us/request", "x h1mock", "sending late at most, ms"], rows)


def print_notes(found):
    """The reason why a cell is empty."""
    asked = {workload.name for workload in found.workloads}
    notes = [f"{name}: {reason}" for (_, name), reason in found.lacks.items() if name in asked]
    notes += [f"{fault} ({times} times)" for fault, times in found.compared.faults.items()]
    if notes:
        print("A dash:\n")
        print("\n".join(f"- {note}" for note in notes) + "\n")


def print_lives(found):
    if not found.starts:
        return
    print("### Start and memory\n")
    ours = found.starts.get(H1MOCK, [])
    rows = [["/bin/true, to its end", spread(found.least, milliseconds), "", "", "", "", ""]]
    for name, starts in found.starts.items():
        loaded = found.memory.get(name, [])
        rows.append([name, spread([start.seconds for start in starts], milliseconds),
                     cell(ratios([start.seconds for start in starts], [our.seconds for our in ours])),
                     cell([start.resident / MIB for start in starts]),
                     cell(ratios([start.resident for start in starts], [our.resident for our in ours])),
                     cell([each / MIB for each in loaded]), cell(ratios(loaded, found.memory.get(H1MOCK, [])))])
    print_table(["server", "exec to first 200, ms", "x h1mock", "PSS idle, MiB", "x h1mock", "PSS after load, MiB", "x h1mock"], rows)


def print_reloads(found):
    if not found.reloads:
        return
    print("### New rules: ms until they serve\n")
    rows = []
    for name in found.names:
        cells = []
        for way in KINDS_OF_RELOAD:
            values = found.reloads.get((name, way), [])
            cells += [cell(values, milliseconds), cell(ratios(values, found.reloads.get((H1MOCK, way), [])))]
        rows.append([name, *cells])
    print_table(["server", "from POST", "x h1mock", "from closing of a file", "x h1mock"], rows)


def print_sizes(found):
    print("### What ships, MB\n")
    ours = found.sizes.get(H1MOCK, (0,))[0]
    rows = [[name, f"{shipped / 1e6:,.1f}", f"{shipped / ours:.1f}" if ours else "-", f"{runtime / 1e6:,.1f}" if runtime else "-", what]
            for name, (shipped, runtime, what) in found.sizes.items()]
    print_table(["server", "program", "x h1mock", "runtime beside it", "file or folder"], rows)


def print_ahead(found):
    """Figures in which another server is better than h1mock, by the median of the rounds' ratios."""
    print("### Where another server is ahead of h1mock\n")
    lines = [f"- {name}: {what}: {statistics.median(values):.2f} of h1mock's" for name in found.names if name != H1MOCK
             for what, values in compared_with_ours(found, name) if values and statistics.median(values) < 1]
    print("\n".join(lines or ["Nowhere."]) + "\n")


def compared_with_ours(found, name):
    """Names of figures and their ratios. For all of these figures, less is better."""
    for workload in (workload.name for workload in found.workloads if workload.name != "W5"):
        for count in found.connections:
            values = ratios(found.cpus(workload, count, name), found.cpus(workload, count, H1MOCK))
            yield f"CPU on {workload}, {count} connection{'s' * (count > 1)}", values
    theirs, ours = found.compared.paced.get(name, []), found.compared.paced.get(H1MOCK, [])
    pairs = [(their, our) for their, our in zip(theirs, ours) if their and our]
    yield "CPU on W5", [their.cpu / our.cpu for their, our in pairs]
    yield "lateness on W5, p99", [percentile(their.over, 99) / percentile(our.over, 99) for their, our in pairs]
    starts, ours = found.starts.get(name, []), found.starts.get(H1MOCK, [])
    yield "exec to first 200", ratios([start.seconds for start in starts], [start.seconds for start in ours])
    yield "PSS idle", ratios([start.resident for start in starts], [start.resident for start in ours])
    yield "PSS after load", ratios(found.memory.get(name, []), found.memory.get(H1MOCK, []))
    for way, what in zip(KINDS_OF_RELOAD, ("POST to new behaviour", "closing of a file to new behaviour")):
        yield what, ratios(found.reloads.get((name, way), []), found.reloads.get((H1MOCK, way), []))
    if H1MOCK in found.sizes:
        yield "bytes of the program", ratios([found.sizes[name][0]], [found.sizes[H1MOCK][0]])


def print_goals(found):
    """Judges the goals by the medians."""
    rows = [*cpu_goals(found), *flat_goals(found), *peer_goals(found), *life_goals(found)]
    if rows:
        print("### Goals\n")
        print_table(["what", "connections", "measured", "goal", "met"], rows)


def cpu_goals(found):
    for workload, goal in CPU_GOALS.items():
        for count in found.connections:
            if values := ratios(found.cpus(workload, count, H1MOCK), found.cpus(workload, count, NGINX)):
                yield [f"CPU on {workload} / nginx", count, *verdict(values, goal)]


def flat_goals(found):
    for count in found.connections:
        if values := ratios(found.cpus("W3-10000", count, H1MOCK), found.cpus("W1", count, H1MOCK)):
            yield ["CPU on W3-10000 / W1", count, *verdict(values, GROWTH_GOAL)]


def peer_goals(found):
    """CPU compared with the best peer."""
    peers = [name for name in found.names if name not in (NGINX, H1MOCK)]
    for workload in (workload.name for workload in found.workloads):
        for count in found.connections:
            if workload == "W5":
                cpus = {name: [run and run.cpu for run in runs] for name, runs in found.compared.paced.items()}
            else:
                cpus = {name: found.cpus(workload, count, name) for name in found.names}
            by_peer = {name: ratios(cpus.get(H1MOCK, []), cpus[name]) for name in peers if name in cpus}
            by_peer = {name: values for name, values in by_peer.items() if values}
            if by_peer:
                closest = max(by_peer, key=lambda name: statistics.median(by_peer[name]))
                yield [f"CPU on {workload} / {closest}, the closest peer", "500" if workload == "W5" else count,
                       *verdict(by_peer[closest], 1.0)]
            if workload == "W5":
                break


def life_goals(found):
    if starts := [start.seconds * 1000 for start in found.starts.get(H1MOCK, [])]:
        yield ["ms from exec to first 200", "", *verdict(starts, START_GOAL)]
        more = [ours - least * 1000 for ours, least in zip(starts, found.least)]
        yield ["ms more than /bin/true", "", *verdict(more, START_MORE_GOAL)]
        yield ["MiB PSS idle", "", *verdict([start.resident / MIB for start in found.starts[H1MOCK]], IDLE_GOAL)]
    if loaded := found.memory.get(H1MOCK):
        yield [f"MiB PSS after load, the journal's {JOURNAL} included", "", *verdict([each / MIB for each in loaded], LOADED_GOAL)]
    if posts := found.reloads.get((H1MOCK, "post")):
        yield ["ms from POST to new behaviour", "", *verdict([each * 1000 for each in posts], RELOAD_GOAL)]
    if H1MOCK in found.sizes:
        yield ["MB of the program", "", *verdict([found.sizes[H1MOCK][0] / 1e6], SIZE_GOAL)]
