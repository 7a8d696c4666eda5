# SPDX-License-Identifier: BSD-2-Clause
"""Events that disturb a guest under load, and when each was over."""

import contextlib
import re
import time

import host
from guest import BROKEN as PANIC
from guest import Guest
from test_recovery import DESC_SIZE, FLAGS, INDIRECT, NIC, Stub

OUTAGE = 3  # limit in seconds for a link or a machine that is stopped
RESETS_APART = 20  # seconds: soon after trouble the driver waits, longer each time
RESET_MAX = 70  # that it may wait
BROKEN = "Invalid size for indirect buffer table"  # by QEMU
BACK = r"the device is back.*\n(?:.*\n)*?vtnet: link up"  # by the guest
LENGTH = 8  # where a descriptor of either ring has it


class Machine:
    """The guest, which moves between two QEMUs and two taps."""

    def __init__(self, arch, append, device, folder):
        self.arch, self.append, self.device, self.folder = arch, append, device, folder
        self.number = 0
        self.guests = []
        self.guest = self.start().__enter__()

    def start(self, *more):
        gdb = self.folder / f"gdb{self.number}"
        guest = Guest(self.arch, f"ip6={host_v6()} {self.append}".strip(), device=self.device,
                      tap=f"tap{self.number % 2}",
                      qemu=["-gdb", f"unix:{gdb},server=on,wait=off", *more])
        self.number += 1
        self.guests.append(guest)
        return guest

    @property
    def gdb(self):
        return self.folder / f"gdb{self.number - 1}"

    def migrate(self):
        """Migrates to a new QEMU on the other tap. The bridge learns from the guest's announcement.
        The guest is stopped before its memory is sent. When it ran meanwhile, under TCG and
        load, guests failed at random places in three of four runs, after three or four
        migrations; stopped, none failed in 98. QEMU 7.2 seems to miss pages that change while it
        sends them."""
        uri = f"unix:{self.folder / 'migration'}"
        there = self.start("-incoming", "defer").__enter__()
        wait(there.qmp_is_there, 15, "QMP socket")
        there.qmp("migrate-incoming", uri=uri)
        began = time.monotonic()
        self.guest.qmp("stop")
        self.guest.qmp("migrate", uri=uri)
        wait(lambda: self.guest.qmp("query-migrate").get("status") in ("completed", "failed"), 60,
             "end of the migration")
        status = self.guest.qmp("query-migrate")
        assert status["status"] == "completed", f"migration: {status}"
        wait(lambda: there.qmp("query-status")["status"] == "paused", 15, "guest that is there")
        there.qmp("cont")
        self.guest.__exit__()
        self.guest = there
        return began

    def well(self):
        self.guest.assert_well()

    def broken(self):
        """What the guest has said of a panic."""
        for guest in self.guests:
            guest.console()
            yield from (found[0] for found in PANIC.finditer(guest.text))  # also in a line that is not whole

    def close(self):
        for guest in self.guests:
            if guest.process:
                with contextlib.suppress(OSError):  # a command that a QEMU did not accept before it ended
                    guest.qmp_file = guest.qmp_file and guest.qmp_file.close()
                guest.qmp_file = None
                guest.__exit__()
        Guest.seen.clear()

    def report(self):
        return "\n".join(guest.report() for guest in self.guests)


def host_v6():
    return "fd00::2"


def wait(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"no {what} in {seconds} s"
        time.sleep(0.005)


def is_used(flags):
    """True if the device has written this descriptor of a packed ring: it then has the frame's
    length."""
    avail, used = (int.from_bytes(flags[:2], "little") >> bit & 1 for bit in (7, 15))
    return avail == used


class Events:
    """Each event is a method: it begins, ends, and is recorded with its time."""

    def __init__(self, machine, random, modern, packed):
        self.machine, self.random, self.packed = machine, random, packed
        self.windows = []  # (from, to, name)
        self.classes = {"link": self.link, "stop": self.stop, "migration": self.migration,
                        "announce": self.announce, "port": self.port}
        if modern:  # a legacy device cannot request a reset
            self.classes["reset"] = self.reset
        self.last_reset = None

    def next(self):
        name = self.random.choice(sorted(self.classes))
        seconds = self.random.choice((0, 0.05, 0.3, 1, OUTAGE)) * self.random.random()
        if name == "reset" and self.last_reset and time.monotonic() - self.last_reset < RESETS_APART:
            name = "link"
        began = time.monotonic()
        try:
            began = self.classes[name](seconds) or began
        finally:
            self.windows.append((began, time.monotonic(), name))

    def link(self, seconds):
        guest = self.machine.guest
        guest.qmp("set_link", name="nic0", up=False)
        time.sleep(seconds)
        guest.qmp("set_link", name="nic0", up=True)

    def stop(self, seconds):
        guest = self.machine.guest
        guest.qmp("stop")
        time.sleep(seconds)
        guest.qmp("cont")

    def port(self, seconds):
        """The bridge's side of the link: the guest cannot see it."""
        tap = f"tap{(self.machine.number - 1) % 2}"
        host.ip("link", "set", tap, "nomaster")
        time.sleep(seconds)
        host.ip("link", "set", tap, "master", "br0")

    def migration(self, _):
        return self.machine.migrate()

    def announce(self, _):
        self.machine.guest.qmp("announce-self", initial=50, max=50, rounds=1, step=0)

    def reset(self, _):
        """By QEMU's gdb stub, all receive buffers become tables with an invalid length: the device
        breaks at the next frame. QEMU loses the reset request if that frame waited for the stub
        to disconnect (virtio_set_status()); then the driver detects the trouble after five
        seconds of sending."""
        guest = self.machine.guest
        broken, back = (len(re.findall(pattern, guest.console(), re.M)) for pattern in (BROKEN, BACK))
        queue = guest.qmp("x-query-virtio-queue-status", path=NIC, queue=0)
        began = time.monotonic()
        deadline = began + RESET_MAX
        while len(re.findall(BROKEN, guest.console())) == broken:  # a ring without any has none to spoil
            assert time.monotonic() < deadline, "the device does not break"
            stub = Stub(self.machine.gdb)
            for i in range(queue["vring-num"]):
                descriptor = queue["vring-desc"] + DESC_SIZE * i
                data = bytearray(stub.read(descriptor, DESC_SIZE))
                if not (self.packed and is_used(data[FLAGS["packed"]:])):
                    data[LENGTH:LENGTH + 4] = bytes((1, 0, 0, 0))
                    data[FLAGS["packed" if self.packed else "split"]] |= INDIRECT
                    stub.write(descriptor, data)
            stub.leave()
            time.sleep(0.3)
        guest.wait_for(BACK, count=back + 1, seconds=RESET_MAX)
        self.last_reset = time.monotonic()
        return began
