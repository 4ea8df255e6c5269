"""The real kubectl, and what one run of it gave."""

import contextlib
import os
import pty
import subprocess
import threading
import time

# Seconds. kubectl waits for ever where a stream does not end.
DEADLINE = 60


class Run:
    def __init__(self, row, code, stdout, stderr):
        self.row = row
        self.code = row.code = code
        self.stdout = stdout
        self.stderr = stderr.decode()

    @property
    def text(self):
        return self.stdout.decode()

    def succeeded(self, result="ok"):
        assert self.code == 0, f"exit code {self.code}: {self.text}{self.stderr}"
        self.row.result = result
        return self

    def failed(self, code, *texts, result=None):
        """With this exit code and an error output that has these texts."""
        assert self.code == code, f"exit code {self.code} instead of {code}: {self.text}{self.stderr}"
        for text in texts:
            assert text in self.stderr, f"no {text!r} in {self.stderr!r}"
        self.row.result = result or self.reason()
        return self

    def reason(self):
        """The error output without what kubectl adds to it."""
        lines = [line for line in self.stderr.splitlines() if not line.startswith(("command terminated", "E", "W", "I"))]
        return lines[0] if lines else "fails"


class Kubectl:
    """Runs in a folder of its own, so that commands show short names."""

    def __init__(self, program, kubeconfig, folder, matrix):
        self.program = program
        self.folder = folder
        self.environment = {**os.environ, "KUBECONFIG": str(kubeconfig), "HOME": str(folder)}
        self.matrix = matrix

    def __call__(self, what, *arguments, stdin=None):
        row = self.matrix.row(what, arguments)
        try:
            done = subprocess.run([self.program, *arguments], input=stdin, stdin=subprocess.DEVNULL if stdin is None else None,
                                  capture_output=True, cwd=self.folder, env=self.environment, timeout=DEADLINE)
        except subprocess.TimeoutExpired:
            row.code = row.result = "hangs"
            raise
        return Run(row, done.returncode, done.stdout, done.stderr)

    def at_a_terminal(self, what, *arguments):
        """All that the terminal shows is the output."""
        outer, inner = pty.openpty()
        with self.running(what, *arguments, stdin=inner, stdout=inner, stderr=inner, start_new_session=True) as (process, row):
            os.close(inner)
            shown = b""
            try:
                while data := os.read(outer, 65536):
                    shown += data
            except OSError:
                # Nobody has the other side open any more.
                pass
            os.close(outer)
            return Run(row, process.wait(), shown, b"")

    @contextlib.contextmanager
    def running(self, what, *arguments, **streams):
        """The process and its row. It is ended with the block, and at the deadline, so that reading from it can't hang."""
        row = self.matrix.row(what, arguments)
        process = subprocess.Popen([self.program, *arguments], cwd=self.folder, env=self.environment, **streams)
        deadline = threading.Timer(DEADLINE, process.kill)
        deadline.start()
        try:
            yield process, row
        finally:
            deadline.cancel()
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream:
                    stream.close()


def eventually(ask, right):
    """Asks until the answer is right; the answer, and how long it took."""
    start = time.monotonic()
    while True:
        answer = ask()
        took = time.monotonic() - start
        if right(answer):
            return answer, took
        assert took < DEADLINE, f"still {answer!r}"
        time.sleep(0.01)
