# SPDX-License-Identifier: BSD-2-Clause
"""Bochs boots the CD of `make iso`: its PCI NE2000 is on the tap, its UART writes to a file.

`clock: sync=slowdown`: with its other clocks the time-stamp counter continues while the
processor is halted."""

import pathlib
import re
import shutil
import subprocess
import time

import pytest

import host
from guest import PATIENCE, ROOT, die_with_parent
from test_screen import I386

pytestmark = pytest.mark.parametrize("arch", [I386], indirect=True, ids=["i386"])
ISO = ROOT / "build/vtnet.iso"
SLOW = 10 * PATIENCE  # it interprets each instruction
CONFIGURATION = """\
config_interface: textconfig
display_library: term
cpu: count=1, ips=50000000, reset_on_triple_fault=0
memory: guest=32, host=32
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
pci: enabled=1, chipset=i440fx, slot1=ne2k
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path={iso}, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev={folder}/serial
ne2k: enabled=1, mac=52:54:00:12:34:56, ethmod=tuntap, ethdev=/dev/net/tun:tap0, script=""
clock: sync=slowdown, time0=local
log: {folder}/log
panic: action=fatal
"""


def serial(folder):
    path = folder / "serial"
    return path.read_text(errors="replace").replace("\r", "") if path.exists() else ""


def wait_for(pattern, folder, bochs):
    deadline = time.monotonic() + SLOW
    while not re.search(pattern, serial(folder), re.MULTILINE):
        assert bochs.poll() is None and time.monotonic() < deadline, \
            f"no '{pattern}' in:\n{serial(folder)}\n{pathlib.Path(folder, 'log').read_text()[-2000:]}"
        time.sleep(0.1)


def test_cd(arch, tmp_path):
    if not shutil.which("bochs"):
        pytest.skip("bochs is missing: ./setup hypervisors installs it")
    assert ISO.exists(), "`make iso` makes it"
    (tmp_path / "bochsrc").write_text(CONFIGURATION.format(iso=ISO, folder=tmp_path))
    with open(tmp_path / "screen", "wb") as screen, subprocess.Popen(
            ["bochs", "-q", "-f", tmp_path / "bochsrc"], stdin=subprocess.PIPE, stdout=screen,
            stderr=subprocess.STDOUT, env={"TERM": "vt100", "PATH": "/usr/bin:/bin"},
            preexec_fn=die_with_parent) as bochs:
        try:
            bochs.stdin.write(b"c\n")  # Debian's starts in its debugger
            bochs.stdin.flush()
            wait_for("started by Multiboot$", tmp_path, bochs)
            wait_for("^vtnet: .* NE2000$", tmp_path, bochs)
            wait_for(r"^vtnet: ready at 10\.0\.0\.2/24", tmp_path, bochs)
            host.ping("10.0.0.2", count=20)
            assert not re.search("^vtnet: (panic|exception)", serial(tmp_path), re.MULTILINE)
        finally:
            bochs.kill()
