# SPDX-License-Identifier: BSD-2-Clause
"""Round trips with time stamps of the client, the tap, QEMU and the guest, and their segments.

All times are ns: the host's of its real-time clock, the guest's of arch_clock_ns().
"""

import bisect
import dataclasses
import pathlib
import re
import socket
import statistics
import struct
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/system"))

from guest import ADDRESS, Guest  # noqa: E402

ECHO, STAMPS = 7, 82
SIZE = 1024
SO_TIMESTAMPNS = 35
UDP_PAYLOAD = 14 + 20 + 8  # its offset in a frame
KEY, KEY_MASK = 0x3000, 0xfff  # as in bench/guest/anatomy.c
POINTS = ("interrupt", "pass", "receive", "application", "transmit", "flush", "end")
EVENTS = ("virtqueue_flush", "virtio_queue_notify", "fw_cfg_select")
TX_QUEUE = 1
ATTEMPTS = 3
GAP = 0.0005  # seconds between round trips: an interrupt-driven guest sleeps again
TICK = 1000  # QEMU's trace has whole microseconds, rounded down

# Each segment ends at one of these points and begins at the one before, the first at "sent".
SEGMENTS = {
    "irq": (("client to tap", "tap_out"), ("tap to QEMU to ring", "ring"),
            ("ring to interrupt", "interrupt"), ("interrupt, until the loop runs", "pass"),
            ("driver, in", "receive"), ("lwIP, in", "application"),
            ("application and lwIP, out", "transmit"), ("driver, out, rest of the pass", "flush"),
            ("kick, until QEMU runs", "notify"), ("QEMU to tap", "tap_in"),
            ("tap to client", "received")),
    "poll": (("client to tap", "tap_out"), ("tap to QEMU to ring", "ring"),
             ("ring to poll to driver, in", "receive"), ("lwIP, in", "application"),
             ("application and lwIP, out", "transmit"), ("driver, out, rest of the pass", "flush"),
             ("kick, until QEMU runs", "notify"), ("QEMU to tap", "tap_in"),
             ("tap to client", "received")),
}


class Tap:
    """The times when frames with a number passed the tap, as recorded by the kernel."""

    def __init__(self):
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))  # ETH_P_ALL
        self.sock.bind(("tap0", 3))
        self.sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.sock.setblocking(False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def times(self, number):
        """Returns the times of the frames to the guest and from it; None: not seen yet."""
        found = {}
        while True:
            try:
                frame, auxiliary, _, address = self.sock.recvmsg(2048, 256)
            except BlockingIOError:
                return found.get(True), found.get(False)
            for level, kind, data in auxiliary:
                if (level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS
                        and len(frame) == UDP_PAYLOAD + SIZE
                        and struct.unpack_from("!I", frame, UDP_PAYLOAD)[0] == number):
                    seconds, ns = struct.unpack("@ll", data)
                    found[address[2] == socket.PACKET_OUTGOING] = seconds * 10**9 + ns


def udp_socket(port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(5)
    sock.connect((ADDRESS, port))
    return sock


def round_trip(echo, number):
    """Returns the client's times."""
    message = struct.pack("!I", number).ljust(SIZE, b".")
    sent = time.time_ns()
    echo.send(message)
    answer = echo.recv(2048)
    received = time.time_ns()
    assert answer == message, "the echo is not what was sent"
    return {"sent": sent, "received": received}


def collect(count):
    """Returns the trips with the times of client, tap and guest. `shown` is the guest's clock before and
    after it passed the trip's number to QEMU."""
    trips = []
    with udp_socket(ECHO) as echo, udp_socket(STAMPS) as stamps, Tap() as tap:
        for number in range(count):
            trip = round_trip(echo, number)
            trip["number"] = number
            trip["tap_out"], trip["tap_in"] = tap.times(number)
            stamps.send(struct.pack("!I", number))
            asked, *times = struct.unpack(f"!I{2 + len(POINTS)}Q", stamps.recv(2048))
            assert asked == number, "an answer to another question"
            trip["shown"] = times[:2]
            trip.update(zip(POINTS, times[2:]))
            trips.append(trip)
            time.sleep(GAP)
    return trips


class Trace:
    """Returns QEMU's events, each as a sorted list of times."""

    def __init__(self, path):
        self.flushes, self.kicks, self.keys = [], [], {}
        queues = []
        for line in path.read_text(errors="replace").splitlines():
            if not (found := re.match(r"\d+@(\d+)\.(\d+):(\w+) (.*)", line)):
                continue
            at = int(found[1]) * 10**9 + int(found[2]) * 1000
            name, text = found[3], found[4]
            if name == "virtqueue_flush":
                queues.append((at, re.search(r"vq (\w+)", text)[1]))
            elif name == "virtio_queue_notify" and f" n {TX_QUEUE} " in text:
                self.kicks.append(at)
                transmit = re.search(r" vq (\w+)", text)[1]
            elif name == "fw_cfg_select":
                key = int(re.search(r" key (?:value )?(0x\w+)", text)[1], 16)
                self.keys.setdefault(key, []).append(at)
        self.flushes = [at for at, queue in queues if queue != transmit]


def first_after(times, at):
    """Returns the first of these times that is not before `at`, or None."""
    index = bisect.bisect_left(times, at)
    return times[index] if index < len(times) else None


def add_qemu(trip, trace):
    """Adds ring and notify. Returns true if all times of the trip are known."""
    if None in (trip["tap_out"], trip["tap_in"]):
        return False
    ring = first_after(trace.flushes, trip["tap_out"] - TICK)
    notify = ring and first_after(trace.kicks, ring)
    if notify is None or notify > trip["tap_in"]:
        return False
    trip["ring"], trip["notify"] = ring + TICK // 2, notify + TICK // 2
    return True


def guest_offset(trip, mode, trace):
    """Returns bounds of the guest's clock minus the host's. They follow from three facts: the guest
    passed the number to QEMU between two readings of its clock, no interrupt comes before its cause, and
    no kick arrives before it is made."""
    key = KEY | trip["number"] & KEY_MASK
    shown = first_after(trace.keys.get(key, []), trip["received"] - TICK)
    if shown is None:
        return None
    first = trip["interrupt" if mode == "irq" else "receive"]
    low = max(trip["shown"][0] - shown - TICK, trip["flush"] - trip["notify"])
    high = min(trip["shown"][1] - shown, first - trip["ring"])
    return (low, high) if low <= high else None


def to_host_clock(trip, mode, trace):
    """Converts the guest's times to the host's clock. Returns the accuracy in ns, or None if no
    conversion fits."""
    first = POINTS.index("interrupt" if mode == "irq" else "receive")
    if 0 in [trip[point] for point in POINTS[first:]]:
        return None
    bounds = guest_offset(trip, mode, trace)
    if bounds is None:
        return None
    for point in POINTS:
        trip[point] -= sum(bounds) // 2
    return (bounds[1] - bounds[0]) / 2


def in_order(trip, mode):
    times = [trip["sent"]] + [trip[point] for _, point in SEGMENTS[mode]]
    return all(a <= b for a, b in zip(times, times[1:]))


def middle_half(trips):
    trips = sorted(trips, key=lambda trip: trip["received"] - trip["sent"])
    return trips[len(trips) // 4:len(trips) - len(trips) // 4]


def segments(trips, mode):
    """Returns the means of the segments. Their sum is the mean of the round trip."""
    before = "sent"
    for name, point in SEGMENTS[mode]:
        mean = statistics.fmean(trip[point] - trip[before] for trip in trips)
        yield {"name": name, "us": mean / 1000}
        before = point


class Unclear(Exception):
    """Too few complete round trips: the host was too busy."""


def measure(arch, mode, count):
    """Boots a guest of an architecture (of guest.py). Returns an entry of bench/trace/anatomy's JSON."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return measure_once(arch, mode, count)
        except Unclear:
            if attempt == ATTEMPTS:
                raise
    return None


def measure_once(arch, mode, count):
    arch = dataclasses.replace(arch, image=tuple(part.replace("vtnet-demo", "anatomy")
                                                 for part in arch.image))
    with Guest(arch, f"mode={mode}", device="disable-legacy=on",
               qemu=["-msg", "timestamp=on"]) as guest:
        def monitor(line):
            guest.qmp("human-monitor-command", **{"command-line": line})

        guest.wait_ready()
        path = pathlib.Path(guest.folder.name, "trace")
        untraced = collect(count // 4)
        monitor(f"logfile {path}")
        monitor("log " + ",".join(f"trace:{event}" for event in EVENTS))
        trips = collect(count)
        monitor("log none")
        guest.assert_well()
        guest.process.terminate()
        guest.process.wait()
        trace = Trace(path)
    known = [trip for trip in trips if add_qemu(trip, trace)]
    widths = [(trip, to_host_clock(trip, mode, trace)) for trip in known]
    good = [(trip, width) for trip, width in widths if width is not None and in_order(trip, mode)]
    if len(good) < count / 4:
        raise Unclear(
            f"of {count} round trips QEMU's part is known of {len(known)}, the guest's of "
            f"{sum(width is not None for _, width in widths)}, and {len(good)} are in order")
    chosen = middle_half([trip for trip, _ in good])
    return {
        "platform": arch.name,
        "mode": mode,
        "segments": list(segments(chosen, mode)),
        "n": len(chosen),
        "trips": count,
        "round_trip_us": statistics.fmean(trip["received"] - trip["sent"]
                                          for trip in chosen) / 1000,
        "untraced_us": statistics.fmean(trip["received"] - trip["sent"]
                                        for trip in middle_half(untraced)) / 1000,
        "uncertainty_us": statistics.median(width for _, width in good) / 1000,
    }
