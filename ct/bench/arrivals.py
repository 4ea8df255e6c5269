"""A client that runs actions at fixed times and takes what arrives with the kernel's time of arrival.

The kernel stamps each segment when it reaches the socket (SO_TIMESTAMPNS). So the figures are not those of Python, which reads later.
"""

import select
import socket
import struct
import time

# Python's socket module lacks this constant of Linux.
SO_TIMESTAMPNS = 35
ROOM_FOR_STAMP = socket.CMSG_SPACE(16)
# No action and no arrival for so long is a failure.
DEADLINE = 20


class Arrivals:
    """Connections to one port. All times are seconds of the real-time clock, as the kernel's stamps are."""

    def __init__(self, port):
        self.port, self.poll, self.opened = port, select.epoll(), {}
        # Seconds between arrival and reading, and between the time of an action and its begin.
        self.read_late, self.acted_late = [], []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for one, _ in self.opened.values():
            one.close()
        self.poll.close()

    def connection(self, took):
        """Opens a connection. `took(data, time)` gets each piece of data; empty data is the end."""
        one = socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE)
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        one.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.poll.register(one, select.EPOLLIN)
        self.opened[one.fileno()] = one, took
        return one

    def hand_over(self, one, took):
        """Gives what comes on a connection to another function."""
        self.opened[one.fileno()] = one, took

    def run(self, actions, done):
        """Runs `actions`, pairs of a time and a function in order of time, and reads until all have run and `done()` is true."""
        actions, last = list(actions)[::-1], time.time()
        while actions or not done():
            now = time.time()
            # One at a time, with a look at arrivals in between, where this process was late.
            if actions and actions[-1][0] <= now:
                due, action = actions.pop()
                self.acted_late.append(now - due)
                action()
                last = now = time.time()
            # `select` waits for microseconds, `epoll` for milliseconds.
            wait = min(max(actions[-1][0] - now, 0), 1) if actions else 1
            if select.select([self.poll], [], [], wait)[0]:
                last = self.read()
            elif now > last + DEADLINE:
                raise RuntimeError(f"nothing came for {DEADLINE} s")

    def read(self):
        for number, _ in self.poll.poll(0, 1024):
            one, took = self.opened[number]
            data, stamps, _, _ = one.recvmsg(65536, ROOM_FOR_STAMP)
            now = time.time()
            stamp = now
            if stamps:
                seconds, nanoseconds = struct.unpack("qq", stamps[0][2])
                stamp = seconds + nanoseconds / 1e9
                self.read_late.append(now - stamp)
            if not data:
                self.poll.unregister(one)
            took(data, stamp)
        return now
