# SPDX-License-Identifier: BSD-2-Clause
"""A guest under QEMU: starts it, reads its console, queries QEMU, ends it."""

import ctypes
import dataclasses
import json
import os
import pathlib
import re
import shlex
import signal
import socket
import subprocess
import tempfile
import time

import qemu as qemus

ROOT = pathlib.Path(__file__).resolve().parents[2]
ADDRESS = "10.0.0.2"
READY = r"vtnet: ready at [0-9.]+/\d+"
BROKEN = re.compile(r"^vtnet: (panic|exception).*", re.MULTILINE)
TRANSPORTS = {"legacy": "disable-modern=on", "transitional": "", "modern": "disable-legacy=on"}
MODES = ("irq", "poll", "hybrid")
PATIENCE = 15  # timeout in seconds, for what takes well under one on an idle machine


@dataclasses.dataclass(frozen=True)
class Architecture:
    """The differences between the architectures; @ stands for the boot arguments."""
    name: str
    machine: tuple
    image: tuple
    append: tuple
    exit_device: tuple
    exit_success: int  # QEMU's exit code when the guest's main() returns 0
    exit_failure: int  # and when it gives up
    exception: tuple  # patterns of the report of tests/guest/exception.c
    no_execute: tuple  # QEMU's arguments for a processor with no-execute pages
    cpus: tuple
    memories: tuple  # MiB
    by_hand: str  # the command of the user's manual, to which device options are appended


ARCHITECTURES = [
    Architecture(
        name="i386",
        machine=("qemu-system-i386",),
        image=("-kernel", "build/i386/vtnet-demo.elf"),
        append=("-append", "@"),
        exit_device=("-device", "isa-debug-exit,iobase=0xf4,iosize=0x4"),
        exit_success=33,  # what the guest writes to isa-debug-exit, 0x10, times 2 plus 1
        exit_failure=35,
        exception=(r"exception 6 \(invalid opcode\), error code 0x00000000 at eip [0-9a-f]{8}",
                   r"eax [0-9a-f]{8}  ebx"),
        no_execute=("-cpu", "qemu32,+nx"),
        cpus=("486", "pentium", "max"),
        memories=(16, 2048, 3500, 3584),
        by_hand='qemu-system-i386 -kernel build/i386/vtnet-demo.elf -append "ip=10.0.0.2/24" '
                "-netdev tap,id=n0,ifname=tap0,script=no,downscript=no "
                "-device virtio-net-pci,netdev=n0{} -nographic",
    ),
    Architecture(
        name="ppc",
        machine=("qemu-system-ppc", "-M", "40p", "-audiodev", "none,id=none",
                 "-global", "cs4231a.audiodev=none"),
        image=("-bios", "build/ppc/vtnet-demo.elf"),
        append=("-fw_cfg", "name=opt/vtnet/append,string=@"),
        exit_device=("-device", "pvpanic-pci,addr=1d", "-action", "panic=exit-failure"),
        exit_success=0,
        exit_failure=1,
        exception=(r"exception 0x700 \(program\) at srr0 [0-9a-f]{8}",
                   r"r28 [0-9a-f]{8}  r29 [0-9a-f]{8}  r30 [0-9a-f]{8}  r31 [0-9a-f]{8}"),
        no_execute=(),
        cpus=("603", "604", "750"),
        memories=(16, 128, 192),
        by_hand='qemu-system-ppc -M 40p -bios build/ppc/vtnet-demo.elf '
                '-fw_cfg name=opt/vtnet/append,string="ip=10.0.0.2/24" '
                "-netdev tap,id=n0,ifname=tap0,script=no,downscript=no "
                "-device virtio-net-pci,netdev=n0{} -nographic",
    ),
]


# Most of a short test is QEMU's start, and a third of that are page faults of its heap.
LARGE_PAGES = "glibc.malloc.hugetlb=1:glibc.malloc.top_pad=8388608"


def die_with_parent():
    """Runs in the child, so that no guest outlives the tests, however they end."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


class Guest:
    """A running guest, for use in a with statement.

    append: boot arguments in addition to ip=; address: the guest's, None: no ip=; device:
    options of its virtio-net-pci; network: QEMU's arguments instead of that device on that tap;
    qemu: further arguments; image: build/ARCH/IMAGE.elf instead of the demonstration; command:
    the whole command instead.
    """

    seen = []  # the guests whose consoles a failure report shows

    def __init__(self, arch, append="", *, address=ADDRESS, device="", tap="tap0", network=None,
                 qemu=(), image="vtnet-demo", command=None):
        self.arch, self.address = arch, address
        self.image = [word.replace("vtnet-demo", image) for word in arch.image]
        self.folder = tempfile.TemporaryDirectory(prefix="vtnet-test-")
        self.log = pathlib.Path(self.folder.name, "console")
        self.qmp_path = str(pathlib.Path(self.folder.name, "qmp"))
        self.qmp_file = None
        self.text = ""  # the console, kept after its file is removed
        if network is None:
            network = tap_network(tap, device)
        self.no_exit_device = None  # what QEMU lacks, if it cannot report a failure
        self.command = list(command or self.compose(append, network, qemu))
        self.process = None
        self.end_seen = False
        Guest.seen.append(self)

    def compose(self, append, network, qemu):
        text = append if self.address is None else f"ip={self.address}/24 {append}".strip()
        words = [part.replace("@", text) for part in self.arch.append]
        if "-fw_cfg" in words:  # a comma separates values, and none may be empty
            value = text.replace(",", ",,")
            words = [part.replace("@", value) for part in self.arch.append if text]
        has = qemus.features(self.arch)
        self.no_exit_device = next(has.missing(self.arch.exit_device), None)
        exit_device = () if self.no_exit_device else self.arch.exit_device
        composed = [*self.arch.machine, "-accel", "tcg", *self.image, *words, *network, *exit_device,
                    "-display", "none", "-serial", "stdio", "-monitor", "none",
                    "-qmp", f"unix:{self.qmp_path},server=on,wait=off", "-no-reboot", *qemu]
        for missing in has.missing(composed):
            has.skip(missing)
        return composed

    def __enter__(self):
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                self.command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, preexec_fn=die_with_parent,
                env={**os.environ, "GLIBC_TUNABLES": LARGE_PAGES})
        return self

    def __exit__(self, *_):
        if self.qmp_file:
            self.qmp_file.close()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.console()
        self.folder.cleanup()

    @property
    def closed(self):
        return self.process is None or not self.log.exists()

    def console(self):
        """What was printed so far. While QEMU runs without the line that is not whole yet: a pattern
        would find half a number in it."""
        if self.log.exists():
            ended = self.process is None or self.process.poll() is not None  # before the read
            raw = self.log.read_text(errors="replace")
            self.text = re.sub(r"\r|\x1b(\[[0-9;?=]*[A-Za-z]|[a-z])", "", raw)
            if not ended:
                return self.text[:self.text.rfind("\n") + 1]
        return self.text

    def wait_for(self, pattern, *, count=1, seconds=PATIENCE):
        """Waits for `count` matches on the console, and returns the last one."""
        deadline = time.monotonic() + seconds
        while True:
            code = self.process.poll()  # first, so that nothing is printed after the read
            matches = list(re.finditer(pattern, self.console(), re.MULTILINE))
            if len(matches) >= count:
                return matches[count - 1]
            assert code is None, f"QEMU ended with code {code} before '{pattern}' was printed"
            assert time.monotonic() < deadline, f"no '{pattern}' on the console in {seconds} s"
            time.sleep(0.01)

    def wait_ready(self):
        self.wait_for(READY)
        return self

    def wait_exit(self, seconds=PATIENCE):
        self.end_seen = True
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the guest is still running after {seconds} s") from None

    def wait_failure(self, seconds=PATIENCE):
        """The guest gives up."""
        code = self.wait_exit(seconds)
        if self.no_exit_device:
            qemus.features(self.arch).skip(f"{self.no_exit_device}, to tell that a guest failed")
        assert code == self.arch.exit_failure, f"QEMU has ended with code {code}"

    def assert_well(self):
        """Asserts that the guest runs and has not reported a failure."""
        self.console()
        broken = BROKEN.search(self.text)  # also in a line that is not whole
        assert not broken, broken[0]
        code = self.process.poll()
        assert code is None, f"QEMU has ended with code {code}"

    def qmp_is_there(self):
        return os.path.exists(self.qmp_path)

    def connect_qmp(self):
        """QEMU creates the socket's file before it listens."""
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(PATIENCE)
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                connection.connect(self.qmp_path)
                return connection
            except ConnectionRefusedError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.005)

    def qmp(self, command, **arguments):
        """Executes a command of the QEMU Machine Protocol and returns its result."""
        if command in qemus.LATER_COMMANDS:
            has = qemus.features(self.arch)
            if command not in has.commands:
                has.skip(command)
        if self.qmp_file is None:
            connection = self.connect_qmp()
            self.qmp_file = connection.makefile("rw")
            connection.close()  # the file keeps it open
            self.qmp_file.readline()  # the greeting
            self.qmp("qmp_capabilities")
        self.qmp_file.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.qmp_file.flush()
        while True:
            answer = json.loads(self.qmp_file.readline())
            if "event" not in answer:
                assert "return" in answer, f"QMP {command}: {answer}"
                return answer["return"]

    def queue_size(self, queue):
        """The queue size that QEMU's card offers; it may differ from the requested one."""
        card, = (device["path"] for device in self.qmp("x-query-virtio")
                 if device["name"] == "virtio-net")
        return self.qmp("x-query-virtio-queue-status", path=card, queue=queue)["vring-num-default"]

    def stats(self):
        """The lines of stats=1 so far."""
        return re.findall(r"^vtnet: stats: .*", self.console(), re.MULTILINE)

    def cpu_seconds(self):
        """The processor time used by QEMU, all threads."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2]
        user, system = fields.split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def report(self):
        self.console()
        return f"$ {shlex.join(self.command)}\n{self.text}"


def tap_network(tap="tap0", device=""):
    """QEMU's arguments for a virtio network card on a tap; device: further options of the card."""
    options = ",".join(filter(None, ("virtio-net-pci,netdev=n0,id=nic0", device)))
    return ["-netdev", f"tap,id=n0,ifname={tap},script=no,downscript=no", "-device", options]
