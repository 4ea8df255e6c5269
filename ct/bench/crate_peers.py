"""Peers from crates.io: httpmock's server, apate, and rift, which reads Mountebank's configuration. See peer.py."""

import json
import time

from npm_peers import Mountebank
from peer import JSON, PEERS, Peer, free_port, greeting, others
from subject import START_DEADLINE
from workload import DELAY_MS, ENTRIES, FORWARDS, MOST_EVENTS, SHOWN, WORD, articles, compact

# The work of W7 in Rhai, between reading the request and writing the answer.
EVENTS = f"""    if events == () {{
        events = [];
        for number in 0..{ENTRIES} {{
            events.push(#{{ number: number, "type": "order.changed", customer: `customer-${{number % 100}}`, note: "paid by invoice" }});
        }}
    }}
    events.push(event);
    if events.len() >= {MOST_EVENTS} {{ events = events.extract(-{ENTRIES}); }}
"""


def rhai(value):
    """A literal of Rhai."""
    return compact(value).replace("{", "#{")


class Httpmock(Peer):
    title = "httpmock"
    posts = True
    ships = [PEERS / "httpmock/bin/httpmock"]
    lacks = {"W2": "httpmock's server has constant headers only",
             **dict.fromkeys(("W4", "W6", "W7", "W8"), "httpmock's server has no templates or scripts"),
             "W9": FORWARDS}

    def mocks(self, count, word):
        def mock(path, body, **then):
            pairs = [{"name": name, "value": value} for name, value in JSON.items()]
            return {"when": {"method": "GET", "path": path}, "then": {"status": 200, "header": pairs, "body": body, **then}}

        return [*(mock(path, greeting("other")) for path in others(count)), mock("/hello", greeting(word)),
                mock("/slow", greeting(WORD), delay=DELAY_MS)]

    def configure(self, folder, count, word):
        # The configuration is YAML, and JSON is valid YAML.
        (folder / "mocks").mkdir()
        (folder / "mocks" / "all.yaml").write_text(self.documents(count, word))

    def documents(self, count, word):
        return "\n---\n".join(map(json.dumps, self.mocks(count, word)))

    def command(self, folder):
        # Rules that come from files can't be replaced later.
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
             "W5": "apate has no delay; its scripts can sleep, but hold one of its threads meanwhile", "W9": FORWARDS}

    # Templates are used where they suffice, since they are faster than scripts.
    LINES = ("{\"lines\":[{% for item in ctx.load_body_json()['items'] %}{\"label\":\"{{ item.name }} costs {{ item.price }}\","
             "\"number\":{{ loop.index0 }} }{% if not loop.last %},{% endif %}{% endfor %}]}")

    REPORT = ("{% set items = ctx.load_body_json()['items'] | selectattr('status', 'eq', 'open') | list %}"
              "{\"count\":{{ items | length }},\"total\":{{ items | map(attribute='price') | sum }},\"kinds\":{ "
              "{% for kind, group in items | sort(attribute='price') | groupby('kind') %}\"{{ kind }}\":{{ group | tojson }}"
              "{% if not loop.last %},{% endif %}{% endfor %} } }")
    # Only scripts can store values, each as a text of JSON.
    EVENTS = (f'let events = storage_read("events");\nlet event = from_json_blob(ctx.load_body());\n{EVENTS}'
              f'storage_write("events", events);\nto_json_blob(events.extract(-{SHOWN}))\n')
    ARTICLE = ("{% set articles = ARTICLES %}{% set id = ctx.load_path_args()['id'] %}"
               "{\"id\":\"{{ id }}\",\"name\":\"{{ articles[id].name }}\",\"price\":{{ articles[id].price }} }")

    def specification(self, count, word):
        def deceit(method, path, output, kind="string"):
            return (f'[[deceit]]\nuris = ["{path}"]\nheaders = [["Content-Type", "application/json"]]\n'
                    f'matchers = [{{ type = "method", eq = "{method}" }}]\n'
                    f"[[deceit.responses]]\ntype = \"{kind}\"\noutput = '''\n{output}'''\n")

        return "".join([*(deceit("GET", path, greeting("other")) for path in others(count)),
                        deceit("GET", "/hello", greeting(word)), deceit("POST", "/lines", self.LINES, "jinja"),
                        deceit("POST", "/report", self.REPORT, "jinja"), *([
                            deceit("POST", "/events", self.EVENTS, "rhai"),
                            deceit("GET", "/articles/{id}", self.ARTICLE.replace("ARTICLES", compact(articles(self.entries))), "jinja"),
                        ] if self.entries else [])])

    def configure(self, folder, count, word):
        (folder / "specification.toml").write_text(self.specification(count, word))

    def command(self, folder):
        return [str(self.ships[0]), "-p", str(self.port), "-l", "warn", "specification.toml"]

    def post(self, count, word):
        self.send("POST", "/apate/specs/replace", self.specification(count, word), {"Content-Type": "application/toml"}, self.port)


class Rift(Mountebank):
    """Mountebank's configuration. The loop is in Rhai, its own script language, as in h1mock."""

    title = "rift"
    ships, runtime = [PEERS / "rift/bin/rift-http-proxy"], []
    HEADERS = JSON

    LINES = """fn respond(ctx) {
    let lines = [];
    for (item, number) in ctx.request.json.items {
        lines.push(#{ label: `${item.name} costs ${item.price}`, number: number });
    }
    http(200, #{ lines: lines })
}"""
    REPORT = """fn respond(ctx) {
    let items = ctx.request.json.items.filter(|item| item.status == "open");
    items.sort(|a, b| a.price - b.price);
    let kinds = #{};
    let total = 0;
    for item in items {
        total += item.price;
        if item.kind !in kinds { kinds[item.kind] = []; }
        kinds[item.kind].push(item);
    }
    http(200, #{ count: items.len(), total: total, kinds: kinds })
}"""
    EVENTS = (f'fn respond(ctx) {{\n    let events = ctx.state.get("events");\n    let event = ctx.request.json;\n{EVENTS}'
              f'    ctx.state.set("events", events);\n    http(200, events.extract(-{SHOWN}))\n}}\n')
    # A constant at the top, or a value in ctx.state, would be copied more often.
    ARTICLE = f"""fn respond(ctx) {{
    let articles = {rhai(articles(ENTRIES))};
    let id = ctx.request.path.split("/")[2];
    http(200, #{{ id: id, name: articles[id].name, price: articles[id].price }})
}}
"""

    def scripted(self, script):
        return {"_rift": {"script": {"engine": "rhai", "code": script}}}

    def command(self, folder):
        return [str(self.ships[0]), "--host", "127.0.0.1", "--port", str(self.admin), "--configfile", "imposters.json", "--nologfile",
                "--loglevel", "error", "--allow-injection", "--metrics-port", str(free_port())]
