# SPDX-License-Identifier: BSD-2-Clause
"""What an echo costs in accesses that a hypervisor must handle. On a busy host fewer interrupts come,
never more accesses for one."""

import sys

import pytest

from guest import ROOT, Guest

sys.path.append(str(ROOT / "bench/trace"))
from exits_count import ECHO, LIKE_KVM, SUBJECTS, Counter  # noqa: E402

ROUNDING = 0.02  # exits of an echo: others than echoes happen meanwhile


@pytest.mark.parametrize("transport", ["legacy", "modern"])
def test_exits_of_an_echo(arch, transport):
    for name, label, append, device in SUBJECTS:
        if name == arch.name and label.startswith(transport):
            fence, qemu = LIKE_KVM[name]
            with Guest(arch, f"mode=irq {append} {fence}", device=device, qemu=qemu) as guest:
                guest.wait_ready()
                exits = Counter(guest).count(ECHO)
                guest.assert_well()
            check(exits, reads_cause="MSI-X" not in label, reads_for_fence=name == "ppc")


def check(exits, reads_cause, reads_for_fence):
    """Without MSI-X the card is asked for the interrupt's cause. On PowerPC a register is read before
    each sleep, in place of a fence."""
    registers = reads_cause * exits["interrupts"] + reads_for_fence * exits["sleeps"]
    assert exits["kicks"] <= 1 + ROUNDING
    assert exits["interrupts"] <= 1 + ROUNDING
    assert exits["controller"] <= exits["interrupts"] + ROUNDING
    assert exits["card"] <= registers + ROUNDING
