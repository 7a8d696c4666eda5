# SPDX-License-Identifier: BSD-2-Clause
"""passt, a process that provides the guest's network without a tap: QEMU's stream back end at its
socket."""

import shutil
import subprocess
import time
import urllib.request

import pytest

from guest import PATIENCE, die_with_parent
from terminal import guest_with_terminal
from test_backends import card, free_port


def test_passt(arch, tmp_path):
    """DHCP, and a port of the host that passt forwards."""
    if not shutil.which("passt"):
        pytest.skip("passt is missing: ./setup hypervisors installs it")
    port, path = free_port(), tmp_path / "socket"
    tmp_path.chmod(0o777)
    command = ["passt", "--foreground", "--quiet", "--runas", "0", "--socket", str(path), "--interface", "tap0",
               "--address", "10.0.0.50", "--netmask", "24", "--gateway", "10.0.0.1",
               "--tcp-ports", f"{port}:80", "--udp-ports", "none"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, preexec_fn=die_with_parent) as passt:
        deadline = time.monotonic() + PATIENCE
        while not path.exists():
            assert passt.poll() is None and time.monotonic() < deadline, passt.stdout.read()
            time.sleep(0.01)
        try:
            network = card(1, f"stream,server=off,addr.type=unix,addr.path={path}")
            with guest_with_terminal(arch, "dhcp", ready=r"^vtnet: ready at 10\.0\.0\.50/24", address=None,
                                     network=network) as _:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=PATIENCE) as answer:
                    assert b'"ip":"10.0.0.50"' in answer.read()
        finally:
            passt.terminate()
