"""The peers that crates.io has: httpmock's server, apate, and rift, which takes Mountebank's configuration. See peer.py."""

import json
import time

from npm_peers import Mountebank
from peer import JSON, PEERS, Peer, free_port, greeting, others
from subject import START_DEADLINE
from workload import DELAY_MS, WORD


class Httpmock(Peer):
    title = "httpmock"
    posts = True
    ships = [PEERS / "httpmock/bin/httpmock"]
    lacks = {"W2": "httpmock's server has constant headers only", "W4": "httpmock's server has no templates or scripts"}

    def mocks(self, count, word):
        def mock(path, body, **then):
            pairs = [{"name": name, "value": value} for name, value in JSON.items()]
            return {"when": {"method": "GET", "path": path}, "then": {"status": 200, "header": pairs, "body": body, **then}}

        return [*(mock(path, greeting("other")) for path in others(count)), mock("/hello", greeting(word)),
                mock("/slow", greeting(WORD), delay=DELAY_MS)]

    def configure(self, folder, count, word):
        # JSON is YAML.
        (folder / "mocks").mkdir()
        (folder / "mocks" / "all.yaml").write_text(self.documents(count, word))

    def documents(self, count, word):
        return "\n---\n".join(map(json.dumps, self.mocks(count, word)))

    def command(self, folder):
        # What comes from files can't be replaced afterwards.
        files = [] if self.reload else ["--mock-files-dir", "mocks"]
        return [str(self.ships[0]), "--port", str(self.port), "--disable-access-log", *files]

    def await_ready(self):
        end = time.monotonic() + START_DEADLINE
        while True:
            try:
                return self.send("GET", "/__httpmock__/ping", None, port=self.port)
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.01)

    def post(self, count, word):
        self.send("DELETE", "/__httpmock__/mocks", None, port=self.port)
        self.send("POST", "/__httpmock__/recordings/0", self.documents(count, word), {"Content-Type": "application/yaml"}, self.port)


class Apate(Peer):
    title = "apate"
    posts = True
    ships = [PEERS / "apate/bin/apate"]
    lacks = {"W2": "apate's answers have constant headers only",
             "W5": "apate has no delay; its scripts can sleep, but hold one of its threads meanwhile"}

    # Its templates are faster than its scripts here.
    LINES = ("{\"lines\":[{% for item in ctx.load_body_json()['items'] %}{\"label\":\"{{ item.name }} costs {{ item.price }}\","
             "\"number\":{{ loop.index0 }} }{% if not loop.last %},{% endif %}{% endfor %}]}")

    def specification(self, count, word):
        def deceit(method, path, output, kind="string"):
            return (f'[[deceit]]\nuris = ["{path}"]\nheaders = [["Content-Type", "application/json"]]\n'
                    f'matchers = [{{ type = "method", eq = "{method}" }}]\n'
                    f"[[deceit.responses]]\ntype = \"{kind}\"\noutput = '''\n{output}'''\n")

        return "".join([*(deceit("GET", path, greeting("other")) for path in others(count)),
                        deceit("GET", "/hello", greeting(word)), deceit("POST", "/lines", self.LINES, "jinja")])

    def configure(self, folder, count, word):
        (folder / "specification.toml").write_text(self.specification(count, word))

    def command(self, folder):
        return [str(self.ships[0]), "-p", str(self.port), "-l", "warn", "specification.toml"]

    def post(self, count, word):
        self.send("POST", "/apate/specs/replace", self.specification(count, word), {"Content-Type": "application/toml"}, self.port)


class Rift(Mountebank):
    """Mountebank's configuration; the loop in its own language, Rhai, as ours."""

    title = "rift"
    ships, runtime = [PEERS / "rift/bin/rift-http-proxy"], []
    HEADERS = JSON

    RHAI = """fn respond(ctx) {
    let lines = [];
    for (item, number) in ctx.request.json.items {
        lines.push(#{ label: `${item.name} costs ${item.price}`, number: number });
    }
    http(200, #{ lines: lines })
}"""

    def lines(self):
        return {"_rift": {"script": {"engine": "rhai", "code": self.RHAI}}}

    def command(self, folder):
        return [str(self.ships[0]), "--host", "127.0.0.1", "--port", str(self.admin), "--configfile", "imposters.json", "--nologfile",
                "--loglevel", "error", "--allow-injection", "--metrics-port", str(free_port())]
