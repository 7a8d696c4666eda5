# SPDX-License-Identifier: BSD-2-Clause
"""The errors that tests/docs/conformance.py detects."""

import pytest

import conformance

TEXT = conformance.DOCUMENT.read_text(encoding="utf-8")


def wrong(text=TEXT, code_change=None, test_change=None):
    """Returns the errors if `file` has `new` instead of `old`, which it must contain."""
    code, tests = conformance.load_all()
    for texts, change in ((code, code_change), (tests, test_change)):
        if change:
            file, old, new = change
            assert old in texts[file]
            texts[file] = texts[file].replace(old, new)
    return conformance.check(text, code, tests)[0]


def test_the_document():
    assert not wrong()


@pytest.mark.parametrize("change", [
    ("virtio.c", "void add_status(", "void add_bits("),
    ("virtio_net.h", "#define VIRTIO_NET_FEATURES_KNOWN", "#define VIRTIO_NET_FEATURES_KNOWN \\\n VIRTIO_F_SR_IOV"),
    ("virtqueue_ring.h", "virtqueue_part_flags(unsigned i", "virtqueue_flags(unsigned i")])
def test_changed_code_is_noticed(change):
    assert wrong(code_change=change)


@pytest.mark.parametrize("change", [
    ("test_transport.c", "void status_is_written_in_order(", "void status_is_written("),
    ("test_transport.c", "cmocka_unit_test(status_is_written_in_order),", ""),
    ("test_gso.c", "(test_what_is_never_joined, ", "(test_limits_of_a_joined_frame, "),
    ("test_offloads.py", "def test_every_checksum_of_the_guest(", "def test_checksums("),
    ("fake_queue.c", "void check_in_order(", "void check_order(")])
def test_changed_tests_are_noticed(change):
    assert wrong(test_change=change)


@pytest.mark.parametrize("old, new", [
    ("| kept |", "| open |"), ("| kept |", "| violated |"), ("| deviation |", "| |"),
    ("`test_transport.c`: `status_is_written_in_order`", ""),
    ("`virtio.c`: `add_status`", "add_status"), ("`virtio.c`: `add_status`", "`virtio.h`: `add_status`"),
    ("| not negotiated | SR_IOV |", "| not negotiated | MRG_RXBUF |")])
def test_changed_entries_are_noticed(old, new):
    assert old in TEXT
    assert wrong(TEXT.replace(old, new, 1))


def test_lost_entries_are_noticed():
    lines = TEXT.splitlines(keepends=True)
    lost = next(line for line in lines if "| kept |" in line)
    assert wrong(TEXT.replace(lost, ""))
