"""The server and what kubectl needs to find it."""

import http.server
import json
import socket
import threading

from .handler import Handler


class ApiServer(http.server.ThreadingHTTPServer):
    """Listens on a free port of 127.0.0.1 as soon as it is made; serves in a thread of its own within `with`."""

    def __init__(self, cluster):
        super().__init__(("127.0.0.1", 0), Handler)
        self.cluster = cluster

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    def get_request(self):
        connection, address = super().get_request()
        # Answers of an execution are many and small.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection, address

    def write_kubeconfig(self, path):
        """JSON is YAML."""
        config = {
            "apiVersion": "v1", "kind": "Config", "current-context": "ct",
            "clusters": [{"name": "ct", "cluster": {"server": self.url}}],
            "users": [{"name": "ct", "user": {}}],
            "contexts": [{"name": "ct", "context": {"cluster": "ct", "user": "ct", "namespace": self.cluster.namespace}}],
        }
        path.write_text(json.dumps(config), encoding="utf-8")
