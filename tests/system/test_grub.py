# SPDX-License-Identifier: BSD-2-Clause
"""`make iso` and `make disk`: GRUB, from a PC's BIOS to the guest, and its menu at the serial port."""

import pytest

import host
from guest import PATIENCE, ROOT, tap_network
from terminal import guest_with_terminal
from test_screen import I386

pytestmark = pytest.mark.parametrize("arch", [I386], indirect=True, ids=["i386"])
ISO, DISK = ROOT / "build/vtnet.iso", ROOT / "build/vtnet.img"
MEDIA = {
    "cd": ["-cdrom", str(ISO)],
    "iso-as-disk": ["-drive", f"file={ISO},format=raw,if=ide,snapshot=on"],
    "disk": ["-drive", f"file={DISK},format=raw,snapshot=on"],
}
CONTROL_E, CONTROL_X, DOWN = "\x05", "\x18", "\x0e"
SLOW = 10 * PATIENCE  # GRUB reads sector by sector


def booted(arch, medium, *more):
    def prepare(guest):
        assert ISO.exists() and DISK.exists(), "`make iso disk` makes them"
        at = guest.command.index("-kernel")
        guest.command[at:at + 4] = [*MEDIA[medium], *more]
    return guest_with_terminal(arch, prepare=prepare, ready=None, network=tap_network())


def assert_boots(guest, terminal):
    terminal.wait_for("started by Multiboot", SLOW)
    terminal.wait_for(r"^vtnet: ready at 10\.0\.0\.2/24", SLOW)
    host.serves(guest.address)


@pytest.mark.parametrize("machine", ["pc", "q35"])
@pytest.mark.parametrize("medium", MEDIA)
def test_boots_by_itself(arch, medium, machine):
    """GRUB boots the first entry after three seconds; without DHCP the guest is at 10.0.0.2."""
    if (medium, machine) == ("iso-as-disk", "q35"):
        pytest.skip("q35 has no IDE disk by that option; the medium is the same")
    with booted(arch, medium, "-M", machine) as (guest, terminal):
        assert_boots(guest, terminal)


@pytest.mark.parametrize("medium", ["cd", "disk"])
def test_second_entry(arch, medium):
    with booted(arch, medium) as (guest, terminal):
        terminal.wait_for("vtnet at 10.0.0.2", SLOW)
        terminal.type(DOWN + "\r")
        assert_boots(guest, terminal)


def test_edited_entry(arch):
    """A user adds arguments to those of the entry, in GRUB's editor below the title and an empty line."""
    with booted(arch, "cd") as (guest, terminal):
        terminal.wait_for("vtnet at 10.0.0.2", SLOW)
        terminal.type(DOWN + "e")
        terminal.wait_for("multiboot", SLOW)
        terminal.type(2 * DOWN + CONTROL_E + " mode=poll name=edited" + CONTROL_X)
        assert_boots(guest, terminal)
        assert terminal.command("mode") == ["mode poll, poll_us 500"]
        terminal.wait_for("^vtnet: name edited.local", SLOW)
