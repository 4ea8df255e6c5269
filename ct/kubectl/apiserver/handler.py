"""The HTTP side: paths and queries to the resources that answer them."""

import http.server
import json
import re
import time
import urllib.parse

from . import discovery, execution, forward, log, refusal, websocket
from .execution import Execution
from .forward import Forwarding
from .table import table

NAMESPACE = r"/namespaces/(?P<namespace>[^/]+)"
ROUTES = (
    (rf"/api/v1{NAMESPACE}", "namespace"),
    (rf"/api/v1(?:{NAMESPACE})?/pods", "pods"),
    (rf"/api/v1{NAMESPACE}/pods/(?P<name>[^/]+)", "pod"),
    (rf"/api/v1{NAMESPACE}/pods/(?P<name>[^/]+)/exec", "exec"),
    (rf"/api/v1{NAMESPACE}/pods/(?P<name>[^/]+)/portforward", "portforward"),
    (rf"/api/v1{NAMESPACE}/pods/(?P<name>[^/]+)/log", "log"),
    (rf"/api/v1(?:{NAMESPACE})?/services", "services"),
    (rf"/api/v1{NAMESPACE}/services/(?P<name>[^/]+)", "service"),
    (rf"/apis/apps/v1(?:{NAMESPACE})?/deployments", "deployments"),
    (rf"/apis/apps/v1{NAMESPACE}/deployments/(?P<name>[^/]+)", "deployment"),
)
# How long a watch looks for changes, and how often.
WATCH, LOOK = 30, 0.1


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection. The server has the cluster."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        self.query = urllib.parse.parse_qs(url.query, keep_blank_values=True)
        if document := discovery.documents().get(url.path):
            return self.send(200, document)
        for pattern, name in ROUTES:
            if found := re.fullmatch(pattern, url.path):
                parts = {key: urllib.parse.unquote(value) for key, value in found.groupdict().items() if value}
                return getattr(self, f"get_{name}")(**parts)
        return self.refuse(refusal.no_resource())

    def do_POST(self):
        """kubectl's second try with SPDY, after a refusal of its WebSocket: the refusal is what it shows."""
        self.do_GET()

    def get_namespace(self, namespace):
        """kubectl asks for it to tell a missing pod from a missing namespace."""
        if self.server.cluster.has(namespace):
            self.send(200, {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": namespace}, "status": {"phase": "Active"}})
        else:
            self.refuse(refusal.not_found("namespaces", namespace))

    def get_pods(self, namespace=None):
        self.list("pods", namespace)

    def get_deployments(self, namespace=None):
        self.list("deployments", namespace)

    def get_services(self, namespace=None):
        self.list("services", namespace)

    def get_pod(self, namespace, name):
        if pod := self.find(namespace, name):
            if manifest := pod.manifest():
                self.send_item(manifest)
            else:
                self.refuse(refusal.not_found("pods", name))

    def get_deployment(self, namespace, name):
        self.send_named(namespace, name, "deployments.apps", self.server.cluster.deployment)

    def get_service(self, namespace, name):
        self.send_named(namespace, name, "services", self.server.cluster.service)

    def send_named(self, namespace, name, resource, manifest):
        """What is there under the one name of the cluster."""
        if self.server.cluster.has(namespace) and name == self.server.cluster.name:
            self.send_item(manifest())
        else:
            self.refuse(refusal.not_found(resource, name))

    def get_log(self, namespace, name):
        if pod := self.find(namespace, name):
            self.close_connection = True
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Connection", "close")
            self.end_headers()
            log.send(pod.container, self.query, self.wfile)

    def get_exec(self, namespace, name):
        if "command" not in self.query:
            return self.refuse(refusal.bad_request("you must specify at least one command for the container"))
        if (pod := self.find(namespace, name)) and (socket := self.upgrade(execution.PROTOCOL)):
            stdin, tty = (self.query.get(option) == ["true"] for option in ("stdin", "tty"))
            Execution(socket, pod.container, self.query["command"], stdin, tty).run()
        return None

    def get_portforward(self, namespace, name):
        if (pod := self.find(namespace, name)) and (socket := self.upgrade(forward.PROTOCOL)):
            Forwarding(socket, pod.address()).run()

    def find(self, namespace, name):
        """The pod, if it has the container that is asked for; answers the request otherwise."""
        pod = self.server.cluster.pod(namespace, name)
        if pod is None:
            return self.refuse(refusal.not_found("pods", name))
        container = self.query.get("container", [pod.container_name])[0]
        if container != pod.container_name:
            return self.refuse(refusal.bad_request(f"container {container} is not valid for pod {name}"))
        return pod

    def upgrade(self, protocol):
        """A WebSocket in the place of the connection; answers the request where the client does not offer the protocol."""
        offered = [offer.strip() for offer in self.headers.get("Sec-WebSocket-Protocol", "").split(",")]
        if protocol not in offered:
            return self.refuse(refusal.bad_request(f"the client offers {offered}, and not `{protocol}`"))
        self.close_connection = True
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", websocket.accept_key(self.headers["Sec-WebSocket-Key"]))
        self.send_header("Sec-WebSocket-Protocol", protocol)
        self.end_headers()
        return websocket.WebSocket(self.rfile, self.wfile)

    def list(self, kind, namespace):
        """The selected objects, or with `watch` what becomes of them."""
        labels, fields = (self.query.get(name, [""])[0] for name in ("labelSelector", "fieldSelector"))

        def select():
            return getattr(self.server.cluster, kind)(namespace, labels, fields)

        if self.query.get("watch") in (["true"], ["1"]):
            return self.watch(select)
        found = select()
        return self.send(200, table(found["items"]) if self.wants_table() else found)

    def watch(self, select):
        """An event for each object at first, and then for each change and each that is gone. A client that asks for it is told where the
        first ones end."""
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Connection", "close")
        self.end_headers()
        end = time.monotonic() + min(WATCH, float(self.query.get("timeoutSeconds", [WATCH])[0]))
        known = {}
        bookmark = self.query.get("sendInitialEvents") == ["true"]
        try:
            while time.monotonic() < end:
                found = select()
                for item in found["items"]:
                    name = item["metadata"]["name"]
                    if known.get(name) != item:
                        self.send_event("MODIFIED" if name in known else "ADDED", table([item]) if self.wants_table() else item)
                        known[name] = item
                for name in known.keys() - {item["metadata"]["name"] for item in found["items"]}:
                    gone = known.pop(name)
                    self.send_event("DELETED", table([gone]) if self.wants_table() else gone)
                if bookmark:
                    self.send_event("BOOKMARK", initial_events_end(found))
                    bookmark = False
                time.sleep(LOOK)
        except OSError:
            # The client has seen what it waited for.
            pass

    def send_event(self, kind, item):
        self.wfile.write(json.dumps({"type": kind, "object": item}).encode() + b"\n")
        self.wfile.flush()

    def wants_table(self):
        return "as=Table" in self.headers.get("Accept", "")

    def send_item(self, item):
        self.send(200, table([item]) if self.wants_table() else item)

    def refuse(self, status):
        self.send(status["code"], status)

    def send(self, code, document):
        body = json.dumps(document).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *arguments):
        """kubectl says what it could not do; the server is silent."""


def initial_events_end(found):
    """The bookmark after what was there when the watch began."""
    return {"kind": found["kind"].removesuffix("List"), "apiVersion": found["apiVersion"],
            "metadata": {"resourceVersion": "1", "annotations": {"k8s.io/initial-events-end": "true"}}}
