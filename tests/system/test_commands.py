# SPDX-License-Identifier: BSD-2-Clause
"""The console's commands, typed at the serial line and at a PC's keyboard."""

import os
import random
import re
import time

import pytest

import host
from guest import ARCHITECTURES, PATIENCE
from terminal import PROMPT, guest_with_terminal
from test_screen import COLUMNS, I386, screen, shown
from test_stats import by_http
from wire import IPV4, Wire

ON_A_PC = pytest.mark.parametrize("arch", [I386], indirect=True, ids=["i386"])
ON_PREP = pytest.mark.parametrize("arch", [a for a in ARCHITECTURES if a.name == "ppc"], indirect=True,
                                  ids=["ppc"])


def test_transcript(arch):
    """The console prints no prompt before the first key; then it answers each command."""
    with guest_with_terminal(arch, "ip6=fd00::2") as (guest, terminal):
        assert PROMPT not in terminal.text
        answer = terminal.command("help")
        assert [line.split()[0] for line in answer[:-1]] == [
            "help", "ping", "stats", "features", "link", "mode", "rx", "promisc", "reset", "reboot",
            "poweroff"]
        assert terminal.command("help ping") == [line for line in answer if line.startswith("ping ")]
        answer = terminal.command("ping 10.0.0.1 2 1400")
        assert re.fullmatch(r"2: 1400 bytes in \d+\.\d{3} ms", answer[1])
        assert answer[2].startswith("2 sent, 2 answered, min ")
        terminal.wait_for("^vtnet: IPv6 address fd00::2")
        assert terminal.command("ping fd00::1 1 0")[-1].startswith("1 sent, 1 answered, ")
        assert terminal.command("ping 10.0.0.77 1") == ["1: no answer", "1 sent, 0 answered"]
        assert any(re.search(r"\brx_packets=[1-9]", line) for line in terminal.command("stats"))
        assert any("  accepted: " in line for line in terminal.command("features"))
        answer = "\n".join(terminal.command("link"))
        assert re.search(r"^card 0: \S+ virtio-net, link up", answer)
        assert "MTU 1500, IPv4 10.0.0.2 mask 255.255.255.0" in answer and "IPv6 fd00::2" in answer
        assert re.match(r"card 0: \d+ receive buffers posted, ", terminal.command("rx")[0])
        assert terminal.command("mode irq") == []
        assert terminal.command("mode") == ["mode irq, poll_us 500"]
        assert terminal.command("mode hybrid 25") == []
        assert terminal.command("mode") == ["mode hybrid, poll_us 25"]
        host.serves(guest.address)


@pytest.mark.parametrize("to, size", [("10.0.0.1", 65507), ("fd00::1", 65487)])
def test_first_ping_is_the_largest(arch, to, size):
    """All fragments of a ping wait for the neighbour's address."""
    with guest_with_terminal(arch, "ip6=fd00::2") as (_, terminal):
        terminal.wait_for("^vtnet: IPv6 address fd00::2")
        assert re.match(rf"1: {size} bytes in ", terminal.command(f"ping {to} 1 {size}")[0])


def test_mode_changes_when_the_loop_sleeps(arch):
    with guest_with_terminal(arch) as (guest, terminal):
        def sleeps():
            return by_http(guest.address)["loop"]["sleeps"]

        assert terminal.command("mode poll") == []
        before = sleeps()
        host.ping(guest.address)
        assert sleeps() == before
        assert terminal.command("mode irq") == []
        host.ping(guest.address)
        assert sleeps() > before


WRONG = {  # the line, and the one line of its answer
    "hepl": "unknown command 'hepl'; help lists the commands",
    "help me": "unknown command 'me'; help lists the commands",
    "help help me": r"usage: help \[COMMAND\]",
    "ping": r"usage: ping ADDRESS \[COUNT \[SIZE\]\]",
    "ping 10.0.0.300": "'10.0.0.300' is not an IPv4 or IPv6 address of a station",
    "ping 10.0.0.2": "'10.0.0.2' is this station's own address",
    "ping fe80::5054:ff:fe12:3456": "'fe80::5054:ff:fe12:3456' is this station's own address",
    "ping 10.0.0.255": "'10.0.0.255' is the address of all stations of a network",
    "ping 10.0.0.1 0": "COUNT is from 1 to 1000000",
    "ping 10.0.0.1 1 65508": "SIZE is up to 65507 bytes over IPv4",
    "ping fe80::1 1 65488": "SIZE is up to 65487 bytes over IPv6",
    "ping 10.9.9.9 1": "1: not sent: no route to that network",
    "mode idle": r"usage: mode \[irq\|poll\|hybrid \[POLL_US\]\]",
    "mode irq 5": r"usage: mode \[irq\|poll\|hybrid \[POLL_US\]\]",
    "promisc": r"usage: promisc on\|off \[CARD\]",
    "promisc on 1": "there is no card '1'; link lists the cards",
    "reset 8": "there is no card '8'; link lists the cards",
    "1 2 3 4 5 6 7 8": "unknown command '1'; help lists the commands",
}


def test_lines_that_are_wrong(arch):
    with guest_with_terminal(arch) as (guest, terminal):
        terminal.wait_for("^vtnet: name ")  # the last message of the start, so none comes after a prompt
        for line, answer in WRONG.items():
            assert re.fullmatch(answer, terminal.command(line)[0]), line
        terminal.type("x" * 500 + "\r")
        terminal.wait_for_prompt("^the line has more than 70 characters and is ignored\n")
        terminal.type("h\xe9lp\r".encode())
        terminal.wait_for_prompt("^the line has a character that is not text and is ignored\n")
        noise = random.Random(1).randbytes(1 << 12)
        terminal.type(noise.replace(b"\r", b"").replace(b"\n", b""))
        terminal.type("\x03")
        terminal.wait_for_prompt(r"\^C\n")
        assert terminal.command("mode") == ["mode hybrid, poll_us 500"]
        host.serves(guest.address)


def test_message_while_somebody_types(arch):
    """The message is on a line of its own, and the typed text is shown again."""
    with guest_with_terminal(arch) as (guest, terminal):
        terminal.type("xmode\x1b[D\x1b[D\x1b[D\x1b[D\b")
        terminal.wait_for("\b{5}mode \b{5}")  # all keys are taken
        guest.qmp("set_link", name="nic0", up=False)
        terminal.wait_for("\nvtnet: link down\n" + PROMPT + "mode\b\b\b\b")
        guest.qmp("set_link", name="nic0", up=True)
        terminal.wait_for("\nvtnet: link up\n" + PROMPT + "mode\b\b\b\b")
        terminal.type("\r")
        terminal.wait_for("^mode hybrid, poll_us 500$")


@pytest.mark.parametrize("mode", ["irq", "hybrid", "poll"])
def test_loop_goes_on_and_a_key_wakes_it(arch, mode):
    with guest_with_terminal(arch, f"mode={mode} ip6=fd00::2") as (guest, terminal):
        for _ in range(3):
            assert terminal.command("mode") == [f"mode {mode}, poll_us 500"]
        terminal.type("ping 10.0.0.1 100\rhelp\r")
        terminal.wait_for("^1: 56 bytes in ")
        host.ping(guest.address, count=100)
        host.serves(guest.address)
        assert by_http(guest.address)["cards"][0]["counters"]["rx_packets"] > 100
        terminal.type("\x03")  # input typed after the ping is discarded
        terminal.wait_for_prompt(r"^\d+ sent, \d+ answered, .*\n\^C\n")
        assert terminal.command("mode") == [f"mode {mode}, poll_us 500"]


def test_more_than_a_command_waits_for(arch):
    """Ctrl-C ends a command, however much was typed before it; nothing of that is run."""
    with guest_with_terminal(arch) as (_, terminal):
        terminal.wait_for("^vtnet: name ")  # the last message of the start, so none comes after a prompt
        terminal.type("ping 10.0.0.1 1000\r" + "reboot\r" * 1000 + "reboot")
        terminal.wait_for("^more than 1024 characters were typed ahead and are ignored$")
        terminal.type("\x03")
        terminal.wait_for_prompt(r"^\d+ sent, \d+ answered, .*\n\^C\n")
        terminal.type("ping 10.0.0.1 4\r" + "reboot\r" * 1000 + "reboot")
        terminal.wait_for_prompt("^4 sent, .*\n")
        terminal.type("\r")  # ends the line that was ignored
        assert terminal.command("mode") == ["mode hybrid, poll_us 500"]


def test_answers_to_a_slow_reader(arch):
    """Answers wait for the reader: the pipe takes some 280 characters, an answer to help has over 700."""
    with guest_with_terminal(arch) as (_, terminal):
        terminal.wait_for("^vtnet: name ")  # the last message of the start, so none comes after a prompt
        terminal.keep_little()
        os.write(terminal.keys, b"help\r" * 4)
        terminal.wait_until_full()
        for _ in range(4):
            terminal.wait_for(r"^help \[COMMAND\] .*\n(.*\n)+?Ctrl-C ends a command.*\n" + PROMPT)
        terminal.wait_for(r"\Z")
        assert "characters lost" not in terminal.text


def test_prompt_after_messages_that_nobody_read(arch):
    """Messages do not wait and some are lost; then the prompt comes without other output."""
    with guest_with_terminal(arch) as (guest, terminal):
        terminal.wait_for("^vtnet: name ")
        terminal.command("mode")
        terminal.keep_little()
        for number in range(101):
            guest.qmp("set_link", name="nic0", up=number % 2 == 1)
            time.sleep(0.005)
        terminal.wait_until_full()
        terminal.wait_for_prompt(r"^vtnet: console: \d+ characters lost\n")
        assert terminal.command("mode") == ["mode hybrid, poll_us 500"]


def test_promiscuous(arch):
    """A frame for another station is received while the card is promiscuous, not before or
    afterwards."""
    def counted(guest):
        return by_http(guest.address)["cards"][0]["counters"]["rx_packets"]

    def received():
        before = counted(guest)
        for _ in range(200):
            wire.send("52:54:00:99:99:99", IPV4, bytes(46))
        return counted(guest) - before

    def tell(line, answer):
        """A card may not answer in time on a busy machine."""
        deadline = time.monotonic() + PATIENCE
        while (said := terminal.command(line)) != [answer]:
            assert "did not answer in time" in said[0] and time.monotonic() < deadline

    with guest_with_terminal(arch) as (guest, terminal), Wire() as wire:
        assert received() < 100
        tell("promisc on", "card 0 receives all frames")
        assert received() >= 200
        terminal.type("reset\r")
        terminal.wait_for("^vtnet: virtio-net: the device is back")
        terminal.wait_for("^vtnet: link up$")
        assert received() >= 200  # as it was
        tell("promisc off", "card 0 receives frames for this station")
        assert received() < 100


def test_card_that_cannot(arch):
    """The drivers of other cards support neither promisc nor reset."""
    network = ["-netdev", "tap,id=n0,ifname=tap0,script=no,downscript=no", "-device", "ne2k_pci,netdev=n0"]
    with guest_with_terminal(arch, network=network) as (_, terminal):
        assert terminal.command("promisc on") == [
            "card 0 cannot switch between all frames and frames for this station"]
        assert terminal.command("reset") == ["the driver of card 0 cannot reset it"]
        assert terminal.command("features")[0].startswith("card 0: ")
        assert terminal.command("ping 10.0.0.1 1")[-1].startswith("1 sent, 1 answered")


def test_reboot(arch):
    with guest_with_terminal(arch, prepare=lambda guest: guest.command.remove("-no-reboot")) as (guest, terminal):
        for _ in range(2):
            terminal.type("reboot\r")
            terminal.wait_for("^vtnet: the machine is reset$")
            terminal.wait_for("^vtnet: ready at ")
        host.serves(guest.address)


def test_poweroff(arch):
    with guest_with_terminal(arch) as (guest, terminal):
        terminal.type("poweroff\r")
        assert guest.wait_exit() == arch.exit_success


def without_exit_device(*more):
    def prepare(guest):
        at = guest.command.index("isa-debug-exit,iobase=0xf4,iosize=0x4")
        guest.command[at - 1:at + 1] = more
    return prepare


@ON_A_PC
@pytest.mark.parametrize("machine", ["pc", "q35"])
def test_power_switch_of_a_pc(arch, machine):
    with guest_with_terminal(arch, prepare=without_exit_device("-M", machine)) as (guest, terminal):
        terminal.type("poweroff\r")
        assert guest.wait_exit() == 0


@ON_A_PC
def test_pc_without_a_power_switch(arch):
    with guest_with_terminal(arch, prepare=without_exit_device("-M", "pc,acpi=off")) as (guest, terminal):
        assert terminal.command("poweroff") == [
            "this machine cannot switch itself off: end QEMU by hand; the guest keeps running"]
        host.serves(guest.address)


@ON_PREP
def test_prep_machine_without_no_reboot(arch):
    with guest_with_terminal(arch, prepare=lambda guest: guest.command.remove("-no-reboot")) as (_, terminal):
        terminal.type("poweroff\r")
        terminal.wait_for("^vtnet: this machine has no power switch")
        terminal.wait_for("^vtnet: the run has ended; start QEMU with -no-reboot")


def test_switched_off(arch):
    with guest_with_terminal(arch, "console=0") as (guest, terminal):
        terminal.type("reboot\r" * 10)
        host.serves(guest.address)
        assert PROMPT not in terminal.text


KEYS = {" ": "spc", "\n": "ret", "\b": "backspace", ".": "dot"}


@ON_A_PC
def test_screen_and_keyboard(arch):
    with guest_with_terminal(arch) as (guest, terminal):
        for key in "mox\bde irq\nmode\n":
            guest.qmp("send-key", keys=[{"type": "qcode", "data": KEYS.get(key, key)}], **{"hold-time": 1})
            terminal.wait_for(re.escape({"\n": PROMPT, "\b": "\b \b"}.get(key, key)))
        shown(guest, PROMPT + "mode irq\n" + PROMPT + "mode\nmode irq, poll_us 500\n" + PROMPT.rstrip())
        assert all(len(line) <= COLUMNS for line in screen(guest))
