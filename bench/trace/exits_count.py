# SPDX-License-Identifier: BSD-2-Clause
"""Counts what a message costs in exits, by QEMU's trace of accesses to registers and by the guest's
counters of kicks, interrupts and sleeps."""

import collections
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/system"), str(ROOT / "bench/runner")]

import guest_stats  # noqa: E402
from guest import ADDRESS  # noqa: E402

SUBJECTS = [  # architecture, label, boot arguments, the card's options
    ("i386", "legacy, INTx", "irq=intx", "disable-modern=on"),
    ("i386", "modern, INTx", "irq=intx", "disable-legacy=on"),
    ("i386", "modern, MSI-X", "", "disable-legacy=on"),
    ("ppc", "legacy, INTx", "", "disable-modern=on"),
    ("ppc", "modern, INTx", "", "disable-legacy=on"),
]
LIKE_KVM = {"i386": ("fence=off", ["-smp", "1,maxcpus=2"]), "ppc": ("", [])}
ECHO = "udp-rtt"
LOADS = {  # of vtbench: how many messages, of TCP so many KiB
    ECHO: lambda grown: grown["tx_packets"],
    "udp-in": lambda grown: grown["rx_packets"],
    "udp-out": lambda grown: grown["tx_packets"],
    "tcp-in": lambda grown: grown["rx_bytes"] / 1024,
    "tcp-out": lambda grown: grown["tx_bytes"] / 1024,
}
EVENTS = ("memory_region_ops_read", "memory_region_ops_write", "pic_set_irq", "ppc_decr_excp")
ACCESS = re.compile(r"memory_region_ops_(\w+) cpu \S+ .*addr (0x\w+) .*name '(.*)'")
TICK = {"i386": re.compile("pic_set_irq master 1 irq 0 level 1"), "ppc": re.compile("ppc_decr_excp")}
KINDS = ("kicks", "interrupts", "controller", "card", "ticks", "sleeps")


def kind_of(way, address, region):
    """The kind of an access; None: it is counted elsewhere, or is none of the processor's."""
    if region in ("pic", "elcr", "pci-intack"):
        return "controller"
    if region == "apic-msi":  # at offset 0 it is a message that the card sends
        return "controller" if int(address, 16) & 0xfff else None
    if region == "pit":
        return "ticks"
    if region.startswith("virtio-pci-notify") or (region == "virtio-pci" and way == "write"):
        return None  # a kick, which the guest counts: an ioeventfd takes it before the trace
    return "card" if region.startswith("virtio-pci") else None


def traced(arch, file):
    """Of the trace: {kind: number}."""
    kinds = collections.Counter()
    with file.open(encoding="ascii", errors="replace") as lines:
        for line in lines:
            access = ACCESS.search(line)
            if access:
                kinds[kind_of(*access.groups())] += 1
            elif TICK[arch.name].search(line):
                kinds["ticks"] += 1
    return kinds


def statistics():
    """Of the guest: what it counts of its loop and its card."""
    found = guest_stats.read(ADDRESS)
    return {**found["cards"][0]["counters"], "sleeps": found["loop"]["sleeps"]}


class Counter:
    """Counts the exits of a guest."""

    def __init__(self, guest):
        self.guest = guest

    def monitor(self, line):
        return self.guest.qmp("human-monitor-command", **{"command-line": line})

    def count(self, load, round_trips=500, seconds=0.3):
        """Exits of a message, by kind; load: a test of vtbench."""
        file = pathlib.Path(self.guest.folder.name, f"trace-{load}")
        self.monitor(f"logfile {file}")
        before = statistics()
        for event in EVENTS:  # not every machine has each
            self.monitor(f"trace-event {event} on")
        subprocess.run([ROOT / "build/host/vtbench", "--quiet", "--json", "--count", str(round_trips),
                        "--seconds", str(seconds), ADDRESS, load],
                       stdout=subprocess.DEVNULL, check=True)
        for event in EVENTS:
            self.monitor(f"trace-event {event} off")
        after = statistics()
        grown = {name: after[name] - before[name] for name in after}
        kinds = traced(self.guest.arch, file)
        kinds.update(kicks=grown["rx_kicks"] + grown["tx_kicks"], interrupts=grown["interrupts"],
                     sleeps=grown["sleeps"])
        messages = LOADS[load](grown)
        return {kind: kinds[kind] / messages for kind in KINDS}
