# SPDX-License-Identifier: BSD-2-Clause
"""A failed assertion of lwIP costs a packet, a timer or a connection, not the machine."""

import pytest

import host
from guest import ADDRESS
from test_hostile_tcp import stack


FAILING = 83  # a port of tests/guest/assertion.c


def test_assertions_are_survived(boot):
    """A failed assertion costs the packet or the connection, and nothing else."""
    guest = boot(image="assertion").wait_ready()
    with host.udp_socket(ADDRESS, FAILING) as sock:
        for message in (b"now", b"timer", b"now"):
            sock.send(message)
            host.ping(ADDRESS, count=3)
    for message in (b"now", b"timer", b"now", b"timer"):
        with host.tcp_socket(ADDRESS, FAILING) as sock:
            sock.send(message)
            with pytest.raises(ConnectionResetError):
                sock.recv(1)
    host.serves(ADDRESS)
    counted = stack()
    assert (counted["assertions"], counted["connections_ended"]) == (7, 4)
    guest.wait_for("^vtnet: lwIP: of tests/guest/assertion.c: ")
    assert guest.console().count("vtnet: lwIP: ") == 1
