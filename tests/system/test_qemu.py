# SPDX-License-Identifier: BSD-2-Clause
"""A feature that an older QEMU lacks is named; one that none has is an error. A stand-in replaces
the older QEMU."""

import dataclasses
import json
import unittest

import pytest

import qemu
from guest import Guest, tap_network

OLD = {
    "query-version": {"qemu": {"major": 4, "minor": 0, "micro": 0}},
    "device-list-properties": [{"name": "mac"}],
    "qom-list-types": [{"name": "virtio-net-pci"}],
    "query-commands": [{"name": "qmp_capabilities"}],
    "qom-list": [{"name": "peripheral"}],
    "query-command-line-options": None,
}
STAND_IN = """#!/usr/bin/python3
import json, sys
print('{"QMP": {}}')
for line in sys.stdin:
    answer = json.loads(sys.argv[1]).get(json.loads(line)["execute"], {})
    print(json.dumps({"error": {}} if answer is None else {"return": answer}))
    print('{"event": "SHUTDOWN"}')
"""


@pytest.fixture(name="old")
def fixture_old(arch, tmp_path):
    """The architecture with a QEMU 4.0 prep machine."""
    program = tmp_path / "qemu"
    program.write_text(STAND_IN)
    program.chmod(0o755)
    return dataclasses.replace(arch, machine=(str(program), json.dumps(OLD)),
                               append=("-append", "@"),
                               exit_device=("-device", "pvpanic-pci", "-action", "panic=none"))


@pytest.mark.parametrize("what, options", [
    ("packed of virtio-net-pci", {"device": "mac=1,packed=on"}),
    ("packed of virtio-net-pci", {"network": ["-device", "e1000", *tap_network(device="packed=on")]}),
    ("virtio-iommu-pci", {"qemu": ["-device", "virtio-iommu-pci,addr=4"]}),
    ("fw_cfg", {"qemu": ["-fw_cfg", "name=opt/vtnet/seed,string=a"]}),
    ("-action", {"qemu": ["-action", "panic=exit-failure"]})])
def test_what_it_has_not_is_skipped_by_name(old, what, options):
    with pytest.raises(unittest.SkipTest, match=rf"qemu 4\.0\.0 has no {what}$"):
        Guest(old, **options)


def test_commands_that_it_has_not_are_skipped_by_name(old):
    for command in ("x-query-virtio", "x-query-virtio-status", "x-query-virtio-queue-status"):
        with pytest.raises(unittest.SkipTest, match=rf"has no {command}$"):
            Guest(old).qmp(command)


def test_what_every_one_has_or_none_has_is_not_asked_for(old):
    guest = Guest(old, device="mac=1,pakced=on", qemu=["-device", "virtio-iommu"])
    assert "-action" not in guest.command and "virtio-iommu" in guest.command


def test_a_failure_is_not_told_without_a_device_for_it(old):
    guest = Guest(old)
    guest.wait_exit = lambda _: 0
    with pytest.raises(unittest.SkipTest, match="has no pvpanic-pci, to tell that a guest failed$"):
        guest.wait_failure()


def test_a_machine_without_fw_cfg(arch):
    """Checks it with the installed QEMU."""
    none = dataclasses.replace(arch, machine=(arch.machine[0], "-M", "none"), image=())
    assert not qemu.features(none).fw_cfg
    assert {"query-version", "device-list-properties"} <= qemu.features(none).commands
