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
