"""The server's side of a WebSocket (RFC 6455). Knows nothing of Kubernetes."""

import base64
import hashlib
import struct
import threading

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
NORMAL_CLOSURE = 1000


def accept_key(key):
    """The value of Sec-WebSocket-Accept for a client's Sec-WebSocket-Key."""
    return base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()


def unmask(payload, mask):
    """XOR with the repeated mask, as one large number: a loop over bytes takes seconds for some megabytes."""
    size = len(payload)
    repeated = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(size, "big")


class Closed(Exception):
    """The other side is gone, or has said that it is going."""


class WebSocket:
    """Whole messages over one connection. Any thread may send; one receives."""

    def __init__(self, reader, writer):
        self.reader = reader
        self.writer = writer
        self.sending = threading.Lock()

    def receive(self):
        """The next message; pings are answered on the way."""
        message = b""
        while True:
            last, kind, payload = self.receive_frame()
            if kind == CLOSE:
                raise Closed
            if kind == PING:
                self.send_frame(PONG, payload)
            elif kind in (CONTINUATION, TEXT, BINARY):
                message += payload
                if last:
                    return message

    def receive_frame(self):
        first, second = self.read(2)
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack(">H", self.read(2))
        elif size == 127:
            (size,) = struct.unpack(">Q", self.read(8))
        mask = self.read(4) if second & 0x80 else bytes(4)
        return bool(first & 0x80), first & 0x0F, unmask(self.read(size), mask)

    def read(self, size):
        try:
            data = self.reader.read(size)
        except OSError as error:
            raise Closed from error
        if len(data) < size:
            raise Closed
        return data

    def send(self, message):
        self.send_frame(BINARY, message)

    def send_frame(self, kind, payload):
        size = len(payload)
        head = bytes([0x80 | kind])
        if size < 126:
            head += bytes([size])
        elif size < 1 << 16:
            head += struct.pack(">BH", 126, size)
        else:
            head += struct.pack(">BQ", 127, size)
        try:
            with self.sending:
                self.writer.write(head + payload)
                self.writer.flush()
        except (OSError, ValueError) as error:
            raise Closed from error

    def close(self):
        """Says goodbye. The connection stays open until the client has answered: closing it while the client sends would reset
        it, and take along what the client has not read yet."""
        self.send_frame(CLOSE, struct.pack(">H", NORMAL_CLOSURE))
