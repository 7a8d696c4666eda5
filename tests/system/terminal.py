# SPDX-License-Identifier: BSD-2-Clause
"""Types at a guest's serial console: commands and their output, and keys."""

import contextlib
import fcntl
import os
import re
import select
import sys
import termios
import time

from guest import PATIENCE, Guest

PROMPT = "vtnet> "
PAGE = 4096


class Terminal:
    """The other end of the console, two pipes, so that nothing is lost while these tests wait for a
    processor: a socket keeps some 280 characters only. `text`: everything received, without carriage
    returns."""

    def __init__(self, guest, path):
        self.guest, self.text, self.seen = guest, "", 0
        self.output = os.open(f"{path}.out", os.O_RDWR | os.O_NONBLOCK)  # RDWR for keep_little()
        self.keys = os.open(f"{path}.in", os.O_RDWR | os.O_NONBLOCK)

    def close(self):
        os.close(self.output)
        os.close(self.keys)

    def keep_little(self):
        """Until the next read the pipe takes some 280 characters more: the rest of its only page is full
        of empty lines."""
        fcntl.fcntl(self.output, fcntl.F_SETPIPE_SZ, PAGE)
        os.write(self.output, b"\n" * (PAGE - 280))

    def wait_until_full(self):
        """After keep_little()."""
        deadline = time.monotonic() + PATIENCE
        while int.from_bytes(fcntl.ioctl(self.output, termios.FIONREAD, bytes(4)), sys.byteorder) < PAGE:
            assert time.monotonic() < deadline, "the guest prints too little to fill the pipe"
            time.sleep(0.01)

    def read(self):
        """Returns true if there was anything within 50 ms."""
        if not select.select([self.output], [], [], 0.05)[0]:
            return False
        self.text += os.read(self.output, 65536).decode(errors="replace").replace("\r", "")
        return True

    def wait_for(self, pattern, seconds=PATIENCE):
        """Waits for a pattern after the last one waited for. Returns its match."""
        deadline = time.monotonic() + seconds
        while not (match := re.compile(pattern, re.MULTILINE).search(self.text, self.seen)):
            ended = self.guest.process.poll() is not None  # first, so that nothing is printed after the read
            assert time.monotonic() < deadline, f"no '{pattern}' in:\n{self.text[self.seen:]}"
            assert self.read() or not ended, f"QEMU has ended before '{pattern}' in:\n{self.text[self.seen:]}"
        self.seen = match.end()
        return match

    def type(self, keys):
        """Sends keys, or bytes, as fast as they are accepted, and reads what comes meanwhile."""
        rest = keys.encode() if isinstance(keys, str) else keys
        deadline = time.monotonic() + PATIENCE
        while rest:
            assert time.monotonic() < deadline, f"{len(rest)} characters are not taken"
            if select.select([], [self.keys], [], 0.05)[1]:
                rest = rest[os.write(self.keys, rest[:PAGE]):]
            self.read()

    def wait_for_prompt(self, pattern=""):
        """Waits for a pattern, and then until the prompt is the last: a message may come after it."""
        self.wait_for(pattern)
        self.wait_for("^" + PROMPT + r"\Z")

    def command(self, line):
        """Types a command, waits for the next prompt, and returns the lines between, except
        messages."""
        self.type(line + "\r")
        self.wait_for(re.escape(line) + "\n")
        start = self.seen
        self.wait_for_prompt()
        return [row for row in self.text[start:self.seen].splitlines()
                if not row.startswith(("vtnet: ", PROMPT))]


@contextlib.contextmanager
def guest_with_terminal(arch, append="", prepare=lambda guest: None, ready="^vtnet: ready at ",
                        **options):
    """A guest that is ready, and its terminal, at the prompt."""
    guest = Guest(arch, append, **options)
    path = f"{guest.folder.name}/serial"
    guest.command[guest.command.index("stdio")] = f"pipe:{path}"
    prepare(guest)
    os.mkfifo(f"{path}.in")
    os.mkfifo(f"{path}.out")
    with contextlib.closing(Terminal(guest, path)) as terminal, guest:
        if ready:
            terminal.wait_for(ready)
        yield guest, terminal
        for _ in range(100):  # what is still in the pipe
            if not terminal.read():
                break
        if not guest.end_seen:
            guest.assert_well()
        assert not re.search("^vtnet: (panic|exception)", terminal.text, re.MULTILINE), terminal.text
