"""Peers from npm: WireMock (a jar), Mountebank and Mockoon (programs of Node). See peer.py."""

import json
import os
import pathlib
import shutil
import uuid

from peer import JSON, PEERS, Peer, greeting, others, write_entries
from workload import DELAY_MS, ENTRIES, FORWARDS, MOST_EVENTS, SHOWN, WORD, articles, events

NODE = shutil.which("node") and os.path.realpath(shutil.which("node"))
JAVA = shutil.which("java") and os.path.realpath(shutil.which("java"))


class Wiremock(Peer):
    title = "wiremock"
    posts = True
    ships = sorted((PEERS / "wiremock").glob("node_modules/wiremock/build/wiremock-standalone-*.jar")) or [PEERS / "wiremock"]
    runtime = [JAVA and str(pathlib.Path(JAVA).parents[1])]
    lacks = {"W6": "WireMock's templates neither sort nor group", "W7": "WireMock keeps no values between requests without an extension",
             "W8": "WireMock has no data of its own but a stub, or a file, for each entry", "W9": FORWARDS}

    def mappings(self, count, word):
        def stub(method, path, priority, **response):
            return {"id": str(uuid.uuid5(uuid.NAMESPACE_URL, path)), "priority": priority,
                    "request": {"method": method, "urlPath": path}, "response": {"status": 200, "headers": dict(JSON), **response}}

        template = ("{\"lines\":[{{#each (jsonPath request.body '$.items') as |item|}}{\"label\":\"{{item.name}} costs {{item.price}}\","
                    "\"number\":{{@index}} }{{#unless @last}},{{/unless}}{{/each}}]}")
        templated = {"transformers": ["response-template"]}
        # Rules of lower priority are tried later. So this rule is the last one, in any order of the file.
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
        # The manual advises this for load: waiting answers hold no thread. By default the journal is unlimited; this limit is about
        # that of h1mock.
        return [JAVA, "-jar", str(self.ships[0]), "--port", str(self.port), "--bind-address", "127.0.0.1",
                "--root-dir", str(folder), "--disable-banner", "--async-response-enabled", "true",
                "--max-request-journal-entries", "5000"]

    def post(self, count, word):
        options = {"duplicatePolicy": "OVERWRITE", "deleteAllNotInImport": True}
        body = json.dumps({**self.mappings(count, word), "importOptions": options})
        self.send("POST", "/__admin/mappings/import", body, port=self.port)


class Mountebank(Peer):
    title = "mountebank"
    lacks = {"W9": FORWARDS}
    posts = True
    ships = [PEERS / "mountebank"]
    runtime = [NODE]

    # Without the second option it closes each connection.
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
    REPORT = """function (config) {
  var items = JSON.parse(config.request.body).items.filter(function (item) { return item.status === 'open'; });
  var kinds = {}, total = 0;
  items.sort(function (a, b) { return a.price - b.price; });
  items.forEach(function (item) { total += item.price; (kinds[item.kind] = kinds[item.kind] || []).push(item); });
  return { headers: HEADERS, body: JSON.stringify({ count: items.length, total: total, kinds: kinds }) };
}"""
    EVENTS = """function (config) {
  var state = config.state;
  state.events = state.events || JSON.parse(require('fs').readFileSync('events.json'));
  state.events.push(JSON.parse(config.request.body));
  if (state.events.length >= MOST_EVENTS) { state.events = state.events.slice(-ENTRIES); }
  return { headers: HEADERS, body: JSON.stringify(state.events.slice(-SHOWN)) };
}""".replace("MOST_EVENTS", str(MOST_EVENTS)).replace("ENTRIES", str(ENTRIES)).replace("SHOWN", str(SHOWN))
    ARTICLE = """function (config) {
  var state = config.state, id = config.request.path.split('/')[2];
  state.articles = state.articles || JSON.parse(require('fs').readFileSync('articles.json'));
  return { headers: HEADERS, body: JSON.stringify({ id: id, name: state.articles[id].name, price: state.articles[id].price }) };
}"""

    def stubs(self, count, word):
        def stub(method, path, **response):
            return {"predicates": [{"equals": {"method": method, "path": path}}], "responses": [response]}

        def article(**response):
            predicates = [{"equals": {"method": "GET"}}, {"startsWith": {"path": "/articles/"}}]
            return {"predicates": predicates, "responses": [response]}

        def constant(text):
            return {"statusCode": 200, "headers": dict(self.HEADERS), "body": text}

        return [*(stub("GET", path, **{"is": constant(greeting("other"))}) for path in others(count)),
                stub("GET", "/hello", **{"is": constant(greeting(word))}),
                stub("POST", "/orders", **Mountebank.scripted(self, self.ORDER)),
                stub("POST", "/lines", **self.scripted(self.LINES)),
                stub("GET", "/slow", **{"is": constant(greeting(WORD)), **self.wait()}),
                stub("POST", "/report", **self.scripted(self.REPORT)),
                *([stub("POST", "/events", **self.scripted(self.EVENTS)), article(**self.scripted(self.ARTICLE))] if self.entries else [])]

    def scripted(self, script):
        return {"inject": script.replace("HEADERS", json.dumps(self.HEADERS))}

    def wait(self):
        return {"behaviors": [{"wait": DELAY_MS}]}

    def configure(self, folder, count, word):
        if self.entries:
            write_entries(folder, self.entries)
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
    lacks = {"W6": "Mockoon's templates filter and sort, but do not group", "W9": FORWARDS}

    EVENTS = ("{{setData 'push' 'events' '' (bodyRaw)}}{{#if (gte (len (dataRaw 'events')) MOST_EVENTS)}}"
              "{{setData 'set' 'events' '' (slice (dataRaw 'events') -ENTRIES)}}{{/if}}{{{stringify (slice (dataRaw 'events') -SHOWN)}}}"
              ).replace("MOST_EVENTS", str(MOST_EVENTS)).replace("ENTRIES", str(ENTRIES)).replace("SHOWN", str(SHOWN))
    ARTICLE = ("{{#with (dataRaw 'articles' (urlParam 'id'))}}{\"id\":\"{{urlParam 'id'}}\",\"name\":\"{{name}}\",\"price\":{{price}} }"
               "{{/with}}")

    def buckets(self):
        """Variables that templates share and change."""
        values = {"events": events(self.entries), "articles": articles(self.entries)} if self.entries else {}
        return [{"uuid": str(uuid.uuid5(uuid.NAMESPACE_OID, name)), "id": "", "name": name, "documentation": "",
                 "value": json.dumps(value)} for name, value in values.items()]

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
                  route("get", "/slow", greeting(WORD), latency=DELAY_MS),
                  *([route("post", "/events", self.EVENTS), route("get", "/articles/:id", self.ARTICLE)] if self.entries else [])]
        return json.dumps({"uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, "bench")), "lastMigration": 33, "name": "bench",
                           "port": self.port, "hostname": "127.0.0.1", "cors": False, "routes": routes, "data": self.buckets(),
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
