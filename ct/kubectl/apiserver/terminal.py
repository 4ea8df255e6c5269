"""A process with a terminal of its own: `kubectl exec -t`."""

import fcntl
import os
import pty
import signal
import struct
import subprocess
import termios

END_OF_TRANSMISSION = b"\x04"


class Output:
    """What the terminal shows. Reading fails where other streams end."""

    def __init__(self, descriptor):
        self.descriptor = descriptor

    def read1(self, size):
        try:
            return os.read(self.descriptor, size)
        except OSError:
            return b""


class Terminal:
    def __init__(self, arguments, stdin):
        self.outer, inner = pty.openpty()
        self.stdin = stdin
        self.process = subprocess.Popen(arguments, stdin=inner, stdout=inner, stderr=inner, start_new_session=True)
        os.close(inner)
        self.stdout = Output(self.outer)
        # Both streams of the command are the terminal.
        self.stderr = None

    def write(self, data):
        if not self.stdin:
            return
        try:
            while data:
                data = data[os.write(self.outer, data):]
        except OSError:
            pass

    def end_input(self):
        self.write(END_OF_TRANSMISSION)

    def resize(self, width, height):
        fcntl.ioctl(self.outer, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        # Its session has no controlling terminal that would tell it.
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGWINCH)

    def close(self):
        os.close(self.outer)
