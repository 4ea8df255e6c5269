"""10,000 random JSON values, by every way into a script and out of it, against Python's answers.

Usage: H1MOCK_BINARY=target/debug/h1mock pytest ct/json
"""

import json
import os
import random
import subprocess
import tempfile
import urllib.request
from pathlib import Path

VALUES = 10_000
BATCH = 100
SEED = 14

PROVISION = """
const CONST = read_json("values.json");
fn registerRules() {
    app.post("/returned", || #{ values: request.json });
    app.post("/jsonify", || jsonify(request.get_json()));
    app.post("/dumps", || json.dumps(request.json));
    app.post("/loads", || json.dumps(json.loads(request.text)));
    app.post("/items", || { let all = []; for value in request.json { all.push(value); } jsonify(all) });
    app.post("/indexed", || { let all = []; for i in 0..request.json.len() { all += [request.json[i]]; } jsonify(all) });
    app.post("/mapped", || jsonify(request.json.map(|value| value)));
    app.post("/stored", || { store["v"] = request.json; jsonify(store["v"]) });
    app.post("/pushed", || { store["l"] = []; for value in request.json { store["l"].push(value); } jsonify(store["l"]) });
    app.post("/equal", || { let other = json.loads(request.text); jsonify(other == request.json && request.json == other) });
    app.get("/const", || jsonify(CONST));
    app.get("/dumped", || json.dumps(CONST));
}
"""


def scalar(dice: random.Random):
    kind = dice.randrange(9)
    if kind == 0:
        return dice.choice([None, True, False, 0, -0.0, 1.0, "", [], {}])
    if kind == 1:
        return dice.randrange(-(10 ** dice.randrange(1, 19)), 10 ** dice.randrange(1, 19))
    if kind == 2:
        return dice.choice([1, -1]) * dice.randrange(10**18, 10 ** dice.randrange(19, 60))
    if kind == 3:
        return dice.uniform(-90, 90)
    if kind == 4:
        return dice.uniform(1, 10) * 10 ** dice.randrange(-300, 300)
    if kind == 5:
        return dice.choice([2**53 + 1, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64 - 1, 2**64, 5e-324, 1.7976931348623157e308])
    if kind == 6:
        return "".join(chr(dice.choice([*range(0x20), *range(0x20, 0x7F), 0xE9, 0x2028, 0x1F600])) for _ in range(dice.randrange(12)))
    return dice.choice(["a", "id", "é", "😀", "0", "$serde_json::private::Number", "quote\"back\\slash"])


def value(dice: random.Random, depth: int = 0):
    if depth < 4 and dice.random() < 0.4:
        size = dice.choice([0, 1, 2, 3, 12])
        if dice.random() < 0.5:
            return [value(dice, depth + 1) for _ in range(size)]
        keys = ["z", "a", "id", "é", "key\n", "10", "9"] + [f"k{n}" for n in range(20)]
        return {dice.choice(keys): value(dice, depth + 1) for _ in range(size)}
    return scalar(dice)


def exact(got):
    """With the order of keys, and integers apart from floats."""
    return json.dumps(got, ensure_ascii=False)


class Mock:
    def __init__(self, folder: str):
        command = [os.environ["H1MOCK_BINARY"], "--provision-dir", folder, "--traffic-port", "0", "--admin-port", "0"]
        command += ["--journal-bytes", "64M", "--journal-body", "1M"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            if line.startswith("h1mock "):
                words = line.replace(",", "").split()
                self.mock, self.admin = words[words.index("mock") + 1], words[words.index("admin") + 1]
                break

    def call(self, method: str, path: str, body: bytes | None = None, admin: bool = False) -> str:
        port = (self.admin if admin else self.mock).rsplit(":", 1)[1]
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as reply:
            return reply.read().decode()


def test_values_come_out_as_python_reads_them():
    dice = random.Random(SEED)
    values = [value(dice) for _ in range(VALUES)]
    # Python's module refuses nothing that the server takes: no infinite numbers are among them.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "initial").write_text(PROVISION)
        Path(folder, "values.json").write_text(json.dumps(values[:BATCH]))
        mock = Mock(folder)
        try:
            for number, start in enumerate(range(0, VALUES, BATCH)):
                batch = values[start : start + BATCH]
                # Now as Python writes it, now without escapes and blanks.
                body = json.dumps(batch) if number % 2 else json.dumps(batch, ensure_ascii=False, separators=(",", ":"))
                body = body.encode()
                check(mock, batch, body)
            expected = exact(values[:BATCH])
            assert exact(json.loads(mock.call("GET", "/const"))) == expected
            assert mock.call("GET", "/dumped") == json.dumps(values[:BATCH])
        finally:
            mock.process.terminate()
            mock.process.wait(10)


def check(mock: Mock, batch: list, body: bytes):
    expected = exact(batch)
    assert exact(json.loads(mock.call("POST", "/returned", body))["values"]) == expected
    for path in ["/jsonify", "/items", "/indexed", "/mapped", "/stored", "/pushed"]:
        assert exact(json.loads(mock.call("POST", path, body))) == expected, path
    for path in ["/dumps", "/loads"]:
        assert mock.call("POST", path, body) == json.dumps(batch), path
    assert mock.call("POST", "/equal", body) == "true\n"
    mock.call("PUT", "/app/v1/store/outside", body, admin=True)
    assert exact(json.loads(mock.call("GET", "/app/v1/store/outside", admin=True))) == expected
    mock.call("DELETE", "/app/v1/all", admin=True)
    mock.call("POST", "/dumps", body)
    verdict = json.loads(mock.call("POST", "/app/v1/verify", json.dumps({"json": {"": batch}, "count": 1}).encode(), admin=True))
    assert verdict["verdict"] == "pass", verdict
    wrong = json.dumps({"json": {"": [*batch[:-1], [batch[-1]]]}, "count": 1}).encode()
    assert json.loads(mock.call("POST", "/app/v1/verify", wrong, admin=True))["verdict"] == "fail"
