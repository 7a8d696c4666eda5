# SPDX-License-Identifier: BSD-2-Clause
"""The example that prints a line."""

import host


def test_line(boot):
    guest = boot(image="hello").wait_ready()
    with host.tcp_socket(guest.address, 1234) as sock:
        assert host.receive_to_end(sock) == b"hello from bare metal\n"
    guest.wait_for("^vtnet: IPv6 address ")  # on its console
