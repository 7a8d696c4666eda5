# SPDX-License-Identifier: BSD-2-Clause
"""The secret of the random numbers includes the user's seed."""

from guest import ADDRESS, Guest
from station import Station
from test_ipv6 import GUEST_MAC
from test_tcp_numbers import distance, isn


def test_secrets_differ(arch):
    """Two guests that are started with the same arguments, except for the user's seed."""
    numbers = []
    for seed in ("a", "b"):
        with Guest(arch, qemu=["-fw_cfg", f"name=opt/vtnet/seed,string={seed}",
                               "-icount", "shift=3"]) as guest:
            guest.wait_ready()
            with Station(ADDRESS, GUEST_MAC, "10.0.0.99") as peer:
                numbers.append([isn(peer, source) for source in range(3000, 3004)])
    assert all(distance(a, b) > 1 << 16 for a, b in zip(*numbers)), numbers
