#!/usr/bin/env python3
"""Measures a built h1mock on 127.0.0.1: swaps under load, reload times, start, memory, CPU per request compared with nginx.

    ct/bench/measure.py [BINARY] [swaps reload start cpu ...]

Needs only Python's standard library; `cpu` also needs wrk, nginx and ss. All loops are bounded. Figures are printed, not judged.
"""

import http.client
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time

import load
import subject

SWAPS = int(os.environ.get("SWAPS", "10000"))
# Most seconds of a start or a reload.
DEADLINE = 20


def provision(word):
    """A provision of about 30 lines, as usual, with one rule whose body and header must agree."""
    filler = "".join(f'fn other{n}(id) {{ #{{ id: id, text: "filler {n}" }} }}\n' for n in range(20))
    rules = "".join(f'    app.get("/other{n}/<int:id>", other{n});\n' for n in range(20))
    return f"""const WORD = "{word}";
fn registerRules() {{
    app.get("/word", show);
{rules}}}
fn show() {{ [WORD + " {word}", 200, #{{ "X-Word": WORD }}] }}
{filler}"""


def connect(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def get(connection, path="/word"):
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.getheader("X-Word"), answer.read().decode()


def post(connection, name, source):
    connection.request("POST", f"/app/v1/provision/{name}", source, {"Content-Type": "text/plain"})
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 201, body
    return answer.status


def swaps(binary):
    """Alternates two provisions by POST under four keep-alive clients."""
    with subject.Mock(binary, provision("a")) as mock:
        stop, made, wrong, failed = threading.Event(), [0] * 4, [0] * 4, [0] * 4

        def ask(number):
            connection = connect(mock.traffic)
            while not stop.is_set():
                try:
                    status, header, body = get(connection)
                    made[number] += 1
                    wrong[number] += status != 200 or body != f"{header} {header}"
                except (OSError, http.client.HTTPException):
                    failed[number] += 1
                    connection = connect(mock.traffic)

        clients = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
        [client.start() for client in clients]
        admin, began, stale = connect(mock.admin), time.monotonic(), 0
        check = connect(mock.traffic)
        for round in range(SWAPS):
            word = "ba"[round % 2]
            post(admin, word, provision(word))
            stale += get(check)[1] != word
        seconds = time.monotonic() - began
        stop.set()
        [client.join() for client in clients]
        print(f"swaps: {SWAPS} in {seconds:.1f} s; requests {sum(made)}, wrong or mixed {sum(wrong)}, failed {sum(failed)}, "
              f"stale after POST {stale}; RSS {mock.status('VmRSS')} kB, threads {mock.status('Threads')}")


def show(label, seconds):
    milliseconds = sorted(second * 1000 for second in seconds)
    print(f"{label}: median {statistics.median(milliseconds):.2f} ms, max {milliseconds[-1]:.2f} ms ({len(seconds)} times)")


def reload(binary):
    """Measures the time from a POST, and from the closing of a file, to the first answer of the new provision."""
    with subject.Mock(binary, provision("start")) as mock:
        admin, client = connect(mock.admin), connect(mock.traffic)

        def until(word, began):
            while get(client)[1] != word:
                if time.perf_counter() - began > DEADLINE:
                    raise RuntimeError(f"{word} does not serve after {DEADLINE} s")
            return time.perf_counter() - began

        posts, files = [], []
        for round in range(200):
            source = provision(f"p{round}")
            began = time.perf_counter()
            post(admin, "posted", source)
            posts.append(until(f"p{round}", began))
        for round in range(200):
            with open(mock.directory / "copied", "w") as file:
                file.write(provision(f"f{round}"))
            files.append(until(f"f{round}", time.perf_counter()))
        show("POST to new behaviour", posts)
        show("file close to new behaviour", files)


def answers(port, request):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(request)
            return b" 200 " in connection.recv(4096)
    except OSError:
        return False


def start(binary):
    """Measures the time from exec to the first 200, with a request every 0.2 ms, and the memory after it."""
    times, resident = [], 0
    for _ in range(20):
        folder, port = subject.make_folder(), subject.free_port()
        (folder / "provision").mkdir()
        (folder / "provision" / "initial").write_text(provision("a"))
        request = b"GET /word HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        began = time.perf_counter()
        process = subprocess.Popen([binary, "--bind", "127.0.0.1", "--traffic-port", str(port), "--admin-port", "0"], cwd=folder,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            while not answers(port, request):
                if time.perf_counter() - began > DEADLINE or process.poll() is not None:
                    raise RuntimeError("h1mock did not start")
                time.sleep(0.0002)
            times.append(time.perf_counter() - began)
            text = pathlib.Path(f"/proc/{process.pid}/status").read_text()
            resident = max(resident, int(re.search(r"VmRSS:\s+(\d+)", text).group(1)))
            process.send_signal(signal.SIGTERM)
            process.wait(10)
        finally:
            process.kill()
            process.wait(10)
            shutil.rmtree(folder, ignore_errors=True)
    show("exec to first 200", times)
    print(f"RSS after start: {resident} kB")


def many(rules):
    lines = "".join(f'    app.get("/rule{n}/<int:id>/x", other, #{{ endpoint: "r{n}" }});\n' for n in range(rules))
    return f'fn registerRules() {{\n{lines}    app.get("/word", show);\n}}\nfn show() {{ "hello" }}\nfn other(id) {{ "other" }}\n'


def cpu(binary):
    """Measures the server's CPU time per request with 32 connections, in five rounds of both servers."""
    slow = ("--script-timeout", "30s", "--script-memory", "512M")
    with (subject.Nginx() as peer, subject.Mock(binary, many(0)) as one, subject.Mock(binary, many(1000), *slow) as thousand,
          subject.Mock(binary, many(9999), *slow) as most):
        subjects = {
            "nginx return 200": (peer, "/word"),
            "h1mock, 1 rule": (one, "/word"),
            "h1mock, 1,000 rules": (thousand, "/word"),
            "h1mock, 10,000 rules": (most, "/word"),
            "h1mock, 10,000 rules, last variable one": (most, "/rule9998/7/x"),
        }
        figures = {name: [] for name in subjects}
        for _ in range(5):
            for name, (server, path) in subjects.items():
                figures[name].append(load.measure(server, 32, 4, path).cpu)
    base = statistics.median(figures["nginx return 200"])
    for name, values in figures.items():
        middle = statistics.median(values)
        print(f"{name}: {middle:.1f} us CPU per request ({min(values):.1f}-{max(values):.1f}), {middle / base:.2f} x nginx")


def main():
    subject.stop_on_signal()
    arguments = sys.argv[1:]
    binary = arguments.pop(0) if arguments and os.path.exists(arguments[0]) else "target/release/h1mock"
    binary = str(pathlib.Path(binary).resolve())
    print(f"binary: {os.path.getsize(binary)} bytes")
    for name in arguments or ["swaps", "reload", "start", "cpu"]:
        {"swaps": swaps, "reload": reload, "start": start, "cpu": cpu}[name](binary)


if __name__ == "__main__":
    main()
