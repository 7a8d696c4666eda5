# SPDX-License-Identifier: BSD-2-Clause
"""The guest as netperf's server: with netperf itself, and with messages that netperf never sends."""

import contextlib
import re
import socket
import struct
import subprocess
import time

import pytest

import host
import wire6
from guest import PATIENCE, ROOT, Guest
from test_ipv6 import GUEST, PREFIX, ROUTED, ROUTED_OURS, host_addresses
from test_stats import by_udp
from wire import Wire

CONTROL = 12865
TESTS = ("TCP_STREAM", "TCP_MAERTS", "TCP_RR", "TCP_CRR", "UDP_STREAM", "UDP_RR")
# A run of TCP_CRR ends a second after its time.
RUN_MAX = 60  # seconds

# Messages: 164 big-endian words; here as the words that are not zero.
WORDS, SIZE = 164, 656
DO_OMNI, OMNI_RESPONSE, PASSPHRASE = 97, 98, 6
EINVAL, EMSGSIZE, EPROTONOSUPPORT, EAFNOSUPPORT, UNKNOWN_TEST = 22, 90, 93, 97, 998
TYPE, ERROR = 0, 1
SEND_SIZE, REQUEST_SIZE, RECV_BUF, RECEIVE_SIZE, RESPONSE_SIZE = 3, 7, 8, 9, 13
FLAGS, LENGTH, PORT, FAMILY, KIND, PROTOCOL, DIRECTION, CLIENT_PORT = 14, 16, 22, 23, 24, 25, 26, 27
XMIT, RECV = 2, 4  # of the server
RESPONSE_PORT = 13
MINUS_ONE = 0xffffffff
TCP_REQUEST = {TYPE: DO_OMNI, LENGTH: 1, FAMILY: 4, KIND: 1, PROTOCOL: 6, DIRECTION: RECV}
UDP_REQUEST = {TYPE: DO_OMNI, LENGTH: 1, FAMILY: 4, KIND: 2, PROTOCOL: 17, DIRECTION: RECV}


@pytest.fixture(scope="module")
def netperf():
    """netperf's output for these arguments; it must succeed."""
    done = subprocess.run([ROOT / "setup", "--netperf"], text=True, capture_output=True,
                          timeout=PATIENCE, check=False)
    if done.returncode != 0:
        pytest.skip(done.stderr.strip())
    program = done.stdout.strip()

    def run(address, *arguments):
        done = subprocess.run([program, "-H", address, *arguments], text=True, timeout=RUN_MAX,
                              capture_output=True, check=False)
        assert done.returncode == 0, f"netperf {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout
    run.program = program
    return run


def values(netperf, address, names, *arguments):
    """netperf's output for a test with these options. The test's own options follow a "--"."""
    out = netperf(address, "-P", "0", *arguments, "-k", ",".join(names))
    found = dict(re.findall(r"^(\w+)=(.*)$", out, re.MULTILINE))
    return [float(found[name]) for name in names]


def figure(netperf, address, test, *arguments, options=""):
    """Bits or transactions per second; for a stream, those that arrived."""
    got, = values(netperf, address, ["THROUGHPUT"], "-l", "1", *arguments, "-t", test, "--",
                  *options.split())
    return got


@pytest.fixture(scope="module")
def booted(arch):
    with Guest(arch, f"rxdyn=0 ip6={GUEST}/64") as guest:
        yield guest.wait_ready()


@pytest.fixture
def address(booted):
    booted.assert_well()
    yield booted.address
    host.serves(booted.address)
    booted.assert_well()


@pytest.mark.parametrize("test", TESTS)
def test_each(netperf, address, test):
    """A busy guest may lose a part of each of the largest datagrams, which are the default."""
    options = "-m 1024" if test == "UDP_STREAM" else ""
    assert figure(netperf, address, test, options=options) > 0


def test_largest_datagrams(netperf, address):
    netperf(address, "-l", "1", "-t", "UDP_STREAM")


@pytest.mark.parametrize("test, options", [
    ("TCP_STREAM", "-m 1000,2000 -M 3000,4000 -s 32768 -S 32768 -D"),
    ("TCP_MAERTS", "-m 1000,2000 -M 3000,4000 -s 32768 -S 32768 -D"),
    ("TCP_MAERTS", "-m 1,1 -M 1,1"),
    ("TCP_RR", "-r 100,20000 -s 32768 -S 40000 -D"),
    ("TCP_RR", "-r 300000,400000"),  # more than the windows
    ("TCP_RR", "-r 7,13 -b 64"),
    ("TCP_CRR", "-r 20000,30000"),
    ("UDP_STREAM", "-m 1 -M 100"),
    ("UDP_RR", "-r 1000,60000"),
    ("UDP_RR", "-r 60000,1"),
    ("UDP_RR", "-r 1,1 -b 16"),
])
def test_options(netperf, address, test, options):
    assert figure(netperf, address, test, options=options) > 0


@pytest.mark.parametrize("test", ["TCP_STREAM", "TCP_MAERTS", "TCP_CRR", "UDP_RR"])
def test_confidence(netperf, address, test):
    """Three runs over one control connection, each of which requests the first one's port."""
    assert figure(netperf, address, test, "-i", "3,3", "-I", "99,50") > 0


def test_bytes_are_counted_on_both_sides(netperf, address):
    names = ("LOCAL_BYTES_SENT", "REMOTE_BYTES_RECVD")
    sent, received = values(netperf, address, names, "-l", "-1000000", "-t", "omni", "--",
                            "-d", "send")
    assert sent == received >= 1_000_000
    names = ("LOCAL_BYTES_RECVD", "REMOTE_BYTES_SENT")
    received, sent = values(netperf, address, names, "-l", "-1000001", "-t", "omni", "--",
                            "-d", "recv")
    assert sent == received == 1_000_001


@pytest.mark.parametrize("test", ["TCP_RR", "TCP_CRR"])
def test_transactions_by_number(netperf, address, test):
    assert figure(netperf, address, test, "-l", "-200") > 0


def test_connections_without_data(netperf, address):
    assert figure(netperf, address, "omni", options="-c -d 0") > 0


def test_datagrams_from_the_guest(netperf, address):
    received, sent = values(netperf, address, ["LOCAL_BYTES_RECVD", "REMOTE_BYTES_SENT"], "-l", "1",
                            "-t", "omni", "--", "-d", "recv", "-T", "udp", "-m", ",1400")
    assert 0 < received <= sent
    assert received % 1400 == 0


def test_buffers_are_as_wanted(netperf, address):
    names = ("RSR_SIZE", "RSS_SIZE", "REMOTE_RECV_SIZE", "REMOTE_NODELAY")
    got = values(netperf, address, names, "-l", "1", "-t", "omni", "--", "-d", "send",
                 "-S", "50000,40000", "-M", "5000", "-D", ",R")
    assert got == [40000, 50000, 5000, 1]


def test_processor_time_is_unknown(netperf, address):
    names = ("REMOTE_CPU_UTIL", "LOCAL_CPU_UTIL")
    remote, local = values(netperf, address, names, "-c", "-C", "-l", "1", "-t", "omni", "--",
                           "-d", "send")
    assert remote == -1
    assert local >= 0


@pytest.mark.parametrize("count", [2, 8])
def test_several_at_once(netperf, address, count):
    """Without a flood of datagrams, in which those of others would be lost."""
    tests = [test for test in TESTS * 2 if test != "UDP_STREAM"]
    host.all_at_once(lambda test: test_each(netperf, address, test), tests[:count])


def memory_in_use(address):
    """Returns the memory in bytes without the card's receive buffers, whose number does not fall."""
    stats = by_udp(address)
    counters = stats["cards"][0]["counters"]
    block = counters["rx_held"] // counters["rx_buffers"] + 16  # with its header, and
    step = 1 << ((block - 1).bit_length() - 4)  # rounded up to an eighth of a power of two
    return stats["memory"]["used"] - counters["rx_buffers"] * (-(-block // step) * step)


def memory_settles_at(address, used):
    """Closed connections are removed after two minutes, but their segments at once."""
    deadline = time.monotonic() + PATIENCE
    while (now := memory_in_use(address)) > used:
        assert time.monotonic() < deadline, f"{now} bytes are in use, {used} were before"
        time.sleep(0.05)


def kill_clients(netperf, address, count):
    for number in range(count):
        test = TESTS[number % len(TESTS)]
        client = subprocess.Popen([netperf.program, "-H", address, "-l", "60", "-t", test],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.1 + 0.05 * number)
        assert client.poll() is None
        client.kill()
        client.wait()


def test_killed_clients_leave_nothing(netperf, address):
    kill_clients(netperf, address, len(TESTS))
    used = memory_in_use(address)
    kill_clients(netperf, address, 10)
    memory_settles_at(address, used + 2 * 288)  # connections of TCP_CRR that have just been closed
    for test in reversed(TESTS):  # no requests after a flood, which may still fill the queue
        test_each(netperf, address, test)


def pack(words):
    return struct.pack(f"!{WORDS}I", *(words.get(at, 0) & MINUS_ONE for at in range(WORDS)))


@contextlib.contextmanager
def control(address):
    with host.tcp_socket(address, CONTROL) as sock:
        yield sock


def ask(sock, words):
    sock.sendall(pack(words))
    return struct.unpack(f"!{WORDS}I", host.receive_exactly(sock, SIZE))


@pytest.mark.parametrize("words, error", [
    ({TYPE: 0}, UNKNOWN_TEST), ({TYPE: 10}, UNKNOWN_TEST), ({TYPE: MINUS_ONE}, UNKNOWN_TEST),
    (TCP_REQUEST | {FAMILY: 5}, EAFNOSUPPORT),
    (TCP_REQUEST | {PROTOCOL: 132}, EPROTONOSUPPORT),
    (TCP_REQUEST | {KIND: 2}, EPROTONOSUPPORT),
    (UDP_REQUEST | {KIND: MINUS_ONE}, EPROTONOSUPPORT),
    (TCP_REQUEST | {DIRECTION: 0}, EINVAL), (TCP_REQUEST | {DIRECTION: 8}, EINVAL),
    (TCP_REQUEST | {FLAGS: 4}, EINVAL),  # one connection per transaction, but one direction
    (UDP_REQUEST | {FLAGS: 4, DIRECTION: RECV | XMIT}, EINVAL),
    (TCP_REQUEST | {PORT: 65536}, EINVAL), (TCP_REQUEST | {PORT: MINUS_ONE}, EINVAL),
    (UDP_REQUEST | {DIRECTION: XMIT}, EINVAL),  # to which port?
    (UDP_REQUEST | {DIRECTION: XMIT, CLIENT_PORT: 7, SEND_SIZE: 65508}, EMSGSIZE),
    (UDP_REQUEST | {DIRECTION: RECV | XMIT, RESPONSE_SIZE: 0x7fffffff}, EMSGSIZE),
])
def test_impossible_requests(address, words, error):
    with control(address) as sock:
        for _ in range(3):
            answer = ask(sock, words)
            kind = OMNI_RESPONSE if words[TYPE] == DO_OMNI else words[TYPE]
            assert answer == (kind, error, *[0] * (WORDS - 2))
        sock.shutdown(socket.SHUT_WR)
        assert host.receive_to_end(sock) == b""


@pytest.mark.parametrize("words", [TCP_REQUEST, UDP_REQUEST], ids=["TCP", "UDP"])
def test_abandoned_tests_leave_nothing(address, words):
    used = memory_in_use(address)
    for _ in range(200):
        with control(address) as sock:
            assert ask(sock, words)[:2] == (OMNI_RESPONSE, 0)
    memory_settles_at(address, used + 1024)


@pytest.mark.parametrize("sizes", [0, 1, 0x7fffffff, 0x80000000, MINUS_ONE])
@pytest.mark.parametrize("direction", [RECV, XMIT, RECV | XMIT])
def test_sizes_from_hell(address, sizes, direction):
    """A test is set up anyway, and ended when the client disconnects."""
    words = dict.fromkeys((SEND_SIZE, REQUEST_SIZE, RECV_BUF, RECEIVE_SIZE, RESPONSE_SIZE), sizes)
    with control(address) as sock:
        answer = ask(sock, TCP_REQUEST | words | {DIRECTION: direction})
        assert answer[:2] == (OMNI_RESPONSE, 0)
        with host.tcp_socket(address, answer[RESPONSE_PORT]) as data:
            data.sendall(bytes(100_000))
            data.shutdown(socket.SHUT_WR)
            host.receive_to_end(data)
        host.receive_exactly(sock, SIZE)


def test_window_is_that_of_a_smaller_buffer(address):
    wanted = 40_000
    with control(address) as sock:
        port = ask(sock, TCP_REQUEST | {RECV_BUF: wanted})[RESPONSE_PORT]
        with host.tcp_socket(address, port) as data:
            data.sendall(bytes(host.MIB))
            deadline = time.monotonic() + PATIENCE
            acknowledged = 0
            while acknowledged < host.MIB:
                assert time.monotonic() < deadline
                info = data.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 232)
                acknowledged, = struct.unpack("=Q", info[120:128])  # tcpi_bytes_acked
            assert 0 < struct.unpack("=I", info[228:])[0] <= wanted  # tcpi_snd_wnd


def test_message_in_pieces(address):
    with control(address) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        message = pack({TYPE: PASSPHRASE}) + pack({TYPE: 5}) + pack({TYPE: 7})
        for at in range(0, len(message), 41):
            sock.sendall(message[at:at + 41])
        answers = host.receive_exactly(sock, 2 * SIZE)
        assert struct.unpack("!II", answers[:8]) == (5, UNKNOWN_TEST)
        assert struct.unpack("!II", answers[SIZE:SIZE + 8]) == (7, UNKNOWN_TEST)
        sock.sendall(message[:SIZE - 1])  # never completed


def test_noise(address):
    for seed in range(10):
        with control(address) as sock, contextlib.suppress(ConnectionError):
            sock.sendall(host.pattern(20_000, seed))
            sock.shutdown(socket.SHUT_WR)
            host.receive_to_end(sock)


def test_request_during_a_test_ends_both(address):
    with control(address) as sock:
        port = ask(sock, TCP_REQUEST)[RESPONSE_PORT]
        with host.tcp_socket(address, port) as data:
            sock.sendall(pack(TCP_REQUEST))
            assert host.receive_to_end(sock) == b""
            with pytest.raises(ConnectionError):
                assert not data.recv(1)
                raise ConnectionError


def test_one_data_connection_at_a_time(address):
    with control(address) as sock:
        port = ask(sock, TCP_REQUEST)[RESPONSE_PORT]
        with host.tcp_socket(address, port) as data:
            data.sendall(b"x")
            with contextlib.suppress(ConnectionError), host.tcp_socket(address, port) as second:
                assert second.recv(1) == b""
            data.shutdown(socket.SHUT_WR)
            assert data.recv(1) == b""
        answer = struct.unpack(f"!{WORDS}I", host.receive_exactly(sock, SIZE))
        assert answer[:4] == (OMNI_RESPONSE, 0, 0, 1)  # one byte received


def test_only_the_first_sender_takes_part(address):
    with control(address) as sock:
        port = ask(sock, UDP_REQUEST)[RESPONSE_PORT]
        with host.udp_socket(address, port) as first, host.udp_socket(address, port) as second:
            first.send(bytes(100))
            second.send(bytes(10))
            with contextlib.suppress(ConnectionRefusedError):  # it may be told at once
                second.send(b"")
            first.send(bytes(1000))
            first.send(b"")
            answer = struct.unpack(f"!{WORDS}I", host.receive_exactly(sock, SIZE))
        assert answer[:5] == (OMNI_RESPONSE, 0, 0, 1100, 2)


def test_silent_udp_client(address):
    """Its last datagrams are lost, and the results come a second after the test's time."""
    with control(address) as sock:
        port = ask(sock, UDP_REQUEST)[RESPONSE_PORT]
        with host.udp_socket(address, port) as data:
            data.send(bytes(100))
            assert struct.unpack("!IIII", host.receive_exactly(sock, SIZE)[:16])[3] == 100


def test_more_sessions_than_there_may_be(address):
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(host.tcp_socket(address, CONTROL)) for _ in range(17)]
        for sock in socks[1:]:
            assert ask(sock, TCP_REQUEST)[:2] == (OMNI_RESPONSE, 0)
        with pytest.raises(ConnectionResetError):  # the oldest one that did nothing
            socks[0].recv(1)
    with control(address) as sock:
        assert ask(sock, {TYPE: 1})[:2] == (1, UNKNOWN_TEST)


@pytest.fixture(scope="module", name="booted6")
def fixture_booted6(booted):
    """Does the same with IPv6 addresses of two networks."""
    with host_addresses():
        booted.wait_for(f"^vtnet: IPv6 address {GUEST}/64$")
        with Wire() as wire:
            wire.send(wire6.ALL_NODES_MAC, wire6.IPV6, wire6.router_advertisement(PREFIX))
            booted.wait_for(f"^vtnet: IPv6 address {ROUTED}/64$")
        yield booted


@pytest.mark.parametrize("test", TESTS)
def test_over_ipv6(netperf, booted6, test):
    options = "-m 1024" if test == "UDP_STREAM" else ""
    assert figure(netperf, GUEST, test, "-6", options=options) > 0
    booted6.assert_well()


def test_datagrams_of_another_network(booted6):
    """The guest answers from the address that the client has chosen, whichever is nearer."""
    with control(booted6.address) as sock:
        port = ask(sock, UDP_REQUEST | {FAMILY: 6, DIRECTION: RECV | XMIT, REQUEST_SIZE: 5,
                                        RESPONSE_SIZE: 7})[RESPONSE_PORT]
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as data:
            data.settimeout(PATIENCE)
            data.bind((ROUTED_OURS, 0))
            data.connect((GUEST, port))
            data.send(bytes(5))
            assert len(data.recv(100)) == 7


@pytest.mark.parametrize("control_address, data_address", [(GUEST, "10.0.0.2"), ("10.0.0.2", GUEST)])
@pytest.mark.parametrize("test", ["TCP_MAERTS", "UDP_RR"])
def test_control_over_the_other_version(netperf, booted6, test, control_address, data_address):
    family = "-6" if ":" in data_address else "-4"
    assert figure(netperf, control_address, test, options=f"{family} -H {data_address}") > 0
    booted6.assert_well()
