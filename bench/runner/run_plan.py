# SPDX-License-Identifier: BSD-2-Clause
"""What bench/runner/run measures: platforms, guests and their cards, tests."""

import dataclasses
import functools
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
VM = str(ROOT / "vm")
NATIVE = "native"
PLATFORMS = {
    "ppc-tcg": "PowerPC (40p) under TCG",
    "i386-kvm": "i386 under KVM",
    "i386-tcg": "i386 under TCG",
    NATIVE: "no guest",
}
LEGACY = {"ppc-tcg": "ne2k_pci", "i386-kvm": "i82559er", "i386-tcg": "i82559er"}  # as in the paper
CARDS = {"virtio-net-pci": "virtio", "ne2k_pci": "NE2000", "i82559er": "i82559", "e1000": "e1000"}
GUESTS = {"vtnet": "vtnet", "linux": "Linux", "freebsd": "FreeBSD", NATIVE: "veth"}


@dataclasses.dataclass(frozen=True)
class Subject:
    """One guest with one card on one platform."""
    platform: str
    guest: str
    card: str = "virtio-net-pci"
    disk: str = ""  # the disk of a guest that boots from one

    @property
    def name(self):
        return "/".join((self.platform, self.guest, CARDS[self.card]) if self.card
                        else (self.platform, self.guest))

    @property
    def label(self):
        """Its name within its platform."""
        return f"{GUESTS[self.guest]}, {CARDS[self.card]}" if self.card else "vtserve over veth"

    @property
    def own(self):
        return self.guest == "vtnet"

    @property
    def tells(self):
        """True if it reports the memory of its receive buffers."""
        return self.guest in ("vtnet", "linux")

    def vm_command(self):
        """Returns the ./vm command, without the command to run beside the guest."""
        if self.platform == NATIVE:
            return [VM, "netns"]
        arch, accel = self.platform.split("-")
        command = [VM, "run", "--arch", arch, "--accel", accel, "--nic", self.card]
        if not self.own:
            command += ["--peer", self.guest, "--timeout", "60"]
        return command + (["--disk", self.disk] if self.disk else [])


def subjects(freebsd=""):
    found = []
    for platform in ("ppc-tcg", "i386-kvm", "i386-tcg"):
        found += [Subject(platform, "vtnet", card)
                  for card in ("virtio-net-pci", "ne2k_pci", "i82559er")]
        if platform == "ppc-tcg":
            continue
        found += [Subject(platform, "linux", card)
                  for card in ("virtio-net-pci", "e1000", "i82559er", "ne2k_pci")]
        found.append(Subject(platform, "freebsd", disk=freebsd))
    return [*found, Subject(NATIVE, NATIVE, "")]


@functools.cache
def output_of_vm(*arguments):
    done = subprocess.run([VM, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
    return done.stdout


def why_not(subject):
    """Returns why it cannot be measured here, or an empty text."""
    if subject.platform.endswith("-kvm") and "-accel kvm" not in output_of_vm("run", "--print"):
        return "no vmx/svm"
    if subject.guest == "freebsd" and not subject.disk:
        return "no image: --freebsd IMAGE"
    if subject.guest == "linux" and not (ROOT / "build/peers/linux/initramfs").exists():
        return "no Linux: make linux-peer"
    return ""


def qemu_command(subject):
    """Returns the command as ./vm prints it, or an empty text if there is no QEMU."""
    if subject.platform == NATIVE:
        return ""
    return output_of_vm(*subject.vm_command()[1:], "--print").strip()


@dataclasses.dataclass(frozen=True)
class Test:
    """A test of vtbench; one_cpu: QEMU and the client share a processor; in_flight: of a burst."""
    name: str
    one_cpu: bool = False
    in_flight: int = 0

    @property
    def key(self):
        return (self.name + ("-one-cpu" if self.one_cpu else "") +
                (f"-{self.in_flight}" if self.in_flight else ""))


# An NE2000 has room for some ten messages, and loses the rest of a larger burst.
TESTS = [Test("udp-rtt"), Test("tcp-rtt"), Test("udp-rtt", one_cpu=True),
         Test("udp-burst", in_flight=8), Test("udp-burst", in_flight=32), Test("tcp-both"),
         Test("udp-out"), Test("tcp-in"), Test("tcp-out"), Test("udp-in")]


@dataclasses.dataclass(frozen=True)
class Depth:
    """The amount to measure: seconds of a bandwidth test, round trips of a latency test."""
    rounds: int
    seconds: float
    count: int


FULL = Depth(rounds=5, seconds=1, count=3000)
QUICK = Depth(rounds=2, seconds=0.3, count=1000)
TIMELINE = 0  # the round that watches the receive buffers over time instead


def usual_seconds(subject, number, depth):
    """Returns an estimate of the seconds of that round, for the remaining time."""
    boot = 0.5 if subject.own else 5 if subject.card else 0.2
    if number == TIMELINE:
        return boot + 10
    return boot + 1 + sum(0.2 + depth.count * 150e-6 if test.name.endswith("rtt") else
                          depth.seconds + (0.6 if test.name.startswith("tcp") else 0.2)
                          for test in TESTS)


def steps(found, depth):
    """Yields (round, subject) in the order of measuring: A B C, A B C, ..."""
    order = [(number, subject) for number in range(1, depth.rounds + 1) for subject in found]
    return order + [(TIMELINE, subject) for subject in found if subject.own]
