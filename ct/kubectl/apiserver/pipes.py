"""A process whose streams are pipes: `kubectl exec` without -t."""

import subprocess


class Pipes:
    def __init__(self, arguments, stdin):
        self.process = subprocess.Popen(arguments, stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.stdout = self.process.stdout
        self.stderr = self.process.stderr

    def write(self, data):
        """Input that nobody reads any more is dropped: the command may end before its input does."""
        if self.process.stdin is None or self.process.stdin.closed:
            return
        try:
            self.process.stdin.write(data)
            self.process.stdin.flush()
        except BrokenPipeError:
            self.end_input()

    def end_input(self):
        try:
            if self.process.stdin is not None:
                self.process.stdin.close()
        except BrokenPipeError:
            pass

    def resize(self, width, height):
        """Pipes have no size."""

    def close(self):
        self.end_input()
        self.stdout.close()
        self.stderr.close()
