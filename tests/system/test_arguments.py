# SPDX-License-Identifier: BSD-2-Clause
"""Boot arguments: invalid ones are named and ignored, valid ones take effect."""

import re
import shutil

import pytest

import host
from guest import ROOT

VALID = ("ip gw ip6 mac dhcp linklocal name join services answer mode poll_us bufinit bufmax features transport irq stats peer").split()

IMPOSSIBLE = ["ip=224.0.0.5", "ip=127.0.0.1", "ip=240.0.0.1", "ip=255.255.255.255", "ip=10.0.0.255",
              "ip=10.0.0.0", "ip=10.0.0.3/30", "gw=0.0.0.1", "gw=224.0.0.1", "peer=255.255.255.255",
              "ip6=ff02::1", "peer=::1", "mac=01:00:5e:00:00:01"]
MALFORMED = ["ip=10.0.0.2/33", "ip=300.0.0.2", "ip=10.0.0", "ip=", "gw=gateway", "mode=fast",
             "mode=", "poll_us=-1", "poll_us=1000001", "bufinit=0", "bufinit=2x",
             "bufmax=99999999999999999999", "stats=2", "transport=pci",
             "mac=52:54:00:12:34", "mac=52:54:00:12:34:5g", "mac=52-54-00-12-34-56",
             "mac=00:00:00:00:00:00", "mac=01:00:5e:00:00:01", "mac=ff:ff:ff:ff:ff:ff",
             "peer=fd00::1/64", "peer=ff02::1", "ip6=10.0.0.2", "ip6=fd00::2/48", "ip6=ff02::1", "ip6=::1", "name=", "name=a.b"]
UNKNOWN = ["bogus", "bogus=1", "IP=10.0.0.9", "=", "==", "i", "ipp=10.0.0.9", "%s%n%x", "\x7f"]


def assert_lists_valid_arguments(guest):
    words = guest.wait_for(r"^vtnet: valid boot arguments: (.*)$")[1].split()
    assert set(VALID) <= {word.partition("=")[0] for word in words}


def test_addresses_that_exclude_each_other(boot):
    guest = boot("gw=10.0.0.2 peer=10.0.0.255").wait_ready()
    assert "gw= of card 0 is not the address of another station: it is ignored" in guest.console()
    assert "peer= is not the address of another station: it is ignored" in guest.console()
    host.serves(guest.address)


def test_list_with_more_places_than_cards(boot):
    guest = boot("ip=10.0.0.2/24,10.0.1.2/24 mac=,02:00:00:00:00:01").wait_ready()
    for name in ("ip", "mac"):
        assert f"{name}= is given for card 1, which does not exist" in guest.console()


def test_file_of_several_lines(boot, tmp_path):
    """From fw_cfg: the last argument is followed by a line end or a zero."""
    (tmp_path / "arguments").write_bytes(
        b"ip=10.0.0.79/24\r\n\tbufinit=4\0mode=irq\n\nmac=02:00:00:00:00:77\n\0")
    guest = boot(address=None, qemu=[
        "-fw_cfg", f"name=opt/vtnet/append,file={tmp_path / 'arguments'}"])
    guest.wait_for("^vtnet: ready at 10.0.0.79/24$")
    assert "boot argument" not in guest.console()
    assert "MAC address 02:00:00:00:00:77" in guest.console()
    host.serves("10.0.0.79")


def test_image_path_with_blanks(boot, arch, tmp_path):
    """Multiboot's command line comes first: with its arguments the address would be 10.0.0.80."""
    if arch.name != "i386":
        pytest.skip("a PReP image gets no path")
    folder = tmp_path / "my ip=10.0.0.80 mode=irq test"
    folder.mkdir()
    image = shutil.copy(ROOT / arch.image[1], folder)
    guest = boot("bufinit=4", qemu=["-kernel", image]).wait_ready()
    assert "boot argument" not in guest.console()
    assert "ready at 10.0.0.2/24" in guest.console()
    host.serves(guest.address)


def test_bad_arguments(boot):
    """The guest boots with all invalid arguments and still serves."""
    guest = boot(" ".join(IMPOSSIBLE + MALFORMED + UNKNOWN)).wait_ready()
    for word in IMPOSSIBLE:
        assert (f"boot argument '{word}' is malformed and ignored: this is no valid address of a "
                "station\n" in guest.console())
    for word in MALFORMED:
        assert f"boot argument '{word}' is malformed and ignored: " in guest.console()
    for word in UNKNOWN:
        shown = word.replace("\x7f", r"\x7f")
        assert f"boot argument '{shown}' is unknown and ignored\n" in guest.console()
    assert_lists_valid_arguments(guest)
    assert "MAC address 52:54:00:12:34:56" in guest.console()
    host.serves(guest.address)


def test_malformed_flag(boot):
    """The argument is ignored: a guest that used DHCP would have no address here."""
    guest = boot("dhcp=yes").wait_ready()
    assert "boot argument 'dhcp=yes' is malformed and ignored" in guest.console()
    host.serves(guest.address)


def test_good_arguments_are_not_named(boot):
    guest = boot("  gw=10.0.0.1   mode=hybrid poll_us=0 bufinit=4 bufmax=64 stats=0 transport=any "
                 "features=-event_idx  ").wait_ready()
    assert "boot argument" not in guest.console()
    host.serves(guest.address)


@pytest.mark.parametrize("features", ["-nonsense", "event_idx", "-event_idx,,-mrg_rxbuf", "-64",
                                      "-"])
def test_bad_features(boot, features):
    guest = boot(f"features={features}").wait_ready()
    bad = features.removeprefix("-event_idx,")
    assert f"boot argument features: '{bad}' is not understood and ignored" in guest.console()
    host.serves(guest.address)


def test_features_by_number(boot):
    guest = boot("features=-29,-28").wait_ready()  # event_idx, indirect_desc
    accepted = guest.wait_for(r"^vtnet: features accepted: (.*)$")[1].split()
    assert not {"event_idx", "indirect_desc"} & set(accepted)
    host.serves(guest.address)


def test_more_buffers_at_first_than_at_most(boot):
    guest = boot("bufinit=9 bufmax=4").wait_ready()
    assert "bufinit=9 is more than bufmax=4: bufmax is used for both" in guest.console()
    host.serves(guest.address)


def test_overlong_word(boot):
    guest = boot("x" * 500 + " features=" + "-event_idx," * 14 + " mode=irq").wait_ready()
    assert re.search(r"boot argument 'x{32}\.\.\.' is longer than \d+ characters and ignored",
                     guest.console())
    assert re.search(r"boot argument 'features=(-event_idx,){14}' is malformed", guest.console())
    assert_lists_valid_arguments(guest)
    host.serves(guest.address)


def test_overlong_command_line(boot):
    """Longer than a page; the arguments at its end take effect too."""
    guest = boot(" ".join(f"word{number}" for number in range(2000)) + " mac=02:00:00:00:00:77")
    guest.wait_ready()
    assert "boot argument 'word1999' is unknown and ignored" in guest.console()
    assert "MAC address 02:00:00:00:00:77" in guest.console()
    host.serves(guest.address)


def test_without_an_address(boot):
    guest = boot(address=None).wait_ready()
    assert "vtnet: ready at 10.0.0.2/24" in guest.console()
    host.serves("10.0.0.2")


def test_other_address(boot):
    guest = boot("gw=10.0.0.1", address="10.0.0.77").wait_ready()
    host.serves(guest.address)
    assert host.pings_answered("10.0.0.2", 1) == 0


def test_last_of_two_holds(boot):
    guest = boot("ip=10.0.0.78/24").wait_ready()
    assert "vtnet: ready at 10.0.0.78/24" in guest.console()
    host.serves("10.0.0.78")


def test_mac_is_honoured(boot):
    guest = boot("mac=02:AB:00:00:00:42").wait_ready()
    host.serves(guest.address)
    assert host.neighbour(guest.address) == "02:ab:00:00:00:42"


def test_mac_of_the_device(boot):
    guest = boot(device="mac=52:54:00:ab:cd:ef").wait_ready()
    host.serves(guest.address)
    assert host.neighbour(guest.address) == "52:54:00:ab:cd:ef"


def test_mac_refused_keeps_the_device_s(boot):
    guest = boot("mac=01:00:5e:00:00:01", device="mac=52:54:00:ab:cd:ef").wait_ready()
    assert "boot argument 'mac=01:00:5e:00:00:01' is malformed" in guest.console()
    host.serves(guest.address)
    assert host.neighbour(guest.address) == "52:54:00:ab:cd:ef"
