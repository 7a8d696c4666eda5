# SPDX-License-Identifier: BSD-2-Clause
"""The cost of a message on one of many open TCP connections, each asked in turn. The peer sends what it is
told, so that no acknowledgement is left out or comes late."""

import time

import icount_trace
from guest import ADDRESS, Guest
from icount_cases import APPEND, MESSAGE, PACKETS, QUIET, ROOT, Tracer, Unclear, alone
from icount_tcp import GUEST_MAC, MSS, PEER
from station import Station, mss

PORT = 84  # of tests/guest/connections.c
FIRST = 10_000  # the peer's first port
MANY = 4000


def ask(tracer, connection):
    """The message, its echo, and the acknowledgement."""
    connection.send(MESSAGE)
    echo = connection.receive(lambda s: s.data)
    if echo is None or echo.data != MESSAGE:
        raise Unclear("a message is not echoed as it was")
    tracer.settle(1)
    connection.ack += len(echo.data)
    connection.send()
    tracer.settle(1)


def cost(guest, image, count):
    """Instructions per layer, with so many connections open. lwIP has the one asked next at the end of
    its list, which begins with the newest, and then with the one asked last."""
    with Station(ADDRESS, GUEST_MAC, PEER) as peer:
        connections = [peer.connect(FIRST + i, PORT, options=mss(MSS)) for i in range(count)]
        time.sleep(QUIET)
        tracer = Tracer(guest, image)
        with tracer.tracing("many"):
            for i in range(PACKETS):
                ask(tracer, connections[i % count])
        message = alone(image, tracer.file("many"), 1, 1)[0]
        acknowledgement = alone(image, tracer.file("many"), 1, 0)[0]
        return {name: message[name] + acknowledgement[name] for name in message}


def measure(arch):
    """Returns {number of connections: instructions per layer}."""
    image = icount_trace.Image(arch.name, ROOT / arch.image[1].replace("vtnet-demo", "connections"))
    rows = {}
    for count in 1, MANY:
        with Guest(arch, APPEND, device="disable-legacy=on", image="connections",
                   qemu=["-icount", "shift=0"]) as guest:
            guest.wait_ready()
            guest.wait_for("^vtnet: name ")
            rows[count] = cost(guest, image, count)
            guest.assert_well()
    return rows
