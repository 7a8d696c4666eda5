# SPDX-License-Identifier: BSD-2-Clause
"""The text screen of a PC, for users who start QEMU with its window and no serial console."""

import pathlib
import re
import socket
import time

import pytest

from guest import ARCHITECTURES, PATIENCE, Guest

I386 = next(arch for arch in ARCHITECTURES if arch.name == "i386")
COLUMNS, ROWS = 80, 25
TEXT_MEMORY = 0xb8000
KEY = "Press a key to switch the machine off"
pytestmark = pytest.mark.parametrize("arch", [I386], indirect=True, ids=["i386"])


def start(arch, *arguments, display=("-display", "none")):
    """`qemu-system-i386 -kernel IMAGE` with arguments, and QMP to read the screen."""
    guest = Guest(arch)
    guest.command = [*arch.machine, *arch.image, *arguments, *display, "-qmp",
                     f"unix:{guest.qmp_path},server=on,wait=off"]
    return guest


def screen(guest):
    """The lines on the screen."""
    file = pathlib.Path(guest.folder.name, "screen")
    guest.qmp("pmemsave", val=TEXT_MEMORY, size=2 * COLUMNS * ROWS, filename=str(file))
    text = file.read_bytes()[::2].decode("cp437")
    return [text[at:at + COLUMNS].rstrip(" \0") for at in range(0, COLUMNS * ROWS, COLUMNS)]


def shown(guest, pattern):
    """Waits until a pattern is on the screen, without line ends, and returns the whole text."""
    deadline = time.monotonic() + PATIENCE
    while not guest.qmp_is_there():
        assert guest.process.poll() is None and time.monotonic() < deadline, guest.console()
        time.sleep(0.01)
    while True:
        text = "".join(line.ljust(COLUMNS) if len(line) == COLUMNS else line + "\n"
                       for line in screen(guest))
        if re.search(pattern, text):
            return text
        assert time.monotonic() < deadline, f"no '{pattern}' on the screen:\n{text}"
        time.sleep(0.05)


def test_without_any_option(arch):
    """There is no driver for the default card: the hint stays on the screen until a key is pressed."""
    with start(arch) as guest:
        text = shown(guest, KEY)
        assert "8086:100e is a network card that has no driver" in text
        assert "-nic user,model=virtio-net-pci" in text
        assert guest.process.poll() is None
        guest.qmp("send-key", keys=[{"type": "qcode", "data": "spc"}])
        guest.wait_exit()


def test_card_of_the_user_network(arch):
    with start(arch, "-nic", "user,model=virtio-net-pci") as guest:
        text = shown(guest, "curl ")
        assert "vtnet: ready at 10.0.2.15/24" in text
        assert "hostfwd=tcp:127.0.0.1:10080-:80" in text
        assert "curl http://127.0.0.1:10080/" in text


def test_what_to_try_on_a_network_of_its_own(boot):
    """The hint is only on the screen: the serial console is unchanged."""
    guest = boot().wait_ready()
    shown(guest, f"Try on the host: ping {guest.address}, curl http://{guest.address}/")
    assert "Try on the host" not in guest.console()


def test_screen_shows_the_end_of_the_serial_console(boot):
    """Lines of every length, some wider than the screen, which scrolls."""
    words = " ".join("x" * length for length in range(1, 190, 3))
    guest = boot(words).wait_ready()
    shown(guest, "Try on the host: ")
    rows = []
    for line in guest.console().partition("vtnet: ready at ")[0].splitlines():
        rows += [line[at:at + COLUMNS].rstrip() for at in range(0, max(len(line), 1), COLUMNS)]
    on_screen = screen(guest)
    last = max(number for number, line in enumerate(on_screen) if "vtnet: ready at " in line)
    assert last > 10
    assert on_screen[:last] == rows[-last:]


def test_panic(arch):
    """A later failure also stays on the screen: here too little memory."""
    with start(arch, "-m", "2") as guest:
        shown(guest, "KiB of free memory found(.*\n)*.*" + KEY)


def test_without_a_window_the_machine_goes_off_at_once(arch):
    with start(arch, display=("-nographic",)) as guest:
        guest.wait_exit()
        assert KEY not in guest.console()


def test_machine_without_a_screen(arch):
    with start(arch, "-vga", "none", "-serial", "stdio") as guest:
        guest.wait_exit()
        assert "vtnet: no usable network card" in guest.console()


def test_who_reads_the_serial_console_sees_what_it_waits_for(arch, tmp_path):
    """-display none is invisible to the guest. A key may come from either side."""
    path = tmp_path / "serial"
    with start(arch, "-serial", f"unix:{path},server=on,wait=on") as guest, \
            socket.socket(socket.AF_UNIX) as serial:
        serial.settimeout(PATIENCE)
        deadline = time.monotonic() + PATIENCE
        while serial.connect_ex(str(path)) != 0:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        text = b""
        while KEY.encode() not in text:
            text += serial.recv(4096)
        shown(guest, KEY)
        serial.send(b"\n")
        guest.wait_exit()


def test_machine_without_a_keyboard(arch):
    """Ports without a device do not count as a key."""
    with start(arch, "-M", "pc,i8042=off") as guest:
        shown(guest, KEY)
        time.sleep(0.2)
        assert guest.process.poll() is None


@pytest.mark.parametrize("machine", ["pc,acpi=off", "isapc"])
@pytest.mark.parametrize("display", [("-display", "none"), ("-nographic",)], ids=" ".join)
def test_machine_that_cannot_switch_itself_off(arch, machine, display):
    with start(arch, "-M", machine, "-serial", "stdio", "-monitor", "none", display=display) as guest:
        guest.wait_for("^vtnet: the run has ended. This machine cannot switch itself off: end QEMU")
        assert KEY not in guest.console()
