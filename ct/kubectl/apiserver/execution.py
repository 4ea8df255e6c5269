"""One `kubectl exec`: a command in a container, its streams in the channels of one WebSocket (v5.channel.k8s.io)."""

import json
import threading

from .pipes import Pipes
from .terminal import Terminal
from .websocket import Closed

PROTOCOL = "v5.channel.k8s.io"
STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
CHUNK = 32 * 1024
# podman's own exit code when it could not even try.
PODMAN_FAILED = 125


def outcome(code):
    """The Status that ends an execution: kubectl takes its exit code from it."""
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    if code == PODMAN_FAILED:
        return {"metadata": {}, "status": "Failure", "reason": "InternalError", "code": 500,
                "message": "Internal error occurred: podman failed to execute the command"}
    return {"metadata": {}, "status": "Failure", "reason": "NonZeroExitCode",
            "message": f"command terminated with non-zero exit code: exit status {code}",
            "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]}}


class Execution:
    """A running command and the socket that it talks through."""

    def __init__(self, socket, container, command, stdin, tty):
        self.socket = socket
        flags = [flag for flag, wanted in (("-i", stdin), ("-t", tty)) if wanted]
        self.streams = (Terminal if tty else Pipes)(["podman", "exec", *flags, container, *command], stdin)

    def run(self):
        """Returns when the client has its outcome, or has gone."""
        ending = threading.Thread(target=self.end)
        ending.start()
        try:
            while True:
                self.take(self.socket.receive())
        except Closed:
            # A client that goes before its command has ended takes it along; otherwise this does nothing.
            self.streams.process.kill()
        ending.join()
        self.streams.close()

    def take(self, message):
        """One message of the client. Those for a command that has ended are taken too, or the client would hang in sending."""
        channel, data = message[0], message[1:]
        if channel == STDIN:
            self.streams.write(data)
        elif channel == CLOSE and data == bytes([STDIN]):
            self.streams.end_input()
        elif channel == RESIZE:
            size = json.loads(data)
            self.streams.resize(size["Width"], size["Height"])

    def end(self):
        """Waits for the command and all that it prints, and tells the client."""
        outputs = ((STDOUT, self.streams.stdout), (STDERR, self.streams.stderr))
        pumps = [threading.Thread(target=self.pump, args=output) for output in outputs if output[1]]
        for thread in pumps:
            thread.start()
        for thread in pumps:
            thread.join()
        try:
            status = outcome(self.streams.process.wait())
            self.socket.send(bytes([ERROR]) + json.dumps(status).encode())
            self.socket.close()
        except Closed:
            pass

    def pump(self, channel, stream):
        """From one stream of the command to the client, to the end even when the client has gone: the command must not block."""
        while data := stream.read1(CHUNK):
            try:
                self.socket.send(bytes([channel]) + data)
            except Closed:
                pass
