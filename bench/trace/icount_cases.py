# SPDX-License-Identifier: BSD-2-Clause
"""The cases of the instruction budget: a guest is traced while packets are sent to it.

The image is the usual one; QEMU writes a line for each instruction that it executes. With -icount the
guest's clock counts instructions, so a slow trace does not have more clock ticks.
"""

import contextlib
import dataclasses
import pathlib
import socket
import struct
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/system"))

from guest import ADDRESS, PATIENCE, Guest  # noqa: E402
import icount_trace  # noqa: E402
from icount_tcp import LONG, MSS, LongSegments  # noqa: E402
from icount_trace import LAYERS, RECEIVED  # noqa: E402

# A fixed number of receive buffers, and only the features that the card of any QEMU has: datagrams are sent one by one.
APPEND = "mode=irq bufinit=64 features=-host_uso,-guest_uso4,-guest_uso6"
MESSAGE = bytes(1024)
ECHO, SINK, SOURCE = 7, 9, 19
PACKETS = 40  # packets of a case, one at a time
BURSTS = 10
LEAST = 3  # packets for a median
ATTEMPTS = 3  # attempts on a host that is too busy
IN_BURST = 32  # frames that arrive together
LONGS = 6  # long segments, each way
LONG_BUFFERS = 43  # that one fills
OUT_BURST = 17  # datagrams in one request
SETTLE = 0.004  # seconds without an instruction after which a guest counts as asleep
TICKS = 0.1  # seconds within which a clock tick has reported sent frames
IDLE = 0.3  # seconds of a trace without packets
FUNCTION_LEAST = 0.006  # share of all instructions from which a function is printed
QUIET = 1.3  # seconds after which all work of the start is done


class Unclear(Exception):
    """A trace does not have the expected packets: the host was too busy."""


class Tracer:
    """Traces a guest, each case to its own file."""

    def __init__(self, guest, image):
        self.guest = guest
        self.arrival = f"{image.symbols[RECEIVED]:08x}/".encode()
        self.written = None  # the position in the trace up to which it was read
        if "unknown command" in self.monitor("one-insn-per-tb on"):  # QEMU 8.1
            self.monitor("singlestep on")

    def monitor(self, line):
        return self.guest.qmp("human-monitor-command", **{"command-line": line})

    def file(self, name):
        return pathlib.Path(self.guest.folder.name, f"trace-{name}")

    @contextlib.contextmanager
    def tracing(self, name):
        self.monitor(f"logfile {self.file(name)}")
        self.monitor("log exec,nochain")
        with self.file(name).open("rb") as self.written:
            yield
            self.settle()
            time.sleep(IDLE)  # clock ticks without work, to be subtracted
            self.settle()
        self.monitor("log none")

    def settle(self, packets=0):
        """Waits until the guest has received so many packets since the last call, and then sleeps. The
        time is not limited closely: a trace makes a guest slow, and a busy host makes it slower."""
        deadline = time.monotonic() + PATIENCE
        rest, asleep = b"", False
        while packets > 0 or not asleep:
            if time.monotonic() > deadline:
                raise Unclear(f"{packets} packets still to come, or the guest does not sleep")
            time.sleep(SETTLE)
            new = self.written.read()
            *lines, rest = (rest + new).split(b"\n")
            packets -= sum(self.arrival in line for line in lines)
            asleep = not new

    @contextlib.contextmanager
    def stopped(self):
        """Stops the guest during the body: packets sent meanwhile arrive at once when it continues."""
        self.guest.qmp("stop")
        yield
        self.guest.qmp("cont")


def udp_socket(port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(5)
    sock.connect((ADDRESS, port))
    return sock


def udp_echo(tracer):
    with udp_socket(ECHO) as sock, tracer.tracing("udp-echo"):
        for _ in range(PACKETS):
            sock.send(MESSAGE)
            sock.recv(2048)
            tracer.settle(1)


def send_at_once(tracer, sock):
    """Waits until these packets are handled."""
    with tracer.stopped():
        for _ in range(IN_BURST):
            sock.send(MESSAGE)
    tracer.settle(IN_BURST)


def udp_in(tracer):
    with udp_socket(SINK) as sock:
        with tracer.tracing("udp-in"):
            for _ in range(PACKETS):
                sock.send(MESSAGE)
                tracer.settle(1)
        with tracer.tracing("udp-in-burst"):
            for _ in range(BURSTS):
                send_at_once(tracer, sock)


def udp_out(tracer):
    with udp_socket(SOURCE) as sock:
        for name, count in ("udp-out-one", 1), ("udp-out-burst", OUT_BURST):
            with tracer.tracing(name):
                for _ in range(BURSTS):
                    sock.send(b"SEND" + struct.pack("!II", count, len(MESSAGE)))
                    for _ in range(count):
                        sock.recv(2048)
                    tracer.settle(1)
                    time.sleep(TICKS)
                    tracer.settle()


def tcp_echo(tracer):
    with socket.create_connection((ADDRESS, ECHO), 5) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with tracer.tracing("tcp-echo"):
            for _ in range(PACKETS):
                sock.sendall(MESSAGE)
                sock.recv(len(MESSAGE), socket.MSG_WAITALL)
                tracer.settle(1)


def long_tcp_in(tracer):
    """The sink accepts a long segment at once and acknowledges it."""
    with LongSegments() as peer, tracer.tracing("tcp-in-long"):
        connection = peer.connect_to(4001, SINK)
        for _ in range(LONGS):
            peer.send_long(connection)
            if not connection.receive(lambda s: s.ack == connection.seq & 0xffffffff):
                raise Unclear("a long segment is not acknowledged")
            tracer.settle()
        connection.reset()
        tracer.settle()


def long_tcp_out(tracer):
    """The source always has more to send than the window takes: an acknowledgement brings a long
    segment, once slow start is over."""
    with LongSegments() as peer:
        connection = peer.connect_to(4002, SOURCE)
        while take_segment(connection) < LONG:
            peer.acknowledge_long(connection)
        with tracer.tracing("tcp-out-long"):
            for _ in range(LONGS):
                tracer.settle()
                peer.acknowledge_long(connection)
                take_segment(connection)
            tracer.settle()
        connection.reset()


def take_segment(connection):
    """Returns its length."""
    segment = connection.receive()
    if not segment:
        raise Unclear("a long segment does not come")
    connection.ack = segment.seq + segment.length
    return segment.length


def alone(image, file, received, sent, completed=None):
    """Returns the medians of those packets in a trace of which so many arrived and were sent together,
    without others. Unless `completed` is given, as many must have been reported as sent, which may be
    earlier ones."""
    wanted = (received, sent, sent if completed is None else completed)
    parts = icount_trace.packets(image, file)
    found = [layers for events, layers in parts if events == wanted]
    if len(found) < LEAST:
        raise Unclear(f"{file.name}: not {LEAST} times {wanted}: {[events for events, _ in parts]}")
    return icount_trace.medians(found)


def more(row, first, count):
    """Returns the cost of one of `count` additional packets."""
    return {name: (row[name] - first[name]) / count for name in LAYERS}


def in_burst(image, file, one):
    """A burst may still be divided if QEMU's threads do not run at the same time. Returns the median of
    the bursts of which at least half arrived together."""
    parts = icount_trace.packets(image, file)
    found = [more(layers, one, events[0] - 1) for events, layers in parts
             if events[0] >= IN_BURST / 2 and events[1:] == (0, 0)]
    if len(found) < LEAST:
        raise Unclear(f"{file.name}: packets together: {[events for events, _ in parts]}")
    return icount_trace.medians(found)


def evaluate(image, tracer):
    """Returns rows of all cases, with the spread of each case's packets."""
    one_in = alone(image, tracer.file("udp-in"), 1, 0)
    one_out = alone(image, tracer.file("udp-out-one"), 1, 1)[0]
    burst_out, spread = alone(image, tracer.file("udp-out-burst"), 1, OUT_BURST)
    out = more(burst_out, one_out, OUT_BURST - 1)
    return {
        "UDP in, alone": one_in,
        "UDP in, of a burst": in_burst(image, tracer.file("udp-in-burst"), one_in[0]),
        "UDP out, of a burst": ({name: round(value) for name, value in out.items()},
                                round(spread / (OUT_BURST - 1))),
        "UDP echo": alone(image, tracer.file("udp-echo"), 1, 1),
        "TCP echo": alone(image, tracer.file("tcp-echo"), 1, 1),
        "64 KiB TCP segment in": alone(image, tracer.file("tcp-in-long"), LONG_BUFFERS, 1),
        "64 KiB TCP segment out": alone(image, tracer.file("tcp-out-long"), 1, LONG // MSS, 1),
    }


def print_functions(arch, image, tracer):
    """Of one echo and one long segment: the functions with the most instructions."""
    for name, wanted in ("udp-echo", (1, 1, 1)), ("tcp-echo", (1, 1, 1)), ("tcp-out-long", (1, LONG // MSS, 1)):
        found = icount_trace.functions(image, tracer.file(name), wanted)
        print(f"\n| {arch.name}, {name} | layer | function | file |\n|---|---|---|---|")
        for (layer, function, file), count in found.items():
            if layer in LAYERS and count >= FUNCTION_LEAST * sum(found.values()):
                print(f"| {count:.0f} | {layer} | `{function}` | `{file}` |")


def trace(arch, image, functions):
    with Guest(arch, APPEND, device="disable-legacy=on", qemu=["-icount", "shift=0"]) as guest:
        guest.wait_ready()
        guest.wait_for("^vtnet: name ")  # its socket is one more in lwIP's list
        time.sleep(QUIET)
        tracer = Tracer(guest, image)
        for case in udp_echo, tcp_echo, udp_in, udp_out, long_tcp_in, long_tcp_out:
            case(tracer)
        guest.assert_well()
        guest.process.terminate()
        guest.process.wait()
        if functions:
            print_functions(arch, image, tracer)
        return evaluate(image, tracer)


def of_folder(arch, folder):
    """Returns an architecture (of guest.py) with an image in another folder than build/."""
    option, image = arch.image
    return dataclasses.replace(arch, image=(option, image.replace("build", folder, 1)))


def measure(arch, functions=False):
    """Boots the image of an architecture (of guest.py). Returns rows of all cases: instructions per
    layer, and the spread. functions: also prints those of echoes."""
    image = icount_trace.Image(arch.name, ROOT / arch.image[1])
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return trace(arch, image, functions)
        except Unclear:
            if attempt == ATTEMPTS:
                raise
    return None
