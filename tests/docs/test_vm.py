# SPDX-License-Identifier: BSD-2-Clause
"""How ./vm handles its options, without a guest."""

import importlib.machinery
import importlib.util
import pathlib

import pytest

PATH = str(pathlib.Path(__file__).resolve().parents[2] / "vm")


@pytest.fixture(scope="module", name="vm")
def load_vm():
    loader = importlib.machinery.SourceFileLoader("vm", PATH)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("vm", loader))
    loader.exec_module(module)
    return module


@pytest.mark.parametrize("net, append, address", [
    ("tap", "", "10.0.0.2"), ("tap", "dhcp", "10.0.0.2"), ("user", "mode=irq", "10.0.2.15"),
    ("tap", "ip=10.0.0.9/24", "10.0.0.9"), ("user", "ip=10.0.2.20", "10.0.2.20"),
    ("tap", "ip=10.0.0.8,10.0.1.8", "10.0.0.8"),
    ("tap", "ip=10.0.0.8/24\tmode=irq\nip=10.0.0.9/24", "10.0.0.9"),  # the last one is used
    ("tap", "ip=10.0.0.9/24 ip=bogus", "10.0.0.9"), ("tap", "ip=bogus", "10.0.0.2"),
    ("tap", "ip=,10.0.1.2", "10.0.0.2"), ("tap", "dhcp vip=10.0.0.7", "10.0.0.2"),
])
def test_address_that_is_expected(vm, net, append, address):
    assert vm.guest_address(vm.parse(["run", "--net", net, "--append", append])) == address


@pytest.mark.parametrize("text, address", [
    ("vtnet: ready at 169.254.7.9/16\n", "169.254.7.9"), ("x\nvtnet: ready\n", None),
    ("vtnet: ready at 10.0.0.2/24 on eth0\n", "10.0.0.2"),
])
def test_address_on_the_console(vm, text, address):
    assert vm.READY.search(text)[1] == address
    assert not vm.READY.search(text[:-1])  # more lines follow


def test_quotation_without_an_end(vm, capsys):
    with pytest.raises(SystemExit):
        vm.parse(["run", "--qemu", "-name 'a b"])
    assert "argument --qemu: -name 'a b: No closing quotation" in capsys.readouterr().err
    assert vm.parse(["run", "--qemu", "-name 'a b'"]).qemu == ["-name", "a b"]


ELF = b"\x7fELF"
I386 = ELF + b"\x01\x01" + bytes(12) + b"\x03\x00"  # byte order and machine of the header
PPC = ELF + b"\x01\x02" + bytes(12) + b"\x00\x14"


@pytest.mark.parametrize("arch, content, said", [
    ("i386", I386, None), ("ppc", PPC, None), ("ppc", b"a ROM", None),
    ("ppc", I386, "is an image for i386: take --arch i386"), ("i386", PPC, "is an image for ppc: take --arch ppc"),
    ("i386", b"\xeb\x63" + bytes(100), "is no ELF image"), ("i386", b"", "is no ELF image"),
    ("i386", ELF, "is no ELF image"),
])
def test_image_that_cannot_start(vm, tmp_path, arch, content, said):
    path = tmp_path / "image"
    path.write_bytes(content)
    options = vm.parse(["run", "--arch", arch, "--image", str(path)])
    if said is None:
        vm.check_image(options)
    else:
        with pytest.raises(vm.Failure, match=said):
            vm.check_image(options)
