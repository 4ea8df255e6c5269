"""An open-loop sender: sends requests at fixed times, independent of the answers, on keep-alive connections from a pool."""

import collections
import re
import select
import socket
import threading
import time


class Pool:
    """A pool of keep-alive connections, each with one request at a time."""

    def __init__(self, port):
        self.port, self.free, self.poll, self.opened = port, collections.deque(), select.epoll(), {}

    def connection(self):
        if self.free:
            return self.free.popleft()
        one = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.poll.register(one, select.EPOLLIN)
        self.opened[one.fileno()] = one
        return one

    def close(self):
        for one in self.opened.values():
            one.close()
        self.poll.close()


def request(target):
    return f"GET {target} HTTP/1.1\r\nHost: mock\r\n\r\n".encode()


def is_whole(answer):
    """Whether an answer is complete, by its length or its last chunk."""
    head, end, body = answer.partition(b"\r\n\r\n")
    if length := re.search(rb"(?im)^content-length:\s*(\d+)\s*$", head):
        return len(body) >= int(length.group(1))
    return bool(end) and body.endswith(b"0\r\n\r\n")


def open_loop(port, target, rate, seconds):
    """Milliseconds from sending to answer for each request, and the largest delay of sending in milliseconds."""
    pool, line, sent, took, late = Pool(port), request(target), {}, [], [0.0]
    begun = {}
    # Opens enough connections first, since opening one takes time.
    pool.free.extend([pool.connection() for _ in range(max(50, rate // 2))])
    began, total = time.monotonic() + 0.1, int(rate * seconds)

    def send():
        for count in range(total):
            due = began + count / rate
            while (left := due - time.monotonic()) > 0:
                time.sleep(left)
            one = pool.connection()
            late.append(time.monotonic() - due)
            sent[one.fileno()] = time.monotonic()
            one.sendall(line)

    # Sends from a separate thread, since sleep is more precise than epoll, which counts milliseconds.
    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    while len(took) < total:
        if time.monotonic() > began + seconds + 20:
            raise RuntimeError(f"{total - len(took)} answers of {total} did not come")
        for number, _ in pool.poll.poll(1):
            one = pool.opened[number]
            answer = begun.pop(number, b"") + one.recv(4096)
            if not answer.startswith(b"HTTP/1.1 200 ") or number not in sent:
                raise RuntimeError(f"not the answer: {answer[:200]!r}")
            if not is_whole(answer):
                begun[number] = answer
                continue
            took.append((time.monotonic() - sent.pop(number)) * 1000)
            pool.free.append(one)
    sender.join()
    pool.close()
    return sorted(took), max(late) * 1000


def percentile(values, share):
    return values[min(len(values) - 1, len(values) * share // 100)]
