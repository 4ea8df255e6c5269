"""`kubectl port-forward`: each connection is a pair of SPDY streams, one for data and one for an error text."""

import socket
import threading

from .spdy import Spdy
from .websocket import Closed

PROTOCOL = "SPDY/3.1+portforward.k8s.io"
CHUNK = 32 * 1024
TIMEOUT = 10


class Forwarding:
    """All connections of one `kubectl port-forward` to one address."""

    def __init__(self, websocket, address):
        self.spdy = Spdy(websocket)
        self.address = address
        # By request: the streams that wait for their other one. By stream: the connections.
        self.errors = {}
        self.connections = {}

    def run(self):
        """Returns when the client has gone."""
        try:
            while True:
                self.take(*self.spdy.receive())
        except Closed:
            pass
        for connection in self.connections.values():
            connection.close()

    def take(self, event, stream, value):
        if event == "open":
            self.spdy.reply(stream)
            if value["streamtype"] == "error":
                self.errors[value["requestid"]] = stream
            else:
                self.connect(stream, self.errors.pop(value["requestid"]), int(value["port"]))
        elif stream in self.connections:
            try:
                if event == "data":
                    self.connections[stream].sendall(value)
                elif event == "end":
                    self.connections[stream].shutdown(socket.SHUT_WR)
                else:
                    self.connections.pop(stream).close()
            except OSError:
                # The pump of this connection finds out, and tells.
                pass

    def connect(self, stream, errors, port):
        try:
            self.connections[stream] = socket.create_connection((self.address, port), TIMEOUT)
        except OSError as error:
            self.spdy.data(errors, f"failed to connect to port {port}: {error}".encode(), last=True)
            self.spdy.data(stream, b"", last=True)
            return
        self.connections[stream].settimeout(None)
        threading.Thread(target=self.pump, args=(stream, errors, self.connections[stream])).start()

    def pump(self, stream, errors, connection):
        """From the pod to the client, until the pod ends."""
        try:
            try:
                while data := connection.recv(CHUNK):
                    self.spdy.data(stream, data)
            except OSError:
                pass
            self.spdy.data(stream, b"", last=True)
            self.spdy.data(errors, b"", last=True)
        except Closed:
            pass
