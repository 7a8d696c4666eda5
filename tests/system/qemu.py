# SPDX-License-Identifier: BSD-2-Clause
"""The features of a QEMU, as reported by itself. A test that needs a later feature is skipped, and
the skip names the feature. Only features listed here may be requested; a test fails if no QEMU
has the name."""

import dataclasses
import functools
import json
import re
import subprocess
import unittest

CARD = "virtio-net-pci"
LATER_PROPERTIES = {"packed"}  # of the card
LATER_DEVICES = {"pvpanic-pci", "virtio-iommu-pci"}
LATER_COMMANDS = {"x-query-virtio", "x-query-virtio-status", "x-query-virtio-queue-status"}
LATER_OPTIONS = {"action"}
SECONDS = 60  # for what takes a tenth of one on an idle machine


@dataclasses.dataclass(frozen=True)
class Features:
    """Of one machine of one QEMU."""
    program: str
    version: tuple
    properties: frozenset  # of virtio-net-pci
    devices: frozenset
    commands: frozenset  # of QMP
    options: frozenset  # on the command line; of LATER_OPTIONS only
    fw_cfg: bool

    def missing(self, words):
        """The later features in a command line that this machine lacks."""
        for option, value in zip(words, [*words[1:], ""]):
            if option == "-fw_cfg" and not self.fw_cfg:
                yield "fw_cfg"
            elif option[1:] in LATER_OPTIONS - self.options:
                yield option
            elif option == "-device":
                device, *properties = value.split(",")
                if device in LATER_DEVICES - self.devices:
                    yield device
                elif device == CARD:
                    names = {each.partition("=")[0] for each in properties}
                    yield from (f"{name} of {CARD}" for name in
                                sorted(names & LATER_PROPERTIES - self.properties))

    def skip(self, what):
        """pytest treats the exception as a skip, other users of these files as an error."""
        raise unittest.SkipTest(f"{self.program} {'.'.join(map(str, self.version))} has no {what}")


def ask(command, questions):
    """QEMU's answers to QMP commands; None for errors."""
    lines = [{"execute": "qmp_capabilities"}, *questions, {"execute": "quit"}]
    done = subprocess.run(command, input="".join(json.dumps(line) + "\n" for line in lines), text=True,
                          capture_output=True, timeout=SECONDS, check=False)
    answers = [answer.get("return") for answer in map(json.loads, done.stdout.splitlines())
               if "return" in answer or "error" in answer]
    assert len(answers) == len(lines), f"{command}: {done.stdout}{done.stderr}"
    return answers[1:-1]


@functools.cache
def features(arch):
    """Those of an architecture's machine, without starting it."""
    command = [*arch.machine, "-accel", "tcg", *arch.image, "-S", "-net", "none", "-display", "none",
               "-serial", "none", "-monitor", "none", "-qmp", "stdio"]
    version, properties, devices, commands, machine, *options = ask(command, [
        {"execute": "query-version"},
        {"execute": "device-list-properties", "arguments": {"typename": CARD}},
        {"execute": "qom-list-types", "arguments": {"implements": "device"}},
        {"execute": "query-commands"},
        {"execute": "qom-list", "arguments": {"path": "/machine"}},
        *({"execute": "query-command-line-options", "arguments": {"option": option}}
          for option in sorted(LATER_OPTIONS))])

    def names(listed):
        return frozenset(each["name"] for each in listed or ())

    return Features(
        arch.machine[0], tuple(version["qemu"][part] for part in ("major", "minor", "micro")),
        names(properties), names(devices), names(commands),
        frozenset(option for option, known in zip(sorted(LATER_OPTIONS), options) if known),
        any(re.fullmatch("fw_cfg.*", name) for name in names(machine)))
