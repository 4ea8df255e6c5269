"""Measures the costs of a server besides its requests: start, memory at rest, new rules, size."""

import os
import subprocess
import time
from typing import NamedTuple

from load import ANSWER_DEADLINE
from peer import RELOAD_RULES, bytes_of

MIB = 1 << 20
KINDS_OF_RELOAD = ("post", "copy")


class Start(NamedTuple):
    seconds: float
    resident: int


def true_start():
    """Seconds from exec to the end of /bin/true: the cost of any start on this machine."""
    began = time.perf_counter()
    subprocess.run(["/bin/true"], stdin=subprocess.DEVNULL, timeout=ANSWER_DEADLINE, check=True)
    return time.perf_counter() - began


def starts(kinds, times):
    """Measures each kind in turn, from exec to the first 200, and its PSS at rest. Returns starts by name, and those of /bin/true."""
    found, least = {kind.title: [] for kind in kinds}, []
    for _ in range(times):
        least.append(true_start())
        for kind in kinds:
            with kind() as subject:
                seconds = subject.await_answer()
                subject.settle()
                found[kind.title].append(Start(seconds, subject.proportional()))
    return found, least


def reloads(kinds, times):
    """Seconds from a POST, or from the closing of a file, to the first answer of the new rules. Returns lists by name and way."""
    found = {(kind.title, way): [] for kind in kinds for way in KINDS_OF_RELOAD if offers(kind, way)}
    for kind in kinds:
        ways = [way for way in KINDS_OF_RELOAD if offers(kind, way)]
        if not ways:
            continue
        with kind(RELOAD_RULES, "started", reload=True) as subject:
            subject.await_ready()
            for way in ways:
                for number in range(times + 1):
                    word = f"{way}{number}"
                    began = time.perf_counter()
                    getattr(subject, way)(RELOAD_RULES, word)
                    # The time of a file begins when it is closed, the time of a POST when it begins.
                    since = began if way == "post" else time.perf_counter()
                    seconds = subject.await_answer(word, since)
                    if number:  # The first one finds nothing in the caches.
                        found[kind.title, way].append(seconds)
    return found


def offers(kind, way):
    return kind.posts if way == "post" else kind.copies


def sizes(kinds):
    """Bytes of the shipped files, and of the files needed to run them."""
    return {kind.title: (sum(map(bytes_of, kind.ships)), sum(map(bytes_of, kind.runtime)), os.path.basename(str(kind.ships[0])))
            for kind in kinds}
