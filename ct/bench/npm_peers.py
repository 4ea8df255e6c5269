"""The peers that npm has: WireMock (a jar), Mountebank and Mockoon (programs of Node). See peer.py."""

import json
import os
import pathlib
import shutil
import uuid

from peer import JSON, PEERS, Peer, greeting, others
from workload import DELAY_MS, WORD

NODE = shutil.which("node") and os.path.realpath(shutil.which("node"))
JAVA = shutil.which("java") and os.path.realpath(shutil.which("java"))


class Wiremock(Peer):
    title = "wiremock"
    posts = True
    ships = sorted((PEERS / "wiremock").glob("node_modules/wiremock/build/wiremock-standalone-*.jar")) or [PEERS / "wiremock"]
    runtime = [JAVA and str(pathlib.Path(JAVA).parents[1])]

    def mappings(self, count, word):
        def stub(method, path, priority, **response):
            return {"id": str(uuid.uuid5(uuid.NAMESPACE_URL, path)), "priority": priority,
                    "request": {"method": method, "urlPath": path}, "response": {"status": 200, "headers": dict(JSON), **response}}

        template = ("{\"lines\":[{{#each (jsonPath request.body '$.items') as |item|}}{\"label\":\"{{item.name}} costs {{item.price}}\","
                    "\"number\":{{@index}} }{{#unless @last}},{{/unless}}{{/each}}]}")
        templated = {"transformers": ["response-template"]}
        # A lower priority is looked at later: the last one, whatever the order of the file.
        return {"mappings": [
            *(stub("GET", path, 1, body=greeting("other")) for path in others(count)),
            stub("GET", "/hello", 9, body=greeting(word)),
            stub("POST", "/orders", 9, body='{"accepted":true}', **templated,
                 headers={**JSON, "X-Mock": "bench", "X-Id": "{{randomValue type='UUID'}}"}),
            stub("POST", "/lines", 9, body=template, **templated),
            stub("GET", "/slow", 9, body=greeting(WORD), fixedDelayMilliseconds=DELAY_MS),
        ]}

    def configure(self, folder, count, word):
        (folder / "mappings").mkdir()
        (folder / "mappings" / "all.json").write_text(json.dumps(self.mappings(count, word)))

    def command(self, folder):
        # Its manual's advice for load: answers that wait hold no thread. Its journal has no bound by default; this one holds about
        # as much as ours.
        return [JAVA, "-jar", str(self.ships[0]), "--port", str(self.port), "--bind-address", "127.0.0.1",
                "--root-dir", str(folder), "--disable-banner", "--async-response-enabled", "true",
                "--max-request-journal-entries", "5000"]

    def post(self, count, word):
        options = {"duplicatePolicy": "OVERWRITE", "deleteAllNotInImport": True}
        body = json.dumps({**self.mappings(count, word), "importOptions": options})
        self.send("POST", "/__admin/mappings/import", body, port=self.port)


class Mountebank(Peer):
    title = "mountebank"
    posts = True
    ships = [PEERS / "mountebank"]
    runtime = [NODE]

    # Without the second one it closes each connection.
    HEADERS = {**JSON, "Connection": "keep-alive"}
    ORDER = """function () {
  var headers = HEADERS;
  headers['X-Mock'] = 'bench';
  headers['X-Id'] = Math.random().toString(16);
  return { headers: headers, body: '{"accepted":true}' };
}"""
    LINES = """function (config) {
  var items = JSON.parse(config.request.body).items, lines = [];
  for (var i = 0; i < items.length; i++) { lines.push({ label: items[i].name + ' costs ' + items[i].price, number: i }); }
  return { headers: HEADERS, body: JSON.stringify({ lines: lines }) };
}"""

    def stubs(self, count, word):
        def stub(method, path, **response):
            return {"predicates": [{"equals": {"method": method, "path": path}}], "responses": [response]}

        def constant(text):
            return {"statusCode": 200, "headers": dict(self.HEADERS), "body": text}

        return [*(stub("GET", path, **{"is": constant(greeting("other"))}) for path in others(count)),
                stub("GET", "/hello", **{"is": constant(greeting(word))}),
                stub("POST", "/orders", inject=self.with_headers(self.ORDER)),
                stub("POST", "/lines", **self.lines()),
                stub("GET", "/slow", **{"is": constant(greeting(WORD)), **self.wait()})]

    def with_headers(self, function):
        return function.replace("HEADERS", json.dumps(self.HEADERS))

    def lines(self):
        return {"inject": self.with_headers(self.LINES)}

    def wait(self):
        return {"behaviors": [{"wait": DELAY_MS}]}

    def configure(self, folder, count, word):
        imposter = {"port": self.port, "protocol": "http", "host": "127.0.0.1", "stubs": self.stubs(count, word)}
        (folder / "imposters.json").write_text(json.dumps({"imposters": [imposter]}))

    def command(self, folder):
        return [*self.runtime, str(self.ships[0] / "node_modules/mountebank/bin/mb"), "start", "--port", str(self.admin),
                "--configfile", "imposters.json", "--noParse", "--nologfile", "--loglevel", "error", "--allowInjection", "--localOnly"]

    def post(self, count, word):
        self.send("PUT", f"/imposters/{self.port}/stubs", json.dumps({"stubs": self.stubs(count, word)}))


class Mockoon(Peer):
    title = "mockoon"
    posts = copies = True
    ships = [PEERS / "mockoon"]
    runtime = [NODE]
    TOKEN = "bench"

    def environment(self, count, word):
        def route(method, path, body, headers=(), latency=0):
            pairs = {**JSON, **dict(headers)}
            response = {"uuid": str(uuid.uuid5(uuid.NAMESPACE_DNS, path)), "body": body, "latency": latency, "statusCode": 200,
                        "headers": [{"key": key, "value": value} for key, value in pairs.items()], "default": True}
            return {"uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, path)), "type": "http", "method": method, "endpoint": path[1:],
                    "responses": [response]}

        lines = ("{\"lines\":[{{#each (bodyRaw 'items')}}{\"label\":\"{{this.name}} costs {{this.price}}\",\"number\":{{@index}} }"
                 "{{#unless @last}},{{/unless}}{{/each}}]}")
        routes = [*(route("get", path, greeting("other")) for path in others(count)),
                  route("get", "/hello", greeting(word)),
                  route("post", "/orders", '{"accepted":true}', {"X-Mock": "bench", "X-Id": "{{uuid}}"}),
                  route("post", "/lines", lines),
                  route("get", "/slow", greeting(WORD), latency=DELAY_MS)]
        return json.dumps({"uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, "bench")), "lastMigration": 33, "name": "bench",
                           "port": self.port, "hostname": "127.0.0.1", "cors": False, "routes": routes,
                           "rootChildren": [{"type": "route", "uuid": each["uuid"]} for each in routes]})

    def configure(self, folder, count, word):
        (folder / "environment.json").write_text(self.environment(count, word))

    def command(self, folder):
        return [*self.runtime, str(self.ships[0] / "node_modules/@mockoon/cli/bin/run.js"), "start", "--data", "environment.json",
                "--repair", "--disable-log-to-file", "--admin-api-token", self.TOKEN, *["--watch"] * self.reload]

    def post(self, count, word):
        headers = {**JSON, "Authorization": f"Bearer {self.TOKEN}"}
        self.send("PUT", "/mockoon-admin/environment", self.environment(count, word), headers, self.port)

    def copy(self, count, word):
        self.configure(self.folder, count, word)
