"""The server's side of SPDY 3.1, as far as `kubectl port-forward` uses it: streams that the client opens, no flow control."""

import struct
import threading
import zlib

VERSION = 3
SYN_STREAM, SYN_REPLY, RST_STREAM, PING = 1, 2, 3, 6
FIN = 1
CANCEL = 5

# The dictionary of header blocks, which both sides must know (SPDY/3, section 2.6.10.1): names with their lengths, then text.
NAMES = """options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow
authorization cache-control connection content-base content-encoding content-language content-length content-location content-md5
content-range content-type date etag expect expires from host if-match if-modified-since if-none-match if-range if-unmodified-since
last-modified location max-forwards pragma proxy-authenticate proxy-authorization range referer retry-after server te trailer
transfer-encoding upgrade user-agent vary via warning www-authenticate method get status""".split()
PAIRS = ["200 OK", "version", "HTTP/1.1", "url", "public", "set-cookie", "keep-alive", "origin"]
TEXT = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative Information"
    "204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error"
    "501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, "
    "Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,"
    "text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)
DICTIONARY = b"".join(struct.pack(">I", len(word)) + word.encode() for word in NAMES + PAIRS) + TEXT.encode()


class Spdy:
    """Frames in the messages of a WebSocket, which cuts them anywhere. Any thread may send; one receives."""

    def __init__(self, socket):
        self.socket = socket
        self.received = b""
        # Header blocks share one compression state for each direction.
        self.inflate = zlib.decompressobj(zdict=DICTIONARY)
        self.deflate = zlib.compressobj(zdict=DICTIONARY)
        self.sending = threading.Lock()

    def receive(self):
        """The next event: ("open", stream, headers), ("data", stream, bytes), ("end", stream, None) or ("reset", stream, None)."""
        while True:
            word, rest = struct.unpack(">II", self.read(8))
            flags, payload = rest >> 24, self.read(rest & 0xFFFFFF)
            if not word >> 31:
                if payload:
                    # What ends with its last data ends at the next call.
                    if flags & FIN:
                        self.received = struct.pack(">II", word, FIN << 24) + self.received
                    return "data", word, payload
                if flags & FIN:
                    return "end", word, None
            elif word & 0xFFFF == SYN_STREAM:
                return "open", struct.unpack(">I", payload[:4])[0] & 0x7FFFFFFF, self.headers(payload[10:])
            elif word & 0xFFFF == RST_STREAM:
                return "reset", struct.unpack(">I", payload[:4])[0] & 0x7FFFFFFF, None
            elif word & 0xFFFF == PING:
                self.control(PING, 0, payload)

    def read(self, size):
        while len(self.received) < size:
            self.received += self.socket.receive()
        data, self.received = self.received[:size], self.received[size:]
        return data

    def headers(self, block):
        """Name -> value; both lengths come before each text."""
        data = self.inflate.decompress(block)
        texts, position = [], 4
        while position < len(data):
            (size,) = struct.unpack_from(">I", data, position)
            texts.append(data[position + 4:position + 4 + size].decode())
            position += 4 + size
        return dict(zip(texts[::2], texts[1::2]))

    def reply(self, stream):
        """Accepts a stream that the client has opened."""
        with self.sending:
            block = self.deflate.compress(struct.pack(">I", 0)) + self.deflate.flush(zlib.Z_SYNC_FLUSH)
        self.control(SYN_REPLY, 0, struct.pack(">I", stream) + block)

    def data(self, stream, payload, last=False):
        self.socket.send(struct.pack(">II", stream, (FIN if last else 0) << 24 | len(payload)) + payload)

    def reset(self, stream):
        self.control(RST_STREAM, 0, struct.pack(">II", stream, CANCEL))

    def control(self, kind, flags, payload):
        self.socket.send(struct.pack(">II", 1 << 31 | VERSION << 16 | kind, flags << 24 | len(payload)) + payload)
